"""The SQL tracer: one query shape a case, and what must be refused."""

from __future__ import annotations

import pytest

from lineage.columns import Field, Graph, Transformation, table_field
from lineage.errors import LineageError
from lineage.trace import filter_inputs, trace
from tests.support.lineage.made import VIEWS

D, T, A = "DIRECT IDENTITY", "DIRECT TRANSFORMATION", "DIRECT AGGREGATION"


def told(graph: Graph, column: str = "o") -> set[str]:
    return {f"{_short(i.field)} {i.type} {i.subtype}" for i in graph.columns[column]}


def rows(graph: Graph) -> set[str]:
    return {f"{_short(i.field)} {i.subtype}" for i in graph.dataset}


def _short(field: Field) -> str:
    return f"{field.dataset.rpartition('/')[2]}.{field.column}"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param("SELECT a AS o FROM t", {f"t.a {D}"}, id="identity"),
        pytest.param("SELECT A AS o FROM T", {f"t.a {D}"}, id="names have no case"),
        pytest.param("SELECT (a) AS o FROM t", {f"t.a {D}"}, id="parentheses"),
        pytest.param("SELECT a + b AS o FROM t", {f"t.a {T}", f"t.b {T}"}, id="arithmetic"),
        pytest.param("SELECT CAST(a AS INT) + 1 AS o FROM t", {f"t.a {T}"}, id="cast"),
        pytest.param("SELECT 7 AS o FROM t", {f"declared.literal {D}"}, id="literal"),
        pytest.param("SELECT {k} AS o FROM t", {f"declared.k {D}"}, id="k"),
        pytest.param(
            "SELECT DATE '{business_date}' AS o FROM t",
            {f"declared.business_date {T}"},
            id="business date",
        ),
        pytest.param("SELECT some_udf(a, b) AS o FROM t", {f"t.a {T}", f"t.b {T}"}, id="udf"),
        pytest.param("SELECT x.o FROM (SELECT b AS o FROM t) x", {f"t.b {D}"}, id="subquery"),
        pytest.param(
            "WITH p AS (SELECT a + 1 AS q FROM t), r AS (SELECT q AS o FROM p) SELECT o FROM r",
            {f"t.a {T}"},
            id="chained CTEs",
        ),
        pytest.param(
            "SELECT a AS o FROM t UNION ALL SELECT x FROM u", {f"t.a {D}", f"u.x {D}"}, id="union"
        ),
        pytest.param("SELECT x AS o FROM w", {f"w1.x {D}", f"w2.x {D}"}, id="several providers"),
        pytest.param("SELECT * FROM (SELECT a AS o FROM t)", {f"t.a {D}"}, id="star"),
        pytest.param("SELECT SUM(a) AS o FROM t", {f"t.a {A}"}, id="sum"),
        pytest.param("SELECT COUNT(DISTINCT a) AS o FROM t", {f"t.a {A}"}, id="count distinct"),
        pytest.param("SELECT COUNT(*) AS o FROM t", {f"t.id {A}"}, id="rows of a table"),
        pytest.param("SELECT SUM(1) AS o FROM t", {f"t.id {A}"}, id="rows by a literal"),
        pytest.param(
            "SELECT COUNT(*) AS o FROM t JOIN u ON t.id = u.id",
            {f"t.id {A}", f"u.id {A}"},
            id="rows of a join",
        ),
        pytest.param(
            "SELECT COUNT(*) AS o FROM (SELECT a FROM t GROUP BY a)",
            {f"t.a {A}"},
            id="rows of groups",
        ),
        pytest.param(
            "SELECT COUNT(*) AS o FROM (SELECT a FROM t UNION SELECT x FROM u)",
            {f"t.id {A}", f"u.id {A}"},
            id="rows of a union",
        ),
        pytest.param(
            "SELECT MIN_BY(a, b) AS o FROM t", {f"t.a {A}", "t.b INDIRECT SORT"}, id="min_by"
        ),
        pytest.param(
            "SELECT SUM(a) + MAX(b) AS o FROM t", {f"t.a {A}", f"t.b {A}"}, id="of aggregates"
        ),
        pytest.param(
            "SELECT CASE WHEN a = 'x' THEN b ELSE 0 END AS o FROM t",
            {f"t.b {T}", "t.a INDIRECT CONDITIONAL"},
            id="case",
        ),
        pytest.param(
            "SELECT CASE a WHEN 'x' THEN 1 END AS o FROM t",
            {f"declared.literal {T}", "t.a INDIRECT CONDITIONAL"},
            id="case with operand",
        ),
        pytest.param(
            "SELECT IF(a > 1, b, c) AS o FROM t",
            {f"t.b {T}", f"t.c {T}", "t.a INDIRECT CONDITIONAL"},
            id="if",
        ),
        pytest.param(
            "SELECT SUM(CASE WHEN a = 1 THEN b END) AS o FROM t",
            {f"t.b {A}", "t.a INDIRECT CONDITIONAL"},
            id="sum of case",
        ),
        pytest.param(
            "SELECT COUNT(*) FILTER (WHERE a > 1) AS o FROM t",
            {f"t.id {A}", "t.a INDIRECT CONDITIONAL"},
            id="filtered count",
        ),
        pytest.param(
            "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c) AS o FROM t",
            {f"t.a {A}", "t.b INDIRECT WINDOW", "t.c INDIRECT WINDOW"},
            id="window",
        ),
        pytest.param(
            "SELECT ROW_NUMBER() OVER (PARTITION BY b ORDER BY c DESC) AS o FROM t",
            {"t.b INDIRECT WINDOW", "t.c INDIRECT WINDOW"},
            id="row number",
        ),
        pytest.param(
            "SELECT (SELECT MAX(x) FROM u) AS o FROM t", {f"u.x {A}"}, id="scalar subquery"
        ),
        pytest.param(
            "SELECT EXISTS (SELECT 1 FROM u WHERE u.id = t.id) AS o FROM t",
            {"u.id INDIRECT CONDITIONAL"},
            id="exists",
        ),
        pytest.param(
            "SELECT p.part AS o FROM t LATERAL VIEW EXPLODE(SPLIT(a, ',')) p AS part",
            {f"t.a {T}"},
            id="lateral view",
        ),
        pytest.param(
            "SELECT v.o FROM VALUES (1), (2) AS v(o)", {f"declared.literal {D}"}, id="values"
        ),
    ],
)
def test_an_output_column_is_traced(sql: str, expected: set[str]) -> None:
    assert told(trace("p", sql, VIEWS)) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT a FROM t WHERE b > 1 AND c < {k}",
            {"t.b FILTER", "t.c FILTER", "declared.k FILTER"},
        ),
        ("SELECT t.a FROM t LEFT JOIN u ON t.id = u.id", {"t.id JOIN", "u.id JOIN"}),
        ("SELECT t.a FROM t JOIN u USING (id)", {"t.id JOIN", "u.id JOIN"}),
        (
            "SELECT b, SUM(a) AS s FROM t GROUP BY b HAVING SUM(a) > 1",
            {"t.a FILTER", "t.b GROUP_BY"},
        ),
        ("SELECT a, SUM(b) AS s FROM t GROUP BY 1", {"t.a GROUP_BY"}),
        ("SELECT a FROM t ORDER BY b", {"t.b SORT"}),
        ("SELECT DISTINCT a FROM t", {"t.a GROUP_BY"}),
        ("WITH p AS (SELECT a FROM t WHERE b = 1) SELECT a FROM p", {"t.b FILTER"}),
        (
            "SELECT a FROM t WHERE id IN (SELECT id FROM u WHERE x = 1)",
            {"t.id FILTER", "u.id FILTER", "u.x FILTER"},
        ),
        (
            "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)",
            {"u.id FILTER", "t.id FILTER"},
        ),
    ],
)
def test_what_decides_the_rows_is_indirect(sql: str, expected: set[str]) -> None:
    assert rows(trace("p", sql, VIEWS)) == expected


