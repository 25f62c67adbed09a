"""Real processes, really killed: the log is as it was, or one batch longer."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import ROOT, Home
from lineage.evidence import durable
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[int], Leaf]

#: Appends leaves of given numbers in given batches, and says when each batch is in.
WRITER = """
import sys
from pathlib import Path
from contracts.layout import Home
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog

root, first, last, batch = sys.argv[1], *map(int, sys.argv[2:])
log = EvidenceLog(Home(Path(root)))
for start in range(first, last, batch):
    leaves = [
        Leaf("build", f"fact-{n}", {"n": n, "by": "x" * 50}, "2026-11-22T00:00:00Z")
        for n in range(start, min(start + batch, last))
    ]
    new = sum(a.is_new for a in log.append(leaves))
    print(start, new, flush=True)
"""


def start_writer(home: Home, first: int, last: int, batch: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home.root), str(first), str(last), str(batch)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def subjects(home: Home) -> list[str]:
    return [Leaf.parse(entry).subject for _, entry in EvidenceLog(home).entries()]


def test_four_processes_log_every_fact_exactly_once(home: Home) -> None:
    writers = [start_writer(home, first, first + 50, 7) for first in (0, 25, 50, 60)]
    new = 0
    for writer in writers:
        output, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0
        new += sum(int(line.split()[1]) for line in output.splitlines())
    assert new == 110
    assert sorted(subjects(home)) == sorted(f"fact-{n}" for n in range(110))
    assert verify_home(home) == []


def test_threads_of_one_process_take_turns(home: Home, leaf: Make) -> None:
    log = EvidenceLog(home)
    workers = [
        threading.Thread(target=lambda: [log.append([leaf(n)]) for n in range(20)])
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert log.size == 20
    assert verify_home(home) == []


def test_killed_writers_lose_nothing_that_was_acknowledged(home: Home) -> None:
    dice = random.Random(8)
    acknowledged = 0
    for round_ in range(6):
        first = round_ * 10_000
        writer = start_writer(home, first, first + 10_000, 37)
        assert writer.stdout is not None
        for _ in range(dice.randint(1, 12)):
            acknowledged += int(writer.stdout.readline().split()[1])
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=60)
        acknowledged += sum(int(line.split()[1]) for line in rest.splitlines())
        assert verify_home(home) == []
        logged = subjects(home)
        assert len(logged) == len(set(logged))
        assert acknowledged <= len(logged) <= acknowledged + 37
        acknowledged = len(logged)
        after = Leaf("build", f"after-{round_}", {}, "2026-11-22T00:00:00Z")
        assert EvidenceLog(home).append([after])[0].index == acknowledged
        acknowledged += 1
        assert verify_home(home) == []


@pytest.mark.parametrize("before", [0, 250])
def test_death_at_each_step_is_healed(tmp_path: Path, leaf: Make, before: int) -> None:
    batch = [leaf(n) for n in range(1000, 1020)]
    sound = Home(tmp_path / "sound")
    sound.root.mkdir()
    if before:
        EvidenceLog(sound).append([leaf(n) for n in range(before)])
    for step in count():
        home = Home(tmp_path / str(step))
        shutil.copytree(sound.root, home.root)
        if not dies_at_step(home, batch, step):
            break
        assert verify_home(home) == []
        assert EvidenceLog(home).size in {before, before + len(batch)}
        # Another batch comes first now, so tiles of the dead one must not shine through.
        EvidenceLog(home).append([leaf(n) for n in range(2000, 2005)])
        EvidenceLog(home).append(batch)
        logged = subjects(home)
        assert len(logged) == len(set(logged)) == before + 25
        assert verify_home(home) == []
        assert list((home.keys / ".draft").iterdir()) == []
    assert step >= 13


def dies_at_step(home: Home, batch: list[Leaf], step: int) -> bool:
    """Append in a forked child that kills itself at its write, sync or rename number ``step``.

    Half of what that step writes is there, or all of what it syncs or names.
    """
    child = os.fork()
    if child == 0:
        steps, write = count(), os.write

        def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(target: Any, *arguments: Any) -> Any:
                dies = next(steps) == step
                if dies and function is write:
                    arguments = (bytes(arguments[0])[: len(arguments[0]) // 2],)
                done = function(target, *arguments)
                if dies:
                    os.kill(os.getpid(), signal.SIGKILL)
                return done

            return call

        os.write, os.fsync = deadly(write), deadly(os.fsync)
        Path.replace = deadly(Path.replace)  # type: ignore[method-assign]
        status = 1
        try:
            EvidenceLog(home).append(batch)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def test_a_leaf_costs_seven_syncs(
    home: Home, log: EvidenceLog, leaf: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([leaf(0), leaf(1)])
    synced: list[str] = []
    sync = os.fsync

    def note(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink().relative_to(home.root)))
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    log.append([leaf(2)])
    *files, first, second, last = synced
    assert {name.rpartition("/")[0] for name in files} == {
        "evidence/tile/entries/000.p",  # the entry
        "evidence/tile/0/000.p",  # its hash
        "evidence/.draft",  # the checkpoint
        "keys/.draft",  # its second copy
    }
    assert len(files) == 4
    # The names of bundle and tile come before that of the checkpoint, which speaks of them.
    assert {first, second} == {"evidence/tile/entries/000.p", "evidence/tile/0/000.p"}
    assert last == "evidence"


def test_a_write_is_synced_before_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def note(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        assert (tmp_path / "a/b/file").exists() == ("b" in synced and len(synced) > 4)
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    durable.write_durably(tmp_path / "a/b/file", b"data", tmp_path / "draft", mode=0o600)
    *folders, draft, folder = synced
    assert folders == [tmp_path.name, "a", tmp_path.name]
    assert draft.startswith(f"{os.getpid()}-")
    assert folder == "b"
    assert (tmp_path / "a/b/file").read_bytes() == b"data"
    assert (tmp_path / "a/b/file").stat().st_mode & 0o777 == 0o600
