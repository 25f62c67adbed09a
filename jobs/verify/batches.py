"""Governance rows against evidence: what a batch claims to be is what was logged of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contracts.rules import element_ids
from contracts.words import Words, listed
from jobs.audit.digest import digest_of
from jobs.names import Step
from jobs.tables import silver
from jobs.verify.report import checked, differs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.record.governance import BatchRow
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf

_LANDED: Final = ("rows_landed", "revision", "origin", "business_date", "contract_version")
_PUBLISHED: Final = (
    "rows_published",
    "rows_quarantined",
    "rows_duplicate",
    "silver_version",
    "revision",
    "origin",
    "business_date",
)
_NOT_LOGGED: Final = Words("它被撤回而没有撤回存证", "it was taken back without a withdrawal leaf")
_NO_RESULTS: Final = Words(
    "它经过审计，却没有任何结果", "it was audited, and no result of it is there"
)
OTHER_RESULTS: Final = Words(
    "检查结果不是其结论所依据的结果", "the check results are not those its verdict was given on"
)


def as_logged(lake: Lake) -> Iterator[Checked]:
    """Invariants 1 and 2: each batch's row agrees with its leaves and with silver's log."""
    publications = {
        (name, p.batch_id, p.kind)
        for name, table in lake.silver.items()
        for p in silver.publications(table)
    }
    for row in lake.batches:
        where = f"governance.batches {row.table}@{row.batch_id}"
        subject = f"{row.table}@{row.batch_id}"
        if row.rows_landed:
            problem = _differs(row, lake.leaves_of("landing", subject), _LANDED)
            is_landing = lake.is_under_way(row.batch_id, Step.LAND, Step.RETRY)
            yield checked(1, where, problem, is_recovering=is_landing and problem is not None)
        is_shown = (row.table, row.batch_id, "publish") in publications
        is_back = (row.table, row.batch_id, "withdraw") in publications
        step = "withdraw" if is_back else "publish"
        is_recovering = f"{step}:{row.batch_id}" in lake.recovering
        is_logged = f"withdrawal:{subject}" in lake.leaves
        problem = _status_problem(row, is_shown=is_shown, is_back=is_back, is_logged=is_logged)
        yield checked(2, where, problem, is_recovering=is_recovering and problem is not None)
        if is_shown and row.silver_version is not None:
            problem = _differs(row, lake.leaves_of("publication", subject), _PUBLISHED)
            yield checked(2, where, problem, is_recovering=is_recovering and problem is not None)
        if is_back:
            problem = None if is_logged else _NOT_LOGGED
            yield checked(2, where, problem, is_recovering=is_recovering and not is_logged)


def _status_problem(
    row: BatchRow, *, is_shown: bool, is_back: bool, is_logged: bool
) -> Words | None:
    """Say how a batch's status contradicts the commits that showed it and took it back.

    A table that was lost and made anew never showed what had been withdrawn: the leaf tells of it.
    """
    status = row.status
    if is_back:
        wrong = Words(f"silver 已撤回它；其状态是 {status}", f"silver took it back; it is {status}")
        return None if status == "withdrawn" else wrong
    if status == "withdrawn" and not is_shown and is_logged:
        return None
    if status in ("published", "withdrawn") and not is_shown:
        return Words(
            f"其状态写为 {status}，而没有提交展示过它",
            f"it is said to be {status}, and no commit ever showed it",
        )
    if status == "withdrawn":
        return Words(
            "其状态写为 withdrawn，而没有提交撤回它",
            "it is said to be withdrawn, and no commit took it back",
        )
    if is_shown and status not in ("published", "superseded"):
        return Words(
            f"silver 展示着它；其状态写为 {status}",
            f"silver shows it; it is said to be {status}",
        )
    return None


def as_judged(lake: Lake) -> Iterator[Checked]:
    """Invariant 2: what is held or rejected was judged so, on the results that are there."""
    wanted = {"held": "hold", "rejected": "reject"}
    for row in lake.batches:
        decision = wanted.get(row.status)
        if decision is None or not row.rows_landed:
            continue
        subject = f"{row.table}@{row.batch_id}"
        verdicts = lake.leaves_of("verdict", subject)
        is_judged = any(v.facts.get("decision") == decision for v in verdicts)
        unjudged = Words(
            f"其状态是 {row.status}；没有结论存证写明 {decision}",
            f"it is {row.status}; no verdict leaf says {decision}",
        )
        problem = None if is_judged else unjudged
        is_recovering = not is_judged and lake.is_under_way(row.batch_id, Step.AUDIT, Step.REJECT)
        yield checked(2, f"governance.batches {subject}", problem, is_recovering=is_recovering)


def _differs(row: BatchRow, leaves: Sequence[Leaf], names: Sequence[str]) -> Words | None:
    """Say where a row differs from the nearest of its leaves; retries leave several."""
    if not leaves:
        some = names[:3]
        return Words(
            f"没有存证与它所写的 {'、'.join(some)} … 相符",
            f"no leaf says what it says of {', '.join(some)} …",
        )
    found = [{n: (getattr(row, n), leaf.facts.get(n)) for n in names} for leaf in leaves]
    differing = min((_unequal(pairs) for pairs in found), key=len)
    if not differing:
        return None
    return listed(differs(*one) for one in differing)


def _unequal(pairs: dict[str, tuple[Any, Any]]) -> list[tuple[str, Any, Any]]:
    return [(n, mine, logged) for n, (mine, logged) in pairs.items() if str(mine) != str(logged)]


def results(lake: Lake) -> Iterator[Checked]:
    """Invariant 7: every contract element has a result for every audited batch."""
    for row in lake.batches:
        where = f"governance.check_results {row.table}@{row.batch_id}"
        found = lake.checks.get(row.batch_id)
        verdicts = lake.leaves_of("verdict", f"{row.table}@{row.batch_id}")
        if found is None:
            is_audited = bool(verdicts)
            problem = _NO_RESULTS if is_audited else None
            yield checked(7, where, problem)
            continue
        is_given = any(
            v.facts.get("digest") == digest_of(found, str(v.facts.get("decision")))
            for v in verdicts
        )
        problem = None if is_given else OTHER_RESULTS
        is_recovering = not is_given and lake.is_under_way(row.batch_id, Step.AUDIT)
        yield checked(2, where, problem, is_recovering=is_recovering)
        contract = lake.tree.sources.get(row.contract_id)
        if contract is None or contract.version != row.contract_version:
            continue
        missing = sorted({*element_ids(contract)} - {r.rule_id for r in found})
        lacking = Words(f"缺少 {'、'.join(missing)} 的结果", f"no result for {', '.join(missing)}")
        yield checked(7, where, lacking if missing else None)
