"""Programs that Go builds once into the user's cache, where no package has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.stack.processes import StackError


@dataclass(frozen=True)
class GoProgram:
    """A command of a Go module at a version; ``needed_by`` says in an error what asks for it."""

    name: str
    package: str
    version: str
    needed_by: str

    def path(self) -> Path:
        """Return the program; build it where it is not there yet, which takes minutes.

        Raises:
            StackError: Go is missing, or the build failed.
        """
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        program = cache / "jingshu" / f"{self.name}-{self.version}" / self.name
        if not program.exists():
            self._build(program)
        return program

    def _build(self, program: Path) -> None:
        go = shutil.which("go")
        if go is None:
            raise StackError(
                f"{self.needed_by} needs {self.name} {self.version}, which Go builds, and there is"
                " no Go.",
                "Install Go (https://go.dev/dl), or leave it out: nothing else needs it.",
            )
        draft = program.parent / f".{os.getpid()}"
        # Without C: the build is quicker, and the program runs on any system of this kind.
        env = {**os.environ, "GOBIN": str(draft), "CGO_ENABLED": "0"}
        built = subprocess.run(
            [go, "install", f"{self.package}@{self.version}"],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        if built.returncode:
            raise StackError(
                f"{self.name} {self.version} could not be built: {built.stderr.strip()[-300:]}",
                "See that Go reaches its module proxy, and try again.",
            )
        (draft / program.name).replace(program)
        draft.rmdir()
