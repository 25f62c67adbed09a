"""land: parses a raw batch to strings and appends it to bronze, once.

Checks the header against the contract; a ragged row keeps its cells and says why it has no shape.
Columns at L4 are sealed before they are stored, and with them whatever stands in no column.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake

from contracts.errors import JingshuError
from contracts.model import max_level
from contracts.words import Words
from jobs.files.decode import DecodeError, naming, sniff
from jobs.files.raw import opened_raw
from jobs.land.header import HeaderError, match_header
from jobs.land.records import Noticed, read
from jobs.names import Step
from jobs.scan import findings
from jobs.seal.columns import SealError
from jobs.seal.rows import opened_rows, sealed_rows
from jobs.stages import LandedBatch
from jobs.tables.bronze import bronze_schema, statistics_only_on
from jobs.tables.delta import (
    append_once,
    committed_as,
    dataset,
    has_transaction,
    open_table,
    writer_properties,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract, Export, Server
    from jobs.files.decode import Record
    from jobs.land.header import Layout
    from jobs.stages import RawBatch

_CHUNK_ROWS: Final = 65_536
_HEADER_SEARCH_ROWS: Final = 10
#: Formats whose header is a row of the file, among others.
_TABLES: Final = ("csv", "xlsx", "xls")


class LayoutMovedError(JingshuError, ValueError):
    """A contract whose columns are no longer those of its table."""


@dataclass
class Parsed:
    """The rows of a file as bronze batches, and what was noticed on the way."""

    contract: Contract
    server: Server
    batch_id: str
    rows: int = 0
    blank: int = 0
    footers: int = 0
    unnamed: int = 0
    findings: list[Words] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)

    @property
    def export(self) -> Export:
        """How the provider writes its file."""
        return self.server.export

    @cached_property
    def closest(self) -> frozenset[str]:
        """The columns that may hold a cell of any other: shifted cells stand under others' names.

        Those of the contract's own level, or all where none is above L2.
        """
        columns = self.contract.columns
        top = max_level([c.effective_level for c in columns])
        return frozenset(c.name for c in columns if top in ("L1", "L2") or c.effective_level == top)

    @property
    def header_row(self) -> int:
        """The row that holds the header; named values have theirs before them."""
        return self.export.header_row if self.server.format in _TABLES else 1

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Yield the file's rows in chunks; raises DecodeError for a wrong layout."""
        sniffed = sniff(path)
        declared = self.export.encoding
        if sniffed.encoding and declared != "auto" and not sniffed.encoding.startswith(declared):
            found = sniffed.encoding
            self.findings.append(
                Words(f"声明为 {declared}，实为 {found}", f"declared {declared}, found {found}")
            )
        noticed = Noticed(self.findings, self.notes)
        numbered = read(path, sniffed, self.contract, self.server, noticed)
        layout = self._header(numbered)
        self.findings += layout.findings
        chunk: list[dict[str, Any]] = []
        for record in self._data_rows(numbered):
            chunk.append(self._row(layout, record))
            if len(chunk) == _CHUNK_ROWS:
                yield self._record_batch(chunk)
                chunk = []
        if chunk:
            yield self._record_batch(chunk)
        if not self.rows:
            raise DecodeError(
                Words("文件只有表头，没有数据行。", "The file has a header and no rows."),
                Words(
                    "请交付数据行，或说明为何没有。",
                    "Deliver the rows, or tell why there are none.",
                ),
            )
        self._tell_passed_over()

    def _tell_passed_over(self) -> None:
        if self.blank:
            told = self.notes if self.export.blank_lines else self.findings
            en = f"{self.blank} blank lines passed over"
            told.append(Words(f"略过 {self.blank} 个空行", en))
        if self.footers:  # only what the contract's pattern matches
            after = f"{self.footers} lines after the data passed over"
            self.notes.append(Words(f"略过数据之后的 {self.footers} 行", after))
        if self.unnamed:
            en = f"values under no header kept aside at L3, in {self.unnamed} rows"
            zh = f"{self.unnamed} 行中无表头的值已按 L3 另存"
            self.findings.append(Words(zh, en))

    def _data_rows(self, numbered: Iterator[Record]) -> Iterator[Record]:
        """Pass over blank rows and the footer; what data follows after was no footer."""
        footer = re.compile(self.export.footer) if self.export.footer else None
        waiting: list[Record] = []
        for record in numbered:
            if record.error is None and not any(c.strip() for c in record.cells):
                self.blank += 1
            elif footer is not None and footer.search("".join(record.cells).strip()):
                waiting.append(record)
            else:
                yield from waiting
                waiting = []
                yield record
        self.footers += len(waiting)

    def _header(self, numbered: Iterator[Record]) -> Layout:
        tried: list[tuple[int, list[str]]] = []
        for count, record in enumerate(numbered, start=1):
            tried.append((count, record.cells))
            if count == self.header_row:
                break
        if len(tried) < self.header_row:
            raise DecodeError(
                Words(
                    f"文件在表头应在的第 {self.header_row} 行之前就结束了。",
                    f"The file ends before row {self.header_row}, where its header should be.",
                ),
                Words("请完整交付。", "Deliver it whole."),
            )
        try:
            return match_header(self.contract, self.export, tried[-1][1])
        except HeaderError as wrong:
            for row, cells in self._other_rows(tried, numbered):
                try:
                    match_header(self.contract, self.export, cells)
                except HeaderError:
                    continue
                raise HeaderError(
                    Words(
                        f"表头在第 {row} 行，不在第 {self.header_row} 行。",
                        f"The header stands in row {row}, not in row {self.header_row}.",
                    ),
                    Words(
                        f"请在契约中写 header_row: {row}，或按约定的位置交付表头。",
                        f"Set header_row: {row} in the contract,"
                        " or deliver it where it was agreed.",
                    ),
                ) from wrong
            raise

    def _other_rows(
        self, tried: list[tuple[int, list[str]]], numbered: Iterator[Record]
    ) -> Iterator[tuple[int, list[str]]]:
        yield from tried[:-1]
        for offset, record in enumerate(numbered, start=len(tried) + 1):
            if offset > _HEADER_SEARCH_ROWS:
                return
            yield offset, record.cells

    def _row(self, layout: Layout, record: Record) -> dict[str, Any]:
        if record.error is not None:
            return self._shapeless(record)
        cells = record.cells
        error = None
        beyond = cells[layout.width :]
        misfit = len(cells) < layout.needed or any(c.strip() for c in beyond)
        if misfit:
            error = f"{len(cells)} cells, {layout.width} expected"
        elif any("\0" in c for c in cells):
            error = "a NUL byte in the row"
        row: dict[str, Any] = {
            name: cells[i]
            for name, i in layout.positions.items()
            if i < len(cells) and (not misfit or name in self.closest)
        }
        extra = {n: cells[i] for n, i in layout.extra.items() if i < len(cells) and cells[i]}
        aside = {
            n: cells[i] for n, i in layout.unnamed.items() if i < len(cells) and cells[i].strip()
        }
        self.unnamed += bool(aside)
        extra |= aside
        if error is not None:
            extra["_cells"] = json.dumps(cells, ensure_ascii=False)
        row["_source_line"] = record.line
        row["_row_error"] = error
        row["_extra"] = json.dumps(extra, ensure_ascii=False) if extra else None
        row["_batch_id"] = self.batch_id
        self.rows += 1
        return row

    def _shapeless(self, record: Record) -> dict[str, Any]:
        """Return a record that has no cells: its text is kept, and why it is none."""
        self.rows += 1
        kept = json.dumps(record.cells, ensure_ascii=False)
        return {
            "_source_line": record.line,
            "_row_error": record.error,
            "_extra": json.dumps({"_cells": kept}, ensure_ascii=False),
            "_batch_id": self.batch_id,
        }

    def _record_batch(self, chunk: list[dict[str, Any]]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist(chunk, schema=bronze_schema(self.contract))


def land(home: Home, delivery: Delivery, raw: RawBatch) -> LandedBatch:
    """Append a raw batch to bronze, once, and return what landed.

    Raises DecodeError naming provider, dataset, file and remedy; bronze is then untouched.
    """
    contract = delivery.contract
    parsed = Parsed(contract, contract.server(delivery.provider), raw.batch_id)
    path = home.table("bronze", raw.table)
    app_id = Step.LAND.of(raw.batch_id)
    with naming(delivery.name, raw.batch.file_name):
        table = open_table(path)
        if table is not None and has_transaction(table, app_id):
            with opened_raw(home, raw) as file:
                for _ in parsed.batches(file):
                    pass
            version = committed_as(table, app_id)
        else:
            data = _rows(home, raw, parsed)
            findings.of_batch(home, delivery, raw.batch, data)
            stored = sealed_rows(home, delivery, data)
            version, _ = append_once(
                path,
                lambda: stored,
                app_id,
                partition_by=["_batch_id"],
                configuration=statistics_only_on(contract, "_source_line"),
                metadata={"jingshu.rows": str(data.num_rows), "jingshu.sha256": raw.batch.sha256},
            )
    return _landed(raw, parsed, version)


def land_again(home: Home, delivery: Delivery, raw: RawBatch) -> LandedBatch:
    """Land a batch anew under the contract now in force; bronze is rewritten only if rows differ.

    Raises DecodeError as ``land`` does, LayoutMovedError when the table has other columns.
    """
    path, app_id = home.table("bronze", raw.table), Step.LAND.of(raw.batch_id)
    table = open_table(path)
    if table is None or not has_transaction(table, app_id):
        return land(home, delivery, raw)
    contract = delivery.contract
    wanted = bronze_schema(contract)
    if {f.name for f in table.schema().fields} != set(wanted.names):
        raise LayoutMovedError(
            Words(
                f"{raw.table} 的列与 {contract.id} {contract.version} 不同。",
                f"{raw.table} has other columns than {contract.id} {contract.version}.",
            ),
            Words(
                "请以新的日期重新交付该批次，或保留表中原有的列。",
                "Deliver the batch again under a new date, or keep the table's columns.",
            ),
        )
    parsed = Parsed(contract, contract.server(delivery.provider), raw.batch_id)
    with naming(delivery.name, raw.batch.file_name):
        data = _rows(home, raw, parsed)
    findings.of_batch(home, delivery, raw.batch, data)
    mine = pc.field("_batch_id") == raw.batch_id
    there = dataset(table).to_table(filter=mine).select(wanted.names).cast(wanted)
    if not _is_same(home, delivery, there.sort_by("_source_line"), data):
        write_deltalake(
            table,
            stored := sealed_rows(home, delivery, data),
            mode="overwrite",
            writer_properties=writer_properties(stored.schema),
            predicate=f"_batch_id = '{raw.batch_id}'",
            commit_properties=CommitProperties(
                custom_metadata={
                    "jingshu.name": app_id,
                    "jingshu.rows": str(data.num_rows),
                    "jingshu.sha256": raw.batch.sha256,
                }
            ),
        )
    return _landed(raw, parsed, committed_as(DeltaTable(str(path)), app_id))


def _landed(raw: RawBatch, parsed: Parsed, bronze_version: int) -> LandedBatch:
    return LandedBatch(
        batch=raw.batch,
        rows_landed=parsed.rows,
        bronze_version=bronze_version,
        findings=tuple(one.stored() for one in parsed.findings),
        notes=tuple(one.stored() for one in parsed.notes),
    )


def _is_same(home: Home, delivery: Delivery, there: pa.Table, data: pa.Table) -> bool:
    """Tell whether stored rows read as these; rows stored before a column was sealed do not."""
    try:
        return bool(opened_rows(home, delivery, there).equals(data))
    except SealError:
        return False


def _rows(home: Home, raw: RawBatch, parsed: Parsed) -> pa.Table:
    with opened_raw(home, raw) as file:
        return pa.Table.from_batches(list(parsed.batches(file)), bronze_schema(parsed.contract))
