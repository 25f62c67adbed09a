"""The lineage index: the events on disk in SQLite, caught up before every question.

A cache of ``lineage/events`` that may be deleted at any time: ``lineage/index.db``. Our own run
files are written whole and never change, so a folder that has not changed is not listed again, and
of the files only those are looked at that may grow, and those that an answer rests on.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import stat
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from contracts.words import Words
from lineage.errors import LineageError, no_event
from lineage.facts import printable, ran
from lineage.naming import PRODUCER, Own
from lineage.store import FileState, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contracts.layout import Home
    from lineage.facts import Ran

    #: Hears (files done, files to read), once a second, while many are read.
    Told = Callable[[int, int], None]

T = TypeVar("T")
#: As many files are looked at each time; of more, closed ones only once in ``_SWEEP_S``.
_FEW: Final = 500
_SWEEP_S: Final = 3_600.0
#: What changed this shortly before it was looked at may change again without a new time.
_UNSETTLED_NS: Final = 2_000_000_000
_CHUNK_FILES: Final = 1_000
_QUIET_S: Final = 1.0
_SUFFIX: Final = ".ndjson"
_RUN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LAST: Final = frozenset({"COMPLETE", "FAIL", "ABORT"})
#: Another version of this code makes another index, and so does another name of the city.
_CODE: Final = ("index.py", "store.py", "facts.py", "columns.py", "naming.py")


def ask(home: Home, question: Callable[[Store], T], told: Told | None = None) -> T:
    """Return what ``question`` finds in the index, caught up with the events on disk.

    A damaged index is made anew. Raises LineageError naming file and line of what is no event.
    """
    if not home.lineage_events.is_dir():
        store = Store(None, "")
        try:
            return question(store)
        finally:
            store.base.close()
    path = home.lineage_events.parent / "index.db"
    with _alone(path):
        try:
            return _answer(home, path, question, told)
        except sqlite3.DatabaseError:
            for suffix in ("", "-journal", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        try:
            return _answer(home, path, question, told)
        except sqlite3.DatabaseError as error:
            raise LineageError(
                Words(
                    f"不能写入血缘索引：{error}。",
                    f"The lineage index cannot be written: {error}.",
                ),
                Words(
                    "请腾出磁盘空间，并删除 lineage/index.db。",
                    "Make room on the disk, and delete lineage/index.db.",
                ),
            ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes waiting: nobody deletes an index that another has open."""
    with path.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _answer(home: Home, path: Path, question: Callable[[Store], T], told: Told | None) -> T:
    own = Own.of(home)
    names = ",".join([*sorted(own.namespaces), own.lake])
    code = [Path(__file__).with_name(name).read_bytes() for name in _CODE]
    store = Store(path, sha256(b"\0".join([*code, names.encode()])).hexdigest())
    try:
        catching = _CatchingUp(store, home.lineage_events, own, told)
        catching.run()
        answer = question(store)
        if catching.read(store.used_files()):  # what never changes did: trust none of it
            catching.run(is_thorough=True)
            answer = question(store)
        return answer
    finally:
        store.base.close()


