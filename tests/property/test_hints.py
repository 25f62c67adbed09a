"""No hint leaves out a file that holds a row it is true of, by Spark's word and by DuckDB's.

Spark writes the table, so its bounds are those that Delta cuts and rounds; a file is a partition.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.gateway.bounds import greatest
from sharing.gateway.hints import kept
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sharing.tables.datafile import DataFile
    from sharing.tables.snapshot import Snapshot

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]

LONG: Final = "a" * 40
#: Spark counts UTF-16 units, and so cuts this one's last character in two.
HALVED: Final = "a" * 31 + "😀b"
_S: Final = pa.struct([("id", pa.int32()), ("t", pa.string())])
SCHEMA: Final = pa.schema(
    {
        "id": pa.int64(), "k": pa.int32(), "t": pa.string(), "d": pa.date32(),
        "m": pa.decimal128(9, 2), "f": pa.float64(), "b": pa.bool_(), "y": pa.binary(),
        "z": pa.timestamp("us", "UTC"), "s": _S, "s.id": pa.int32(), "p": pa.string(),
    }
)  # fmt: skip
_JULY: Final = [dt.date(2026, 7, n) for n in (1, 2, 3)]
_AT: Final = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
_PART, _ZONE = dt.timedelta(microseconds=900), dt.timedelta(hours=8)
_COLUMNS: Final = ["p", "id", "k", "t", "d", "m", "f", "b", "z", "y", "s", "s.id"]
#: Two rows a file, which is called by its partition; what a row does not say is null.
_GIVEN: Final[list[tuple[Any, ...]]] = [
    ("0", 5, 1, "5", _JULY[0], "1.50", 0.5, True, _AT, b"a", (9, "z"), 7),
    ("0", 6, 2, "05", _JULY[1], "2.00", -0.0, False, _AT + _PART, b"b", (5, "a"), 8),
    ("1", 9, 5, "a", _JULY[2], "5.00", math.nan, True, _AT - _ZONE, b"", (5, "a"), 5),
    ("1", 3_000_000_000, -5, "b", None, "9.99", 5.0),
    ("2", -5, None, LONG, dt.date.min, "0.00", 0.0, False, None, b"\xff", (1, ""), 0),
    ("2", 0, 0, HALVED, dt.date.max, "-1.00", math.inf, False, None, b"\0", (2, "b"), 1),
    ("3", 7, 7, "2026-07-01"),
    ("3", 8, 8, "é"),
    ("05",),
    ("x", 5, 5, " 5", _JULY[0], "5.00", 5.0, True, None, b"5", (5, "5"), 5),
]


def rows_given() -> pa.Table:
    """Return the rows in their types."""
    rows = []
    for given_row in _GIVEN:
        row = dict(zip(_COLUMNS, given_row, strict=False))
        row["m"] = Decimal(row["m"]) if row.get("m") else None
        row["s"] = dict(zip(("id", "t"), row["s"], strict=True)) if row.get("s") else None
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


OPERATORS: Final = ("=", "<>", "<", "<=", ">", ">=")
NUMBERS: Final = [
    "5", "-5", "0", "5.0", "5.5", "5L", "5S", "3000000000", "1e1", "-0.0", "9.99BD",
    "99999999999999999999",
    "CAST('5' AS INT)",
]  # fmt: skip
TEXTS: Final = [
    f"'{text}'"
    for text in ("5", "05", "5.0", " 5", "a", "A", "é", "", LONG, LONG[:32], HALVED, "a" * 31 + "b")
]  # fmt: skip
DAYS: Final = [
    "'2026-07-01'", "'2026-7-1'", "'20260701'", "'2026-07-01 10:00:00'", "DATE '2026-07-01'",
    "DATE '2026-07-02'", "CAST('2026-07-02' AS DATE)", "CAST('2026-7-1' AS DATE)", "'9999-12-31'",
]  # fmt: skip
TIMES: Final = [
    "TIMESTAMP '2026-07-01 00:00:00'", "TIMESTAMP '2026-07-01 00:00:00+08:00'",
    "TIMESTAMP '2026-07-01 00:00:00.0009Z'", "CAST(DATE '2026-07-01' AS TIMESTAMP)",
]  # fmt: skip
#: Columns by what Spark compares them with, each as a client may write it; x is the table's alias.
COMPARED: Final = {
    (
        "id", "`id`", "ID", "x.id", "`x`.`id`", "k", "s.id", "x.s.id", "S.`id`", "`s.id`",
        "x.`s.id`", "m", "f",
        "CAST(t AS INT)", "CAST(p AS INT)", "-k", "+k", "k + 0", "(k)",
    ): [*NUMBERS, *TEXTS, "NULL", "k", "t"],
    (
        "t", "T", "x.t", "s.t", "x.s.t", "p", "x.p", "CAST(id AS STRING)", "CAST(d AS STRING)",
        "lower(t)",
    ): [*NUMBERS, *TEXTS, *DAYS, *TIMES, "NULL", "p"],
    ("d", "x.d", "CAST(t AS DATE)"): [*TEXTS, *DAYS, *TIMES, "NULL"],
    ("z", "x.z"): [*DAYS, *TIMES, "NULL"],
    ("b", "x.b"): ["TRUE", "FALSE", "'true'", "NULL"],
    ("y",): ["X'61'", "X''", "NULL"],
}  # fmt: skip
#: Forms that are understood otherwise here and there, or that mix types in one list.
ODD: Final = [
    "t IN ('5', 6)", "t IN ('b', 5)", "k IN (5, '05')", "d IN ('2026-07-01', DATE '2026-07-03')",
    "k IN (5, NULL)",
    "NOT k IN (5, NULL)", "NOT t IN ('a', 5)", "NOT (t = 5)", "NOT s.id = 5", "s.id IS NULL",
    "x.s.id IS NULL",
    "NOT (s.id IS NULL)", "s IS NULL", "f IS NULL", "b IS NOT NULL", "`s.id` IS NULL", "t <=> 'a'",
    "k <=> NULL",
    "k = 5 IS NULL", "t LIKE 'a%'", "k BETWEEN 5 AND 7", "!k = 5", "k == 5", "k != 5",
    "t = 'a' 'b'", "t = '''a'",
    "t = 'it''s'", "t = '\\x61'", "t = '\\u0061'", "t = r'a'", 't = "a"', '"t" = "a"',
    "t = 'a' COLLATE UTF8_LCASE", "t COLLATE UTF8_LCASE = 'A'", "(k, t) = (5, 'a')", "5 < k",
    "'a' >= t",
    "DATE '2026-07-02' > d", "k = (5)", "k = - -5", "CASE WHEN k = 5 THEN FALSE ELSE TRUE END",
    "p = ''",
]  # fmt: skip
#: What Spark cannot parse, or not within a list of columns.
NOT_SPARKS: Final = ["k = 5 -- OR TRUE", "k = 0x5", "k = 1_0", "k", "k = 5;"]


def comparisons() -> list[str]:
    """Every kind of comparison once, then as many as two queries can ask, nested and alone."""
    chance = random.Random(20260701)
    every = [
        f"{left} {sign} {right}"
        for lefts, rights in COMPARED.items()
        for left, sign, right in product(lefts, OPERATORS, rights)
    ]
    some = chance.sample(every, 600)
    nested = [
        f"NOT ({a})" if sign == "NOT" else f"({a}) {sign} NOT ({b})"
        for a, b in zip(some[::6], some[1::6], strict=True)
        for sign in [chance.choice(["AND", "OR", "NOT"])]
    ]
    return [*ODD, *some, *nested]


@dataclass(frozen=True)
class Mixed:
    """A table of every type, and its rows for DuckDB."""

    snapshot: Snapshot
    files: tuple[DataFile, ...]
    rows: pa.Table

    def kept(self, sql: list[str], json_hint: str | None = None) -> set[str]:
        left = kept(self.files, self.snapshot, sql, json_hint)
        return {str(file.partition["p"]) for file in left}

    def by_duckdb(self, predicate: str) -> set[str]:
        """Return the files with a row that DuckDB finds; none where that is no SQL of its."""
        rows = self.rows
        assert rows.num_rows
        try:
            found = duckdb.sql(f"SELECT DISTINCT p FROM rows AS x WHERE {predicate}").fetchall()
        except duckdb.Error:
            return set()
        return {p for (p,) in found}


@pytest.fixture(scope="module")
def mixed(spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    from jobs.spark.session import session

    folder = tmp_path_factory.mktemp("hints") / "mixed"
    rows = rows_given()
    written = session().createDataFrame(rows).coalesce(1).write.format("delta")
    written.partitionBy("p").save(str(folder))
    snapshot = read_snapshot(Folder(folder), foreign="L1")
    files = snapshot.files()
    assert sorted(str(f.partition["p"]) for f in files) == sorted({row[0] for row in _GIVEN})
    return Mixed(snapshot, files, rows)


def by_spark(folder: str, predicates: list[str]) -> Iterator[set[str]]:
    """Ask Spark which files hold a row each predicate is true of, several hundred a query."""
    from jobs.spark.session import session

    spark = session()
    spark.conf.set("spark.sql.ansi.enabled", "false")  # a text that is no number is null, no error
    try:
        for start in range(0, len(predicates), 500):
            some = predicates[start : start + 500]
            asked = ", ".join(f"({p}) AS c{n}" for n, p in enumerate(some))
            found = spark.sql(f"SELECT x.p AS file, {asked} FROM delta.`{folder}` AS x").toArrow()
            files = found.column("file").to_pylist()
            for n in range(len(some)):
                answers = found.column(f"c{n}").to_pylist()
                yield {f for f, is_true in zip(files, answers, strict=True) if is_true is True}
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "true")


def test_no_file_that_spark_or_duckdb_would_read_a_row_of_is_left_out(mixed: Mixed) -> None:
    predicates = comparisons()
    answers = by_spark(str(mixed.snapshot.root.address), predicates)
    pruned = 0
    for predicate, found in zip(predicates, answers, strict=True):
        left = mixed.kept([predicate])
        assert found <= left, (predicate, found - left)
        assert (by_duckdb := mixed.by_duckdb(predicate)) <= left, (predicate, by_duckdb - left)
        pruned += len(mixed.files) - len(left)
    for predicate in NOT_SPARKS:
        assert mixed.by_duckdb(predicate) <= mixed.kept([predicate]), predicate
    assert pruned > 150


#: JSON's types, DuckDB's for the same, and literals of each and of others.
JSON_TYPES: Final = {
    "int": "INT", "long": "BIGINT", "string": "VARCHAR", "date": "DATE", "bool": "BOOLEAN",
    "float": "FLOAT", "double": "DOUBLE", "timestamp": "TIMESTAMPTZ",
}  # fmt: skip
JSON_LITERALS: Final = [
    "5", "-5", "05", " 5", "5.0", "a", "", LONG, HALVED, "2026-07-01", "2026-7-1", "3000000000",
    "true", "NaN",
]  # fmt: skip
JSON_SIGNS: Final = {
    "equal": "=", "lessThan": "<", "lessThanOrEqual": "<=", "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}  # fmt: skip


def json_leaves() -> Iterator[tuple[str, str]]:
    """Every comparison in a declared type, as a hint and as DuckDB's words for it."""
    names = [name for name in SCHEMA.names if name not in ("s", "y")]
    every = product(names, JSON_TYPES, JSON_SIGNS, JSON_LITERALS, (False, True))
    for name, kind, sign, text, turned in every:
        column = {"op": "column", "name": name, "valueType": kind}
        literal = {"op": "literal", "value": text, "valueType": kind}
        cast = (
            f'TRY_CAST(x."{name}" AS {JSON_TYPES[kind]})',
            f"TRY_CAST('{text}' AS {JSON_TYPES[kind]})",
        )
        sides, words = ([literal, column], cast[::-1]) if turned else ([column, literal], cast)
        yield (
            json.dumps({"op": sign, "children": sides}),
            f"{words[0]} {JSON_SIGNS[sign]} {words[1]}",
        )


