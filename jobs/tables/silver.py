"""The silver table of a feed: its schema, its stage, and what its log says was published.

A published batch is visible as files of its stage that the Delta log names by relative path, so the
log alone tells which batch every visible row came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from jobs.tables import staged

if TYPE_CHECKING:
    from pathlib import Path

    from deltalake import DeltaTable, Schema

    from contracts.layout import Home
    from contracts.model import Contract

#: The stage's partition: good rows, bad rows and exact duplicates, and merge_key's three others.
GOOD, BAD, CARRIED, TOMBSTONE, OUTDATED = "true", "false", "carried", "tombstone", "outdated"
#: Ends the name of the stage that a ``merge_key`` table shows after a withdrawal.
WITHDRAWN: Final = "-withdrawn"


@dataclass(frozen=True)
class Publication:
    """One commit of a silver table that showed or withdrew a batch."""

    version: int
    kind: Literal["publish", "withdraw"]
    batch_id: str
    business_date: date
    revision: int
    digest: str
    tombstones: str | None

    @property
    def stage(self) -> str:
        """The stage whose files the commit showed; a withdrawn merge is staged anew without it."""
        return self.batch_id if self.kind == "publish" else f"{self.batch_id}{WITHDRAWN}"

    @property
    def order(self) -> tuple[date, int]:
        """Newer data has the later date; on one date, the later revision."""
        return self.business_date, self.revision


def stage_path(home: Home, table: str, batch_id: str) -> Path:
    """Return the folder that a batch's refined rows are staged in."""
    return home.table("silver", table) / staged.STAGE / batch_id


def ensure(home: Home, contract: Contract, table: str) -> DeltaTable:
    """Return the silver table of a feed, created empty if it was not there."""
    return staged.ensure(home.table("silver", table), contract, schema(contract))


def schema(contract: Contract) -> Schema:
    """Return silver's Delta schema: the contract's typed columns, and where each row came from."""
    return staged.schema(
        contract.columns,
        ("_source_line", "long"),
        ("_batch_id", "string"),
        ("_business_date", "date"),
    )


def publications(table: DeltaTable | None) -> list[Publication]:
    """Return the table's publishing and withdrawing commits, oldest first."""
    if table is None:
        return []
    found = [
        Publication(
            version=int(commit["version"]),
            kind=commit["jingshu.kind"],
            batch_id=commit["jingshu.batch_id"],
            business_date=date.fromisoformat(commit["jingshu.business_date"]),
            revision=int(commit["jingshu.revision"]),
            digest=commit["jingshu.digest"],
            tombstones=commit.get("jingshu.tombstones") or None,
        )
        for commit in table.history()
        if "jingshu.kind" in commit
    ]
    return sorted(found, key=lambda p: p.version)


def in_force(table: DeltaTable | None) -> list[Publication]:
    """Return the publications that no withdrawal took back, oldest first."""
    history = publications(table)
    withdrawn = {p.batch_id for p in history if p.kind == "withdraw"}
    return [p for p in history if p.kind == "publish" and p.batch_id not in withdrawn]


def version_as_of(table: DeltaTable | None, business_date: date) -> int | None:
    """Return the newest version that a batch of ``business_date`` or before made, or took back.

    None where nothing of that time is in force.
    """
    if not any(p.business_date <= business_date for p in in_force(table)):
        return None
    return max(p.version for p in publications(table) if p.business_date <= business_date)


def tombstones_of(stage: Path) -> str | None:
    """Return the relative folder of a merge stage's tombstones, if it has any."""
    folder = stage / f"_ok={TOMBSTONE}"
    return f"{staged.STAGE}/{stage.name}/{folder.name}" if folder.is_dir() else None
