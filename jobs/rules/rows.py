"""Rows of text → typed rows with the bits of the rules that each breaks. Pure, and the only such.

A task runs it on a batch, and Spark's workers on their share of a large one: both write the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.rules import KEY_CONFLICT
from jobs.rules.casts import arrow_type, cast
from jobs.rules.predicates import Cells, broken, not_together
from jobs.rules.texts import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Column
    from contracts.rules import RowRule
    from jobs.arrays import Flags
    from jobs.rules.plan import RefinePlan

#: Texts that repeat this often are looked at once each.
_REPEATED: Final = 2


@dataclass(frozen=True)
class _Checked:
    """A column after its cast: texts, values, and by rule id who breaks it."""

    texts: pa.Array
    values: pa.Array
    broken: Mapping[str, Flags]

    def taken(self, indices: pa.Array) -> _Checked:
        places = np.asarray(indices)
        return _Checked(
            pc.take(self.texts, indices),
            pc.take(self.values, indices),
            {rule: flags[places] for rule, flags in self.broken.items()},
        )


def checked_schema(plan: RefinePlan) -> pa.Schema:
    """Return the schema of ``checked_rows``: the contract's typed columns, then the masks."""
    typed = [pa.field(c.name, arrow_type(c)) for c in plan.contract.columns]
    return pa.schema([*typed, *(pa.field(mask, pa.int64()) for mask in plan.masks)])


def checked_rows(rows: pa.RecordBatch, plan: RefinePlan) -> pa.RecordBatch:
    """Cast and check rows of text: every contract column, and ``_row_error``.

    A ragged row answers for its shape alone. Key conflicts and exact duplicates are about other
    rows, and are not looked for here.
    """
    columns = {c.name: _column(rows[c.name], c, plan) for c in plan.contract.columns}
    masks = {mask: np.zeros(rows.num_rows, np.int64) for mask in plan.masks}
    for rule in plan.rules:
        mask, bit = plan.bit(rule)
        if (flags := _flags(rule, columns, plan)) is not None:
            masks[mask] |= np.where(flags, bit, 0)
    is_ragged = np.asarray(pc.is_valid(rows["_row_error"]).to_numpy(zero_copy_only=False))
    for i, mask in enumerate(plan.masks):
        masks[mask][is_ragged] = 0 if i else 1
    values = [columns[c.name].values for c in plan.contract.columns]
    return pa.RecordBatch.from_arrays(
        [*values, *(pa.array(mask) for mask in masks.values())], schema=checked_schema(plan)
    )


def _flags(rule: RowRule, columns: Mapping[str, _Checked], plan: RefinePlan) -> Flags | None:
    if rule.kind == "table_reference":
        texts = {name: column.texts for name, column in columns.items()}
        return not_together(rule, texts, plan)
    if rule.kind == "shape" or rule.id == KEY_CONFLICT or rule.column is None:
        return None
    return columns[rule.column].broken[rule.id]


def _column(raw: pa.Array, column: Column, plan: RefinePlan) -> _Checked:
    """Cast and check one column; where texts repeat, each of them once."""
    coded = raw.dictionary_encode()
    if len(coded.dictionary) * _REPEATED > len(raw):
        return _checked(raw, column, plan)
    # NULL is a text like any other here: it is broken by ``required``.
    texts = pa.concat_arrays([coded.dictionary, pa.nulls(1, pa.string())])
    indices = pc.fill_null(coded.indices, len(texts) - 1)
    return _checked(texts, column, plan).taken(indices)


def _checked(raw: pa.Array, column: Column, plan: RefinePlan) -> _Checked:
    texts = normalised(raw, column, plan.null_tokens)
    values = cast(texts, column)
    is_there = pc.is_valid(texts)
    there = np.asarray(is_there.to_numpy(zero_copy_only=False))
    cells = Cells(texts.filter(is_there), values.filter(is_there))
    flags: dict[str, Flags] = {}
    for rule in plan.of_column(column):
        if rule.kind == "required":
            flags[rule.id] = ~there
        else:
            flags[rule.id] = np.zeros(len(texts), dtype=bool)
            flags[rule.id][there] = broken(rule, cells, plan)
    return _Checked(texts, values, flags)
