"""Findings (发现): where what a table holds disagrees with what its contract says of it.

A column that holds more than its level allows, or personal information of a kind that its contract
does not name, is for a chief data officer to decide. A finding has counts and levels, never a
value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.digest import sha256
from contracts.grading import MANY_PERSONS
from contracts.model import UNTAGGED, Level, max_level
from contracts.moment import utc_now
from contracts.vocabulary import PersonalKind
from contracts.words import Words, listed
from jobs.names import Step
from jobs.record import governance
from jobs.record.governance import FindingRow
from jobs.scan.run import Seen, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow as pa

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Column, Contract
    from jobs.stages import Batch

FindingKind = PersonalKind | Literal["population", "public_code"]
FindingStatus = Literal["under_graded", "unexpected_personal_information", "over_graded"]

#: Kinds that a column's rule names: it is there for them.
_OF_RULE: Final[Mapping[str, tuple[PersonalKind, ...]]] = {
    "resident_id": ("resident_id",),
    "mobile": ("mobile",),
    "phone": ("mobile",),
    "plate": ("plate",),
    "lon_beijing": ("coordinate",),
    "lat_beijing": ("coordinate",),
}
#: A duty phone is a post's, not a person's: internal (domain reference §3, L2 staff directory).
_POSTS: Final[Mapping[tuple[str, PersonalKind], Level]] = {("phone", "mobile"): "L2"}
#: Rules of public codes: a column of nothing else is public, whatever level it was given.
_PUBLIC: Final = ("uscc", "division_code", "gb4754")
#: Kinds that tell of a person only in a table about persons: a shop has an address too.
_IN_CONTEXT: Final = ("address", "birth_date", "coordinate")
#: A table is about persons where most of its rows name one.
_NAMES_ONE: Final = ("resident_id", "passport", "name")
_MOST: Final = 0.5
_BIRTH: Final = ("出生", "生日", "birth")


@dataclass(frozen=True)
class Found:
    """One disagreement about a column, or about the whole table (``column`` is None)."""

    column: str | None
    kind: FindingKind
    declared_level: Level
    proposed_level: Level
    checked: int
    matching: int
    status: FindingStatus


def compare(contract: Contract, rows: pa.Table) -> list[Found]:
    """Scan a table's text and return where it disagrees with the contract, column by column."""
    seen = scan(rows, (c.name for c in contract.columns if _says_birth(c)))
    is_personal = _is_about_persons(contract, seen)
    found = [f for s in seen if (f := _judged(contract, s, is_personal=is_personal))]
    return [*found, *_over_graded(contract, rows), *_population(contract, rows.num_rows)]


def _says_birth(column: Column) -> bool:
    words = f"{column.name} {column.header} {column.business_name}".lower()
    return column.quasi_identifier == "birth_date" or any(w in words for w in _BIRTH)


def _is_about_persons(contract: Contract, seen: Iterable[Seen]) -> bool:
    declared = contract.grading is not None and contract.grading.personal_information
    return declared or any(s.kind in _NAMES_ONE and s.matching > _MOST * s.checked for s in seen)


def _named(column: Column) -> tuple[PersonalKind, ...]:
    """Return the kinds that are meant to be in a column: by its rule, its name, or as it says."""
    rule = _OF_RULE.get(column.rule.name, ()) if column.rule else ()
    birth: tuple[PersonalKind, ...] = ("birth_date",) if _says_birth(column) else ()
    return (*rule, *birth, *column.holds)


def _judged(contract: Contract, seen: Seen, *, is_personal: bool) -> Found | None:
    if seen.kind in _IN_CONTEXT and not is_personal:
        return None
    column = next((c for c in contract.columns if c.name == seen.column), None)
    rule = column.rule.name if column and column.rule else ""
    proposed = _POSTS.get((rule, seen.kind), seen.level)
    # Rows without shape are kept whole in a column of ours, which is graded as its columns are.
    aside = max_level((UNTAGGED, *(c.effective_level for c in contract.columns)))
    declared = column.effective_level if column else aside
    meant = [column] if column else contract.columns
    is_meant = any(seen.kind in _named(c) for c in meant)
    status: FindingStatus
    if proposed > declared:
        status = "under_graded"
    elif not is_meant:
        status = "unexpected_personal_information"
    else:
        return None
    return Found(seen.column, seen.kind, declared, proposed, seen.checked, seen.matching, status)


def _over_graded(contract: Contract, rows: pa.Table) -> Iterator[Found]:
    """Yield columns of nothing but public codes that are graded as if they told of somebody."""
    for column in contract.columns:
        is_public = column.rule is not None and column.rule.name in _PUBLIC
        if is_public and column.effective_level >= "L3" and column.name in rows.column_names:
            cells = rows.num_rows - rows[column.name].null_count
            yield Found(
                column.name,
                "public_code",
                column.effective_level,
                "L1",
                cells,
                cells,
                "over_graded",
            )


def _population(contract: Contract, rows: int) -> Iterator[Found]:
    """Yield that a table about persons is so large that it counts one level more."""
    grading = contract.grading
    is_personal = grading is not None and grading.personal_information
    if is_personal and rows > MANY_PERSONS and contract.level < "L4":
        yield Found(None, "population", contract.level, "L4", rows, rows, "under_graded")


def of_batch(home: Home, delivery: Delivery, batch: Batch, rows: pa.Table) -> list[Found]:
    """Scan a landed batch and record what disagrees with its contract, once a contract version."""
    found = compare(delivery.contract, rows)
    made = [_row(delivery.contract, f, batch.business_date, batch=batch) for f in found]
    name = Step.SCAN.of(batch.table, batch.batch_id, delivery.contract.version, _digest(found))
    governance.append(home, name, made)
    return found


def of_share(
    home: Home, product: Contract, table: str, business_date: date, ceiling: Level, rows: pa.Table
) -> Words | None:
    """Scan rows that are to be shared; return in words why they must not be, or nothing.

    What is above the ceiling stops the share, whatever the contract calls it.
    """
    found = [f for f in compare(product, rows) if f.status != "over_graded"]
    made = [_row(product, f, business_date, table=table) for f in found]
    governance.append(home, Step.SCAN.of(table, business_date, _digest(found)), made)
    above = [f for f in found if f.proposed_level > ceiling]
    if not above:
        return None
    details = listed(map(_told, above))
    return Words(
        f"内容高于共享上限 {ceiling}：{details.zh}",
        f"its contents are above the ceiling {ceiling}: {details.en}",
    )


def _told(found: Found) -> Words:
    kind = f"{found.kind} {found.proposed_level}"
    counts = f"{found.matching:,}/{found.checked:,}"
    return Words(f"{found.column} 含 {kind}（{counts}）", f"{found.column} holds {kind} ({counts})")


def _digest(found: Sequence[Found]) -> str:
    return sha256(repr(found))[:12]


def _row(
    contract: Contract,
    found: Found,
    business_date: date,
    *,
    batch: Batch | None = None,
    table: str = "",
) -> FindingRow:
    return FindingRow(
        recorded_at=utc_now(),
        provider=batch.provider if batch else contract.domain,
        dataset=contract.dataset,
        batch_id=batch.batch_id if batch else None,
        table_name=batch.table if batch else table,
        business_date=business_date,
        contract_id=contract.id,
        contract_version=contract.version,
        **vars(found),
    )
