"""Start parts of the stack in sessions of their own, record them, stop all their processes.

A part's processes may outlive its leader and may form process groups, so a part is known by its
session: the leader's pid, its start time and the boot it belongs to.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from contracts.errors import JingshuError
from contracts.private import UMASK
from contracts.words import Words
from lineage.evidence.machine import boot_id, started_ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from contracts.layout import Home

LOOPBACK = "127.0.0.1"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.05
#: What is still listed, and runs no more.
_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)

#: How long a killed process may take to end its threads.
_LAST_THREAD_S = 10.0
#: The children of this process, kept so that they can be reaped.
_children: dict[int, subprocess.Popen[bytes]] = {}


class StackError(JingshuError, RuntimeError):
    """A part of the local stack did not start, or did not stay."""


@dataclass(frozen=True)
class Part:
    """One started part: ``pid`` is also its session, ``started`` the leader's start (ticks).

    Ticks count from the boot (proc_pid_stat(5), field 22), so they mean nothing across boots.
    """

    name: str
    pid: int
    started: int
    port: int
    log: str
    boot: str

    def is_alive(self) -> bool:
        """Tell whether the leader still runs (a zombie does not)."""
        _reap(self.pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            leader = psutil.Process(self.pid)
            return self.is_ours() and leader.status() not in _ENDED
        return False

    def members(self) -> list[int]:
        """Return the pids of every running process of this part's session."""
        _reap(self.pid)
        return [p.pid for p in psutil.process_iter() if self._has(p)] if self.is_ours() else []

    def _has(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            return (
                os.getsid(process.pid) == self.pid
                and process.status() not in _ENDED
                and started_ticks(process) >= self.started
            )
        return False

    def is_ours(self) -> bool:
        """Tell whether the session's number was not given to somebody else since."""
        if self.boot != boot_id():
            return False
        try:
            return started_ticks(psutil.Process(self.pid)) == self.started
        except psutil.NoSuchProcess:
            return True


class Ledger:
    """``stack.json``: the parts that were started, for whoever has to stop them.

    It belongs to the folder that it was written in: the ledger in a copy of a home names the
    processes of the home that was copied, and counts for nothing.
    """

    def __init__(self, home: Home) -> None:
        self.path = home.run / "stack.json"

    def parts(self) -> list[Part]:
        """Return the recorded parts, dead or alive, in the order they were started."""
        try:
            told = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return []
        if isinstance(told, list):  # what the version before wrote
            return [Part(**row) for row in told]
        return [Part(**row) for row in told["parts"]] if told["folder"] == self._folder() else []

    def find(self, name: str) -> Part | None:
        """Return the recorded part of this name while its leader lives."""
        return next((part for part in self.parts() if part.name == name and part.is_alive()), None)

    def record(self, part: Part) -> None:
        """Add a part."""
        with self._locked():
            self._write([*self.parts(), part])

    def forget(self, gone: Iterable[Part]) -> None:
        """Remove parts that were stopped."""
        lost = set(gone)
        with self._locked():
            self._write([part for part in self.parts() if part not in lost])

    def _write(self, parts: Sequence[Part]) -> None:
        draft = self.path.with_suffix(".new")
        told = {"folder": self._folder(), "parts": [asdict(part) for part in parts]}
        draft.write_text(json.dumps(told, indent=1), "utf-8")
        draft.replace(self.path)

    def _folder(self) -> str:
        """Name the folder by device and inode: a rename keeps them, a copy has its own."""
        stat = self.path.parent.stat()
        return f"{stat.st_dev}:{stat.st_ino}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def launch(
    home: Home,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    port: int = 0,
    folder: Path | None = None,
) -> Part:
    """Start ``argv`` in a session of its own, its output in ``run/logs/<name>.log``; record it.

    What it makes is its owner's alone.

    Raises:
        StackError: the port is taken, or the program cannot be started.
    """
    if port:
        require_free(port, name)
    log = home.run / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    cwd = folder or home.run
    cwd.mkdir(parents=True, exist_ok=True)
    with undisturbed():  # a child that nobody has recorded could not be stopped
        try:
            with log.open("ab") as out:
                child = subprocess.Popen(
                    list(argv),
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=UMASK,
                )
        except OSError as error:
            raise StackError(
                Words(f"{name} 未能启动：{error}。", f"{name} could not be started: {error}."),
                Words(
                    "请再次运行 ./jingshu，由其修复运行环境。",
                    "Run ./jingshu again to let it repair the set-up.",
                ),
            ) from error
        _children[child.pid] = child
        started = started_ticks(psutil.Process(child.pid))  # listed until somebody reaps it
        part = Part(name, child.pid, started, port, str(log), boot_id())
        Ledger(home).record(part)
        return part


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the block has ended (in the main thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    usual = {number: signal.signal(number, lambda n, _: held.append(n)) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number_held in held[:1]:
            signal.raise_signal(number_held)


def wait_listening(part: Part, timeout_s: float, host: str = LOOPBACK) -> None:
    """Wait until the part accepts connections on its port.

    Raises:
        StackError: it died, or stayed silent for ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while not is_listening(part.port, host):
        require_alive(part)
        if time.monotonic() > deadline:
            raise StackError(
                Words(
                    f"{part.name} 在 {timeout_s:.0f} 秒内没有在端口 {part.port} 应答。",
                    f"{part.name} did not answer on port {part.port} within {timeout_s:.0f} s.",
                ),
                Words(f"原因请查看 {part.log}。", f"Read {part.log} for the reason."),
            )
        time.sleep(_POLL_S)


def require_alive(part: Part) -> None:
    """Raise `StackError` with the end of its log if the part's leader is gone."""
    if not part.is_alive():
        said = _last_words(part.log)
        raise StackError(
            Words(
                f"{part.name} 自行停止。其最后的输出：{said or '无'}",
                f"{part.name} stopped by itself. Its last words: {said or 'none'}",
            ),
            Words(f"完整经过请查看 {part.log}。", f"Read {part.log} for the whole story."),
        )


def require_free(port: int, name: str) -> None:
    """Raise `StackError` if somebody listens on this loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise StackError(
                Words(f"{name} 的端口 {port} 已被占用。", f"Port {port} for {name} is taken."),
                Words(
                    "请停止占用该端口的程序（若为先前的服务，运行 ./jingshu down）。",
                    "Stop what listens there (./jingshu down if it is an older stack).",
                ),
            ) from error


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` if nobody listens there, else some free loopback port."""
    if preferred:
        with contextlib.suppress(StackError):
            require_free(preferred, "any")
            return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a connection to ``port`` succeeds, from this machine."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0):
        return True
    return False


def stop(home: Home, parts: Sequence[Part], grace_s: float = 10.0) -> None:
    """Stop every process of these parts: SIGTERM, ``grace_s``, SIGKILL; then forget them."""
    if not parts:
        return
    with undisturbed(), ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(lambda part: _stop_one(part, grace_s), parts))
        Ledger(home).forget(parts)


def _stop_one(part: Part, grace_s: float) -> None:
    """Ask the leader first: most parts stop their own children in order."""
    if not part.is_ours():
        return
    deadline = time.monotonic() + grace_s
    if part.is_alive():
        _signal([part.pid], signal.SIGTERM)
        _wait(part, deadline, leader_only=True)
    if members := part.members():
        _signal(members, signal.SIGTERM)
        _wait(part, min(deadline, time.monotonic() + grace_s / 2))
    while members := part.members():
        _signal(members, signal.SIGKILL)
        _wait(part, time.monotonic() + 1.0)
    _bury(part.pid)


def _wait(part: Part, deadline: float, *, leader_only: bool = False) -> None:
    while part.is_alive() if leader_only else part.members():
        if time.monotonic() > deadline:
            return
        time.sleep(_POLL_S)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _bury(pid: int) -> None:
    """Wait for a stopped child: a leader is not reaped before its last thread has gone."""
    child = _children.pop(pid, None)
    if child is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LAST_THREAD_S)


def _last_words(log: str) -> str:
    try:
        lines = Path(log).read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return " | ".join(lines[-3:])
