"""``./jingshu run`` as a person calls it: a process of its own, watched, disturbed, and judged."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import psutil
from deltalake import DeltaTable

from contracts.layout import ROOT
from infra.stack.processes import Ledger, Part

if TYPE_CHECKING:
    from contracts.layout import Home

_PATIENCE_S = 1200.0
_LOOK_EVERY_S = 2.0


@dataclass
class Seen:
    """What was seen of a stack while it ran."""

    parts: dict[str, Part] = field(default_factory=dict)
    listeners: set[tuple[str, int]] = field(default_factory=set)
    """(address, port) of every listening socket of every process of the stack."""


class Running:
    """A running command; use as a context manager, so that nothing outlives the test."""

    def __init__(self, home: Home, *arguments: str, **environment: str) -> None:
        self.home = home
        self.seen = Seen()
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            env={
                **os.environ,
                "JINGSHU_HOME": str(home.root),
                "PYTHONPATH": str(ROOT),
                **environment,
            },
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._out: list[str] = []
        self._looked_at = 0.0
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stderr, self.lines)),
            threading.Thread(target=self._read, args=(self._process.stdout, self._out)),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self.finish()

    def wait_for(self, text: str) -> None:
        """Wait until a line of progress holds ``text``."""
        deadline = time.monotonic() + _PATIENCE_S
        while not any(text in line for line in self.lines):
            assert self._process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, f"{text!r} never came:\n" + "\n".join(self.lines)
            self._look()
            time.sleep(0.2)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        self._process.send_signal(number)

    def kill_part(self, name: str) -> None:
        """SIGKILL one part of the stack."""
        part = Ledger(self.home).find(name)
        assert part is not None
        os.kill(part.pid, signal.SIGKILL)

    def kill_task(self, task: str) -> None:
        """SIGKILL the process of one running task, such as ``publish``, before it has ended.

        It is stopped before the database is asked, or it might end between question and signal.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log
            for pid in self._pids_of(self._running(task)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    time.sleep(1.0)  # what it had already said reaches the database
                    is_running = pid in self._pids_of(self._running(task))
                    os.kill(pid, signal.SIGKILL if is_running else signal.SIGCONT)
                    if is_running:
                        return
            self._look()
            time.sleep(0.05)
        raise AssertionError(f"no {task} was running")

    def _pids_of(self, instances: list[str]) -> list[int]:
        """Return the processes that run these task instances: their titles end in the id."""
        scheduler = Ledger(self.home).find("scheduler")
        found = []
        for pid in scheduler.members() if scheduler and instances else ():
            with suppress(psutil.NoSuchProcess):
                title = " ".join(psutil.Process(pid).cmdline()).strip()
                if any(title.endswith(instance) for instance in instances):
                    found.append(pid)
        return found

    def _running(self, task: str) -> list[str]:
        """Return the ids of a task's running instances, in which their processes' titles end."""
        database = sqlite3.connect(f"file:{self.home.run / 'airflow/airflow.db'}?mode=ro", uri=True)
        with closing(database):
            found = database.execute(
                "SELECT id FROM task_instance WHERE task_id = ? AND state = 'running'", (task,)
            ).fetchall()
        return [str(UUID(str(key))) for (key,) in found]

    def finish(self, patience_s: float = _PATIENCE_S) -> int:
        """Wait for the command's end; return its exit code."""
        deadline = time.monotonic() + patience_s
        while self._process.poll() is None:
            assert time.monotonic() < deadline, "\n".join(self.lines)
            self._look()
            time.sleep(0.5)
        for reader in self._readers:
            reader.join()
        self._looked_at = 0.0
        self._look()
        return self.exit_code

    @property
    def exit_code(self) -> int:
        """Its exit code, once it has ended."""
        return int(self._process.returncode)

    @property
    def log(self) -> str:
        """Everything it said while it ran."""
        return "\n".join(self.lines)

    def summary(self) -> dict[str, Any]:
        """Return the JSON object on the last line of its standard output."""
        return dict(json.loads(self._out[-1]))

    def leftovers(self) -> list[str]:
        """Return what it should have taken away: processes of its parts, ports that answer."""
        alive = [name for name, part in self.seen.parts.items() if part.members()]
        ports = {port for _, port in self.seen.listeners}
        listening = {
            connection.laddr.port
            for connection in psutil.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr
        }
        return [*alive, *(f"port {port}" for port in sorted(ports & listening))]

    def _look(self) -> None:
        if time.monotonic() - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        for part in Ledger(self.home).parts():
            self.seen.parts[part.name] = part
            for pid in part.members():
                try:
                    connections = psutil.Process(pid).net_connections("inet")
                except psutil.Error:
                    continue
                self.seen.listeners |= {
                    (connection.laddr.ip, connection.laddr.port)
                    for connection in connections
                    if connection.status == psutil.CONN_LISTEN
                }

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))  # noqa: PERF401 - as they come, not at the end


def versions(home: Home) -> dict[str, int]:
    """Return the version of every table of rows; governance only tells what happened."""
    logs = (home.root / "lake").glob("*/*/_delta_log")
    tables = [log.parent for log in logs if log.parent.parent.name != "governance"]
    return {f"{t.parent.name}/{t.name}": DeltaTable(t).version() for t in tables}
