"""The evidence log at size: appending, one leaf alone, proving, verifying the whole."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import statistics
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from contracts.layout import Home
from contracts.words import text
from lineage.evidence.hashing import is_consistent
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.tree import TileTree
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.evidence.checkpoint import Checkpoint
    from lineage.evidence.leaf import JsonScalar

BATCH: Final = 1_000
_ALONE: Final = 100
_PROOFS: Final = 50


@dataclass(frozen=True)
class AtSize:
    """What a log of ``leaves`` takes. CPU seconds tell more than wall seconds on a busy machine."""

    leaves: int
    append_per_s: float
    append_per_cpu_s: float
    alone_ms: float
    alone_cpu_ms: float
    alone_syncs: float
    alone_sync_ms: float
    proof_ms: float
    proof_cpu_ms: float
    longest_proof_ms: float
    consistency_ms: float
    verify_s: float
    verify_cpu_s: float
    findings: int


@dataclass(frozen=True)
class EvidenceFigures:
    """The figures at each size, the log's bytes on disk, and this process's peak memory."""

    sizes: tuple[AtSize, ...]
    batch: int
    disk_bytes: int
    peak_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        return asdict(self)


def measure(folder: Path, leaves: int, say: Callable[[str], None]) -> EvidenceFigures:
    """Fill a log to a quarter, a half and all of ``leaves``, and measure it at each."""
    home = Home(folder)
    log, sizes = EvidenceLog(home), list[AtSize]()
    for part in (4, 2, 1):
        size = leaves // part
        say(text(f"{size:,} 条", f"{size:,} leaves"))
        sizes.append(_at_size(home, log, size))
    files = (path for path in home.evidence.rglob("*") if path.is_file())
    disk = sum(path.stat().st_blocks * 512 for path in files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return EvidenceFigures(tuple(sizes), BATCH, disk, peak)


def _at_size(home: Home, log: EvidenceLog, size: int) -> AtSize:
    older = log.checkpoint() if log.size else None
    wall_s, cpu_s, added = 0.0, 0.0, 0
    for start in range(log.size, size - _ALONE, BATCH):
        batch = [leaf(n) for n in range(start, min(start + BATCH, size - _ALONE))]
        before, cpu_before = time.perf_counter(), time.process_time()
        log.append(batch)
        wall_s += time.perf_counter() - before
        cpu_s += time.process_time() - cpu_before
        added += len(batch)
    alone = [_alone(log, leaf(n)) for n in range(log.size, size)]
    cpu_before = time.process_time()
    proofs = [_timed_ms(partial(log.prove, key)) for key in _some_keys(size)]
    proof_cpu_ms = (time.process_time() - cpu_before) / len(proofs) * 1e3
    before, cpu_before = time.perf_counter(), time.process_time()
    findings = len(verify_home(home))
    return AtSize(
        leaves=size,
        append_per_s=added / wall_s,
        append_per_cpu_s=added / cpu_s,
        alone_ms=statistics.median(a.wall_ms for a in alone),
        alone_cpu_ms=statistics.median(a.cpu_ms for a in alone),
        alone_syncs=statistics.mean(a.syncs for a in alone),
        alone_sync_ms=statistics.median(a.sync_ms for a in alone),
        proof_ms=statistics.median(proofs),
        proof_cpu_ms=proof_cpu_ms,
        longest_proof_ms=max(proofs),
        consistency_ms=_consistency_ms(home, log.checkpoint(), older),
        verify_s=time.perf_counter() - before,
        verify_cpu_s=time.process_time() - cpu_before,
        findings=findings,
    )


def leaf(number: int) -> Leaf:
    """Return a leaf of the size and spread of a city's."""
    digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
    facts: dict[str, JsonScalar] = {
        "contract_id": "civil.elder_service",
        "contract_version": "1.2.0",
        "file_sha256": digest,
        "file_sm3": digest[::-1],
        "size_bytes": number,
        "rows_landed": number % 977,
        "origin": "simulated",
    }
    subject = f"p{number % 58:02}__dataset_{number % 74:02}@20260715-{digest[:12]}"
    return Leaf("landing", subject, facts, "2026-07-15T01:02:03.456789Z")


@dataclass
class _Alone:
    """One leaf appended by itself: its time, and how much of it went into syncs."""

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    syncs: int = 0
    sync_ms: float = 0.0


def _alone(log: EvidenceLog, alone: Leaf) -> _Alone:
    found, sync = _Alone(), os.fsync

    def counted(handle: int) -> None:
        before = time.perf_counter()
        sync(handle)
        found.sync_ms += (time.perf_counter() - before) * 1e3
        found.syncs += 1

    before, cpu_before = time.perf_counter(), time.process_time()
    os.fsync = counted  # type: ignore[assignment]
    try:
        log.append([alone])
    finally:
        os.fsync = sync
    found.wall_ms = (time.perf_counter() - before) * 1e3
    found.cpu_ms = (time.process_time() - cpu_before) * 1e3
    return found


def _some_keys(size: int) -> Iterator[str]:
    dice = random.Random(size)  # noqa: S311  (the same leaves in each run)
    return (leaf(dice.randrange(size)).key for _ in range(_PROOFS))


def _consistency_ms(home: Home, head: Checkpoint, older: Checkpoint | None) -> float:
    """Prove and check that the log begins with what it was at the size measured before."""
    if older is None:
        return 0.0

    def prove() -> None:
        path = TileTree(Keeping.of(home).store, head.size).consistency(older.size)
        if not is_consistent(older.size, head.size, older.root, head.root, path):
            raise RuntimeError("the log forked while it was measured")

    return _timed_ms(prove)


def _timed_ms(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1e3
