"""The virtual environment: made anew from the lock, never patched.

A venv cannot be moved, and one that was interrupted may hold half a package that pip takes for
whole. So there are two states only: complete for this lock in this place, or rebuilt.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING

from contracts.errors import JingshuError
from contracts.words import Words, text
from infra.setup import debian
from infra.setup.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def ensure_environment(root: Path) -> None:
    """Make ``root/.venv`` hold what ``root/requirements.lock`` pins, bytecode compiled."""
    venv, lock = root / ".venv", root / "requirements.lock"
    mark, wanted = venv / "packages", f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {root}"
    if _runs(venv) and mark.is_file() and mark.read_text("utf-8") == wanted:
        return
    mark.unlink(missing_ok=True)
    _make_venv(venv)
    _install(venv / "bin" / "python", lock)
    mark.write_text(wanted, "utf-8")


def _runs(venv: Path) -> bool:
    try:
        command = [os.fspath(venv / "bin" / "python"), "-c", "import click, pyspark"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_venv(venv: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Debian splits ensurepip off, and only then makes venv fail, half done.
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{version}-venv"
        if not (debian.may_install() and debian.install_one_of(package, "python3-venv")):
            raise JingshuError(
                Words(
                    f"此处的 Python {version} 不能建立虚拟环境。",
                    f"Python {version} here cannot make virtual environments.",
                ),
                Words(
                    f"请安装 {package}（Debian、Ubuntu：apt-get install {package}），再运行"
                    " ./jingshu。",
                    f"Install {package} (Debian, Ubuntu: apt-get install {package}), and call"
                    " ./jingshu again.",
                ),
            )
    say(text(f"正在用 Python {version} 建立 .venv……", f"Making .venv with Python {version} …"))
    # The real interpreter, not the name python3, which an upgrade points at another version.
    interpreter = os.path.realpath(sys.executable)
    _run([interpreter, "-m", "venv", "--clear", os.fspath(venv)])


def _install(python: Path, lock: Path) -> None:
    packages = len(re.findall(r"^\w\S*==", lock.read_text("utf-8"), re.MULTILINE))
    say(
        text(
            f"正在安装依赖，最多 {packages} 个软件包，需 2 至 4 分钟……",
            f"Installing up to {packages} packages, 2 to 4 minutes …",
        )
    )
    # --no-deps: the lock is closed under dependencies, and `pip check` proves it afterwards.
    install = ["install", "--require-hashes", "--no-deps", "--compile", "--requirement", str(lock)]
    _run([os.fspath(python), "-m", "pip", *install], steps=packages)
    _run([os.fspath(python), "-m", "pip", "check"])


def _run(command: list[str], steps: int = 0) -> None:
    """Run one step of set-up; show pip's progress in quarters of ``steps`` packages."""
    quiet = {"PIP_PROGRESS_BAR": "off", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    tail: deque[str] = deque(maxlen=12)
    collected = 0
    # close_fds=False: the child holds the set-up lock too, so that an orphan is waited for.
    with subprocess.Popen(
        command,
        env={**os.environ, **quiet},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
    ) as child:
        try:
            for line in child.stdout or ():
                tail.append(line.rstrip())
                collected += line.startswith("Collecting ")
                if steps and line.startswith("Collecting ") and collected % (steps // 4) == 0:
                    say(text(f"  已取得 {collected}/{steps}", f"  {collected}/{steps} fetched"))
                elif line.startswith("Installing collected packages"):
                    say(text("  正在解包并编译……", "  Unpacking and compiling …"))
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise _stopped(" ".join(command[1:4]), tail)


def _stopped(step: str, said: Iterable[str]) -> JingshuError:
    shown = "\n  ".join(("", *said, ""))
    return JingshuError(
        Words(f"准备停在：{step}{shown}", f"Set-up stopped in: {step}{shown}"),
        Words(
            "请检查网络（以及磁盘空间：约需 3 GB），再运行 ./jingshu。",
            "Check the network (and disk space: about 3 GB), and call ./jingshu again.",
        ),
    )
