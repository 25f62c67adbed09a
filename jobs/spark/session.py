"""The Spark session of a job: a Connect client of the server that ``SPARK_REMOTE`` names.

Jobs use the DataFrame and SQL API only, so the same job runs classic or over Connect.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psutil

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from contracts.model import Column

#: What our plans rely on, whatever server they meet.
_SESSION: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
#: PySpark's loggers of errors in a query: they write the cell that could not be taken to stderr.
_QUOTING: Final = (
    "SQLQueryContextLogger",
    "DataFrameQueryContextLogger",
    "pyspark.sql.connect.logging",
)


class SparkUnavailableError(JingshuError, ConnectionError):
    """No Spark server answers."""


def session() -> SparkSession:
    """Return this process's session, connecting when first asked.

    Raises SparkUnavailableError when ``SPARK_REMOTE`` is unset or nobody answers there.
    """
    remote = os.environ.get("SPARK_REMOTE", "")
    if not remote:
        raise SparkUnavailableError(
            Words("没有设置 SPARK_REMOTE。", "SPARK_REMOTE is not set."),
            Words(
                "请用 ./jingshu up 启动，或指定一个服务器。",
                "Start the stack with ./jingshu up, or name a server.",
            ),
        )
    return _connect(remote)


@cache
def _connect(remote: str) -> SparkSession:
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    for name in _QUOTING:  # a host that configures its logging anew enables every logger again
        PySparkLogger.getLogger(name).addFilter(_nothing)
    try:
        spark = SparkSession.builder.remote(remote).getOrCreate()
        for key, value in _SESSION.items():
            spark.conf.set(key, value)
    except Exception as error:
        raise SparkUnavailableError(
            Words(
                f"{remote} 没有 Spark Connect 服务器应答：{type(error).__name__}。",
                f"No Spark Connect server answers at {remote}: {type(error).__name__}.",
            ),
            Words(
                "请用 ./jingshu up 启动，或更正 SPARK_REMOTE。",
                "Start it with ./jingshu up, or correct SPARK_REMOTE.",
            ),
        ) from error
    return spark


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def server_process() -> psutil.Process | None:
    """Return the process of the server that ``SPARK_REMOTE`` names, if it is on this machine."""
    address = urlsplit(os.environ.get("SPARK_REMOTE", ""))
    if not address.port or address.hostname not in ("127.0.0.1", "::1", "localhost"):
        return None
    for found in psutil.net_connections("tcp"):
        if not found.laddr or found.laddr.port != address.port:
            continue
        if found.status == psutil.CONN_LISTEN and found.pid:
            return psutil.Process(found.pid)
    return None


def compile_plans(spark: SparkSession, *, is_worth_it: bool) -> None:
    """Let Spark compile the plans of this session to Java, or interpret them.

    Compiling pays from some ten thousand rows on; a plan that is new each time never pays it back.
    """
    spark.conf.set("spark.sql.codegen.wholeStage", str(is_worth_it).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if is_worth_it else "NO_CODEGEN")


def parquet_writer(rows: DataFrame, columns: Sequence[Column]) -> DataFrameWriter:
    """Return a writer of Parquet that keeps no statistics of columns above L2 in the footers.

    Source: parquet-hadoop, ``parquet.column.statistics.enabled#<column>``.
    """
    writer = rows.write.mode("overwrite")
    for column in columns:
        if column.effective_level not in ("L1", "L2"):
            writer = writer.option(f"parquet.column.statistics.enabled#{column.name}", "false")
    return writer


def close() -> None:
    """Close this process's session, if it has one, while its server still answers."""
    remote = os.environ.get("SPARK_REMOTE", "")
    if _connect.cache_info().currsize and remote:
        _connect(remote).stop()
        _connect.cache_clear()
