"""What is shared is measured and scanned first: too few alike, or a number in a text, stops it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from contracts.loading import load_tree
from jobs.build.run import build_product
from jobs.record import governance
from jobs.share.run import share_product
from jobs.verify import verify
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.support.days import deliver, run_delivery
from tests.support.shop import DAY
from tests.support.small import column, custom, product, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.stages import SharedVersion

pytestmark = pytest.mark.spark
KEEP = {"mask": "keep"}
GROUPS = {"quasi_identifiers": ["street", "born"], "sensitive": ["illness"]}
POLICIES = [
    {"name": "good", "columns": {"street": KEEP, "born": KEEP, "illness": KEEP}, "k": 2, "l": 2},
    {"name": "thin", "columns": {"street": KEEP, "born": KEEP, "illness": KEEP}, "k": 3},
    {"name": "alike", "columns": {"street": KEEP, "born": KEEP, "illness": KEEP}, "k": 2, "l": 3},
]
ROWS = """VISIT_ID,STREET,BORN,ILLNESS,REMARK
1,A,1980,cold,
2,A,1980,flu,
3,B,1990,cold,call 13812345678
4,B,1990,flu,
"""


def town(root: Path) -> Tree:
    root.mkdir()
    visit = source()
    properties(visit)[1:] = [column(n) for n in ("street", "born", "illness", "remark")]
    policies = [p | GROUPS for p in POLICIES]
    policies.append({"name": "remarks", "columns": {"street": KEEP, "remark": KEEP}})
    busy = product(
        customProperties=custom(
            product={
                "inputs": ["town.visit"],
                "sql": "busy_days.sql",
                "k": 2,
                "policies": policies,
            }
        )
    )
    properties(busy)[:] = [column(n) for n in ("street", "born", "illness", "remark")]
    write(root, visit, busy)
    text = "SELECT v.street, v.born, v.illness, v.remark FROM museum__visit AS v\n"
    (root / "busy_days.sql").write_text(text, "utf-8")
    return load_tree(root)


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, spark_remote: str
) -> tuple[Home, Tree, dict[str, SharedVersion]]:
    from contracts.layout import Home

    home = Home(tmp_path_factory.mktemp("disclosed") / "home")
    tree = town(home.root.parent / "tree")
    deliver(home.drop, f"museum/visit/{DAY}/visit.csv", ROWS.encode())
    run_delivery(home, tree, "town.visit", "museum", DAY)
    busy = tree.contract("town.busy_days")
    assert build_product(home, tree, busy, DAY).status == "published"
    return home, tree, {s.policy: s for s in share_product(home, busy, DAY)}


def test_what_is_anonymous_enough_is_published_with_what_was_measured(
    shared: tuple[Home, Tree, dict[str, SharedVersion]],
) -> None:
    home, tree, by_policy = shared
    assert (by_policy["good"].status, by_policy["good"].rows) == ("published", 4)
    assert by_policy["good"].reason == "k = 2 (≥ 2), l = 2 (≥ 2)"
    leaves = [Leaf.parse(e) for _, e in EvidenceLog(home).entries()]
    (leaf,) = [one for one in leaves if one.type == "share"]
    assert {n: leaf.facts[n] for n in ("k", "l", "k_wanted", "l_wanted")} == {
        "k": 2,
        "l": 2,
        "k_wanted": 2,
        "l_wanted": 2,
    }
    assert verify(home, tree).findings == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("thin", "k = 2 < 3"),
        ("alike", "l = 2 < 3"),
        ("remarks", "remark holds mobile L3 (1/1)"),
    ],
)
def test_what_is_not_is_held_and_says_why(
    shared: tuple[Home, Tree, dict[str, SharedVersion]], policy: str, words: str
) -> None:
    home, _, by_policy = shared
    assert by_policy[policy].status == "held"
    assert words in by_policy[policy].reason
    assert not (home.table("shared", f"busy_days__{policy}") / "_delta_log").exists()
    rows = {p.table_name: p for p in governance.latest_publications(home, DAY)}
    assert rows[f"busy_days__{policy}"].status == "held"


def test_the_batch_and_the_share_are_findings_without_a_value(
    shared: tuple[Home, Tree, dict[str, SharedVersion]],
) -> None:
    found = governance.findings(shared[0], DAY)
    assert [(f.table_name, f.column, f.kind, f.status, f.matching) for f in found] == [
        ("busy_days__remarks", "remark", "mobile", "under_graded", 1),
        ("museum__visit", "remark", "mobile", "under_graded", 1),
    ]
    assert "13812345678" not in json.dumps([f.model_dump(mode="json") for f in found])