class _CatchingUp:
    """Brings the store up to the files of one folder."""

    def __init__(self, store: Store, events: Path, own: Own, told: Told | None) -> None:
        self._store = store
        self._events = events
        self._own = own
        self._told = told

    def run(self, *, is_thorough: bool = False) -> None:
        """Read what is new or changed, and forget what is gone."""
        folder = self._events.stat()
        seen = f"{folder.st_ino}:{folder.st_mtime_ns}"
        now = time.time()
        if is_thorough or self._is_sweep_due(now):
            self.read(self._listed(is_thorough=True))
            if self._store.file_count() > _FEW:
                self._store.set_meta("swept_at", str(now))
        elif self._store.meta("folder") == seen:
            self.read(self._store.open_files())
            return
        else:
            self.read(self._listed(is_thorough=False))
        is_settled = folder.st_mtime_ns < now * 1e9 - _UNSETTLED_NS
        noted = seen if is_settled else ""
        if self._store.meta("folder") != noted:
            self._store.set_meta("folder", noted)

    def _is_sweep_due(self, now: float) -> bool:
        swept_at = float(self._store.meta("swept_at") or 0)
        return self._store.file_count() <= _FEW or not 0 <= now - swept_at < _SWEEP_S

    def _listed(self, *, is_thorough: bool) -> list[str]:
        """Return the files to look at: new, replaced and open ones, or all; and those gone."""
        known = self._store.known()
        with os.scandir(self._events) as entries:
            found = {e.name: e.inode() for e in entries if e.name.endswith(_SUFFIX)}
        gone = known.keys() - found.keys()
        new = (
            name
            for name, inode in found.items()
            if is_thorough
            or (state := known.get(name)) is None
            or state[0] != inode
            or not state[3]
        )
        return [*gone, *new]

    def read(self, names: Iterable[str]) -> bool:
        """Look at files, and read those that are not as they were; return whether any told more.

        Commits every thousand files, so that whoever is interrupted does not begin again.
        """
        looked_at = sorted(names)
        known = (
            self._store.known()
            if len(looked_at) > _FEW
            else {name: self._store.was(name) for name in looked_at}
        )
        waiting = [name for name in looked_at if not self._is_as_it_was(name, known.get(name))]
        told_at, is_changed = time.monotonic(), False
        for start in range(0, len(waiting), _CHUNK_FILES):
            self._store.base.execute("BEGIN IMMEDIATE")
            try:
                for name in waiting[start : start + _CHUNK_FILES]:
                    is_changed |= self._look(name)
            finally:
                if self._store.base.in_transaction:
                    self._store.base.execute("COMMIT")
            if self._told and time.monotonic() - told_at > _QUIET_S:
                told_at = time.monotonic()
                self._told(min(start + _CHUNK_FILES, len(waiting)), len(waiting))
        return is_changed

    def _is_as_it_was(self, name: str, was: tuple[int, int, int, bool] | None) -> bool:
        try:
            status = (self._events / name).stat()
        except FileNotFoundError:
            return was is None
        if was is None:
            return not stat.S_ISREG(status.st_mode)
        return was[:3] == (status.st_ino, status.st_size, status.st_mtime_ns)

    def _look(self, name: str) -> bool:
        try:
            with (self._events / name).open("rb") as file:
                status, data = os.fstat(file.fileno()), file.read()
        except (FileNotFoundError, IsADirectoryError):
            is_known = self._store.state(name) is not None
            self._store.forget(name)
            return is_known
        return self._take(name, status, data)

    def _take(self, name: str, status: os.stat_result, data: bytes) -> bool:
        """Read the lines that a file has more than before; return whether it has."""
        old = self._store.state(name)
        if old and sha256(data[: old.read_bytes]).digest() != old.digest:
            self._store.forget(name)
            old = None
        start, lines = (old.read_bytes, old.lines) if old else (0, 0)
        end = data.rfind(b"\n") + 1  # a line still being appended is left for later
        runs: list[Ran] = []
        is_closed = bool(old and old.is_closed)
        added = data[start:end].split(b"\n")[:-1]
        for number, line in enumerate(added, lines + 1):
            if line.strip():
                run, is_last = _parsed(line, name, number, self._own)
                runs += [run] if run else []
                is_closed = is_closed or is_last
        changed_ns = status.st_mtime_ns
        if changed_ns > time.time_ns() - _UNSETTLED_NS:
            changed_ns = -1
        state = FileState(
            inode=status.st_ino,
            size=status.st_size,
            changed_ns=changed_ns,
            read_bytes=end,
            lines=lines + len(added),
            digest=sha256(data[:end]).digest(),
            is_closed=is_closed and end == len(data),
        )
        self._store.keep(name, state, runs)
        return old is None or end != start


def _parsed(line: bytes, name: str, number: int, own: Own) -> tuple[Ran | None, bool]:
    """Return what a line says that a run made, and whether it is the file's last word."""
    try:
        event = json.loads(line)
        return ran(event, name, number, own), _is_last_of(event, name)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise no_event(printable(name), number) from None


def _is_last_of(event: dict[str, Any], name: str) -> bool:
    """Tell whether this is the last event of our run that the file is named after."""
    run_id = name.removesuffix(_SUFFIX)
    return (
        event.get("eventType") in _LAST
        and _RUN_ID.fullmatch(run_id) is not None
        and event["run"]["runId"] == run_id
        and event.get("producer") == PRODUCER
    )
