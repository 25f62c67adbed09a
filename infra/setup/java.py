"""The Java that Spark runs on: found where it usually is, installed where that is allowed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import JingshuError
from contracts.words import Words
from infra.setup import debian

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = 17
PACKAGES = ("openjdk-17-jre-headless", "default-jre-headless")  # 17 is not in every release
SYSTEM_JAVAS = Path("/usr/lib/jvm")


def ensure_java() -> Path:
    """Return the home of a Java 17 or newer, installing one if there is none and it may.

    Raises ``JingshuError`` with what to install otherwise.
    """
    home = find_java()
    if home is None and debian.may_install() and debian.install_one_of(*PACKAGES):
        home = find_java()
    if home is None:
        raise JingshuError(
            Words(
                f"没有找到 Java {OLDEST} 或更新的版本。", f"No Java {OLDEST} or newer was found."
            ),
            Words(
                f"请安装 Java（Debian、Ubuntu：apt-get install {PACKAGES[0]}），或以 JAVA_HOME"
                " 指明，再运行 ./jingshu。",
                f"Install one (Debian, Ubuntu: apt-get install {PACKAGES[0]}), or name it in"
                " JAVA_HOME, and call ./jingshu again.",
            ),
        )
    return home


def find_java() -> Path | None:
    """Return the first fitting Java: ``JAVA_HOME``, then ``PATH``, then the system's."""
    for program in _programs():
        found = _ask(program)
        if found is not None and found[0] >= OLDEST:
            return found[1]
    return None


def _programs() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    yield from sorted(SYSTEM_JAVAS.glob("*/bin/java"))


def _ask(program: Path) -> tuple[int, Path] | None:
    """Return the major version and home that a ``java`` program states, if it runs at all."""
    try:
        done = subprocess.run(
            [program, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", done.stderr)
    home = re.search(r"java\.home = (.+)", done.stderr)
    return (int(version[1]), Path(home[1].strip())) if version and home else None