@pytest.mark.parametrize(
    ("expression", "summarised"),
    [
        ("COUNT(a)", True),
        ("SUM(a)", True),
        ("AVG(a)", True),
        ("COUNT(DISTINCT a)", True),
        ("MAX(a)", False),
        ("FIRST(a)", False),
        ("COLLECT_LIST(a)", False),
        ("ANY_VALUE(a)", False),
        ("MEDIAN(a)", False),
        ("SUM(a) OVER (ORDER BY id)", False),
        ("UPPER(a)", False),
    ],
)
def test_only_aggregates_that_show_no_row_summarise(expression: str, *, summarised: bool) -> None:
    graph = trace("p", f"SELECT {expression} AS o FROM t", VIEWS)
    assert [i.how.summarised for i in graph.columns["o"] if i.field.column == "a"] == [summarised]


@pytest.mark.parametrize(
    ("expression", "masking"),
    [("COUNT(a)", True), ("SHA2(a, 256)", True), ("MD5(a)", True), ("SUM(a)", False), ("a", False)],
)
def test_masking_is_told(expression: str, *, masking: bool) -> None:
    graph = trace("p", f"SELECT {expression} AS o FROM t", VIEWS)
    assert [i.masking for i in graph.columns["o"]] == [masking]


def test_the_outermost_computation_describes_the_column() -> None:
    sql = "WITH p AS (SELECT SUM(a) AS s FROM t WHERE b < {k}) SELECT s AS o, s + {k} AS q FROM p"
    graph = trace("p", sql, VIEWS)
    assert [i.description for i in graph.columns["o"]] == ["SUM(t.a)"]
    assert {i.description for i in graph.columns["q"]} == {"p.s + {k}"}


