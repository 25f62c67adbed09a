"""Our column graph against Spark's analysed plan: of every product and share policy.

Nothing is executed: empty views with the right columns, and the text of ``EXPLAIN EXTENDED``. Spark
counts no rows by anything and knows no declared constants; all else must be the same.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest

from jobs.share.masking import masked
from jobs.spark.sql import identifier
from jobs.spark.types import spark_type
from lineage import columns as c
from lineage.plan import product_graph, product_sql, share_graph, views
from lineage.query import table_names
from lineage.trace import View, trace
from tests.conftest import TREE
from tests.support.lineage.made import VIEWS
from tests.support.lineage.spark_plan import Sources, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model import Contract
    from contracts.product import Policy
    from lineage.columns import Field, Graph
    from tests.support.lineage.spark_plan import Leaf

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]

DAY = date(2026, 7, 15)
#: What the optimiser need not do to a plan that is only read: a third less time.
IDLE_RULES: Final = """
BooleanSimplification CollapseProject ColumnPruning CombineConcats ConstantFolding
ConstantPropagation FoldablePropagation InferFiltersFromConstraints LikeSimplification
NullPropagation OptimizeIn PushDownPredicates PushFoldableIntoBranches ReorderAssociativeOperator
SimplifyBinaryComparison SimplifyCasts SimplifyConditionals UnwrapCastInBinaryComparison
"""
PRODUCTS = list(TREE.products.values())
POLICIES = [(p, policy) for p in PRODUCTS for policy in p.product_plan.policies]
#: What lineage says and an analysed plan does not, by table and column: the keys of counted rows.
MORE: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {}


@pytest.fixture(scope="module")
def spark(spark_remote: str) -> Iterator[SparkSession]:
    """The session's Spark, which says all columns and compiles nothing."""
    from jobs.spark.session import compile_plans, session

    idle = ",".join(f"org.apache.spark.sql.catalyst.optimizer.{r}" for r in IDLE_RULES.split())
    told = {
        "spark.sql.debug.maxToStringFields": "100000",
        "spark.sql.maxPlanStringLength": "100000000",
        "spark.sql.optimizer.excludedRules": idle,
    }
    known = session()
    compile_plans(known, is_worth_it=False)
    for name, value in told.items():
        known.conf.set(name, value)
    yield known
    for name in told:
        known.conf.unset(name)


def analysed(frame: DataFrame) -> Sources:
    explained: Any = frame._explain_string  # the stubs take it for a column
    return sources(explained(extended=True))


def empty(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    schema = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    return spark.createDataFrame([], schema)


def fields(inputs: Iterable[c.Input]) -> frozenset[Field]:
    """Return the stored fields among inputs: a constant is in no plan as a column."""
    return frozenset(i.field for i in inputs if i.field.dataset != c.DECLARED)


def stored(leaves: Iterable[Leaf], known: Mapping[str, View]) -> frozenset[Field]:
    """Return the stored fields behind the leaves of a plan; VALUES have none."""
    return frozenset(
        field
        for view, name in leaves
        if view is not None and view.lower() in known
        for field in known[view.lower()].columns[name]
    )


def differences(
    graph: Graph, found: Sources, known: Mapping[str, View], more: Mapping[str, frozenset[str]]
) -> dict[str, tuple[list[str], list[str]]]:
    """Return, by column, what only we say and what only Spark says; ``*`` is about the rows."""
    assert list(graph.columns) == list(found.columns)
    both = {
        name: (fields(inputs), stored(found.columns[name], known))
        for name, inputs in graph.columns.items()
    }
    both["*"] = (fields(graph.dataset), stored(found.rows, known))
    told: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for name, (ours, theirs) in both.items():
        surplus = {str(f) for f in ours - theirs}
        if surplus != more.get(name, frozenset()) or theirs - ours:
            told[name] = (sorted(surplus), sorted(map(str, theirs - ours)))
    return dict(told)


# -- gold and shared --


def show_views(spark: SparkSession, known: Mapping[str, View], types: Mapping[str, str]) -> None:
    for name, view in known.items():
        columns = {x: types.get(f"{name}.{x}", "STRING") for x in view.columns}
        empty(spark, columns).createOrReplaceTempView(name)


def types_of(product: Contract) -> dict[str, str]:
    """Return the Spark type of every column of a product's inputs, by view and column."""
    found: dict[str, str] = {}
    for contract_id in product.product_plan.inputs:
        contract = TREE.contract(contract_id)
        names = [f"{contract.domain}__{contract.dataset}"]
        if contract.product is None:
            names += [contract.table(server.provider) for server in contract.servers]
        else:
            names.append(contract.product_table)
        for name in names:
            found |= {f"{name}.{x.name}": spark_type(x) for x in contract.columns}
            found |= {f"{name}._source_line": "BIGINT", f"{name}._business_date": "DATE"}
    return found


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: p.id)
def test_gold_is_what_the_products_sql_makes(spark: SparkSession, product: Contract) -> None:
    sql = product_sql(TREE, product)
    known = views(TREE, product, table_names(product.id, sql))
    show_views(spark, known, types_of(product))
    filled = sql.replace("{business_date}", DAY.isoformat())
    filled = filled.replace("{k}", str(product.product_plan.k))
    rows = spark.sql(filled).selectExpr(*(identifier(x.name) for x in product.columns))
    lower = {name.lower(): view for name, view in known.items()}
    more = MORE.get(product.product_table, {})
    assert differences(product_graph(TREE, product), analysed(rows), lower, more) == {}