def test_no_file_is_left_out_by_a_json_hint_in_any_declared_type(mixed: Mixed) -> None:
    leaves = random.Random(7).sample([*json_leaves()], 700)
    asked = ", ".join(f"max({words}) AS c{n}" for n, (_, words) in enumerate(leaves))
    rows = mixed.rows
    assert rows.num_rows
    found = duckdb.sql(f"SELECT p, {asked} FROM rows AS x GROUP BY p").fetchall()
    pruned = 0
    for n, (hint, words) in enumerate(leaves):
        left = mixed.kept([], hint)
        assert {row[0] for row in found if row[n + 1]} <= left, words
        pruned += len(mixed.files) - len(left)
    assert pruned > 50


TEXT: Final = st.text("aé区\ufffd\uffff😀\U0010ffff", max_size=40)


@given(text=TEXT, length=st.sampled_from([4, 16, 32]))
def test_a_greatest_text_that_delta_cut_is_no_less_than_the_text(text: str, length: int) -> None:
    units = text.encode("utf-16-le")
    head = units[: 2 * length].decode("utf-16-le", "surrogatepass").encode("utf-8", "replace")
    cut = text if len(units) <= 2 * length else head.decode() + "\ufffd"
    bound = greatest(cut)
    assert bound is None or text <= str(bound)
