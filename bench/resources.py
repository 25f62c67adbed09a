"""What a stack of processes uses while it runs: CPU by part, memory at its peak.

Source: proc(5). CPU counts what ended and was reaped (``cutime``, ``cstime``); memory is the
proportional set size, so that what forked processes share is counted once.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from infra.stack.processes import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_EVERY_S: Final = 2.0
_PROC: Final = Path("/proc")
TASKS: Final = "tasks"
SCHEDULER: Final = "scheduler"
COMMAND: Final = "command"


class Sampler:
    """Samples every process of a home's stack, and this one, until it is closed.

    ``cpu_s`` maps a part to its CPU seconds; what the scheduler's children used is ``tasks``.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.cpu_s: dict[str, float] = {}
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        memory = 0
        used: defaultdict[str, float] = defaultdict(float)
        for name, pid, is_leader in self._processes():
            own, reaped = _cpu_s(pid)
            used[TASKS if name == SCHEDULER and not is_leader else name] += own
            if name != COMMAND:  # at its end it reaps the stack itself
                used[TASKS if name == SCHEDULER else name] += reaped
            memory += _pss_bytes(pid)
        # A process that ends moves into its parent's sum: the sums only grow.
        for part, seconds in used.items():
            self.cpu_s[part] = max(self.cpu_s.get(part, 0.0), round(seconds, 1))
        self.peak_bytes = max(self.peak_bytes, memory)

    def _processes(self) -> Iterator[tuple[str, int, bool]]:
        yield COMMAND, os.getpid(), True
        for part in Ledger(self._home).parts():
            for pid in part.members():
                yield part.name, pid, pid == part.pid


def _cpu_s(pid: int) -> tuple[float, float]:
    """Return a process's own CPU seconds, and those of its children that ended."""
    try:
        fields = (
            (_PROC / str(pid) / "stat").read_text("ascii", "replace").rpartition(") ")[2].split()
        )
    except OSError:
        return 0.0, 0.0
    own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return own * _TICK_S, reaped * _TICK_S


def _pss_bytes(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
