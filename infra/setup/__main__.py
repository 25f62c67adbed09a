"""Prepare this tree, then hand back to the launcher: ``python -m infra.setup [ARGUMENTS]``.

Runs on the bare interpreter: the standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from contracts.errors import JingshuError
from contracts.layout import ROOT
from contracts.words import Words, reader, text
from infra.setup.prepare import prepare
from infra.setup.progress import say


def main() -> NoReturn:
    """Prepare, then become ``./jingshu`` with the same arguments."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)  # an exception ends the children, the default would not
    try:
        prepare(ROOT)
    except (JingshuError, OSError) as error:
        print(in_words(error).to(reader()), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        say(
            text(
                "已中断；再次运行 ./jingshu 即可继续。",
                "Interrupted; call ./jingshu again to go on.",
            )
        )
        sys.exit(130)
    launcher = os.fspath(ROOT / "jingshu")
    os.execve(launcher, [launcher, *sys.argv[1:]], {**os.environ, "JINGSHU_PREPARED": "1"})  # noqa: S606


def in_words(error: JingshuError | OSError) -> Words:
    """Return what went wrong; the system's own words are the same to every reader."""
    told = error.words if isinstance(error, JingshuError) else Words(str(error), str(error))
    return Words(f"错误：{told.zh}", f"error: {told.en}")


def _stop(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
