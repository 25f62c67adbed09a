"""Which Spark a command uses: the one that runs, else one of its own that ends with it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contracts.layout import Home

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def use_spark() -> Iterator[bool]:
    """Connect to ``SPARK_REMOTE``, else to this home's stack, else start a server and stop it.

    Yields whether one ran already.
    """
    with running_spark() as is_there:
        if is_there:
            yield True
            return
    from infra.stack import spark

    with (
        TemporaryDirectory(prefix="jingshu-spark-") as folder,
        spark.running(Home(Path(folder))) as own,
        _named(own.remote),
    ):
        yield False


@contextmanager
def running_spark() -> Iterator[bool]:
    """Name the Spark that runs already, if one does; yield whether one does."""
    from infra.stack import spark

    server = spark.running_server(Home.from_env())
    remote = os.environ.get("SPARK_REMOTE") or (server.remote if server else None)
    if remote is None:
        yield False
        return
    with _named(remote):
        yield True


@contextmanager
def _named(remote: str) -> Iterator[None]:
    from jobs.spark.session import close

    before = os.environ.get("SPARK_REMOTE")
    os.environ["SPARK_REMOTE"] = remote
    try:
        yield
    finally:
        close()
        if before is None:
            del os.environ["SPARK_REMOTE"]
