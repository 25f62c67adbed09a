"""Which code, with which packages, on which host: what landing and build leaves are signed with.

And which process: its number is given again, so boot and start belong to its name.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psutil

from contracts.layout import ROOT

#: All of a commit's digits, with ``-dirty`` where a tracked file differs from it.
_COMMIT: Final = (
    "git",
    "--no-optional-locks",
    "describe",
    "--always",
    "--dirty",
    "--abbrev=40",
    "--exclude=*",
)
_PATIENCE_S: Final = 30


@dataclass(frozen=True)
class Machine:
    """What ran: the code's commit, the SHA-256 (hex) of the lock of its packages, the host's name.

    Not known: ``unknown``; of code outside of a repository, its release is named.
    """

    code_commit: str
    lock_sha256: str
    host: str

    def facts(self) -> dict[str, str]:
        """Return the facts that a leaf holds of it."""
        return asdict(self)


@cache
def this_machine() -> Machine:
    """Return what this process runs; looked up once."""
    return machine_of(ROOT)


def machine_of(root: Path) -> Machine:
    """Return what runs from the code's folder on this host."""
    return Machine(_commit(root), _lock(root), socket.gethostname() or "unknown")


def _commit(root: Path) -> str:
    if (root / ".git").exists():  # not that of a repository in which the folder lies
        try:
            told = subprocess.run(
                _COMMIT, cwd=root, capture_output=True, check=True, timeout=_PATIENCE_S
            )
            return told.stdout.decode().strip()
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            pass
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
        return f"unknown, release {project['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


def _lock(root: Path) -> str:
    try:
        return hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest()
    except OSError:
        return "unknown"


@cache
def boot_id() -> str:
    """Return the kernel's name for this boot (Linux, random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def started_ticks(process: psutil.Process) -> int:
    """Return when a process started, in clock ticks since the boot (proc_pid_stat(5), field 22).

    Ticks stay what they are when somebody sets the clock. Raises psutil.NoSuchProcess.
    """
    since_boot_s = process.create_time() - psutil.boot_time()
    return round(since_boot_s * os.sysconf("SC_CLK_TCK"))
