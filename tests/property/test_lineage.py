"""Invariants 4 and 5 over the packaged contracts and over made-up queries; files are repeatable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.delivery import Delivery
from contracts.layout import Home
from contracts.loading import load_tree
from contracts.model import LEVELS, Column, Contract, Level, Server
from contracts.product import Product
from contracts.tree import Tree
from lineage import outbox, stages
from lineage.columns import DECLARED, NAMESPACE, Field, export_namespace, headers, table_field
from lineage.errors import TagLossError
from lineage.levels import check_levels
from lineage.plan import level_of, roots
from lineage.stages import Made, Occasion
from lineage.trace import View, trace

if TYPE_CHECKING:
    from contracts.tree import Feed

TREE = load_tree()
FEEDS = list(TREE.feeds())
PRODUCTS = list(TREE.products.values())
COLUMNS = ("a", "b", "c", "d")


def is_declared_or_exported(field: Field) -> bool:
    """Whether a root is a header of some export, a reference column or a declared constant."""
    if field.namespace == NAMESPACE:
        return field.dataset == DECLARED or field.dataset.startswith("reference/")
    return any(
        field.namespace == export_namespace(feed.provider)
        and field.dataset == feed.contract.dataset
        and any(
            field.column in headers(feed.contract, feed.provider, c) for c in feed.contract.columns
        )
        for feed in FEEDS
    )


@pytest.mark.parametrize("feed", FEEDS, ids=lambda f: f.table)
def test_every_silver_column_comes_from_a_header(feed: Feed) -> None:
    for column in feed.contract.columns:
        found = roots(TREE, table_field("silver", feed.table, column.name))
        assert {(f.namespace, f.dataset) for f in found} == {
            (export_namespace(feed.provider), feed.contract.dataset)
        }
        assert {f.column for f in found} == set(headers(feed.contract, feed.provider, column))


@pytest.mark.parametrize("feed", FEEDS, ids=lambda f: f.table)
def test_no_level_is_lost_between_export_and_silver(feed: Feed) -> None:
    for column in feed.contract.columns:
        silver = table_field("silver", feed.table, column.name)
        found = {level_of(TREE, f) for f in roots(TREE, silver)}
        assert {level_of(TREE, silver)} == {column.effective_level} == found


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: p.id)
def test_every_product_and_shared_column_traces(product: Contract) -> None:
    fields = [table_field("gold", product.product_table, c.name) for c in product.columns]
    for policy in product.product_plan.policies:
        kept = [n for n, release in policy.columns.items() if release.mask != "drop"]
        fields += [
            table_field("shared", f"{product.product_table}__{policy.name}", n) for n in kept
        ]
    for field in fields:
        found = roots(TREE, field)
        assert found, field
        assert all(is_declared_or_exported(root) for root in found), field


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: p.id)
def test_without_its_approvals_a_product_shows_what_it_lowers(product: Contract) -> None:
    """Take every lowering away: each column that had one must be refused or need none."""
    for column in product.columns:
        if column.lowering is None:
            continue
        bare = column.model_copy(update={"lowering": None})
        columns = tuple(bare if c is column else c for c in product.columns)
        with pytest.raises(TagLossError) as lost:
            check_levels(TREE, product.model_copy(update={"columns": columns}))
        assert lost.value.column == f"gold/{product.product_table}.{column.name}"


@dataclass(frozen=True)
class Piece:
    """A SQL expression and the columns its value is computed from."""

    sql: str
    uses: frozenset[str]


def _leaf(name: str) -> Piece:
    return Piece(name, frozenset({name}))


def _grow(pieces: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def join(template: str) -> st.SearchStrategy[Piece]:
        return st.builds(
            lambda x, y: Piece(template.format(x.sql, y.sql), x.uses | y.uses), pieces, pieces
        )

    return st.one_of(
        *(
            join(template)
            for template in (
                "({} + {})",
                "CONCAT({}, {})",
                "COALESCE({}, {})",
                "CASE WHEN {} > 1 THEN {} END",
                "IF({} IS NULL, 0, {})",
                "NULLIF({}, {})",
                "SHA2(CONCAT({}, {}), 256)",
            )
        )
    )


SCALARS = st.recursive(
    st.one_of(
        st.sampled_from(COLUMNS).map(_leaf), st.just(Piece("1", frozenset())),
    ),
    _grow,
    max_leaves=6,
)  # fmt: skip
AGGREGATES = st.sampled_from(
    ["{}", "MAX({})", "COUNT(DISTINCT {})", "SUM({})", "COUNT({}) OVER (PARTITION BY 1)"]
)


def wrapped(piece: Piece, aggregate: str, depth: int) -> str:
    """Write the piece as a query whose output ``o`` went through ``depth`` further CTEs."""
    steps = [f"s0 AS (SELECT {', '.join(COLUMNS)} FROM health__t)"]
    steps += [f"s{i + 1} AS (SELECT * FROM s{i})" for i in range(depth)]
    return f"WITH {', '.join(steps)} SELECT {aggregate.format(piece.sql)} AS o FROM s{depth}"


@given(piece=SCALARS, aggregate=AGGREGATES, depth=st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_a_value_traces_to_exactly_the_columns_in_it(
    piece: Piece, aggregate: str, depth: int
) -> None:
    view = View({c: (table_field("silver", "health__t", c),) for c in COLUMNS}, ("a",))
    graph = trace("p", wrapped(piece, aggregate, depth), {"health__t": view})
    stored = {i.field.column for i in graph.columns["o"] if i.field.dataset != DECLARED}
    if piece.uses or aggregate == "{}":
        assert stored == set(piece.uses)
    else:  # an aggregate over constants counts rows
        assert stored <= {"a"}


def made_of(levels: dict[str, Level | None], level: Level | None) -> tuple[Tree, Contract]:
    """A source with these levels and a product with one column ``o`` at ``level``."""

    def column(name: str, graded: Level | None) -> Column:
        return Column(
            name=name,
            header=name,
            business_name=name,
            description="",
            type="string",
            physical_type="string",
            level=graded,
        )

    source = Contract(
        id="health.t",
        name="t",
        version="1.0.0",
        status="active",
        domain="health",
        dataset="t",
        title="t",
        servers=(Server(provider="health", path="t", format="csv"),),
        columns=tuple(column(n, graded) for n, graded in levels.items()),
    )
    product = Contract(
        id="health.p",
        name="p",
        version="1.0.0",
        status="active",
        domain="health",
        dataset="p",
        title="p",
        columns=(column("o", level),),
        product=Product(inputs=("health.t",), sql="p.sql"),
    )
    return Tree(Path("nowhere"), {source.id: source}, {product.id: product}, {}), product


GRADES = st.sampled_from([*LEVELS, None])


@given(
    piece=SCALARS,
    aggregate=AGGREGATES,
    depth=st.integers(0, 2),
    levels=st.fixed_dictionaries(dict.fromkeys(COLUMNS, GRADES)),
    level=GRADES,
)
@settings(max_examples=80, deadline=None)
def test_a_level_never_drops_without_a_lowering(
    piece: Piece,
    aggregate: str,
    depth: int,
    levels: dict[str, Level | None],
    level: Level | None,
) -> None:
    tree, product = made_of(levels, level)
    # An aggregate of constants counts rows, and without a key every column tells rows apart.
    used = piece.uses or (frozenset() if aggregate == "{}" else frozenset(COLUMNS))
    if aggregate.startswith("COUNT({}) OVER") and not piece.uses:
        used = frozenset(COLUMNS)
    needed = max((levels[c] or "L3" for c in used), default="L1")
    sql = wrapped(piece, aggregate, depth)
    if (level or "L3") >= needed:
        assert check_levels(tree, product, sql)["o"].inherited == needed
    else:
        with pytest.raises(TagLossError):
            check_levels(tree, product, sql)


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-5))])


@given(
    feed=st.sampled_from(FEEDS),
    batch=st.from_regex(r"[0-9]{8}-[0-9a-f]{12}", fullmatch=True),
    name=st.text(min_size=1, max_size=30),
    rows=st.integers(0, 10**9),
    version=st.integers(0, 10**6),
    day=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  (zones below)
    zone=ZONES,
)
@settings(max_examples=25, deadline=None)
def test_the_same_facts_are_the_same_bytes(
    *,
    feed: Feed,
    batch: str,
    name: str,
    rows: int,
    version: int,
    day: date,
    at: datetime,
    zone: timezone,
) -> None:
    moment = at.replace(tzinfo=UTC)
    written = []
    for told in (moment, moment.astimezone(zone)):
        run = stages.land_run(
            Delivery(feed.contract, feed.provider, day),
            Occasion("landed", started_at=told, ended_at=told, origin="simulated"),
            batch_id=batch,
            file_name=name,
            made=Made(version, rows),
        )
        with TemporaryDirectory() as folder:
            home = Home(Path(folder))
            path = outbox.write(home, run)
            written.append((path.name, path.read_bytes()))
            assert len(list(outbox.read(home))) == 2
    assert written[0] == written[1]
