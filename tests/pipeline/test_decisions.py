"""What people decide: release, reject, withdraw, retry; each leaves a lake that verifies."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from contracts.errors import UsageError
from jobs.operations import decisions
from jobs.operations.decisions import DecisionError
from jobs.operations.withdrawal import WithdrawError
from jobs.record import governance, intents
from jobs.tables import silver
from jobs.tables.delta import open_table
from jobs.verify import verify
from lineage import outbox
from lineage.evidence.log import EvidenceLog
from tests.support.shop import Shop, day, shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

GOOD: dict[str, Any] = {f"A{n}": n for n in range(10)}
#: Three of ten rows are bad: more than the contract bears.
BAD: dict[str, Any] = {**GOOD, "A1": "one", "A2": "", "A3": -3}
#: Enough of them bear one bad row.
MANY: dict[str, Any] = {f"B{n}": n for n in range(10)}
WHO = "cdo.shop"


@pytest.fixture
def shop(home: Home, tmp_path: Path, spark_remote: str) -> Shop:
    return Shop(home, shop_tree(tmp_path / "contracts"))


def assert_whole(shop: Shop) -> None:
    report = verify(shop.home, shop.tree)
    assert not report.findings, report.findings
    assert report.checked[2]


def marks(shop: Shop, feed: str) -> dict[str, str]:
    """Return what quarantine's rows say of each batch, to whoever reads the table itself."""
    table = shop.table(f"shop__{feed}", "quarantine")
    log = shop.home.table("quarantine", f"shop__{feed}") / "_delta_log"
    told = "".join(file.read_text("utf-8") for file in log.glob("*.json"))
    assert "numRecords" in told
    assert "secret-" not in told, "statistics hold values of an L3 column"
    rows = table.to_pyarrow_table(columns=["_batch_id", "_status", "_reasons"]).to_pylist()
    assert all(row["_reasons"] for row in rows)
    return {row["_batch_id"]: row["_status"] for row in rows}


def times(shop: Shop, status: str) -> tuple[str, str]:
    """Return when the first publication run that ended with a status began and ended."""
    found: dict[str, list[str]] = {}
    for event in outbox.read(shop.home):
        tags = {tag["key"]: tag["value"] for tag in event["run"]["facets"]["tags"]["tags"]}
        if event["job"]["name"].startswith("publish.") and tags["jingshu.status"] == status:
            found.setdefault(event["run"]["runId"], []).append(event["eventTime"])
    began, ended = min(found.values())  # a merge is held once more when it is audited anew
    return began, ended


def facts(shop: Shop, key: str) -> dict[str, Any]:
    logged = EvidenceLog(shop.home).find(key)
    assert logged is not None, key
    return dict(logged.leaf.facts)


@pytest.mark.parametrize("feed", ["sale", "month", "stock", "case"])
def test_release_publishes_the_good_rows_of_a_held_batch(shop: Shop, feed: str) -> None:
    held = shop.deliver(feed, day(1), BAD)
    assert held.status == "held"
    outcome = decisions.release(shop.home, shop.tree, held.batch_id, WHO, "已与单位核对")
    assert (outcome.status, outcome.is_new) == ("published", True)
    assert shop.shown(feed) == {c: q for c, q in GOOD.items() if c not in ("A1", "A2", "A3")}
    row = shop.row(held.batch_id)
    assert (row.rows_published, row.rows_quarantined) == (7, 3)
    assert WHO in row.reason
    assert "已与单位核对" in row.reason
    assert times(shop, "held")[1] < times(shop, "published")[0], (
        "the time it was held is no time of the machine"
    )
    assert_whole(shop)
    publication = silver.in_force(open_table(shop.home.table("silver", row.table)))[0]
    verdict = facts(shop, f"verdict:{row.table}@{row.batch_id}/{publication.digest[:12]}")
    assert verdict["released_by"] == WHO
    assert verdict["decision"] == "publish"
    assert "已与单位核对" not in str(verdict)  # evidence keeps the digest of a person's words


def test_release_again_changes_nothing(shop: Shop) -> None:
    held = shop.deliver("sale", day(1), BAD)
    decisions.release(shop.home, shop.tree, held.batch_id, WHO, "first")
    before = (shop.table("shop__sale").version(), EvidenceLog(shop.home).size)
    again = decisions.release(shop.home, shop.tree, held.batch_id, "another", "second")
    assert not again.is_new
    assert (shop.table("shop__sale").version(), EvidenceLog(shop.home).size) == before


def test_release_cut_short_is_finished_by_releasing_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = shop.deliver("sale", day(1), BAD)
    with monkeypatch.context() as broken:
        broken.setattr("jobs.record.batches.published", _stop)
        with pytest.raises(KeyboardInterrupt):
            decisions.release(shop.home, shop.tree, held.batch_id, WHO, "first")
    report = verify(shop.home, shop.tree)
    assert report.recovering
    assert report.is_whole
    outcome = decisions.release(shop.home, shop.tree, held.batch_id, "another", "second")
    assert outcome.status == "published"
    assert_whole(shop)


