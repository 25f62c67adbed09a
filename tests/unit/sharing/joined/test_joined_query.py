"""The SQL of joined requests, run by another engine on small tables, against counting in Python."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import UsageError
from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from contracts.requested import city_tree
from lineage.levels import check_levels
from sharing.joined.make import write_product
from sharing.joined.query import query
from sharing.requests.parties import AboveCeilingError, parties_of
from sharing.requests.tables import Ask, Step
from tests.support.sharing.asking import JOINED, asked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.tree import Tree
    from sharing.requests.asked import Asked

TREE = load_tree(ROOT / "contracts")
K = 20
AT = datetime(2026, 7, 13, 2, tzinfo=UTC)
#: Firms by their public code: rows may be shown, and joined by it.
FIRMS: dict[str, Any] = {
    **JOINED,
    "by": [],
    "sources": [
        {
            "contract": "market_reg.legal_entity",
            "key": "uscc",
            "columns": {"uscc": {"mask": "keep"}},
        },
        {
            "contract": "sci_tech.unicorn",
            "key": "uscc",
            "columns": {"future_industry": {"mask": "keep"}},
        },
    ],
}


def agreed(what: Asked) -> Ask:
    return Ask(
        "R2026-0007", what, (Step(0, "agree_as_authority", "agreed", "李", "gov_data", AT, {}),)
    )


def run(what: Asked, tables: Mapping[str, pa.Table]) -> list[tuple[Any, ...]]:
    """Run a request's SQL in DuckDB; a pseudonym is the text behind a mark."""
    text = query("R2026-0007", what, TREE).replace("{k}", str(what.k))
    text = text.replace("{business_date}", "2026-07-15")
    text = sqlglot.transpile(text, read="spark", write="duckdb")[0]
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO hmac_sm3(a, purpose) AS 'mac:' || purpose || a")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(text).fetchall()


persons = st.integers(0, 60).map(str)


@settings(max_examples=60, deadline=None)
@given(
    elders=st.lists(st.tuples(persons, st.sampled_from("AB")), min_size=1, max_size=120),
    ill=st.lists(st.tuples(persons, st.sampled_from(["T67.0", "J45"])), max_size=120),
    twice=st.integers(1, 3),
)
def test_counts_are_of_persons_and_none_is_small(
    elders: list[tuple[str, str]], ill: list[tuple[str, str]], twice: int
) -> None:
    found = run(
        asked(JOINED),
        {
            "civil__elder_service": pa.table(
                {
                    "elder_id": [p for p, _ in elders] * twice,
                    "street_code": [s for _, s in elders] * twice,
                }
            ),
            "health__disease_case": pa.table(
                {"person_id": [p for p, _ in ill], "icd10": [c for _, c in ill]}
            ),
        },
    )
    hot = {person for person, code in ill if code.startswith("T67")}
    living = set(elders)
    everyone = Counter(street for _, street in living)
    both = Counter(street for person, street in living if person in hot)
    assert {row[0] for row in found} == set(everyone)
    for street, _, shown, shown_both, suppressed in found:
        n, m = everyone[street], both[street]
        is_few = 0 < n < K
        hides = m > 0 and (m < K or n - m < K)
        assert shown == (None if is_few else n)
        assert shown_both == (None if hides else m)
        assert suppressed == (is_few or hides)


def test_rows_are_joined_by_what_both_name() -> None:
    firms = pa.table({"uscc": ["A", "A", "B"]})
    unicorns = pa.table({"uscc": ["A", "C"], "future_industry": ["1", "2"]})
    found = run(asked(FIRMS), {"market_reg__legal_entity": firms, "sci_tech__unicorn": unicorns})
    assert [row[:2] for row in found] == [("A", "1")]


@pytest.mark.parametrize("what", [JOINED, FIRMS], ids=["counted", "shown"])
def test_the_product_it_makes_fits_its_tree(what: Mapping[str, Any], tmp_path: Path) -> None:
    tree = _made(asked(what), tmp_path)
    product = tree.products["requests.request_r2026_0007"]
    assert tree.left_out == ()
    assert all(graded.level <= "L2" for graded in check_levels(tree, product).values())
    assert product.status == "active"