def test_braces_in_strings_and_comments_are_text() -> None:
    graph = trace("p", "SELECT '--{k}' AS o, a -- {nobody}\nFROM t /* {fills} */", VIEWS)
    assert told(graph) == {f"declared.k {D}"}


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT nope AS o FROM t", "nope"),
        ("SELECT t.nope AS o FROM t", "nope"),
        ("SELECT id AS o FROM t, u", "id"),
        ("SELECT CURRENT_DATE() AS o FROM t", "CURRENT_DATE"),
        ("SELECT RAND() AS o FROM t", "RAND"),
        ("SELECT UUID() AS o FROM t", "UUID"),
        ("SELECT some_udf() AS o FROM t", "SOME_UDF"),
        ("SELECT {secret} AS o FROM t", "secret"),
        ("SELECT '{secret}' AS o FROM t", "secret"),
        ("SELECT a + 1 FROM t", "no name"),
        ("SELECT a AS o, b AS o FROM t", "twice"),
        ("SELECT a AS o FROM hidden", "hidden"),
        ("SELECT t.a AS o FROM t CROSS JOIN hidden", "hidden"),
        ("SELECT a AS o FROM other.t", "other.t"),
        ("SELECT (a AS o FROM t", "parsed"),
        ("INSERT INTO t SELECT * FROM u", "not one SELECT"),
        ("SELECT a AS o FROM t; DROP TABLE t", "not one SELECT"),
        ("", "not one SELECT"),
    ],
)
def test_what_cannot_be_traced_is_refused_by_name(sql: str, named: str) -> None:
    with pytest.raises(LineageError, match=f"(?i){named}"):
        trace("health.load", sql, VIEWS)


def test_a_refusal_names_the_plan() -> None:
    with pytest.raises(LineageError, match=r"health\.load"):
        trace("health.load", "SELECT nope FROM t", VIEWS)


def test_a_row_predicate_is_a_filter() -> None:
    fields = {c: table_field("gold", "p", c) for c in ("a", "b")}
    found = filter_inputs("p", "a LIKE '11%' OR b IS NULL", fields)
    assert [(i.field, i.type, i.subtype) for i in found] == [
        (fields["a"], "INDIRECT", "FILTER"),
        (fields["b"], "INDIRECT", "FILTER"),
    ]


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("IDENTITY", "AGGREGATION", "AGGREGATION"),
        ("AGGREGATION", "IDENTITY", "AGGREGATION"),
        ("TRANSFORMATION", "AGGREGATION", "AGGREGATION"),
        ("TRANSFORMATION", "IDENTITY", "TRANSFORMATION"),
        ("IDENTITY", "IDENTITY", "IDENTITY"),
    ],
)
def test_the_stronger_transformation_is_told(outer: str, inner: str, expected: str) -> None:
    one = Transformation.after(Transformation(subtype=outer), Transformation(subtype=inner))  # type: ignore[arg-type]
    assert (one.type, one.subtype) == ("DIRECT", expected)


def test_indirect_stays_indirect_whichever_comes_first() -> None:
    direct, indirect = Transformation(), Transformation("INDIRECT", "CONDITIONAL")
    for one in (direct.after(indirect), indirect.after(direct)):
        assert (one.type, one.subtype) == ("INDIRECT", "CONDITIONAL")
