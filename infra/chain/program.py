"""The ``cometbft`` program, built once by Go into the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from infra.stack.processes import StackError

VERSION: Final = "v1.0.1"
_PACKAGE: Final = f"github.com/cometbft/cometbft/cmd/cometbft@{VERSION}"


def cometbft() -> Path:
    """Return the program; build it where it is not there yet, which takes minutes.

    Raises:
        StackError: Go is missing, or the build failed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "jingshu" / f"cometbft-{VERSION}" / "cometbft"
    if not program.exists():
        _build(program)
    return program


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise StackError(
            f"The chain needs cometbft {VERSION}, which Go builds, and there is no Go.",
            "Install Go 1.23 or newer (https://go.dev/dl), or leave the chain out: nothing else"
            " needs it.",
        )
    draft = program.parent / f".{os.getpid()}"
    # Without C: the build is quicker, and the program runs on any system of this kind.
    env = {**os.environ, "GOBIN": str(draft), "CGO_ENABLED": "0"}
    built = subprocess.run(
        [go, "install", _PACKAGE], env=env, capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise StackError(
            f"cometbft {VERSION} could not be built: {built.stderr.strip()[-300:]}",
            "See that Go reaches its module proxy, and try again.",
        )
    (draft / program.name).replace(program)
    draft.rmdir()
