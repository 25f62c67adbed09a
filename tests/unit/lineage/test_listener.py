"""openlineage-spark beside our own lineage: what it sees of a small product, and what it misses.

A cross-check, never a source: the listener is resolved here and is no part of a running Jingshu.
Its gaps are data: one that closes, and a new one, fails the test (docs/decisions/0006-lineage.md).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from contracts.layout import Home
from infra.setup.java import ensure_java
from infra.setup.spark_jars import Jar, ensure_jars
from infra.stack import spark
from lineage.trace import trace
from tests.support.lineage.made import VIEWS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.full]

LISTENER: Final = Jar(
    "io.openlineage",
    "openlineage-spark_2.13",
    "1.53.0",
    "5d84b0ae7e72909b5aae7ed87df878bf06b28d9ac3005765c3529d0a66dbae6f",
)
PRODUCT: Final = """\
SELECT t.a AS street, MAX(u.x) AS top, COUNT(t.b) AS persons,
       MAX(CASE WHEN t.c = 'x' THEN t.b END) AS chosen
FROM t LEFT JOIN u ON t.id = u.id
WHERE t.c > '0'
GROUP BY t.a
"""
#: The ways to write it: the first is what a build does, the rest is what others might.
WAYS: Final[Mapping[str, str | None]] = {
    "parquet": None,
    "delta": None,
    "insert": "INSERT INTO delta.`{insert}` " + PRODUCT,
    "create": "CREATE TABLE delta.`{create}` USING delta AS " + PRODUCT,
    "replace": "CREATE OR REPLACE TABLE delta.`{replace}` USING delta AS " + PRODUCT,
    "merge": (
        "MERGE INTO delta.`{merge}` AS old USING (" + PRODUCT + ") AS new"
        " ON old.street = new.street WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    ),
}
Gaps = Mapping[str, frozenset[str]] | None
_ROWS: Final = frozenset({"t.id", "u.id", "t.c"})
_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "street": frozenset({"t.a", *_ROWS}),
    "top": frozenset({"u.x", "t.a", *_ROWS}),
    "persons": frozenset({"t.b", "t.a", *_ROWS}),
    "chosen": frozenset({"t.b", "t.a", *_ROWS}),
}
#: What the listener lacks in its fullest event of an output: None where it tells of no such output,
#: else by column the fields that we name and it does not.
GAPS: Final[Mapping[str, Gaps]] = {
    "parquet": None,
    "delta": {},
    "insert": {},
    "create": {},
    "replace": {},
    "merge": {},
}
#: The same of its last event of an output, which is the command's own: CREATE and REPLACE TABLE AS
#: are told by an inner command only.
LAST_GAPS: Final[Mapping[str, Gaps]] = {
    **GAPS,
    "create": {**dict.fromkeys(("street", "top", "persons"), _ROWS), "chosen": _ROWS - {"t.c"}},
    "replace": _COLUMNS,
}


def ours() -> dict[str, set[str]]:
    """Return what our own tracing says, a column's deciders and the rows' together."""
    graph = trace("p", PRODUCT, VIEWS)
    rows = {f"{i.field.dataset.rpartition('/')[2]}.{i.field.column}" for i in graph.dataset}
    return {
        name: rows | {f"{i.field.dataset.rpartition('/')[2]}.{i.field.column}" for i in inputs}
        for name, inputs in graph.columns.items()
    }


def written(session: SparkSession, folder: Path) -> None:
    """Write the product in every way."""
    for name, columns in (("t", "id a b c"), ("u", "id x")):
        schema = ", ".join(f"{column} STRING" for column in columns.split())
        frame = session.createDataFrame([tuple("x" for _ in columns.split())], schema)
        frame.write.format("delta").save(str(folder / name))
        session.read.format("delta").load(str(folder / name)).createOrReplaceTempView(name)
    for way, sql in WAYS.items():
        if way in ("insert", "merge"):
            made = session.createDataFrame([], session.sql(PRODUCT).schema)  # from nowhere
            made.write.format("delta").save(str(folder / way))
        if sql is None:
            session.sql(PRODUCT).write.format(way).save(str(folder / way))
        else:
            session.sql(sql.format(**{name: folder / name for name in WAYS})).collect()


def told(
    events: list[dict[str, Any]], folder: Path, *, last: bool = False
) -> dict[str, dict[str, set[str]] | None]:
    """Return what the listener says of each way's output: in its fullest event, or in its last."""
    found: dict[str, dict[str, set[str]] | None] = dict.fromkeys(WAYS)
    for event in events:
        for output in event.get("outputs", ()):
            way = next((w for w in WAYS if output["name"] == str(folder / w)), None)
            if way is None:
                continue
            facet = output.get("facets", {}).get("columnLineage", {})
            rows = {_name(field) for field in facet.get("dataset", ())}
            columns = {
                name: rows | {_name(field) for field in column["inputFields"]}
                for name, column in facet.get("fields", {}).items()
            }
            known = {} if last else found[way] or {}
            found[way] = max(known, columns, key=lambda c: sum(map(len, c.values())))
    return found


def _name(field: Mapping[str, Any]) -> str:
    return f"{Path(field['name']).name}.{field['field']}"


def gaps(seen: dict[str, set[str]] | None) -> dict[str, frozenset[str]] | None:
    if seen is None:
        return None
    lacking = {name: frozenset(fields - seen.get(name, set())) for name, fields in ours().items()}
    return {name: fields for name, fields in lacking.items() if fields}


def surplus(seen: dict[str, set[str]] | None) -> dict[str, set[str]]:
    more = {name: fields - ours().get(name, set()) for name, fields in (seen or {}).items()}
    return {name: fields for name, fields in more.items() if fields}


def test_the_listener_agrees_but_for_its_known_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.spark.session import close, session

    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")  # where Ivy is
    ensure_jars(tmp_path, (LISTENER,), ensure_java())
    events, jars, plain = tmp_path / "events.ndjson", spark.delta_jars(), spark.settings
    jars.append(tmp_path / "jars" / LISTENER.file_name)
    monkeypatch.setattr(spark, "delta_jars", lambda: jars)
    monkeypatch.setattr(
        spark,
        "settings",
        lambda home, port: {
            **plain(home, port),
            "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
            "spark.openlineage.transport.type": "file",
            "spark.openlineage.transport.location": str(events),
        },
    )
    close()  # the session's own Spark, if there is one, is connected to anew afterwards
    with spark.running(Home(tmp_path / "home")) as server, monkeypatch.context() as patched:
        patched.setenv("SPARK_REMOTE", server.remote)
        written(session(), tmp_path)
        close()
    lines = [json.loads(line) for line in events.read_bytes().splitlines()]
    found = told(lines, tmp_path)
    assert {way: gaps(seen) for way, seen in found.items()} == GAPS
    assert {way: gaps(s) for way, s in told(lines, tmp_path, last=True).items()} == LAST_GAPS
    assert {way: surplus(seen) for way, seen in found.items() if surplus(seen)} == {}
