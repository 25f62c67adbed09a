"""Backfill: dates done again from the drop folder, or brought in from the kept bytes alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import main
from contracts.errors import UsageError
from jobs import steps
from jobs.operations import backfill, decisions
from jobs.record import governance
from jobs.verify import verify
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.support.shop import Shop, day, shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.operations.backfill import Done

GOOD: dict[str, Any] = {f"A{n}": n for n in range(10)}
#: Three of ten rows are bad: more than the contract bears.
BAD: dict[str, Any] = {**GOOD, "A1": "one", "A2": "", "A3": -3}
#: One of ten rows is bad: as much as the contract bears.
MIXED: dict[str, Any] = {**GOOD, "A1": "one"}
FEEDS = ["sale", "month", "stock", "case"]


@pytest.fixture
def shop(home: Any, tmp_path: Path, spark_remote: str) -> Shop:
    return Shop(home, shop_tree(tmp_path / "contracts"))


def from_drop(shop: Shop, feed: str, first: int, last: int) -> list[Done]:
    plan = backfill.make_plan(shop.tree, f"shop.{feed}", day(first), day(last))
    return list(backfill.from_drop(shop.home, shop.tree, plan))


def from_raw(shop: Shop, feed: str, first: int, last: int) -> list[Done]:
    plan = backfill.make_plan(shop.tree, f"shop.{feed}", day(first), day(last))
    return list(backfill.from_raw(shop.home, shop.tree, backfill.kept_for(shop.home, plan)))


def states(done: list[Done]) -> list[tuple[str, bool]]:
    return [(d.state, d.is_new) for d in done]


def said(shop: Shop) -> tuple[int, int, int]:
    """How much governance and evidence say: what a repeat must not add to."""
    batches = len(governance.read(shop.home, governance.BatchRow))
    return (
        batches,
        len(governance.read(shop.home, governance.CheckRow)),
        EvidenceLog(shop.home).size,
    )


def assert_whole(shop: Shop) -> None:
    report = verify(shop.home, shop.tree)
    assert not report.findings, report.findings
    assert report.checked[2]


def lose(shop: Shop, layer: Any, feed: str) -> None:
    shutil.rmtree(shop.home.table(layer, f"shop__{feed}"))


def test_dates_are_done_from_the_drop_folder_in_order(shop: Shop) -> None:
    shop.send("case", day(1), {"A1": 1, "A2": 2})
    shop.send("case", day(2), {"A1": 10})
    done = from_drop(shop, "case", 1, 3)
    assert states(done) == [("published", True), ("published", True), ("missing", False)]
    assert [d.is_finding for d in done] == [False, False, True]
    assert shop.shown("case") == {"A1": 10, "A2": 2}
    version = shop.table("shop__case").version()
    assert states(from_drop(shop, "case", 1, 2)) == [("published", False)] * 2
    assert shop.table("shop__case").version() == version
    assert_whole(shop)


def test_what_is_held_is_a_finding_and_stops_no_other_date(shop: Shop) -> None:
    shop.send("sale", day(1), BAD)
    shop.send("sale", day(2), GOOD)
    done = from_drop(shop, "sale", 1, 2)
    assert [(d.state, d.is_finding) for d in done] == [("held", True), ("published", False)]


def test_a_fault_of_one_date_stops_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = shop.send("sale", day(1), GOOD), shop.send("sale", day(2), {"B1": 1})
    assert first.is_file()
    assert second.is_file()
    audited = steps.audited

    def broken(home: Any, tree: Any, landed: Any) -> Any:
        if landed.business_date == day(1):
            raise RuntimeError("the value 'secret-A1' is no number")
        return audited(home, tree, landed)

    monkeypatch.setattr("jobs.steps.audited", broken)
    done = from_drop(shop, "sale", 1, 2)
    assert [d.state for d in done] == ["failed", "published"]
    assert done[0].reason == "RuntimeError", "another's words may quote a value"
    monkeypatch.undo()
    assert [r.status for r in governance.latest_batches(shop.home, day(1))] == ["failed"]
    assert states(from_raw(shop, "sale", 1, 2)) == [("published", True), ("published", False)]
    assert_whole(shop)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_lost_table_comes_back_from_the_kept_bytes(shop: Shop, feed: str) -> None:
    shop.deliver(feed, day(1), MIXED)
    shop.deliver(feed, day(2), {"A1": 10, "B1": 7})
    shown, version = shop.shown(feed), shop.table(f"shop__{feed}").version()
    before = said(shop)
    lose(shop, "silver", feed)
    shutil.rmtree(shop.home.drop)  # no source is needed
    done = from_raw(shop, feed, 1, 2)
    assert [d.state for d in done][-1] == "published"
    assert done[-1].is_new
    assert shop.shown(feed) == shown
    assert_whole(shop)
    if feed in ("sale", "case"):  # nothing was superseded: the table's history is the same again
        assert shop.table(f"shop__{feed}").version() == version
        assert said(shop)[:2] == before[:2], "what was said already is not said twice"
        added = [Leaf.parse(e).key for _, e in EvidenceLog(shop.home).entries(before[2])]
        # The rows lie in new files now, and each batch's publication names its files.
        assert [key.partition("/")[0] for key in added] == [
            f"publication:shop__{feed}@{d.batch_id}" for d in done
        ]
    version = shop.table(f"shop__{feed}").version()
    again = from_raw(shop, feed, 1, 2)
    assert not any(d.is_new for d in again)
    assert shop.table(f"shop__{feed}").version() == version
    assert_whole(shop)


@pytest.mark.parametrize("layer", ["bronze", "quarantine"])
def test_lost_raw_rows_and_bad_rows_come_back(shop: Shop, layer: str) -> None:
    shop.deliver("sale", day(1), MIXED)
    version = shop.table("shop__sale").version()
    lose(shop, layer, "sale")
    assert verify(shop.home, shop.tree).broken
    [done] = from_raw(shop, "sale", 1, 1)
    assert (done.state, done.is_new) == ("published", True)
    assert layer in done.reason
    assert shop.table("shop__sale").version() == version
    assert_whole(shop)


def test_a_lost_table_keeps_a_persons_release(shop: Shop) -> None:
    held = shop.deliver("sale", day(1), BAD)
    decisions.release(shop.home, shop.tree, held.batch_id, "cdo.shop", "已核")
    lose(shop, "silver", "sale")
    [done] = from_raw(shop, "sale", 1, 1)
    assert (done.state, done.is_new) == ("published", True)
    assert len(shop.shown("sale")) == 7
    assert_whole(shop)


def test_a_lost_table_does_not_bring_a_withdrawn_batch_back(shop: Shop) -> None:
    shop.deliver("sale", day(1), GOOD)
    gone = shop.deliver("sale", day(2), {"B1": 1})
    shop.deliver("sale", day(3), {"C1": 1})
    decisions.withdraw(shop.home, shop.tree, gone.batch_id, "cdo.shop", "错报")
    lose(shop, "silver", "sale")
    assert [d.state for d in from_raw(shop, "sale", 1, 3)] == [
        "published",
        "withdrawn",
        "published",
    ]
    assert shop.shown("sale") == GOOD | {"C1": 1}
    assert_whole(shop)


def test_a_changed_contract_brings_in_what_was_held_and_leaves_the_rest(
    shop: Shop, tmp_path: Path
) -> None:
    shop.deliver("case", day(1), GOOD)
    held = shop.deliver("case", day(2), BAD)
    version = shop.table("shop__case").version()
    assert states(from_raw(shop, "case", 1, 2)) == [("published", False), ("held", False)]
    lenient = Shop(shop.home, shop_tree(tmp_path / "newer", version="1.1.0", bad_percent=50))
    assert states(from_raw(lenient, "case", 1, 2)) == [("published", False), ("published", True)]
    assert shop.table("shop__case").version() == version + 1
    assert shop.row(held.batch_id).contract_version == "1.1.0"
    assert_whole(lenient)
    lose(shop, "silver", "case")
    assert states(from_raw(lenient, "case", 1, 2)) == [("published", True)] * 2
    assert shop.row(held.batch_id).status == "published"
    assert_whole(lenient)


def test_files_lost_under_a_standing_log_are_told(shop: Shop) -> None:
    row = shop.deliver("sale", day(1), GOOD)
    shutil.rmtree(shop.home.table("silver", row.table) / "_stage" / row.batch_id)
    [done] = from_raw(shop, "sale", 1, 1)
    assert (done.state, done.is_finding) == ("failed", True)
    assert "log still names them" in done.reason
    assert shop.row(row.batch_id).status == "published"
    lose(shop, "silver", "sale")
    assert states(from_raw(shop, "sale", 1, 1)) == [("published", True)]
    assert_whole(shop)


def test_a_date_without_kept_bytes_is_missing(shop: Shop) -> None:
    with pytest.raises(UsageError, match="No original bytes"):
        from_raw(shop, "sale", 1, 2)
    shop.deliver("sale", day(1), GOOD)
    done = from_raw(shop, "sale", 1, 2)
    assert states(done) == [("published", False), ("missing", False)]
    assert "未留存" in done[1].reason


def test_the_command_rebuilds_products_and_says_what_it_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(shop.home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(shop.tree.root))

    def call(*arguments: str) -> tuple[object, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(["backfill", *arguments])
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    span = ("shop.stock", "--from", "2026-07-01", "--to", "2026-07-02")
    shop.send("stock", day(1), {"A1": 1})
    code, out, err = call(*span, "--json")
    told = json.loads(out)
    assert (code, told["complete"]) == (1, False)
    assert [d["state"] for d in told["deliveries"]] == ["published", "missing"]
    assert [(p["date"], p["status"]) for p in told["products"]] == [
        ("2026-07-01", "published"),
        ("2026-07-02", "published"),
    ]
    assert "2026-07-02 shop missing" in err
    shop.send("stock", day(2), {"A1": 5})
    assert call(*span)[0] == 0
    gold = shop.table("totals", "gold")
    totals = {r["business_date"]: r["qty"] for r in gold.to_pyarrow_table().to_pylist()}
    assert totals == {day(1): 1, day(2): 5}
    code, out, _ = call(*span, "--from-raw")
    assert code == 0
    assert "2 项未变" in out
    assert "2 unchanged" in out
    assert shop.table("totals", "gold").version() == gold.version()
