"""Becomes another program that ends when the process that started it does, even by SIGKILL.

Run as a script, ``tied.py OWNER PROGRAM ARGUMENT…``: Linux keeps what PR_SET_PDEATHSIG asks for
across ``exec`` (prctl(2)), so the program needs to know nothing of it. The kernel watches the
*thread* that started it: start such a program from one that lasts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG: Final = 1


def tied(argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` and gets SIGTERM when this process ends."""
    # Isolated: whatever folder and environment the program is started in, this file is found.
    return [sys.executable, "-I", __file__, str(os.getpid()), *argv]


def main() -> None:
    """Ask the kernel for the signal, then become the program."""
    owner, argv = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != owner:  # it ended before the kernel was asked
        sys.exit(1)
    os.execvp(argv[0], argv)  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()
