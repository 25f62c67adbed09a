"""Policies of one shape are written by one plan: each has its own rows, whatever stops the call."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from contracts.layout import Home
from contracts.loading import load_tree
from jobs.build.run import build_product
from jobs.record import intents
from jobs.share.run import share_product
from jobs.verify import verify
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.support.days import deliver, run_delivery
from tests.support.dying import die
from tests.support.shop import DAY
from tests.support.small import column, custom, product, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.tree import Tree
    from tests.support.dying import Crash

pytestmark = pytest.mark.spark
KEEP: Final = {"mask": "keep"}
BOTH: Final = {"street": KEEP, "remark": KEEP}
POLICIES: Final[dict[str, dict[str, Any]]] = {
    "east": {"columns": BOTH, "rows": "street = 'A'"},
    "west": {"columns": BOTH, "rows": "street = 'B' OR street = 'C'"},
    "everywhere": {"columns": BOTH},
    "nowhere": {"columns": BOTH, "rows": "street = 'Z'"},
    "streets": {"columns": {"street": {"mask": "prefix", "length": 1}}, "rows": "remark > ''"},
}
ROWS: Final = "VISIT_ID,STREET,REMARK\n1,A,one\n2,A,\n3,B,three\n4,C,\n5,,five\n"
SHOWN: Final[dict[str, list[tuple[str | None, ...]]]] = {
    "east": [("A", "one"), ("A", None)],
    "west": [("B", "three"), ("C", None)],
    "everywhere": [("A", "one"), ("A", None), ("B", "three"), ("C", None), (None, "five")],
    "nowhere": [],
    "streets": [("A",), ("B",), (None,)],
}
#: Where a call is cut short: how many tables are staged by then, and which are shown.
CRASHES: Final[dict[str, tuple[Crash, int, list[str]]]] = {
    "while they get their names": (("jobs.tables.products", "_appear", 2, "os._exit(9)"), 1, []),
    "between two policies": (("jobs.record.intents", "finish", 1, "pass"), 5, ["east"]),
    "shown, without its leaf": (
        ("jobs.record.leaves", "state", 2, "os._exit(9)"),
        5,
        ["east", "west"],
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, spark_remote: str) -> tuple[Home, Tree]:
    """A home whose product is built and not shared."""
    root = tmp_path_factory.mktemp("together")
    (root / "tree").mkdir()
    names = ("street", "remark")
    visit = source()
    properties(visit)[1:] = [column(n) for n in names]
    policies = [{"name": name, **policy} for name, policy in POLICIES.items()]
    plan = {"inputs": ["town.visit"], "sql": "busy_days.sql", "k": 2, "policies": policies}
    busy = product(customProperties=custom(product=plan))
    properties(busy)[:] = [column(n) for n in names]
    write(root / "tree", visit, busy)
    sql = root / "tree" / "busy_days.sql"
    sql.write_text("SELECT v.street, v.remark FROM museum__visit AS v\n", "utf-8")
    home, tree = Home(root / "home"), load_tree(root / "tree")
    deliver(home.drop, f"museum/visit/{DAY}/visit.csv", ROWS.encode())
    run_delivery(home, tree, "town.visit", "museum", DAY)
    assert build_product(home, tree, tree.contract("town.busy_days"), DAY).status == "published"
    return home, tree


@pytest.fixture
def home(built: tuple[Home, Tree], tmp_path: Path) -> Home:
    copied = Home(tmp_path / "home")
    shutil.copytree(built[0].root, copied.root)
    return copied


def share(home: Home, tree: Tree) -> dict[str, str]:
    return {s.policy: s.status for s in share_product(home, tree.contract("town.busy_days"), DAY)}


def table(home: Home, policy: str) -> Path:
    return home.table("shared", f"busy_days__{policy}")


def files(home: Home) -> dict[str, list[Path]]:
    """Every data file that lies in the folder of each policy's table."""
    return {p: sorted(table(home, p).rglob("*.parquet")) for p in POLICIES}


def shares(home: Home) -> list[str]:
    leaves = (Leaf.parse(e) for _, e in EvidenceLog(home).entries())
    return [str(leaf.facts["policy"]) for leaf in leaves if leaf.type == "share"]


def assert_whole(home: Home, tree: Tree) -> None:
    for policy, lies in files(home).items():
        assert len(lies) == 1, "one file, and no other's beside it"
        rows = [tuple(row.values()) for row in pq.read_table(lies[0]).to_pylist()]
        assert sorted(rows, key=str) == sorted(SHOWN[policy], key=str)
        shown = DeltaTable(str(table(home, policy)))
        assert shown.version() == 1
        assert shown.to_pyarrow_table().num_rows == len(SHOWN[policy])
    assert sorted(shares(home)) == sorted(POLICIES)
    assert intents.open_intents(home) == []
    assert verify(home, tree).findings == []


def test_each_has_its_own_rows_and_stays_as_it_is(home: Home, built: tuple[Home, Tree]) -> None:
    tree = built[1]
    assert share(home, tree) == dict.fromkeys(POLICIES, "published")
    assert_whole(home, tree)
    assert not list(home.table("gold", "busy_days").rglob(".building-*"))
    before = {p: [(f, f.stat().st_mtime_ns) for f in of] for p, of in files(home).items()}
    size = EvidenceLog(home).size
    assert share(home, tree) == dict.fromkeys(POLICIES, "published")
    assert before == {p: [(f, f.stat().st_mtime_ns) for f in of] for p, of in files(home).items()}
    assert EvidenceLog(home).size == size


@pytest.mark.parametrize(("crash", "staged", "shown"), CRASHES.values(), ids=CRASHES)
def test_a_share_cut_short(
    home: Home, built: tuple[Home, Tree], crash: Crash, staged: int, shown: list[str]
) -> None:
    tree = built[1]
    die(home, tree, crash, "entry.share(*sys.stdin.read().split())", f"town.busy_days {DAY}")
    there = {p: of for p, of in files(home).items() if of}
    assert len(there) == staged
    assert [p for p in POLICIES if (table(home, p) / "_delta_log" / f"{1:020}.json").exists()] == (
        shown
    )
    assert verify(home, tree).is_whole, "what is unfinished is recovering, not broken"
    assert share(home, tree) == dict.fromkeys(POLICIES, "published")
    assert {p: files(home)[p] for p in there} == there, "what was written is not written again"
    assert_whole(home, tree)