@pytest.mark.parametrize(
    ("product", "policy"), POLICIES, ids=[f"{p.id}-{policy.name}" for p, policy in POLICIES]
)
def test_shared_is_what_the_policy_projects(
    spark: SparkSession, product: Contract, policy: Policy
) -> None:
    gold = product.product_table
    known = {
        gold: View({x.name: (c.table_field("gold", gold, x.name),) for x in product.columns}, ())
    }
    show_views(spark, known, {f"{gold}.{x.name}": spark_type(x) for x in product.columns})
    rows = spark.table(gold)
    if policy.rows is not None:
        rows = rows.where(policy.rows)
    projection = [
        text
        for x in product.columns
        if x.name in policy.columns and (text := masked(x.name, policy.columns[x.name]))
    ]
    found = analysed(rows.selectExpr(*projection))
    assert differences(share_graph(product, policy), found, known, {}) == {}


# -- every shape of query that a product may have --

SHAPES: Final = {
    "identity": "SELECT a AS o FROM t",
    "arithmetic": "SELECT CONCAT(a, b) AS o, (c) AS p FROM t",
    "literal": "SELECT 7 AS o, a AS p FROM t",
    "values": "SELECT v.o FROM VALUES (1), (2) AS v(o)",
    "subquery": "SELECT x.o FROM (SELECT b AS o FROM t WHERE c = 'x') x",
    "ctes": (
        "WITH p AS (SELECT a, b FROM t WHERE c > 'x'), r AS (SELECT a AS o, b FROM p) SELECT"
        " r.o, q.b FROM r JOIN p AS q ON r.b = q.a"
    ),
    "a cte read twice": (
        "WITH p AS (SELECT id, MAX(a) AS m FROM t GROUP BY id) SELECT p.m AS o, q.m AS n FROM p"
        " LEFT JOIN p AS q ON p.id = q.m"
    ),
    "union all": "SELECT a AS o FROM t UNION ALL SELECT x FROM u",
    "union": "SELECT a AS o FROM t UNION SELECT x FROM u",
    "union of unions": (
        "SELECT a AS o FROM t UNION ALL (SELECT x FROM u WHERE id > '1' UNION ALL SELECT b FROM t)"
    ),
    "intersect": "SELECT a AS o FROM t INTERSECT SELECT x FROM u",
    "except": "SELECT a AS o FROM t EXCEPT SELECT x FROM u",
    "several providers": "SELECT x AS o FROM w WHERE id = '1'",
    "aggregates": (
        "SELECT a AS o, SUM(b) AS s, MAX(c) AS m, COUNT(DISTINCT id) AS n FROM t GROUP BY a"
    ),
    "group by ordinal": "SELECT a AS o, SUM(b) AS s FROM t GROUP BY 1",
    "group by expression": "SELECT UPPER(a) AS o, MIN(b) AS s FROM t GROUP BY UPPER(a)",
    "grouping sets": (
        "SELECT a AS o, b, MAX(c) AS m FROM t GROUP BY GROUPING SETS ((a, b), (a), ())"
    ),
    "rollup": "SELECT a AS o, MAX(c) AS m FROM t GROUP BY ROLLUP (a, b)",
    "group by all": "SELECT a AS o, MAX(b) AS s FROM t GROUP BY ALL",
    "cube": "SELECT a AS o, MAX(b) AS s FROM t GROUP BY a, c WITH CUBE",
    "having": "SELECT a AS o FROM t GROUP BY a HAVING SUM(b) > 1",
    "distinct": "SELECT DISTINCT a AS o, b FROM t",
    "order": "SELECT a AS o FROM t ORDER BY b DESC LIMIT 3",
    "rows of a table": "SELECT COUNT(*) AS o FROM t",
    "rows by a literal": "SELECT SUM(1) AS o FROM t",
    "rows filtered": "SELECT COUNT(*) FILTER (WHERE a > 'x') AS o FROM t",
    "max by": "SELECT MAX_BY(a, b) AS o FROM t",
    "case": "SELECT CASE WHEN a = 'x' THEN b ELSE c END AS o FROM t",
    "case with operand": "SELECT CASE a WHEN 'x' THEN 1 END AS o FROM t",
    "if and coalesce": "SELECT IF(a > 'x', b, COALESCE(c, id)) AS o FROM t",
    "sum of case": "SELECT SUM(CASE WHEN a = 'x' THEN b END) AS o FROM t",
    "window": "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c) AS o FROM t",
    "row number": "SELECT ROW_NUMBER() OVER (PARTITION BY b ORDER BY c DESC) AS o FROM t",
    "ranked": (
        "SELECT o FROM (SELECT a AS o, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) AS r FROM"
        " t) WHERE r = 1"
    ),
    "lag": "SELECT LAG(a, 1) OVER (ORDER BY id) AS o FROM t",
    "named window": "SELECT MAX(a) OVER v AS o FROM t WINDOW v AS (PARTITION BY b)",
    "qualify": "SELECT a AS o FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) = 1",
    "join": "SELECT t.a AS o, u.x FROM t LEFT JOIN u ON t.id = u.id AND u.x > t.b",
    "join using": "SELECT t.a AS o FROM t JOIN u USING (id)",
    "full join using": "SELECT id AS o FROM t FULL JOIN u USING (id)",
    "natural join": "SELECT t.a AS o FROM t NATURAL JOIN u",
    "semi join": "SELECT t.a AS o FROM t LEFT SEMI JOIN u ON t.id = u.id",
    "anti join": "SELECT t.a AS o FROM t LEFT ANTI JOIN u ON t.id = u.id",
    "cross join": "SELECT t.a AS o, u.x FROM t CROSS JOIN u",
    "comma join": "SELECT t.a AS o FROM t, u WHERE t.id = u.id",
    "scalar subquery": "SELECT (SELECT MAX(x) FROM u) AS o FROM t",
    "correlated subquery": "SELECT (SELECT MAX(x) FROM u WHERE u.id = t.id) AS o FROM t",
    "in": "SELECT a AS o FROM t WHERE id IN (SELECT id FROM u WHERE x = '1')",
    "exists": "SELECT a AS o FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)",
    "not exists": "SELECT a AS o FROM t WHERE NOT EXISTS (SELECT x FROM u WHERE u.id = t.id)",
    "lateral view": "SELECT p.part AS o, b FROM t LATERAL VIEW EXPLODE(SPLIT(a, ',')) p AS part",
    "higher order": "SELECT TRANSFORM(SPLIT(a, ','), e -> CONCAT(e, b)) AS o FROM t",
    "struct field": "SELECT NAMED_STRUCT('p', a, 'q', b).q AS o FROM t",
    "cast and date": "SELECT TO_DATE(a, 'yyyy-MM-dd') AS o, CAST(b AS INT) AS p FROM t",
}
#: Where we say more than Spark. It counts rows by nothing: we name the keys of what is counted. It
#: takes an INTERSECT's values from the left: they are those of the right as well.
COUNTED: Final = frozenset({"silver/t.id"})
SHAPES_MORE: Final = {
    "rows of a table": COUNTED,
    "rows by a literal": COUNTED,
    "rows filtered": COUNTED,
    "intersect": frozenset({"silver/u.x"}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_query(spark: SparkSession, name: str) -> None:
    show_views(spark, VIEWS, {})
    more = {"o": SHAPES_MORE[name]} if name in SHAPES_MORE else {}
    found = analysed(spark.sql(SHAPES[name]))
    assert differences(trace("p", SHAPES[name], VIEWS), found, VIEWS, more) == {}
