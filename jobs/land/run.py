"""land: parses a raw batch to strings and appends it to bronze, once.

Columns at L4 are sealed before they are stored, and with them whatever stands in no column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.files.decode import naming
from jobs.files.raw import opened_raw
from jobs.land.parsed import Parsed
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
    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.stages import RawBatch


class LayoutMovedError(JingshuError, ValueError):
    """A contract whose columns are no longer those of its table."""


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
