"""merge_key: lays a batch over its table by key, and the table over itself without a batch.

A version that holds nothing unwanted is the base; batches that came after it are replayed from
their stages. The newest business date of a key wins; deletions stay as tombstones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from jobs.seal import on_spark
from jobs.spark.session import session
from jobs.spark.sql import identifier, quoted
from jobs.tables.delta import open_table
from jobs.tables.silver import BAD, CARRIED, GOOD, OUTDATED, TOMBSTONE, publications, stage_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pyspark.sql import DataFrame

    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.stages import Batch
    from jobs.tables.silver import Publication


@dataclass(frozen=True)
class MergeBase:
    """What a ``merge_key`` batch is laid over.

    ``version`` is a silver version that holds nothing unwanted, ``replay`` the batches to lay over
    it, oldest first, ``current_version`` the newest version when this was read.
    """

    version: int | None
    replay: tuple[str, ...]
    tombstones: str | None
    current_version: int | None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to lay anything over."""
        return self.version is None and not self.replay


def merge_base(home: Home, batch: Batch) -> MergeBase:
    """Find what to lay a batch over, so that it replaces its own date's revisions."""
    history = publications(open_table(home.table("silver", batch.table)))
    wanted = (p for p in contents(history) if p.business_date != batch.business_date)
    return base_of(history, tuple(wanted))


def base_without(home: Home, table: str, batch_id: str) -> MergeBase:
    """Find what the table is without one batch; an earlier revision of its date comes back."""
    history = publications(open_table(home.table("silver", table)))
    return base_of(history, contents([p for p in history if p.batch_id != batch_id]))


def contents(history: Sequence[Publication]) -> tuple[Publication, ...]:
    """Return whose rows a table holds after these commits: of each date, the newest revision."""
    withdrawn = {p.batch_id for p in history if p.kind == "withdraw"}
    newest: dict[date, Publication] = {}
    for p in history:
        if p.kind == "publish" and p.batch_id not in withdrawn:
            newest[p.business_date] = max(newest.get(p.business_date, p), p, key=_revision)
    return tuple(sorted(newest.values(), key=lambda p: p.version))


def _revision(publication: Publication) -> tuple[int, int]:
    return publication.revision, publication.version


def base_of(history: Sequence[Publication], wanted: Sequence[Publication]) -> MergeBase:
    """Return the newest version that holds wanted batches only, and what it lacks of them. Pure."""
    names = {p.batch_id for p in wanted}
    held: set[str] = set()
    last: Publication | None = None
    for count in range(len(history), 0, -1):
        held = {p.batch_id for p in contents(history[:count])}
        if held <= names:
            last = history[count - 1]
            break
    else:
        held = set()
    return MergeBase(
        version=last.version if last else None,
        replay=tuple(p.batch_id for p in wanted if p.batch_id not in held),
        tombstones=last.tombstones if last else None,
        current_version=history[-1].version if history else None,
    )


@dataclass(frozen=True)
class Merge:
    """One table's merge: its contract, its base and the mask columns that its stage carries."""

    home: Home
    contract: Contract
    table: str
    base: MergeBase
    masks: tuple[str, ...] = ()

    def over(self, rows: DataFrame) -> DataFrame:
        """Lay a batch's refined rows over the base; its bad rows stand aside.

        What loses is outdated (the batch's) or superseded (the table's, dropped).
        """
        own = rows.selectExpr(
            *self._kept,
            "_duplicate",
            *self.masks,
            f"{self._deleted} AS _gone",
            f"CASE WHEN _ok = '{BAD}' THEN -1 ELSE 0 END AS _priority",
        )
        return self._ranked([own, *self._below()])

    def alone(self) -> DataFrame:
        """Return the base with its replayed batches, every row carried or a tombstone."""
        return self._ranked(self._below())

    @property
    def _kept(self) -> tuple[str, ...]:
        names = (identifier(c.name) for c in self.contract.columns)
        return (*names, "_source_line", "_batch_id", "_business_date")

    @property
    def _deleted(self) -> str:
        marker = self.contract.load.delete_marker
        if marker is None:
            return "false"
        values = ", ".join(quoted(v) for v in marker.values)
        return f"coalesce(CAST({identifier(marker.column)} AS STRING) IN ({values}), false)"

    def _tagged(self, frame: DataFrame, priority: int, gone: str) -> DataFrame:
        masks = (f"0L AS {m}" for m in self.masks)
        return frame.selectExpr(
            *self._kept,
            "false AS _duplicate",
            *masks,
            f"{gone} AS _gone",
            f"{priority} AS _priority",
        )

    def _below(self) -> list[DataFrame]:
        """Return the replayed stages, newest first, then the base version and its tombstones."""
        spark, base = session(), self.base
        found = []
        for age, replayed in enumerate(reversed(base.replay), start=1):
            stage = stage_path(self.home, self.table, replayed)
            own = f"_ok IN ('{GOOD}', '{TOMBSTONE}', '{OUTDATED}') AND _batch_id = "
            again = spark.read.parquet(str(stage)).where(own + quoted(replayed))
            found.append(self._tagged(self._opened(again), age, self._deleted))
        oldest = len(base.replay) + 1
        silver = self.home.table("silver", self.table)
        if base.version is not None:
            table = spark.sql(f"SELECT * FROM delta.`{silver}` VERSION AS OF {base.version}")  # noqa: S608
            found.append(self._tagged(self._opened(table), oldest, "false"))
        if base.tombstones is not None:
            gone = spark.read.parquet(str(silver / base.tombstones))
            found.append(self._tagged(self._opened(gone), oldest, "true"))
        return found

    def _opened(self, rows: DataFrame) -> DataFrame:
        """Return stored rows in clear: keys are compared as values, whatever key sealed them."""
        return on_spark.opened(self.home, self.contract, self.table, rows)

    def _ranked(self, parts: Sequence[DataFrame]) -> DataFrame:
        """Decide in one window, per key, which row counts: newest date, then newest batch."""
        union = reduce(lambda a, b: a.unionByName(b), parts)
        key = ", ".join(identifier(c.name) for c in self.contract.key)
        ranked = union.selectExpr(
            "*",
            f"row_number() OVER (PARTITION BY _priority < 0, {key}"
            " ORDER BY _business_date DESC, _priority ASC, _source_line ASC) AS _rank",
        )
        state = (
            f"CASE WHEN _priority < 0 THEN '{BAD}'"
            f" WHEN _rank > 1 AND _priority = 0 THEN '{OUTDATED}'"
            " WHEN _rank > 1 THEN NULL"
            f" WHEN _gone THEN '{TOMBSTONE}'"
            f" WHEN _priority = 0 THEN '{GOOD}' ELSE '{CARRIED}' END"
        )
        shown = ranked.selectExpr(*self._kept, "_duplicate", *self.masks, f"{state} AS _ok")
        return shown.where("_ok IS NOT NULL")