def test_a_product_that_fits_no_more_is_left_out_and_said(tmp_path: Path) -> None:
    _made(asked(JOINED), tmp_path)
    (sql,) = Home(tmp_path).requests.glob("*/*.sql")
    sql.unlink()
    tree = city_tree(Home(tmp_path), ROOT / "contracts")
    assert set(tree.products) == set(TREE.products)
    (error,) = tree.left_out
    assert "there is no request_r2026_0007.sql" in str(error)


@pytest.mark.parametrize(
    ("column", "mask"), [("person_id", "keep"), ("person_id", "hmac_sm3"), ("onset_date", "keep")]
)
def test_nothing_above_the_ceiling_can_be_asked_for(column: str, mask: str) -> None:
    source = {"contract": "health.disease_case", "columns": {column: {"mask": mask}}}
    with pytest.raises(AboveCeilingError, match=column):
        parties_of(asked({**JOINED, "by": [], "sources": [source]}), TREE)


def test_what_one_mask_brings_down_to_the_ceiling_can(tmp_path: Path) -> None:
    release = {"mask": "truncate_date", "to": "month"}
    source = {"contract": "health.disease_case", "columns": {"onset_date": release}}
    tree = _made(asked({**JOINED, "by": [], "sources": [source]}), tmp_path)
    graded = check_levels(tree, tree.products["requests.request_r2026_0007"])
    assert (graded["onset_date"].inherited, graded["onset_date"].level) == ("L3", "L2")


def test_a_condition_that_is_more_is_refused() -> None:
    source = {**JOINED["sources"][1], "rows": "1 = 1) UNION SELECT 1 WHERE (1 = 1"}
    with pytest.raises(UsageError, match="condition"):
        parties_of(asked({**JOINED, "sources": [JOINED["sources"][0], source]}), TREE)


def _firms(first: Mapping[str, str], second: Mapping[str, str], *by: str) -> Mapping[str, Any]:
    """Return FIRMS with these columns, each under its mask, or counted by some."""
    shown = [{n: {"mask": m} for n, m in columns.items()} for columns in (first, second)]
    sources = [{**s, "columns": c} for s, c in zip(FIRMS["sources"], shown, strict=True)]
    return {**FIRMS, "sources": sources, "by": by}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (_firms({"uscc": "keep"}, {"uscc": "keep"}), r"both show uscc[.:] [Nn]ame it once"),
        (_firms({"uscc": "keep"}, {"USCC": "keep"}), "both show USCC"),
        (_firms({}, {}, "street", "street"), "both show street"),
        (_firms({"business_date": "keep"}, {}), r"the query makes itself[.:] [Ll]eave it out"),
        (_firms({"uscc": "keep"}, {"joined_by": "keep"}), "joined_by, which is a column"),
        (_firms({}, {}, "joined_by"), "joined_by, which is a column"),
        (_firms({}, {}, "persons"), "persons, which is a column"),
        (_firms({}, {}, "Persons_In_All"), "Persons_In_All, which is a column"),
        (_firms({}, {}, "suppressed"), "suppressed, which is a column"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_columns_that_would_have_one_name_are_refused(what: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asked(what)


@pytest.mark.parametrize(
    "what",
    [
        _firms({"uscc": "keep"}, {"uscc": "drop", "future_industry": "keep"}),  # not shown
        _firms({}, {}, "uscc"),  # the key has another name inside, and is grouped by as itself
        {**FIRMS, "sources": [{**FIRMS["sources"][0], "columns": {"joined_by": {"mask": "keep"}}}]},
        _firms({"persons": "keep"}, {"suppressed": "keep"}),  # nothing is counted
        {**JOINED, "sources": JOINED["sources"][:1], "by": ["persons_in_all"]},  # of one source
    ],
    ids=["dropped", "key", "one source", "shown", "counted of one"],
)
def test_columns_that_get_names_of_their_own_are_not(what: Mapping[str, Any]) -> None:
    assert asked(what).is_joined


def _made(what: Asked, home: Path) -> Tree:
    parties_of(what, TREE)
    write_product(Home(home), TREE, agreed(what))
    return city_tree(Home(home), ROOT / "contracts")