def test_release_lays_a_merge_over_what_came_since(shop: Shop) -> None:
    shop.deliver("case", day(1), {"A1": 1, "A2": 2})
    held = shop.deliver("case", day(2), {**BAD, "A4": 40})
    shop.deliver("case", day(3), {"A5": 50, "-A6": 0, "B1": 7})
    decisions.release(shop.home, shop.tree, held.batch_id, WHO, "checked")
    expected = {c: q for c, q in GOOD.items() if c not in ("A1", "A2", "A3", "A6")}
    assert shop.shown("case") == expected | {"A1": 1, "A2": 2, "A4": 40, "A5": 50, "B1": 7}
    assert_whole(shop)


def test_release_of_what_newer_data_replaced_shows_nothing(shop: Shop) -> None:
    held = shop.deliver("stock", day(1), BAD)
    shop.deliver("stock", day(2), {"B1": 1})
    outcome = decisions.release(shop.home, shop.tree, held.batch_id, WHO, "late")
    assert outcome.status == "superseded"
    assert shop.shown("stock") == {"B1": 1}
    assert_whole(shop)


def test_only_held_batches_are_released_or_rejected(shop: Shop) -> None:
    published = shop.deliver("sale", day(1), GOOD)
    with pytest.raises(DecisionError, match="published"):
        decisions.reject(shop.home, published.batch_id, WHO, "no")
    held = shop.deliver("sale", day(2), BAD)
    decisions.reject(shop.home, held.batch_id, WHO, "no")
    with pytest.raises(DecisionError, match="rejected"):
        decisions.release(shop.home, shop.tree, held.batch_id, WHO, "yes")
    with pytest.raises(DecisionError, match="rejected"):
        decisions.withdraw(shop.home, shop.tree, held.batch_id, WHO, "yes")


def test_release_under_another_contract_is_refused(shop: Shop, tmp_path: Path) -> None:
    held = shop.deliver("sale", day(1), BAD)
    newer = shop_tree(tmp_path / "newer", version="1.1.0")
    with pytest.raises(DecisionError, match=r"1\.1\.0 is in force"):
        decisions.release(shop.home, newer, held.batch_id, WHO, "yes")


def test_reject_removes_the_stage_and_keeps_the_bytes(shop: Shop) -> None:
    held = shop.deliver("sale", day(1), BAD)
    outcome = decisions.reject(shop.home, held.batch_id, WHO, "请重报")
    assert outcome.status == shop.row(held.batch_id).status == "rejected"
    assert not silver.stage_path(shop.home, held.table, held.batch_id).exists()
    assert (shop.home.raw("shop", "sale", held.batch_id) / held.file_name).is_file()
    assert not decisions.reject(shop.home, held.batch_id, WHO, "again").is_new
    assert_whole(shop)


@pytest.mark.parametrize("blank", ["", "  \n "])
def test_a_decision_needs_a_reason(shop: Shop, blank: str) -> None:
    held = shop.deliver("sale", day(1), BAD)
    with pytest.raises(UsageError):
        decisions.reject(shop.home, held.batch_id, WHO, blank)


def test_a_batch_is_known_by_its_beginning(shop: Shop) -> None:
    row = shop.deliver("sale", day(1), GOOD)
    assert decisions.known_batch(shop.home, row.batch_id[:14]).batch_id == row.batch_id
    with pytest.raises(UsageError, match="no batch"):
        decisions.known_batch(shop.home, "19990101-x")
    shop.deliver("month", day(1), GOOD)
    with pytest.raises(UsageError, match="2 batches begin"):
        decisions.known_batch(shop.home, row.batch_id[:8])


@pytest.mark.parametrize("feed", ["sale", "month", "stock", "case"])
def test_withdraw_brings_the_earlier_revision_back(shop: Shop, feed: str) -> None:
    first = shop.deliver(feed, day(1), {**MANY, "A1": 1, "A2": 2, "X1": -1})
    second = shop.deliver(feed, day(1), {**MANY, "A1": 10, "A3": 30, "X2": -1}, revision=2)
    assert shop.row(first.batch_id).status == "superseded"
    assert marks(shop, feed) == {first.batch_id: "superseded", second.batch_id: "open"}
    outcome = decisions.withdraw(shop.home, shop.tree, second.batch_id, WHO, "wrong export")
    assert outcome.returned == (first.batch_id,)
    assert shop.shown(feed) == {**MANY, "A1": 1, "A2": 2}
    assert shop.row(first.batch_id).status == "published"
    assert shop.row(second.batch_id).status == "withdrawn"
    assert marks(shop, feed) == {first.batch_id: "open", second.batch_id: "withdrawn"}
    leaf = facts(shop, f"withdrawal:{second.table}@{second.batch_id}")
    assert (leaf["actor"], leaf["silver_version"]) == (WHO, outcome.silver_version)
    runs = [e for e in outbox.read(shop.home) if "withdraw" in str(e["job"])]
    assert runs
    assert_whole(shop)


