"""Set-up from start to stamp: one at a time, each step idempotent, the stamp written last."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.words import text
from infra.setup.environment import ensure_environment
from infra.setup.java import ensure_java
from infra.setup.progress import say
from infra.setup.spark_jars import ensure_jars, read_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

JARS_LOCK = Path(__file__).with_name("jars.lock")


def prepare(root: Path) -> None:
    """Make ``root`` ready to run, or return at once when another call has just done so."""
    with _one_at_a_time(root / ".cache" / "setup.lock"):
        stamp = root / ".venv" / "ready"
        if _is_valid(stamp, root):
            return
        say(text("正在准备运行环境，以后不再重复……", "Preparing; later calls skip this …"))
        started = time.monotonic()
        stamp.unlink(missing_ok=True)
        java_home = ensure_java()
        ensure_environment(root)
        ensure_jars(root / ".venv", read_lock(JARS_LOCK), java_home)
        write_stamp(stamp, root, java_home)
        took = f"{time.monotonic() - started:.0f}"
        say(text(f"准备完成，用时 {took} 秒。", f"Ready after {took} s."))


def write_stamp(stamp: Path, root: Path, java_home: Path) -> None:
    """Say that set-up is complete: for which locks, in which place, with which Java.

    The launcher reads these three lines; a path cannot hold a line break here.
    """
    draft = stamp.with_name("ready.new")
    draft.write_text(f"{_locks(root)}\n{root}\n{java_home}\n", "utf-8")
    draft.replace(stamp)


def _is_valid(stamp: Path, root: Path) -> bool:
    try:
        locks, place, java_home = stamp.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return False
    programs = (root / ".venv" / "bin" / "python", f"{java_home}/bin/java")
    return (
        (locks, place) == (_locks(root), str(root))
        and all(os.access(program, os.X_OK) for program in programs)
        and (root / ".venv" / "jars").is_dir()
    )


def _locks(root: Path) -> str:
    # The same bytes, in the same order, as the launcher's `cat … | sha256sum`.
    both = (root / "requirements.lock").read_bytes() + JARS_LOCK.read_bytes()
    return hashlib.sha256(both).hexdigest()


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Hold an exclusive lock that ends with its last holder, even one that was killed."""
    lock.parent.mkdir(exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(descriptor, True)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(text("正在等待另一个准备过程……", "Waiting for another set-up to finish …"))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
