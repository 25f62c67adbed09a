"""What a reader of a shared table relies on, and which changes of it break what the reader does.

A shape is derived from contracts alone: no table is read, nothing is remembered here. Breaking is
what a program that read the old table can stumble over, or get a wrong answer from: less is there,
or the same name means something else. What is only added or shown more finely breaks nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.frozen import Frozen
from contracts.model import LEVELS, SHARE_CEILING, Level
from contracts.product import Release
from jobs.checks.disclosure import k_wanted
from jobs.spark.types import spark_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model import Column, Contract
    from contracts.product import Policy
    from contracts.tree import Tree

#: What kind of change breaks: of the table, of its rows, or of one column.
What = Literal[
    "gone", "version", "input", "rows", "k", "l", "column", "type", "empty", "mask", "level"
]
_DROP: Final = "drop"
_KEEP: Final = "keep"
_DECIMAL: Final = re.compile(r"decimal\((\d+)(?:,\s*(\d+))?\)")
#: The arguments of which more shows more; and those that are steps, which must divide the old ones.
_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "prefix": ("length",),
    "partial": ("keep_first", "keep_last"),
}
_STEPS: Final[Mapping[str, str]] = {"round_coordinate": "to", "generalise": "step"}
_PERIODS: Final = ("month", "quarter", "year")
_CLOSE: Final = 1e-9


class SharedColumn(Frozen):
    """A column as a policy shares it: its Spark type, its level, how it is masked."""

    type: str
    is_required: bool
    level: Level
    release: Release


class Shape(Frozen):
    """A shared table as its contract promises it; ``inputs`` are those of its inputs in force.

    ``k`` and ``l`` are None where the table's rows have no groups to measure.
    """

    contract: str
    version: str
    columns: dict[str, SharedColumn]
    rows: str | None = None
    k: int | None = None
    l: int | None = None  # noqa: E741  (its name in the literature)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Break:
    """One change that breaks readers; ``name`` is the column's, or the input's.

    ``before`` and ``after`` are words of contracts: types, masks, levels, numbers; never a value,
    so what a row condition says is in neither.
    """

    what: What
    name: str = ""
    before: str = ""
    after: str = ""


def shapes(tree: Tree) -> dict[str, Shape]:
    """Return the shape of every shared table that the tree's active products make, by its name."""
    return {
        f"{product.product_table}__{policy.name}": shape_of(tree, product, policy)
        for product in tree.active_products()
        for policy in product.product_plan.policies
    }


def shape_of(tree: Tree, product: Contract, policy: Policy) -> Shape:
    """Return what a policy shares of a product."""
    plan = product.product_plan
    active = {c.id for c in (*tree.sources.values(), *tree.products.values()) if c.is_active}
    return Shape(
        contract=product.id,
        version=product.version,
        columns={
            c.name: _shared(c, policy.columns[c.name])
            for c in product.columns
            if c.name in policy.columns and policy.columns[c.name].mask != _DROP
        },
        # Line breaks and indents of a condition are its file's, not its meaning.
        rows=None if policy.rows is None else " ".join(policy.rows.split()),
        k=k_wanted(product, policy),
        l=policy.l,
        inputs=tuple(name for name in plan.inputs if name in active),
    )


def breaks(before: Shape, after: Shape | None) -> tuple[Break, ...]:
    """Return each change that breaks a reader; ``after`` is None where the table is made no more.

    A major version's rise is one by its owner's word (design §3), whatever the shape says.
    """
    return tuple(_breaks(before, after))


def _shared(column: Column, release: Release) -> SharedColumn:
    return SharedColumn(
        type=spark_type(column),
        is_required=column.required,
        level=column.effective_level,
        release=release,
    )


def _breaks(before: Shape, after: Shape | None) -> Iterator[Break]:
    if after is None:
        yield Break("gone")
        return
    if _major(after.version) > _major(before.version):
        yield Break("version", before=before.version, after=after.version)
    for name in before.inputs:
        if name not in after.inputs:
            yield Break("input", name)
    if after.rows != before.rows:
        yield Break("rows")
    if (after.k or 0) > (before.k or 0):
        yield Break("k", before=str(before.k or "-"), after=str(after.k))
    if (after.l or 0) > (before.l or 0):
        yield Break("l", before=str(before.l or "-"), after=str(after.l))
    for name, column in before.columns.items():
        yield from _of_column(name, column, after.columns.get(name))


def _of_column(name: str, before: SharedColumn, after: SharedColumn | None) -> Iterator[Break]:
    if after is None:
        yield Break("column", name)
        return
    if not _holds(after.type, before.type):
        yield Break("type", name, before.type, after.type)
    if before.is_required and not after.is_required:
        yield Break("empty", name)
    if not _shows(after.release, before.release):
        yield Break("mask", name, _words(before.release), _words(after.release))
    if _is_above(after.level) and not _is_above(before.level):
        yield Break("level", name, before.level, after.level)


def _holds(wide: str, narrow: str) -> bool:
    """Tell whether every value of one type is the same value of another."""
    if wide == narrow:
        return True
    one, other = _DECIMAL.fullmatch(wide), _DECIMAL.fullmatch(narrow)
    if one is None or other is None:
        return False
    (digits, scale), (old_digits, old_scale) = ((int(m[1]), int(m[2] or 0)) for m in (one, other))
    return scale >= old_scale and digits - scale >= old_digits - old_scale


def _shows(after: Release, before: Release) -> bool:
    """Tell whether what the old mask showed can be worked out of what the new one shows.

    A pseudonym under another key cannot, nor can what another kind of mask made.
    """
    if after == before or after.mask == _KEEP:
        return True
    if after.mask != before.mask:
        return False
    mask, old, new = after.mask, before.model_extra or {}, after.model_extra or {}
    if mask in _KEPT:
        return all(_is_number(old, new, n) and new[n] >= old[n] for n in _KEPT[mask])
    if mask in _STEPS:
        return _is_number(old, new, _STEPS[mask]) and _divides(new[_STEPS[mask]], old[_STEPS[mask]])
    if mask == "truncate_date":
        found = [_PERIODS.index(x["to"]) for x in (new, old) if x.get("to") in _PERIODS]
        return len(found) == len((new, old)) and found[0] <= found[1]
    return False


def _is_number(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    return all(isinstance(x.get(name), int | float) for x in (old, new))


def _divides(step: float, old: float) -> bool:
    if step <= 0 or old < step:
        return False
    parts = old / step
    return abs(parts - round(parts)) < _CLOSE * parts


def _words(release: Release) -> str:
    """Name a mask with its arguments, which are numbers and the names of purposes and bureaus."""
    arguments = " ".join(str(v) for v in (release.model_extra or {}).values())
    return f"{release.mask} {arguments}".strip()


def _is_above(level: Level) -> bool:
    """Tell whether no grant of a shared table covers a level."""
    return LEVELS.index(level) > LEVELS.index(SHARE_CEILING)


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdecimal() else 0