@pytest.mark.parametrize("feed", ["sale", "month", "stock", "case"])
def test_withdrawing_the_only_batch_leaves_an_empty_table(shop: Shop, feed: str) -> None:
    row = shop.deliver(feed, day(1), GOOD)
    outcome = decisions.withdraw(shop.home, shop.tree, row.batch_id, WHO, "never was ours")
    assert outcome.returned == ()
    assert shop.shown(feed) == {}
    assert_whole(shop)
    version = shop.table(row.table).version()
    assert not decisions.withdraw(shop.home, shop.tree, row.batch_id, WHO, "again").is_new
    assert shop.table(row.table).version() == version
    shop.deliver(feed, day(2), {"B1": 1})
    assert shop.shown(feed) == {"B1": 1}
    assert_whole(shop)


def test_withdraw_takes_one_day_out_of_a_merge(shop: Shop) -> None:
    shop.deliver("case", day(1), {"A1": 1, "A2": 2, "A3": 3})
    gone = shop.deliver("case", day(2), {"A1": 10, "-A2": 0, "A4": 4})
    shop.deliver("case", day(3), {"A4": 40, "-A3": 0})
    assert shop.shown("case") == {"A1": 10, "A4": 40}
    decisions.withdraw(shop.home, shop.tree, gone.batch_id, WHO, "wrong district")
    assert shop.shown("case") == {"A1": 1, "A2": 2, "A4": 40}
    assert_whole(shop)
    # What follows is laid over the table without it: the deletion of day 3 still counts.
    shop.deliver("case", day(4), {"A5": 5})
    shop.deliver("case", day(2), {"A3": 33, "A6": 6}, revision=2)
    assert shop.shown("case") == {"A1": 1, "A2": 2, "A4": 40, "A5": 5, "A6": 6}
    assert_whole(shop)


def test_withdraw_of_a_superseded_batch_keeps_what_is_visible(shop: Shop) -> None:
    first = shop.deliver("stock", day(1), {"A1": 1})
    second = shop.deliver("stock", day(2), {"A1": 2})
    third = shop.deliver("stock", day(3), {"A1": 3})
    decisions.withdraw(shop.home, shop.tree, second.batch_id, WHO, "wrong")
    assert shop.shown("stock") == {"A1": 3}
    decisions.withdraw(shop.home, shop.tree, third.batch_id, WHO, "wrong too")
    assert shop.shown("stock") == {"A1": 1}
    assert shop.row(first.batch_id).status == "published"
    assert_whole(shop)


def test_withdraw_says_when_the_earlier_rows_are_gone(shop: Shop) -> None:
    first = shop.deliver("stock", day(1), {"A1": 1})
    second = shop.deliver("stock", day(2), {"A1": 2})
    shutil.rmtree(silver.stage_path(shop.home, first.table, first.batch_id))
    outcome = decisions.withdraw(shop.home, shop.tree, second.batch_id, WHO, "wrong")
    assert first.batch_id in outcome.note
    assert outcome.returned == ()
    assert shop.shown("stock") == {}
    assert shop.row(first.batch_id).status == "superseded"
    assert_whole(shop)


def test_withdraw_refuses_a_merge_that_cannot_be_laid_anew(shop: Shop) -> None:
    first = shop.deliver("case", day(1), {"A1": 1})
    second = shop.deliver("case", day(2), {"A2": 2})
    shutil.rmtree(
        silver.stage_path(shop.home, second.table, second.batch_id) / "_ok=tombstone", True
    )
    (silver.stage_path(shop.home, second.table, second.batch_id) / "_SUCCESS").unlink()
    with pytest.raises(WithdrawError, match=second.batch_id):
        decisions.withdraw(shop.home, shop.tree, first.batch_id, WHO, "wrong")
    assert shop.shown("case") == {"A1": 1, "A2": 2}
    assert shop.row(first.batch_id).status == "published"


