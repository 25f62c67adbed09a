"""Rows of a delivery as they are stored, and as they came: their L4 columns sealed, or in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.seal import columns
from jobs.seal.keys import keys_of
from jobs.seal.plan import raw_seals, typed_seals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.seal.columns import Seal


def sealed_rows(home: Home, delivery: Delivery, rows: pa.Table) -> pa.Table:
    """Return rows of bronze or quarantine with their L4 columns sealed."""
    return _each(home, delivery, rows, columns.sealed)


def opened_rows(home: Home, delivery: Delivery, rows: pa.Table) -> pa.Table:
    """Return rows of bronze or quarantine in clear; raises SealError for what was changed."""
    return _each(home, delivery, rows, columns.opened)


def sealed_table(home: Home, contract: Contract, table: str, rows: pa.Table) -> pa.Table:
    """Return typed rows as a silver or gold table stores them: L4 columns are sealed text."""
    return _with(home, typed_seals(contract, table), rows, columns.sealed)


def opened_table(home: Home, contract: Contract, table: str, rows: pa.Table) -> pa.Table:
    """Return rows of a silver or gold table with their sealed columns as clear text."""
    return _with(home, typed_seals(contract, table), rows, columns.opened)


def _each(
    home: Home, delivery: Delivery, rows: pa.Table, function: Callable[..., pa.Array]
) -> pa.Table:
    return _with(home, raw_seals(delivery.contract, delivery.provider), rows, function)


def _with(
    home: Home, seals: Mapping[str, Seal], rows: pa.Table, function: Callable[..., pa.Array]
) -> pa.Table:
    keys = keys_of(home)
    for name, seal in seals.items():
        at = rows.schema.get_field_index(name)
        text = rows.schema.field(at).with_type(pa.string())
        rows = rows.set_column(at, text, function(rows[name], seal, keys))
    return rows
