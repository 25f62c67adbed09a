"""Disclosure control (披露控制): what rows tell of one person, measured before they are shown.

k-anonymity (Sweeney 2002): every combination of quasi-identifiers is shared by k persons at least.
l-diversity (Machanavajjhala et al. 2006): every such group has l distinct sensitive values. An
aggregate is anonymous where its smallest count that is not zero is k at least, and where nobody can
work a suppressed cell out of a published total (secondary suppression).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words, listed
from jobs.spark.sql import identifier
from jobs.stages import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame

    from contracts.model import Contract
    from contracts.product import Policy, Total

#: Columns that are counts of persons, where they were made by aggregate_k.
_COUNTS: Final = ("integer",)
#: The column that names the policy which a group of rows is of.
_OF: Final = "_of"


@dataclass(frozen=True)
class Measured:
    """How anonymous rows are; None where there is nothing to measure it by."""

    rows: int
    k: int | None
    l: int | None  # noqa: E741  (its name in the literature)
    k_wanted: int | None
    l_wanted: int | None

    @property
    def problem(self) -> Words | None:
        """Why the rows must not be published, in words; None where they may."""
        problems = []
        if self.k is not None and self.k_wanted is not None and self.k < self.k_wanted:
            k = f"k = {self.k} < {self.k_wanted}"
            problems.append(Words(f"最小组 {k}", f"smallest group {k}"))
        if self.l is not None and self.l_wanted is not None and self.l < self.l_wanted:
            few = f"l = {self.l} < {self.l_wanted}"
            problems.append(Words(f"敏感值种类 {few}", f"distinct sensitive values {few}"))
        if not problems:
            return None
        told = listed(problems)
        return Words(f"不够匿名，未发布：{told.zh}", f"not anonymous enough: {told.en}")

    @property
    def words(self) -> str:
        """What was measured, for the record of a publication; empty where nothing was."""
        measures = []
        if self.k is not None:
            measures.append(f"k = {self.k} (≥ {self.k_wanted})")
        if self.l is not None:
            measures.append(f"l = {self.l}" + (f" (≥ {self.l_wanted})" if self.l_wanted else ""))
        return ", ".join(measures)

    @property
    def facts(self) -> Mapping[str, int | None]:
        """What the leaf of a share says of it."""
        return {"k": self.k, "l": self.l, "k_wanted": self.k_wanted, "l_wanted": self.l_wanted}


def measure(product: Contract, policy: Policy, rows: DataFrame) -> Measured:
    """Measure projected rows by the policy's quasi-identifiers and counts, in one query.

    ``rows`` are as they are to be shown; a NULL quasi-identifier is a value like any other.
    """
    return measure_each(product, {"": policy}, rows, "''")[""]


def measure_each(
    product: Contract, policies: Mapping[str, Policy], rows: DataFrame, of: str
) -> dict[str, Measured]:
    """Measure the rows of several policies in one query; SQL ``of`` names the one a row is of.

    They show the same columns, and have the same quasi-identifiers and sensitive ones.
    """
    policy = next(iter(policies.values()))
    counts = counted_columns(product, policy)
    quasi = policy.quasi_identifiers
    smallest = [f"min(CASE WHEN {identifier(c)} > 0 THEN {identifier(c)} END)" for c in counts]
    plain = f"least({', '.join(smallest)})" if len(smallest) > 1 else "".join(smallest)
    cell = f"CAST({plain} AS BIGINT)" if plain else "CAST(NULL AS BIGINT)"
    # NULLs are no sensitive value: a group of one diagnosis and blanks has one.
    kinds = [f"count(DISTINCT {identifier(c)})" for c in policy.sensitive]
    fewest = f"least({', '.join(kinds)})" if len(kinds) > 1 else "".join(kinds) or "NULL"
    groups = rows.groupBy(*_expressions({_OF: of}), *(identifier(q) for q in quasi)).agg(
        *_expressions(
            {"n": "count(*)", "cell": cell, "kinds": f"CAST({fewest} AS BIGINT)"},
        )
    )
    told = groups.groupBy(_OF).agg(
        *_expressions(
            {"n": "sum(n)", "smallest": "min(n)", "cell": "min(cell)", "kinds": "min(kinds)"}
        )
    )
    found = {row[_OF]: row for row in told.collect()}
    return {name: _measured(product, one, found.get(name)) for name, one in policies.items()}


def _measured(product: Contract, policy: Policy, told: Any) -> Measured:
    """Return what the smallest groups come to; ``told`` is None of a policy without rows."""
    quasi = policy.quasi_identifiers
    sizes = [told.smallest if quasi else None, told.cell] if told else []
    return Measured(
        rows=int(told.n) if told else 0,
        k=min((int(k) for k in sizes if k), default=None),
        l=int(told.kinds) if told and quasi and policy.sensitive else None,
        k_wanted=k_wanted(product, policy),
        l_wanted=policy.l,
    )


def k_wanted(product: Contract, policy: Policy) -> int | None:
    """Return the smallest group that a policy shows; None where its rows have none to measure."""
    has_groups = bool(policy.quasi_identifiers or counted_columns(product, policy))
    return (policy.k or product.product_plan.k) if has_groups else None


def counted_columns(product: Contract, policy: Policy) -> tuple[str, ...]:
    """Return the released columns that count persons: lowered by aggregate_k, whole numbers."""
    released = {n for n, release in policy.columns.items() if release.mask != "drop"}
    return tuple(
        c.name
        for c in product.columns
        if c.name in released
        and c.lowering is not None
        and c.lowering.function == "aggregate_k"
        and c.type in _COUNTS
    )


def _expressions(named: Mapping[str, str]) -> list[Any]:
    from pyspark.sql.functions import expr

    return [expr(text).alias(name) for name, text in named.items()]


def is_recoverable(hidden: int, hidden_sum: int | None, k: int) -> bool:
    """Tell whether the suppressed cells of one margin can be worked out, each of 1 … k-1.

    One hidden cell is its margin less the others, unless it is k or more and so tells of nobody.
    Several are known all the same where their sum leaves one way only: all 1, or all k-1.
    ``hidden_sum`` is None where the rows alone do not tell it.
    """
    if hidden == 0:
        return False
    if hidden == 1:
        return hidden_sum is None or hidden_sum < k
    return hidden_sum in (hidden, hidden * (k - 1))


def suppressed(cells: Sequence[int], k: int) -> tuple[int | None, ...]:
    """Return one margin's counts with small cells hidden, and as many more as they need.

    Primary: 1 … k-1 become None. Secondary: while what is hidden could be worked out of the
    margin's total, the smallest cell that is still shown and not zero is hidden too.
    """
    shown: list[int | None] = [None if 0 < c < k else c for c in cells]
    while is_recoverable(shown.count(None), sum(cells) - sum(c or 0 for c in shown), k):
        rest = [i for i, c in enumerate(shown) if c]
        if not rest:
            rest = [i for i, c in enumerate(shown) if c is not None]
        if not rest:
            break
        shown[min(rest, key=lambda i: cells[i])] = None
    return tuple(shown)


def margins(product: Contract, rows: DataFrame) -> list[CheckResult]:
    """Check every published total of a product: no suppressed cell can be worked out of it."""
    return [_margin(product, total, rows) for total in product.product_plan.totals]


def _margin(product: Contract, total: Total, rows: DataFrame) -> CheckResult:
    k = product.product_plan.k
    column = identifier(total.column)
    known = (
        f"CAST(max({identifier(total.total)}) - coalesce(sum({column}), 0) AS BIGINT)"
        if total.total
        else "CAST(NULL AS BIGINT)"
    )
    groups = (
        rows.groupBy(*(identifier(b) for b in total.by))
        .agg(*_expressions({"hidden": f"count_if({column} IS NULL)", "rest": known}))
        .collect()
    )
    open_groups = [g for g in groups if is_recoverable(int(g.hidden), g.rest, k)]
    by = ", ".join(total.by)
    return CheckResult(
        rule_id=f"secondary_suppression.{total.column}",
        column=total.column,
        dimension="conformity",
        severity="error",
        status="failed" if open_groups else "passed",
        checked=len(groups),
        failed=len(open_groups),
        threshold=0.0,
        message=(
            Words(
                f"{len(open_groups)} 个按 {by} 的合计可反推出 {total.column} 被抑制的格子",
                f"{len(open_groups)} totals by {by} give a suppressed cell of {total.column} away",
            ).stored()
            if open_groups
            else ""
        ),
        engine="spark",
    )