@pytest.mark.parametrize(
    "step",
    [
        "jobs.record.decisions.withdrawn",
        "jobs.record.batches._quarantine_again",
        "jobs.operations.decisions.rebuild",
    ],
)
def test_withdraw_cut_short_is_finished_by_withdrawing_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = shop.deliver("sale", day(1), {**MANY, "X1": -1})
    second = shop.deliver("sale", day(1), {**MANY, "X2": -1}, revision=2)
    with monkeypatch.context() as broken:
        broken.setattr(step, _stop)
        with pytest.raises(KeyboardInterrupt):
            decisions.withdraw(shop.home, shop.tree, second.batch_id, WHO, "first words")
    assert verify(shop.home, shop.tree).is_whole
    decisions.withdraw(shop.home, shop.tree, second.batch_id, "another", "second words")
    assert facts(shop, f"withdrawal:shop__sale@{second.batch_id}")["actor"] == WHO
    assert shop.row(first.batch_id).status == "published"
    assert marks(shop, "sale") == {first.batch_id: "open", second.batch_id: "withdrawn"}
    assert not intents.open_intents(shop.home)
    assert_whole(shop)


def _stop(*_args: object, **_more: object) -> None:
    raise KeyboardInterrupt


def test_withdraw_rebuilds_the_products_it_fed(shop: Shop) -> None:
    shop.deliver("stock", day(1), {"A1": 1, "A2": 1})
    second = shop.deliver("stock", day(2), {"A1": 100})
    shop.build(day(1), day(2))
    assert totals(shop, "gold", "totals") == [2, 100]
    outcome = decisions.withdraw(shop.home, shop.tree, second.batch_id, WHO, "wrong")
    assert outcome.rebuilt
    # Nothing of the second day is in force: as of that day the first day's snapshot counts.
    assert totals(shop, "gold", "totals") == [2, 2]
    assert totals(shop, "shared", "totals__all") == [2, 2]
    assert_whole(shop)


def test_a_product_without_its_input_shows_nothing(shop: Shop) -> None:
    only = shop.deliver("stock", day(1), {"A1": 1})
    shop.build(day(1), day(2))
    assert len(totals(shop, "gold", "totals")) == 2
    decisions.withdraw(shop.home, shop.tree, only.batch_id, WHO, "wrong")
    assert totals(shop, "gold", "totals") == totals(shop, "shared", "totals__all") == []
    states = {
        (r.kind, r.business_date): r.status for r in governance.latest_publications(shop.home)
    }
    assert set(states.values()) == {"waiting"}
    assert_whole(shop)


def totals(shop: Shop, layer: str, name: str) -> list[int]:
    return sorted(shop.table(name, layer).to_pyarrow_table()["qty"].to_pylist())


def test_retry_judges_a_held_batch_by_the_contract_now_in_force(shop: Shop, tmp_path: Path) -> None:
    held = shop.deliver("sale", day(1), BAD)
    assert decisions.retry(shop.home, shop.tree, held.batch_id).status == "held"
    assert_whole(shop)
    lenient = Shop(shop.home, shop_tree(tmp_path / "newer", version="1.1.0", bad_percent=50))
    outcome = decisions.retry(lenient.home, lenient.tree, held.batch_id)
    assert outcome.status == "published"
    row = shop.row(held.batch_id)
    assert (row.contract_version, row.rows_published, row.rows_quarantined) == ("1.1.0", 7, 3)
    assert_whole(lenient)
    version = shop.table("shop__sale").version()
    assert not decisions.retry(lenient.home, lenient.tree, held.batch_id).is_new
    assert shop.table("shop__sale").version() == version


def test_retry_back_under_the_first_contract_still_adds_up(shop: Shop, tmp_path: Path) -> None:
    held = shop.deliver("sale", day(1), BAD)
    strict = Shop(shop.home, shop_tree(tmp_path / "newer", version="1.1.0", bad_percent=5))
    assert decisions.retry(strict.home, strict.tree, held.batch_id).status == "held"
    assert decisions.retry(shop.home, shop.tree, held.batch_id).status == "held"
    assert shop.row(held.batch_id).contract_version == "1.0.0"
    decisions.release(shop.home, shop.tree, held.batch_id, WHO, "enough")
    assert_whole(shop)


def test_retry_of_a_rejected_batch_takes_it_all_the_way(shop: Shop, tmp_path: Path) -> None:
    held = shop.deliver("case", day(1), BAD)
    decisions.reject(shop.home, held.batch_id, WHO, "no")
    lenient = Shop(shop.home, shop_tree(tmp_path / "newer", version="1.1.0", bad_percent=50))
    assert decisions.retry(lenient.home, lenient.tree, held.batch_id).status == "published"
    assert_whole(lenient)


def test_retry_does_not_land_what_its_manifest_disowns(shop: Shop) -> None:
    file = shop.send("sale", day(1), GOOD)
    file.write_bytes(file.read_bytes()[:-20])
    rejected = shop.run("sale", day(1))
    assert rejected.status == "rejected"
    assert decisions.retry(shop.home, shop.tree, rejected.batch_id).status == "rejected"
    shutil.rmtree(file.parent)
    with pytest.raises(DecisionError, match="manifest"):
        decisions.retry(shop.home, shop.tree, rejected.batch_id)
    assert_whole(shop)
