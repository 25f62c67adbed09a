"""Governance rows against evidence: what a batch claims to be is what was logged of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contracts.rules import element_ids
from jobs.audit.digest import digest_of
from jobs.names import Step
from jobs.tables import silver
from jobs.verify.report import checked

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
            problem = None if is_logged else "it was taken back without a withdrawal leaf"
            yield checked(2, where, problem, is_recovering=is_recovering and not is_logged)


def _status_problem(row: BatchRow, *, is_shown: bool, is_back: bool, is_logged: bool) -> str | None:
    """Say how a batch's status contradicts the commits that showed it and took it back.

    A table that was lost and made anew never showed what had been withdrawn: the leaf tells of it.
    """
    if is_back:
        return None if row.status == "withdrawn" else f"silver took it back; it is {row.status}"
    if row.status == "withdrawn" and not is_shown and is_logged:
        return None
    if row.status in ("published", "withdrawn") and not is_shown:
        return f"it is said to be {row.status}, and no commit ever showed it"
    if row.status == "withdrawn":
        return "it is said to be withdrawn, and no commit took it back"
    if is_shown and row.status not in ("published", "superseded"):
        return f"silver shows it; it is said to be {row.status}"
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
        problem = None if is_judged else f"it is {row.status}; no verdict leaf says {decision}"
        is_recovering = not is_judged and lake.is_under_way(row.batch_id, Step.AUDIT, Step.REJECT)
        yield checked(2, f"governance.batches {subject}", problem, is_recovering=is_recovering)


def _differs(row: BatchRow, leaves: Sequence[Leaf], names: Sequence[str]) -> str | None:
    """Say where a row differs from the nearest of its leaves; retries leave several."""
    if not leaves:
        return f"no leaf says what it says of {', '.join(names[:3])} …"
    found = [{n: (getattr(row, n), leaf.facts.get(n)) for n in names} for leaf in leaves]
    differing = min((_unequal(pairs) for pairs in found), key=len)
    if not differing:
        return None
    return "; ".join(f"{n} is {mine}, its leaf says {logged}" for n, mine, logged in differing)


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
            problem = "it was audited, and no result of it is there" if is_audited else None
            yield checked(7, where, problem)
            continue
        is_given = any(
            v.facts.get("digest") == digest_of(found, str(v.facts.get("decision")))
            for v in verdicts
        )
        problem = None if is_given else "the check results are not those its verdict was given on"
        is_recovering = not is_given and lake.is_under_way(row.batch_id, Step.AUDIT)
        yield checked(2, where, problem, is_recovering=is_recovering)
        contract = lake.tree.sources.get(row.contract_id)
        if contract is None or contract.version != row.contract_version:
            continue
        missing = sorted({*element_ids(contract)} - {r.rule_id for r in found})
        yield checked(7, where, f"no result for {', '.join(missing)}" if missing else None)
