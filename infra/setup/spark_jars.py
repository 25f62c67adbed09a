"""The jars Spark needs beside its own: fetched once by Ivy, which pyspark brings along.

Ivy's usual resolvers apply; ``JINGSHU_IVY_SETTINGS`` names another ``ivysettings.xml`` (a mirror).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import JingshuError
from contracts.words import Words, text
from infra.setup.progress import say


@dataclass(frozen=True)
class Jar:
    """One pinned jar, by its Maven coordinates."""

    group: str
    name: str
    revision: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name below ``.venv/jars``."""
        return f"{self.name}-{self.revision}.jar"

    def is_in(self, folder: Path) -> bool:
        """Tell whether the folder holds exactly this jar's bytes."""
        file = folder / self.file_name
        return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == self.sha256


def read_lock(lock: Path) -> tuple[Jar, ...]:
    """Read ``group:name:revision sha256`` lines; ``#`` starts a comment line."""
    lines = lock.read_text("utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("#"))


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, name, revision = coordinates.split(":")
    return Jar(group, name, revision, sha256)


def ensure_jars(venv: Path, jars: tuple[Jar, ...], java_home: Path) -> None:
    """Make ``venv/jars`` hold these jars; the folder appears whole or not at all."""
    target = venv / "jars"
    for left_over in venv.glob("jars.*"):
        shutil.rmtree(left_over)
    if all(jar.is_in(target) for jar in jars):
        return
    count = len(jars)
    say(text(f"正在下载 {count} 个 Spark 组件……", f"Fetching {count} jars for Spark …"))
    with tempfile.TemporaryDirectory(prefix="jars.", dir=venv) as work:
        fetched = _fetch(jars, Path(work), java_home, _ivy(venv))
        shutil.rmtree(target, ignore_errors=True)
        fetched.rename(target)


def _ivy(venv: Path) -> Path:
    return next(venv.glob("lib/python3.*/site-packages/pyspark/jars/ivy-*.jar"))


def _fetch(jars: tuple[Jar, ...], work: Path, java_home: Path, ivy: Path) -> Path:
    folder = work / "fetched"
    (work / "ivy.xml").write_text(_ivy_file(jars), "utf-8")
    settings = os.environ.get("JINGSHU_IVY_SETTINGS")
    done = subprocess.run(
        [
            java_home / "bin" / "java",
            *("-jar", ivy, "-cache", work / "cache", "-ivy", work / "ivy.xml"),
            *(("-settings", settings) if settings else ()),
            *("-retrieve", f"{folder}/[artifact]-[revision].[ext]"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        close_fds=False,
    )
    wrong = [jar.file_name for jar in jars if not jar.is_in(folder)]
    if done.returncode != 0 or wrong:
        log = "\n  ".join(line for line in done.stdout.splitlines()[-12:] if line.strip())
        raise JingshuError(
            Words(
                f"Spark 组件缺失，或与 infra/setup/jars.lock 不符：{wrong}。\n  {log}\n",
                f"Jars for Spark are missing or differ from infra/setup/jars.lock: {wrong}.\n"
                f"  {log}\n",
            ),
            Words(
                "请检查网络（代理写入 JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=…，镜像写入"
                " JINGSHU_IVY_SETTINGS=ivysettings.xml），再运行 ./jingshu。",
                "Check the network (a proxy goes into JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=…, a"
                " mirror into JINGSHU_IVY_SETTINGS=ivysettings.xml), and call ./jingshu again.",
            ),
        )
    return folder


def _ivy_file(jars: tuple[Jar, ...]) -> str:
    dependencies = "".join(
        f'<dependency org="{jar.group}" name="{jar.name}" rev="{jar.revision}" '
        'conf="default->master" transitive="false"/>'
        for jar in jars
    )
    return (
        '<ivy-module version="2.0"><info organisation="jingshu" module="spark-jars"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
