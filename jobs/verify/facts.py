"""No leaf without its fact: batches, verdicts, products, contracts and deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.files.raw import sealed_facts
from jobs.names import Step
from jobs.record import leaves
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.record.governance import DeliveryRow
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf

#: A delivery in one of these states has ended, and its leaf says how.
ENDED: Final = ("received", "late", "missing", "refused", "duplicate")
_OF_BATCHES: Final = ("landing", "verdict", "publication", "withdrawal")


def of_leaves(lake: Lake) -> Iterator[Checked]:
    """Look for the fact behind every leaf of a batch or product, and the contract it names."""
    batches = {f"{row.table}@{row.batch_id}" for row in lake.batches}
    products = {(r.kind, r.table_name, str(r.business_date), r.version) for r in lake.publications}
    for leaf in lake.log:
        where = f"evidence {leaf.key}"
        subject = leaf.subject.partition("/")[0]
        if leaf.type in _OF_BATCHES:
            is_there = subject in batches
            yield checked(2, where, None if is_there else _not_in("批次", "batch", "batches"))
        if leaf.type == "landing" and "sealed_sha256" in leaf.facts:
            yield checked(2, where, _kept_problem(lake, subject))
        if leaf.type == "verdict":
            yield checked(2, where, _verdict_problem(lake, leaf, subject.rpartition("@")[2]))
        if leaf.type in ("build", "share"):
            kind = "product" if leaf.type == "build" else "share"
            made = (kind, subject.partition("@")[0], leaf.facts.get("business_date"))
            is_there = (*made, leaf.facts.get("version")) in products
            problem = _not_in("版本", "version", "publications")
            yield checked(2, where, None if is_there else problem)
        if leaf.type in ("landing", "build"):
            yield checked(2, where, _contract_problem(lake, leaf))


def _not_in(zh: str, en: str, table: str) -> Words:
    return Words(f"其{zh}不在 governance.{table} 中", f"its {en} is not in governance.{table}")


def _kept_problem(lake: Lake, subject: str) -> Words | None:
    """Say that a sealed original is not the file that any landing of its batch names."""
    table, _, batch_id = subject.partition("@")
    provider, _, dataset = table.partition("__")
    try:
        found = sealed_facts(lake.home, provider, dataset, batch_id)
    except (OSError, ValueError):
        return Words(
            "其留存的原件或该文件的清单无法读取",
            "its kept original, or that file's manifest, cannot be read",
        )
    landed = lake.leaves_of("landing", subject)
    is_known = any(found.items() <= leaf.facts.items() for leaf in landed)
    other = Words(
        "其留存的原件不是存证所写的加密文件",
        "its kept original is not the sealed file that the leaf names",
    )
    return None if is_known else other


def _verdict_problem(lake: Lake, leaf: Leaf, batch_id: str) -> Words | None:
    """Say that no audit's results make the digest of a verdict; a rejection by hand has none."""
    digest, decision = leaf.facts.get("digest"), str(leaf.facts.get("decision"))
    if digest is None:
        return None
    audits = lake.audits.get(batch_id, [])
    if any(digest_of(results, decision) == digest for results in audits):
        return None
    return Words(
        f"governance.check_results 中批次 {batch_id} 的结果都得不出其摘要",
        f"no results of batch {batch_id} in governance.check_results make its digest",
    )


def _contract_problem(lake: Lake, leaf: Leaf) -> Words | None:
    used = f"{leaf.facts.get('contract_id')}@{leaf.facts.get('contract_version')}"
    unknown = Words(f"没有存证写明 {used} 是哪个文件", f"no leaf says which file {used} was")
    return None if lake.leaves_of("contract", used) else unknown


def of_deliveries(lake: Lake) -> Iterator[Checked]:
    """Hold every delivery state that ended against its leaf, and each such leaf against its row."""
    changes: dict[str, int] = {}
    subjects = set()
    for row in lake.deliveries:
        delivery = f"{row.provider}__{row.dataset}@{row.business_date}"
        changes[delivery] = changes.get(delivery, 0) + 1
        subject = leaves.delivery_subject(row, changes[delivery])
        subjects.add(subject)
        if row.state not in ENDED:
            continue
        problem = _delivery_problem(row, lake.leaves_of("delivery", subject))
        is_recovering = problem is not None and _is_under_way(lake, row)
        where = f"governance.deliveries {subject}"
        yield checked(2, where, problem, is_recovering=is_recovering)
    for leaf in lake.log:
        if leaf.type in ("delivery", "refusal"):
            is_there = leaf.subject.partition("/")[0] in subjects
            problem = _not_in("状态", "state", "deliveries")
            yield checked(2, f"evidence {leaf.key}", None if is_there else problem)


def _delivery_problem(row: DeliveryRow, logged: list[Leaf]) -> Words | None:
    wanted = leaves.delivery_facts(row)
    if not logged:
        return Words(f"没有存证写明其状态为 {row.state}", f"no leaf says that it was {row.state}")
    differing = [
        [n for n, value in wanted.items() if leaf.facts.get(n) != value] for leaf in logged
    ]
    nearest = min(differing, key=len)
    if not nearest:
        return None
    return Words(
        f"其 {'、'.join(nearest)} 与存证不符", f"its {', '.join(nearest)} is not what its leaf says"
    )


def _is_under_way(lake: Lake, row: DeliveryRow) -> bool:
    unit = f"{row.provider}__{row.dataset}:{row.business_date}"
    is_landing = row.batch_id is not None and lake.is_under_way(row.batch_id, Step.LAND, Step.RETRY)
    return is_landing or lake.is_under_way(unit, Step.DELIVER)
