"""Hints prune files and never lose a row: DuckDB is asked whether a file holds one."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.gateway.hints import kept
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Folder
from tests.support.sharing.served import column, write_shared

if TYPE_CHECKING:
    from sharing.tables.datafile import DataFile
    from sharing.tables.snapshot import Snapshot

DAYS = [dt.date(2026, 7, d) for d in (1, 2, 3)]
ROWS: list[list[tuple[int | None, str | None, dt.date | None]]] = [
    [(1, "a", DAYS[0]), (3, "b", DAYS[0])],
    [(None, "b", DAYS[1]), (7, None, DAYS[1])],
    [(None, None, None)],
    [(5, "Ω东", DAYS[2]), (5, "Ω东", DAYS[2])],
]
SCHEMA = pa.schema(
    [column("n", pa.int64(), "L1"), column("t", pa.string(), "L1"), column("d", pa.date32(), "L1")]
)
_OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _constants() -> st.SearchStrategy[tuple[str, str]]:
    numbers = st.integers(-1, 8).map(lambda n: ("n", str(n)))
    texts = st.sampled_from(["", "a", "b", "c", "Ω东"]).map(lambda t: ("t", f"'{t}'"))
    days = st.sampled_from([*DAYS, dt.date(2026, 6, 30)]).map(
        lambda d: ("d", f"CAST('{d}' AS DATE)")
    )
    return numbers | texts | days


def _comparison(parts: tuple[tuple[str, str], str, bool]) -> str:
    (name, value), operator, is_turned = parts
    return f"{value} {operator} {name}" if is_turned else f"{name} {operator} {value}"


PREDICATES = st.recursive(
    st.tuples(_constants(), _OPERATORS, st.booleans()).map(_comparison)
    | st.sampled_from(["n IS NULL", "t IS NOT NULL", "d IS NULL", "n IN (1, 5)", "t IN ('b')"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        )
        | inner.map(lambda p: f"NOT ({p})")
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, tuple[DataFile, ...]]:
    from contracts.layout import Home

    home = Home(tmp_path_factory.mktemp("hints"))
    for rows in ROWS:
        data = pa.Table.from_pylist(
            [dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA
        )
        folder = write_shared(home, "hinted__x", data, mode="append", partition_by=["d"])
    snapshot = read_snapshot(Folder(folder))
    return snapshot, snapshot.files()


@cache
def _rows_of(path: str, day: str | None) -> pa.Table:
    read = pa.parquet.read_table(path)
    value = pa.scalar(None if day is None else dt.date.fromisoformat(day), pa.date32())
    return read.append_column("d", pa.repeat(value, read.num_rows))


def _holding(files: tuple[DataFile, ...], predicate: str) -> set[str]:
    """Ask DuckDB which files hold a row of which the predicate is true."""
    found = set()
    for file in files:
        rows = _rows_of(f"{file.root.address}/{file.key}", file.partition["d"])
        ((count,),) = duckdb.sql(f"SELECT count(*) FROM rows WHERE {predicate}").fetchall()
        if count:
            found.add(file.id)
        assert rows.num_rows
    return found


@settings(deadline=None)
@given(predicate=PREDICATES)
def test_no_file_with_a_wanted_row_is_left_out(
    table: tuple[Snapshot, tuple[DataFile, ...]], predicate: str
) -> None:
    snapshot, files = table
    left = {file.id for file in kept(files, snapshot, [predicate], None)}
    assert _holding(files, predicate) <= left


@pytest.mark.parametrize(
    ("predicate", "files"),
    [
        ("n = 5", 1),
        ("n < 2", 1),
        ("n IS NULL", 2),
        ("NOT (n IS NULL) AND t <> 'zz'", 3),
        ("d = CAST('2026-07-02' AS DATE)", 1),
        ("d >= '2026-07-02' AND n = 7", 1),
        ("d IS NULL", 1),
        ("D = '2026-07-03' OR N = 1", 2),
        ("n = 100", 0),
        ("x.n = 100", 0),
        ("`x`.`N` = 100", 0),
        ("n IN (5, 100)", 1),
        # Not understood: every file may hold such a row.
        ("length(t) = 1", 4),
        ("n = t", 4),
        ("t = 5", 4),
        ("x = 1", 4),
        ("n.n = 100", 4),
        ("x.n.y = 100", 4),
        ("n = '100'", 4),
        ("n = 100.0", 4),
        ("d = '2020-1-1'", 4),
        ("d = CAST('2020-01-01 00:00:00' AS DATE)", 4),
        ("t = DATE '2020-01-01'", 4),
        ("t IN ('zz', 5)", 4),
        ("t = 'z''z'", 4),
        ("t = 'z\\\\z'", 4),
        ("\"t\" = 'zz'", 4),
        ("n = 1; DROP TABLE t", 4),
        ("((((", 4),
        ("(" * 500 + "n = 1" + ")" * 500, 4),
    ],
)
def test_what_is_understood_prunes(
    table: tuple[Snapshot, tuple[DataFile, ...]], predicate: str, files: int
) -> None:
    snapshot, every = table
    assert len(kept(every, snapshot, [predicate], None)) == files


def _leaf(op: str, name: str, value: str, kind: str) -> dict[str, Any]:
    return {
        "op": op,
        "children": [
            {"op": "column", "name": name, "valueType": kind},
            {"op": "literal", "value": value, "valueType": kind},
        ],
    }


IS_NULL = {"op": "isNull", "children": [{"op": "column", "name": "d", "valueType": "date"}]}
HAS_DAY = {"op": "not", "children": [IS_NULL]}


@pytest.mark.parametrize(
    ("hint", "files"),
    [
        (_leaf("equal", "d", "2026-07-01", "date"), 1),
        (_leaf("greaterThan", "d", "2026-07-01", "date"), 2),
        (_leaf("lessThanOrEqual", "n", "5", "long"), 2),
        (HAS_DAY, 3),
        ({"op": "and", "children": [HAS_DAY, _leaf("lessThan", "n", "4", "long")]}, 1),
        ({"op": "or", "children": [IS_NULL, _leaf("equal", "t", "a", "string")]}, 2),
        # Not understood.
        ({"op": "like", "children": [IS_NULL]}, 4),
        ({"op": "and"}, 4),
        ({"op": "not", "children": [IS_NULL, IS_NULL]}, 4),
        (_leaf("equal", "t", "5", "int"), 4),
        # A number of 64 bits may be none of 32.
        (_leaf("lessThanOrEqual", "n", "5", "int"), 4),
        (_leaf("equal", "d", "2026-7-1", "date"), 4),
        (_leaf("equal", "x.n", "100", "long"), 4),
        ([], 4),
        ("text", 4),
    ],
)  # fmt: skip
def test_json_hints_prune_too(
    table: tuple[Snapshot, tuple[DataFile, ...]], hint: Any, files: int
) -> None:
    snapshot, every = table
    assert len(kept(every, snapshot, [], json.dumps(hint))) == files


@pytest.mark.parametrize("text", ["", "{", "[" * 10_000, '{"op": "not", "children": ' * 100])
def test_a_hint_that_is_no_json_prunes_nothing(
    table: tuple[Snapshot, tuple[DataFile, ...]], text: str
) -> None:
    snapshot, every = table
    assert len(kept(every, snapshot, [], text)) == len(every)
