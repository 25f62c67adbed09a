"""A lake as its files tell it: tables, governance rows and leaves, each part read once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.words import Words
from jobs.record import governance, intents
from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, PublicationRow
from jobs.tables import staged
from jobs.tables.delta import dataset, open_table
from lineage.evidence.errors import EvidenceError
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.tiles import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from deltalake import DeltaTable

    from contracts.layout import Home, Layer
    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.names import Step

_R = TypeVar("_R")


@dataclass(frozen=True)
class Lake:
    """The lake of one home, and the contracts it is held against."""

    home: Home
    tree: Tree

    @cached_property
    def batches(self) -> list[BatchRow]:
        """The newest row of every batch."""
        return _readable(lambda: governance.latest_batches(self.home))

    @cached_property
    def deliveries(self) -> list[DeliveryRow]:
        """Every state of every delivery, oldest first."""
        return _readable(lambda: governance.read(self.home, DeliveryRow))

    @cached_property
    def publications(self) -> list[PublicationRow]:
        """Every state of every product and share, oldest first."""
        return _readable(lambda: governance.read(self.home, PublicationRow))

    @cached_property
    def audits(self) -> Mapping[str, list[list[CheckRow]]]:
        """The results of every audit of every batch, oldest audit first."""
        found: dict[str, dict[object, list[CheckRow]]] = {}
        for row in _readable(lambda: governance.read(self.home, CheckRow)):
            found.setdefault(row.batch_id, {}).setdefault(row.recorded_at, []).append(row)
        return {batch_id: list(audits.values()) for batch_id, audits in found.items()}

    @cached_property
    def checks(self) -> Mapping[str, list[CheckRow]]:
        """The check results of every batch's newest audit."""
        return {batch_id: audits[-1] for batch_id, audits in self.audits.items()}

    @cached_property
    def log(self) -> Sequence[Leaf]:
        """The leaves of the evidence log in order, as they stand; the log check names bad ones."""
        return list(_leaves(self.home))

    @cached_property
    def leaves(self) -> Mapping[str, Leaf]:
        """The leaves of the evidence log by key."""
        return {leaf.key: leaf for leaf in self.log}

    def leaves_of(self, kind: str, subject: str) -> list[Leaf]:
        """Return the leaves about a subject and its parts (``subject/…``), oldest first."""
        return self._by_subject.get(f"{kind}:{subject}", [])

    @cached_property
    def _by_subject(self) -> Mapping[str, list[Leaf]]:
        found: dict[str, list[Leaf]] = {}
        for key, leaf in self.leaves.items():
            found.setdefault(key.partition("/")[0], []).append(leaf)
        return found

    @cached_property
    def recovering(self) -> frozenset[str]:
        """The names of steps that were begun and not finished."""
        return frozenset(i.name for i in intents.open_intents(self.home))

    def is_under_way(self, unit: str, *steps: Step) -> bool:
        """Tell whether one of these steps was begun and not finished for a batch or a stage."""
        return any(step.of(unit) in self.recovering for step in steps)

    @cached_property
    def moving(self) -> frozenset[str]:
        """The tables in which such a step is under way: what they show may be ahead of its row."""
        return frozenset(i.subject for i in intents.open_intents(self.home))

    @cached_property
    def silver(self) -> Mapping[str, DeltaTable]:
        """Every silver table by name."""
        return self.layer("silver")

    @cached_property
    def visible(self) -> Mapping[str, Counter[str]]:
        """How many rows of each batch every silver table shows."""
        return {name: per_batch(table) for name, table in self.silver.items()}

    def layer(self, layer: Layer) -> Mapping[str, DeltaTable]:
        """Return every table of one layer by name."""
        if layer not in self._layers:
            folder = self.home.table(layer, "_").parent
            names = sorted(p.parent.name for p in folder.glob("*/_delta_log"))
            opened = {n: open_table(folder / n) for n in names}
            self._layers[layer] = {n: t for n, t in opened.items() if t is not None}
        return self._layers[layer]

    @cached_property
    def _layers(self) -> dict[Layer, Mapping[str, DeltaTable]]:
        return {}

    def contract_of(self, table: str) -> Contract | None:
        """Return the contract that a source table's data is held against."""
        return self._contracts.get(table)

    @cached_property
    def _contracts(self) -> Mapping[str, Contract]:
        return {f.table: f.contract for f in self.tree.feeds()}


def _readable(read: Callable[[], list[_R]]) -> list[_R]:
    """Return governance rows; none where a file is broken, which the check of files names."""
    try:
        return read()
    except (OSError, ValueError):
        return []


def _leaves(home: Home) -> Iterator[Leaf]:
    store = Keeping.of(home).store
    try:
        size = EvidenceLog(home).size
    except (EvidenceError, OSError):
        return
    for index in range(-(-size // WIDTH)):
        try:
            entries = store.entries(index, min(WIDTH, size - index * WIDTH))
        except EvidenceError:
            continue
        for entry in entries:
            try:
                yield Leaf.parse(entry)
            except EvidenceError:
                continue


def per_batch(table: DeltaTable) -> Counter[str]:
    """Count a table's visible rows by batch; unreadable files count as none."""
    counted: Counter[str] = Counter()
    rows_of = dataset(table)
    for fragment in rows_of.get_fragments():
        try:
            rows = fragment.to_table(schema=rows_of.schema, columns=["_batch_id"])
            column = rows["_batch_id"].cast(pa.string())
        except (OSError, ValueError):
            continue  # the file is missing or broken: the check of files names it
        counted.update({str(v["values"]): v["counts"] for v in column.value_counts().to_pylist()})
    return counted


def foreign_commits(table: DeltaTable) -> list[int]:
    """Return the versions that changed visible rows and are no stage's of ours."""
    quiet = ("CREATE TABLE", "OPTIMIZE", "VACUUM", "SET", "UPDATE COLUMN", "UPDATE FIELD", "ADD")
    return sorted(
        int(commit["version"])
        for commit in table.history()
        if "jingshu.kind" not in commit and not str(commit.get("operation")).startswith(quiet)
    )


def by_no_stage(foreign: Sequence[int]) -> Words | None:
    """Say that a version is no stage's of ours; nothing where there is none."""
    if not foreign:
        return None
    return Words(
        f"第 {foreign[0]} 版不是由京枢的任何阶段提交的",
        f"version {foreign[0]} was committed by no stage of Jingshu",
    )


def file_problem(table: DeltaTable, file: Mapping[str, object]) -> Words | None:
    """Say how a visible file differs on disk from what the table's log says of it."""
    root = Path(table.table_uri.removeprefix("file://").rstrip("/"))
    path = root / str(file["path"])
    if not path.is_file():
        return Words("磁盘上缺少一个可见的文件", "a visible file is missing on disk")
    size, logged = path.stat().st_size, file["size_bytes"]
    if size != logged:
        return Words(
            f"文件有 {size} 字节，日志写 {logged} 字节",
            f"the file has {size} bytes, the log says {logged}",
        )
    try:
        rows = pq.read_metadata(path).num_rows
    except (OSError, ValueError):
        return Words("有可见的文件不是可读的 Parquet", "a visible file is no readable Parquet")
    if rows != file["num_records"]:
        logged = file["num_records"]
        return Words(
            f"文件有 {rows} 行，日志写 {logged} 行",
            f"the file has {rows} rows, the log says {logged}",
        )
    return None


def stages_of(table: DeltaTable) -> frozenset[str | None]:
    """Return the stages whose files a table shows."""
    return frozenset(staged.stage_of_file(str(f["path"])) for f in staged.files(table))
