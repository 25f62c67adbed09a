"""Warms Spark up in a process of its own while Airflow starts (``jobs.warm`` says what for)."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT
from contracts.private import UMASK
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.layout import Home

_TIMEOUT_S: Final = 120.0


@contextmanager
def warming(home: Home, remote: str, say: Callable[[str], None]) -> Iterator[None]:
    """Warm the server at ``remote`` up beside the block, which ends when both are done.

    Spark that stays cold is only slower at first: that is reported, and stops nothing.
    """
    log = home.run / "logs" / "warm-up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_REMOTE": remote}
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "jobs.warm"],
            env=environment,
            cwd=home.run,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=UMASK,
        )
    try:
        yield
        is_warm = child.wait(_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        is_warm = False
    finally:
        child.kill()
        child.wait()
    if is_warm:
        say(text("spark 已预热。", "spark is warm."))
    else:
        say(text(f"spark 未预热，原因见 {log}。", f"spark is not warm; why: {log}"))
