"""One local Spark Connect server that all tasks share: loopback only, with Delta."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.layout import ROOT
from contracts.words import Words
from infra.stack import processes
from infra.stack.processes import LOOPBACK, Ledger, Part, StackError
from infra.stack.tied import tied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.layout import Home

NAME = "spark"
_START_TIMEOUT_S = 120.0
_STOP_GRACE_S = 5.0
#: A day is many short plans: without the second compiler it takes a third less CPU. Long work on
#: millions of rows is better off with it (``JINGSHU_JAVA_OPTIONS=``).
_QUICK_START = "-XX:TieredStopAtLevel=1"
_MAIN = "org.apache.spark.sql.connect.service.SparkConnectServer"
#: Jars that Spark itself lacks; what else they depend on is in Spark, in a newer version.
_JARS = ("*delta-*.jar", "*unitycatalog-*.jar")
_COMPLETE_SETUP = Words(
    "请运行一次 ./jingshu --help：它会补全运行环境。",
    "Run ./jingshu --help once: it completes the set-up.",
)

#: What Spark, Java and Python say of an error may quote the cell that they could not take, so the
#: log keeps which errors there were and where, and no word of theirs. (No regex may hold a brace.)
_SAID = r"(?s)((Exception|Error):|\\[[A-Z_0-9.]+\\] |\\n).*"
_TRACE = (
    r"(?m)^(?![ \\t]+at |[ \\t]+\\.\\.\\. )"
    r"((Caused by: |Suppressed: )?[\\w.$]*(Exception|Error)\\b)?.*$"
)
_LOGGING = f"""\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.alwaysWriteExceptions = false
appender.console.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSSX}}{{UTC}} %p %c{{1}}: \
%replace{{%m}}{{{_SAID}}}{{$1}}%n%replace{{%ex}}{{{_TRACE}}}{{$1}}
"""


@dataclass(frozen=True)
class SparkServer:
    """A running Spark Connect server; ``remote`` is what ``SPARK_REMOTE`` wants."""

    home: Home
    part: Part

    @property
    def remote(self) -> str:
        """The address of this server: ``sc://127.0.0.1:<port>``."""
        return remote(self.part)

    @property
    def pid(self) -> int:
        """The server's process, leader of its own session."""
        return self.part.pid

    def stop(self) -> None:
        """Stop every process of the server."""
        processes.stop(self.home, [self.part], _STOP_GRACE_S)


def start(home: Home, port: int | None = None) -> SparkServer:
    """Start a server for ``home`` on ``port`` (or a free one) and wait until it answers.

    It belongs to this process, and ends with it even if nobody stops it.

    Raises:
        StackError: Java, Spark or the Delta jars are missing, the port is taken, or it died.
    """
    part = begin(home, port, is_tied=True)
    try:
        processes.wait_listening(part, _START_TIMEOUT_S)
    except StackError:
        processes.stop(home, [part], _STOP_GRACE_S)
        raise
    return SparkServer(home, part)


def begin(home: Home, port: int | None = None, *, is_tied: bool = False) -> Part:
    """Start the server without waiting for it; ``is_tied`` to this process, or to be stopped."""
    folder = home.run / "spark"
    shutil.rmtree(folder / "local", ignore_errors=True)  # what a killed server left
    (folder / "local").mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(_LOGGING, "ascii")
    at = port or processes.free_port()
    conf = folder / "spark.conf"
    conf.write_text(_properties(settings(home, at)), "utf-8")
    argv = [
        str(spark_home() / "bin" / "spark-submit"),
        "--properties-file",
        str(conf),
        "--class",
        _MAIN,
        "spark-internal",
    ]
    if is_tied:
        argv = tied(argv)
    return processes.launch(home, NAME, argv, _environment(folder), port=at, folder=folder)


@contextmanager
def running(home: Home) -> Iterator[SparkServer]:
    """Yield a server that is stopped at the end."""
    server = start(home)
    try:
        yield server
    finally:
        server.stop()


def running_server(home: Home) -> SparkServer | None:
    """Return this home's server if one is up."""
    part = Ledger(home).find(NAME)
    return SparkServer(home, part) if part else None


def remote(part: Part) -> str:
    """Return the Spark Connect address of a started server."""
    return f"sc://{LOOPBACK}:{part.port}"


def settings(home: Home, port: int) -> Mapping[str, str]:
    """Return the server's Spark configuration: everything it writes stays below ``home.run``."""
    folder = home.run / "spark"
    return {
        "spark.master": "local[2]",
        "spark.app.name": "jingshu",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": str(port),
        "spark.connect.grpc.port.maxRetries": "0",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.driver.extraClassPath": os.pathsep.join(map(str, delta_jars())),
        "spark.driver.extraJavaOptions": " ".join(
            [
                "-XX:+UseParallelGC",
                os.environ.get("JINGSHU_JAVA_OPTIONS", _QUICK_START),
                "-Djava.net.preferIPv4Stack=true",
                f"-Djava.io.tmpdir={folder / 'local'}",
            ]
        ),
        "spark.local.dir": str(folder / "local"),
        "spark.io.encryption.enabled": "true",  # what spills may be a sealed column in clear
        "spark.hadoop.fs.permissions.umask-mode": "077",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.pyspark.python": sys.executable,
    }


def spark_home() -> Path:
    """Return the folder of the installed PySpark, without importing it."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise StackError(Words("没有安装 PySpark。", "PySpark is not installed."), _COMPLETE_SETUP)
    return Path(spec.origin).parent


def delta_jars() -> list[Path]:
    """Return Delta's own jars in the folder ``JINGSHU_JARS``."""
    named = os.environ.get("JINGSHU_JARS", "")
    folder = Path(named).resolve()
    jars = sorted(jar for pattern in _JARS for jar in folder.glob(pattern)) if named else []
    if not jars:
        problem = Words(
            f"文件夹 JINGSHU_JARS={named or '（未设置）'} 中没有 Delta 的 jar 文件。",
            f"No Delta jars in the folder JINGSHU_JARS={named or '(unset)'}.",
        )
        raise StackError(problem, _COMPLETE_SETUP)
    return jars


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment, fit for a server that must not reach outside."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    if "JAVA_HOME" not in env and shutil.which("java") is None:
        raise StackError(
            Words("没有找到供 Spark 使用的 Java。", "No Java found for Spark."),
            Words(
                "请安装 JDK 17 或更新的版本，或设置 JAVA_HOME。",
                "Install a JDK 17 or newer, or set JAVA_HOME.",
            ),
        )
    return env | {
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_CONF_DIR": str(folder),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.environ.get("PYTHONPATH") or str(ROOT),  # its workers import jobs
    }


def _properties(values: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in values.items())
