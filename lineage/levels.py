"""Invariant 5: no level is lost along lineage, and nothing above the ceiling is shared.

A column's level is at least the highest of what its value is computed from; only a registered
function with an approval lowers it. Source: GB/T 43697-2024, 就高从严, and design §2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.model import LEVELS, SHARE_CEILING
from contracts.vocabulary import MASK_LOWERS
from contracts.words import Words
from lineage.columns import declared, table_field
from lineage.errors import TagLossError
from lineage.plan import level_of, product_graph, ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.delivery import Origin
    from contracts.model import Column, Contract, Level
    from contracts.product import Policy
    from contracts.tree import Tree
    from contracts.vocabulary import LoweringFunction
    from lineage.columns import Field, Input

#: De-identification takes off one level; only an aggregate over k persons takes off more. A
#: pseudonym and a ciphertext are still about one person: whoever has the key sees whom.
_ONE_STEP: Final[frozenset[LoweringFunction]] = frozenset(MASK_LOWERS.values())
#: Only the function itself, with its key, makes a pseudonym or a ciphertext.
_KEYED: Final[frozenset[LoweringFunction]] = frozenset(("hmac_sm3", "sm4"))


@dataclass(frozen=True)
class Graded:
    """What one output column's level is, and what it would be without its approval."""

    level: Level
    inherited: Level
    approval: str | None


def origin_of(origins: Iterable[Origin]) -> Origin:
    """Return the origin of what is made from inputs: simulated if any of them is."""
    return "simulated" if "simulated" in set(origins) else "real"


def check_levels(tree: Tree, product: Contract, sql: str | None = None) -> Mapping[str, Graded]:
    """Return every column's grading, or raise TagLossError naming the column and the way.

    Every input that a value is computed from counts: DIRECT ones, and those that decide the value
    by CASE, window or sort order (``CASE WHEN icd10 = …`` shows the code as well as the code does).
    Share policies are held against the ceiling too.
    """
    graph = product_graph(tree, product, sql)
    graded = {
        column.name: _grade(tree, product, column, graph.columns[column.name])
        for column in product.columns
    }
    for policy in product.product_plan.policies:
        check_policy(product, policy)
    return graded


def check_policy(product: Contract, policy: Policy) -> None:
    """Raise TagLossError where a policy would share a column above the ceiling, or no column.

    A mask in a policy changes values, not levels: lowering needs the product column's approval.
    """
    table = f"{product.product_table}__{policy.name}"
    names = {column.name for column in product.columns}
    for name, release in policy.columns.items():
        shared = f"shared/{table}.{name}"
        if name not in names:
            raise TagLossError(
                shared,
                (shared, f"gold/{product.product_table}"),
                Words("成品没有这个列", "the product has no such column"),
                Words("请更正规则。", "Correct the policy."),
            )
        level = product.column(name).effective_level
        if release.mask != "drop" and level > SHARE_CEILING:
            raise TagLossError(
                shared,
                (shared, f"gold/{product.product_table}.{name} {level}"),
                Words(
                    f"{level} 高于可共享的最高级别 {SHARE_CEILING}",
                    f"{level} is above {SHARE_CEILING}, the most that may be shared",
                ),
                Words(
                    "请在规则中去除该列，或凭批准在成品中降级。",
                    "Drop it in the policy, or lower it in the product with an approval.",
                ),
            )


def _grade(tree: Tree, product: Contract, column: Column, inputs: tuple[Input, ...]) -> Graded:
    own = table_field("gold", product.product_table, column.name)
    levels = {i: level_of(tree, i.field) for i in inputs}
    inherited = max(levels.values())
    level = column.effective_level
    above = [i for i in inputs if levels[i] > level]
    if not above:
        return Graded(level, inherited, column.lowering.approval if column.lowering else None)
    worst = max(above, key=lambda i: levels[i])
    path = (f"{own} {level}", *(f"{f} {level_of(tree, f)}" for f in _way(tree, worst.field)))
    if column.lowering is None:
        raise TagLossError(
            str(own),
            path,
            Words(
                f"{level} 低于其来源的级别 {levels[worst]}",
                f"{level} is below {levels[worst]}, the level of what it is made of",
            ),
            Words(
                f"请将其定为 {levels[worst]}，或补充降级的方法与批准。",
                f"Classify it {levels[worst]}, or add a lowering with its function and approval.",
            ),
        )
    reason = _not_lowered(column, above, levels, inputs) or _not_approved(
        tree, f"{product.id}.{column.name}", column, levels[worst]
    )
    if reason is not None:
        raise TagLossError(
            str(own),
            path,
            Words(
                f"降级方法 {column.lowering.function} 不成立：{reason.zh}",
                f"its lowering {column.lowering.function} does not hold: {reason.en}",
            ),
            Words(
                "请修改 SQL，或修改级别及其批准。",
                "Change the SQL, or the level and its approval.",
            ),
        )
    return Graded(level, inherited, column.lowering.approval)


def _not_lowered(
    column: Column,
    above: list[Input],
    levels: Mapping[Input, Level],
    inputs: tuple[Input, ...],
) -> Words | None:
    """Say why the registered function does not justify the lower level; ``None`` where it does."""
    function = column.lowering.function if column.lowering else ""
    if function == "aggregate_k":
        shown = [i for i in above if not i.how.summarised]
        if shown:
            field = shown[0].field
            return Words(
                f"{field} 不只是被计数、求和或求平均",
                f"{field} is not only counted, summed or averaged",
            )
        if declared("k") not in {i.field for i in inputs}:
            return Words("最小格人数 {k} 没有用到", "the smallest cell {k} plays no part in it")
        return None
    if column.lowering and column.lowering.function in _ONE_STEP:
        return _not_one_step(column, above, levels, column.lowering.function)
    return Words("已去除的列不能由任何内容得出", "a dropped column cannot be made from anything")


def _not_one_step(
    column: Column,
    above: list[Input],
    levels: Mapping[Input, Level],
    function: LoweringFunction,
) -> Words | None:
    """Say why a de-identifying function does not take off what it should; it takes off one level.

    ``hmac_sm3`` and ``sm4`` are what they are called: nothing else makes a pseudonym with a key.
    """
    untouched = [i for i in above if i.subtype == "IDENTITY"]
    if untouched:
        field = untouched[0].field
        return Words(f"{field} 被原样取用", f"{field} is taken as it is")
    unkeyed = [i for i in above if function in _KEYED and not i.how.masking]
    if unkeyed:
        field = unkeyed[0].field
        return Words(f"{field} 没有经过 {function}()", f"{field} does not go through {function}()")
    steps = LEVELS.index(max(levels[i] for i in above)) - LEVELS.index(column.effective_level)
    if steps == 1:
        return None
    return Words("去标识化只降一级，不能更多", "de-identifying takes off one level, not more")


def _not_approved(tree: Tree, name: str, column: Column, inherited: Level) -> Words | None:
    """Say that the register let less be lowered than this is; trees without one are lint's."""
    lowering = column.lowering
    if lowering is None or tree.approvals is None:
        return None
    approval = tree.approvals.get((lowering.approval, name))
    if approval is not None and approval.from_level < inherited:
        return Words(
            f"{approval.id} 批准的是 {approval.from_level}，而其来源为 {inherited}",
            f"{approval.id} was given for {approval.from_level}, and it is made of {inherited}",
        )
    return None


def _way(tree: Tree, field: Field) -> tuple[Field, ...]:
    return max(ways(tree, field), key=lambda way: (level_of(tree, way[-1]), way))
