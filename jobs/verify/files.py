"""Invariant 2, to the byte: every visible data file is one that a leaf names by its digest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.names import Step
from jobs.record import footprint
from jobs.record.conservation import was_shown
from jobs.tables import silver, staged
from jobs.verify.lake import file_problem
from jobs.verify.report import checked
from lineage.evidence.digests import sha256_of_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from deltalake import DeltaTable

    from contracts.layout import Layer
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf

_THREADS: Final = 4
_NAMED_FILES: Final = 3


@dataclass(frozen=True)
class _Unit:
    """The visible files of one batch or stage, and the leaves that should name them."""

    layer: Layer
    table: str
    name: str
    root: Path
    files: Sequence[str]
    kind: str
    fact: str
    leaves: Sequence[Leaf]
    is_under_way: bool

    @property
    def where(self) -> str:
        """The file, if it is one; else the batch or stage."""
        if len(self.files) == 1:
            return f"{self.layer}/{self.table}/{self.files[0]}"
        return f"{self.layer}/{self.table}@{self.name}"

    def problem(self) -> Words | None:
        """Say how the files differ from what was logged of them."""
        kind = self.kind
        if not self.leaves:
            return Words(f"没有 {kind} 存证写明这些行", f"no {kind} leaf names these rows")
        try:
            found = sha256_of_files(self.root, self.files)
        except OSError:
            return None  # the check of each file names it
        if any(leaf.facts.get(self.fact) == found for leaf in self.leaves):
            return None
        zh, en, many = "", "", len(self.files)
        if many > 1:
            some = ", ".join(self.files[:_NAMED_FILES])
            zh, en = f"（{many} 个文件：{some} …）", f" ({many} files: {some} …)"
        return Words(
            f"其字节不是 {kind} 存证所写的那些{zh}",
            f"its bytes are not those that the {kind} leaf names{en}",
        )


def as_logged(lake: Lake) -> Iterator[Checked]:
    """Hash every visible file and hold it against the leaves."""
    for layer in ("bronze", "quarantine", "governance"):
        for name, table in lake.layer(layer).items():
            for file in staged.files(table):
                yield checked(2, f"{layer}/{name}/{file['path']}", file_problem(table, file))
    units = list(_units(lake))
    with ThreadPoolExecutor(_THREADS) as threads:
        for unit, problem in zip(units, threads.map(_Unit.problem, units), strict=True):
            is_recovering = problem is not None and unit.is_under_way
            yield checked(2, unit.where, problem, is_recovering=is_recovering)


def _units(lake: Lake) -> Iterator[_Unit]:
    statuses = {(row.table, row.batch_id): row for row in lake.batches}
    for name, table in lake.layer("bronze").items():
        yield from _of_batches(lake, "bronze", name, table)
    for name, table in lake.layer("quarantine").items():
        for unit in _of_batches(lake, "quarantine", name, table):
            row = statuses.get((name, unit.name))
            if row is None or was_shown(row):  # a merge that was held after all left rows
                yield unit
    for name, table in lake.silver.items():
        yield from _of_stages(lake, "silver", name, table)
    for layer in ("gold", "shared"):
        for name, table in lake.layer(layer).items():
            yield from _of_stages(lake, layer, name, table)


def _of_batches(lake: Lake, layer: Layer, name: str, table: DeltaTable) -> Iterator[_Unit]:
    if layer == "bronze":
        kind, fact, step = "landing", "files_sha256", Step.LAND
    else:
        kind, fact, step = "publication", "quarantine_sha256", Step.PUBLISH
    for batch_id, files in footprint.files_by_batch(table).items():
        leaves = lake.leaves_of(kind, f"{name}@{batch_id}")
        is_under_way = lake.is_under_way(batch_id, step, Step.RETRY, Step.MARK)
        yield _Unit(
            layer, name, batch_id, _root(lake, layer, name), files, kind, fact, leaves, is_under_way
        )


def _of_stages(lake: Lake, layer: Layer, name: str, table: DeltaTable) -> Iterator[_Unit]:
    for stage, files in footprint.files_by_stage(table).items():
        unit = stage
        match layer:
            case "gold":
                kind, step, unit = "build", Step.BUILD, f"{name}:{stage}"
            case "shared":
                kind, step, unit = "share", Step.SHARE, f"{name}:{stage}"
            case _ if stage.endswith(silver.WITHDRAWN):
                unit = stage.removesuffix(silver.WITHDRAWN)
                kind, step = "withdrawal", Step.WITHDRAW
            case _:
                kind, step = "publication", Step.PUBLISH
        subject = f"{name}@{unit if layer == 'silver' else stage}"
        leaves = lake.leaves_of(kind, subject)
        if not leaves:
            continue  # the checks of publications and products say so
        is_under_way = lake.is_under_way(unit, step)
        root = _root(lake, layer, name)
        yield _Unit(layer, name, stage, root, files, kind, "files_sha256", leaves, is_under_way)


def _root(lake: Lake, layer: Layer, name: str) -> Path:
    return lake.home.table(layer, name)
