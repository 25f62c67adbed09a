"""Programs that Go builds once into the user's cache, where no package has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from contracts.words import Words
from infra.stack.processes import StackError


@dataclass(frozen=True)
class GoProgram:
    """A command of a Go module at a version; ``needed_by`` says in an error what asks for it."""

    name: str
    package: str
    version: str
    needed_by: Words

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
            program_name = f"{self.name} {self.version}"
            raise StackError(
                Words(
                    f"{self.needed_by.zh}需要由 Go 构建的 {program_name}，而这里没有 Go。",
                    f"{self.needed_by.en} needs {program_name}, which Go builds, and there is no"
                    " Go.",
                ),
                Words(
                    "请安装 Go（https://go.dev/dl），或不使用它：其他部分都不需要。",
                    "Install Go (https://go.dev/dl), or leave it out: nothing else needs it.",
                ),
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
            what, said = f"{self.name} {self.version}", built.stderr.strip()[-300:]
            raise StackError(
                Words(f"{what} 未能构建：{said}", f"{what} could not be built: {said}"),
                Words(
                    "请确认 Go 能访问其模块代理，再试一次。",
                    "See that Go reaches its module proxy, and try again.",
                ),
            )
        (draft / program.name).replace(program)
        draft.rmdir()
