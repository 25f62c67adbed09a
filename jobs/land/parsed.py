"""A file's rows as bronze has them, and what was noticed on the way.

A row that has another number of cells than the header keeps them all, and says why it has no shape.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from contracts.model import max_level
from contracts.words import Words
from jobs.files.decode import DecodeError, sniff
from jobs.land.header import HeaderError, match_header
from jobs.land.records import Noticed, read
from jobs.land.text import Part, TextRows
from jobs.tables.bronze import bronze_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np

    from contracts.model import Contract, Export, Server
    from jobs.files.decode import Record, Sniffed
    from jobs.land.header import Layout

_CHUNK_ROWS: Final = 65_536
_HEADER_SEARCH_ROWS: Final = 10
#: Formats whose header is a row of the file, among others.
_TABLES: Final = ("csv", "xlsx", "xls")


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
    layout: Layout = field(init=False)

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
        with ExitStack() as opened:
            yield from self._shaped(self._parts(path, sniffed, opened))
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

    def _parts(self, path: Path, sniffed: Sniffed, opened: ExitStack) -> Iterator[Part]:
        """Yield the rows below the header, some at a time."""
        sniffed.check(self.server.format)
        if sniffed.kind == "text" and self.server.format in _TABLES:
            encoding = sniffed.encoding or "utf-8-sig"
            text = opened.enter_context(path.open(encoding=encoding, errors="strict", newline=""))
            rows = TextRows(text, self.export.delimiter)
            self.layout = self._header(iter(rows))
            yield from rows.blocks(self.layout.width)
            return
        records = read(path, sniffed, self.contract, self.server, self._noticed)
        self.layout = self._header(records)
        while some := list(islice(records, _CHUNK_ROWS)):
            yield Part(some)

    def _shaped(self, parts: Iterable[Part]) -> Iterator[pa.RecordBatch]:
        """Yield rows; pass over blank ones and the footer. What data follows after was none."""
        waiting: list[Part] = []
        for part in parts:
            data, after = self._without_footer(self._without_blanks(part))
            if len(data):
                yield from (self._batch(kept) for kept in waiting)
                waiting = []
                yield self._batch(data)
            if len(after):
                waiting.append(after)
        self.footers += sum(map(len, waiting))

    def _without_blanks(self, part: Part) -> Part:
        """Leave out records without a word; regular lines have one."""
        kept = [r for r in part.records if r.error is not None or any(c.strip() for c in r.cells)]
        self.blank += len(part.records) - len(kept)
        return Part(kept, part.lines, part.cells)

    def _without_footer(self, part: Part) -> tuple[Part, Part]:
        """Part the rows after the last one that the contract's pattern does not match."""
        if self.export.footer is None:
            return part, Part()
        is_footer = re.compile(self.export.footer).search
        data = [
            r.line for r in part.records if r.error is not None or not is_footer(_told(r.cells))
        ]
        if part.cells is not None and part.lines is not None:
            told = pc.binary_join_element_wise(*part.cells.columns, "").to_pylist()
            lines = zip(reversed(part.lines.tolist()), reversed(told), strict=True)
            data += islice((line for line, text in lines if not is_footer(text.strip())), 1)
        return part.parted(max(data, default=0))

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
            layout = match_header(self.contract, self.export, tried[-1][1])
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
        self.findings += layout.findings
        return layout

    @property
    def _noticed(self) -> Noticed:
        return Noticed(self.findings, self.notes)

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

    def _batch(self, part: Part) -> pa.RecordBatch:
        """Return a part's rows in the order of their lines."""
        schema = bronze_schema(self.contract)
        rows = [self._row(self.layout, record) for record in part.records]
        made = [pa.RecordBatch.from_pylist(rows, schema=schema)] if rows else []
        if part.cells is not None and part.lines is not None:
            made.append(self._regular(part.cells, part.lines, schema))
        if len(made) == 1:
            return made[0]
        whole = pa.Table.from_batches(made, schema).sort_by("_source_line").combine_chunks()
        return whole.to_batches()[0]

    def _regular(self, cells: pa.Table, lines: np.ndarray, schema: pa.Schema) -> pa.RecordBatch:
        """Return rows that have every cell of the header, and none besides."""
        self.rows += len(lines)
        aside = self._aside(cells)
        columns = {name: cells[str(i)] for name, i in self.layout.positions.items()} | {
            "_source_line": pa.array(lines, pa.int64()),
            "_row_error": pa.nulls(len(lines), pa.string()),
            "_extra": pa.nulls(len(lines), pa.string()) if aside is None else aside,
            "_batch_id": pa.repeat(self.batch_id, len(lines)),
        }
        arrays = [columns[name] for name in schema.names]
        whole = [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays]
        return pa.RecordBatch.from_arrays(whole, schema=schema)

    def _aside(self, cells: pa.Table) -> pa.Array | None:
        """Return what stands in columns that the contract does not have, as JSON; or nothing."""
        others = self.layout.extra | self.layout.unnamed
        if not others:
            return None
        texts = {name: cells[str(i)].to_pylist() for name, i in others.items()}
        found: list[str | None] = []
        for row in zip(*texts.values(), strict=True):
            given = dict(zip(texts, row, strict=True))
            kept = {n: c for n, c in given.items() if n in self.layout.extra and c}
            unnamed = {n: c for n, c in given.items() if n in self.layout.unnamed and c.strip()}
            self.unnamed += bool(unnamed)
            kept |= unnamed
            found.append(json.dumps(kept, ensure_ascii=False) if kept else None)
        return pa.array(found, pa.string())


def _told(cells: list[str]) -> str:
    return "".join(cells).strip()
