"""A landing or an audit that is killed between any two steps: recovering, and healed by a rerun."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs import steps
from jobs.audit.digest import digest_of
from jobs.record import batches, intents
from jobs.stages import CheckResult, LandedBatch, Verdict
from jobs.verify import verify
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.support.days import deliver
from tests.support.dying import die
from tests.support.small import source, write

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree
    from tests.support.dying import Crash

DAY: Final = date(2026, 7, 15)
NEXT: Final = DAY + timedelta(days=1)

LANDING: Final = {
    "before_anything": ("jobs.record.governance", "append", 1, "os._exit(9)"),
    "after_delivery": ("jobs.record.governance", "append", 1, "pass"),
    "before_bronze": ("jobs.land.run", "append_once", 1, "os._exit(9)"),
    "after_bronze": ("jobs.land.run", "append_once", 1, "pass"),
    "after_governance": ("jobs.record.governance", "append", 2, "pass"),
    "after_lineage": ("lineage.outbox", "write", 1, "pass"),
    "before_leaf": ("jobs.record.leaves", "state", 1, "os._exit(9)"),
    "after_leaf": ("jobs.record.leaves", "state", 1, "pass"),
    "before_intent_closes": ("jobs.record.intents", "finish", 1, "os._exit(9)"),
}
AUDIT: Final = {
    "after_results": ("jobs.record.governance", "append", 1, "pass"),
    "after_status": ("jobs.record.governance", "append", 2, "pass"),
    "after_lineage": ("lineage.outbox", "write", 1, "pass"),
    "after_leaf": ("jobs.record.leaves", "state", 1, "pass"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return load_tree(write(tmp_path_factory.mktemp("tree"), source()))


def send(home: Home, day: date) -> None:
    content = f"VISIT_ID,GUESTS\na,{day.day}\nb,2\n"
    deliver(home.drop, f"museum/visit/{day}/r1.csv", content.encode())


def delivery(tree: Tree, day: date) -> Delivery:
    return Delivery(tree.contract("town.visit"), "museum", day)


def land(home: Home, tree: Tree, day: date) -> LandedBatch:
    landed = steps.land_delivery(home, delivery(tree, day))
    assert isinstance(landed, LandedBatch)
    return landed


def keys(home: Home) -> list[str]:
    return [Leaf.parse(entry).key for _, entry in EvidenceLog(home).entries()]


def assert_under_way(home: Home, tree: Tree, step: str) -> None:
    assert [i.name for i in intents.open_intents(home)] == [step]
    assert verify(home, tree).is_whole, "what is unfinished is recovering, not broken"


def assert_done(home: Home, tree: Tree) -> None:
    report = verify(home, tree)
    assert report.findings == []
    assert intents.open_intents(home) == []
    events = [
        json.loads(f.read_text().splitlines()[0]) for f in home.lineage_events.glob("*.ndjson")
    ]
    runs = [event["run"]["runId"] for event in events if event["job"]["name"].startswith("land")]
    assert len(runs) == sum(key.startswith("landing:") for key in keys(home))


@pytest.mark.parametrize("crash", LANDING.values(), ids=LANDING)
def test_a_landing_cut_short(home: Home, tree: Tree, crash: Crash) -> None:
    send(home, DAY)
    told = f"town.visit museum {DAY}"
    die(home, tree, crash, "entry.land(*sys.stdin.read().split())", told)
    [open_intent] = intents.open_intents(home)
    assert_under_way(home, tree, open_intent.name)
    assert open_intent.name.startswith("land:")
    # Another date comes in between: what is made up for says what it would have said then.
    send(home, NEXT)
    land(home, tree, NEXT)
    first = land(home, tree, DAY)
    assert_done(home, tree)
    size = EvidenceLog(home).size
    assert land(home, tree, DAY) == first
    assert EvidenceLog(home).size == size


@pytest.mark.parametrize("crash", AUDIT.values(), ids=AUDIT)
def test_an_audit_cut_short(home: Home, tree: Tree, crash: Crash) -> None:
    send(home, DAY)
    held = verdict(land(home, tree, DAY))
    code = (
        "from contracts.layout import Home\n"
        "from contracts.loading import load_tree\n"
        "from jobs.stages import from_json\n"
        "held = from_json(sys.stdin.read())\n"
        "of = steps.delivery_of(load_tree(), held.batch.contract_id, held.batch.provider,"
        " str(held.business_date))\n"
        "batches.audited(Home.from_env(), of, held)\n"
    )
    die(home, tree, crash, code, held.to_json())
    report = verify(home, tree)
    assert not [f for f in report.broken if f.invariant != 7], report.broken
    batches.audited(home, delivery(tree, DAY), held)
    assert intents.open_intents(home) == []
    assert [k for k in keys(home) if k.startswith("verdict:")] == [
        f"verdict:{held.table}@{held.batch_id}/{held.digest[:12]}"
    ]
    assert not [f for f in verify(home, tree).findings if f.invariant != 7]


def verdict(landed: LandedBatch) -> Verdict:
    """A verdict that holds the batch on the one result it has."""
    result = CheckResult(
        rule_id="row.shape",
        column=None,
        dimension="conformity",
        severity="error",
        status="failed",
        checked=2,
        failed=2,
        threshold=0.0,
        message="",
        engine="row",
    )
    return Verdict(
        batch=landed.batch,
        decision="hold",
        reason="for a person to look at",
        rows_landed=landed.rows_landed,
        rows_good=0,
        rows_bad=2,
        rows_duplicate=0,
        silver_version_seen=None,
        results=(result,),
        digest=digest_of([result], "hold"),
    )
