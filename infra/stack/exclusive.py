"""One command at a time drives a home's stack; the kernel frees the lock when its holder dies."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.words import Words
from infra.stack.processes import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home


@contextmanager
def exclusive(home: Home, what: str) -> Iterator[None]:
    """Hold the home's lock for ``what``.

    Raises:
        StackError: another command holds it.
    """
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / "driver.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            other = file.read()
            raise StackError(
                Words(
                    f"另一个命令（{other or '不明'}）正在使用 {home.root}。",
                    f"Another command ({other or 'unknown'}) drives {home.root} right now.",
                ),
                Words(
                    "请等待其结束，或按 Ctrl-C 停止它。",
                    "Wait for it to end, or stop it with Ctrl-C.",
                ),
            ) from error
        file.truncate(0)
        file.write(what)
        file.flush()
        yield
