from __future__ import annotations

import shlex
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.words import Words
from portal.page import render

if TYPE_CHECKING:
    from .conftest import City

DAY = date(2026, 7, 15)
BATCH = "20260715-alpha-stock"
RUN = "./jingshu run --date 2026-07-15 --providers alpha"
SHOW = f"./jingshu batch show {BATCH}"


def _holds(column: str, zh: str, en: str, level: str) -> Words:
    return Words(
        f"{column} 含{zh}（1/100）：L2 → {level}", f"{column} holds {en} (1/100): L2 → {level}"
    )


@pytest.mark.parametrize(
    ("state", "status", "kind", "commands"),
    [
        (
            "received",
            "held",
            "held",
            (
                SHOW,
                f"./jingshu batch release {BATCH} --reason '…'",
                f"./jingshu batch reject {BATCH} --reason '…'",
            ),
        ),
        ("received", "rejected", "rejected", (SHOW, RUN)),
        ("received", "failed", "failed", (SHOW, f"./jingshu batch retry {BATCH}")),
        ("refused", "refused", "refused", (SHOW, RUN)),
        ("refused", None, "refused", (RUN,)),
        ("missing", None, "missing", (RUN,)),
        ("late", None, "late", (RUN,)),
        ("late", "published", "late", (SHOW,)),
    ],
)
def test_each_trouble_is_one_decision_with_its_commands(
    city: City, state: str, status: str | None, kind: str, commands: tuple[str, ...]
) -> None:
    city.deliver(state, status, reason="因为 because")
    (decision,) = city.report().decisions
    assert decision.kind.word.en == kind
    assert decision.commands == commands
    assert decision.why == (Words.read("因为 because"),)
    assert decision.dates == (DAY,)
    assert decision.is_urgent is (kind != "late")


@pytest.mark.parametrize("state", ["received", "expected", "not_due", "duplicate"])
def test_nothing_is_asked_where_nothing_is_wrong(city: City, state: str) -> None:
    city.check(city.deliver(state, "published"))
    assert city.report().decisions == ()


def test_since_is_the_deadline_for_what_is_missing_and_the_end_for_what_stopped(
    city: City,
) -> None:
    city.deliver("missing")
    city.deliver("received", "held", feed="east/shared.cases")
    since = {d.kind.word.en: d.since for d in city.report().decisions}
    assert since == {
        "missing": datetime(2026, 7, 16, 0, tzinfo=UTC),
        "held": datetime(2026, 7, 16, 1, tzinfo=UTC),
    }


def test_owners_come_from_the_team_and_from_the_provider_where_a_contract_is_shared(
    city: City,
) -> None:
    city.deliver("missing", feed="alpha/alpha.stock")
    city.deliver("missing", feed="east/shared.cases")
    owners = {d.provider.id: (d.owner.cdo, d.owner.steward) for d in city.report().decisions}
    assert owners == {
        "alpha": ("cdo.team", "steward.team"),
        "east": ("cdo.east", "steward.team"),
    }


def test_failed_checks_are_one_item_a_batch_worst_first(city: City) -> None:
    batch = city.deliver("received", "published", rows_published=91, rows_quarantined=9)
    for failed in (2, 9, 5, 1):
        city.check(batch, "failed", failed=failed, message=f"差 {failed}")
    city.check(batch, "failed", severity="warning", message="只是警告")
    city.check(batch, "error", engine="spark", message="坏了", failed=None)
    (decision,) = city.report().decisions
    assert decision.kind.word.en == "failed checks"
    assert not decision.is_urgent
    assert [w.zh for w in decision.why] == ["隔离 9 行", "差 9 (9/100)", "差 5 (5/100)"]
    assert decision.why[0].en == "9 rows in quarantine"
    assert decision.more == 3


def test_the_failed_checks_of_a_held_batch_are_its_grounds_not_another_item(city: City) -> None:
    batch = city.deliver("received", "held", reason="坏行太多")
    city.check(batch, "failed", message="重复")
    (decision,) = city.report().decisions
    assert decision.why == (Words.read("坏行太多"), Words.read("重复 (4/100)"))


def test_another_layout_is_drift(city: City) -> None:
    batch = city.deliver("received", "published")
    city.check(
        batch, "failed", engine="land", severity="warning", rule_id="table.layout", message="多一列"
    )
    (decision,) = city.report().decisions
    assert decision.kind.word.en == "layout drift"
    assert decision.commands == ("./jingshu contract show alpha.stock",)


def test_rows_that_do_not_add_up_are_urgent(city: City) -> None:
    city.deliver("received", "published", rows_published=97, rows_quarantined=1)
    (decision,) = city.report().decisions
    assert decision.kind.word.en == "rows do not add up"
    assert decision.is_urgent
    for told in (decision.why[0].zh, decision.why[0].en):
        assert "100" in told
        assert "97" in told


def test_the_gravest_comes_first(city: City) -> None:
    city.deliver("late", "published", feed="alpha/alpha.stock")
    city.deliver("missing", feed="alpha/alpha.visits")
    city.deliver("received", "held", feed="east/shared.cases")
    city.deliver("refused", feed="west/shared.cases")
    found = [d.kind.word.en for d in city.report().decisions]
    assert found == ["refused", "held", "missing", "late"]


def test_a_command_can_be_pasted_whatever_an_id_holds(city: City) -> None:
    city.deliver("received", "held", batch_id="x; rm -rf ~")
    for command in city.report().decisions[0].commands:
        assert shlex.split(command)[3] == "x; rm -rf ~"


def test_other_dates_stay_open_until_someone_acts(city: City) -> None:
    for days in (1, 2, 4):
        city.deliver("received", "held", day=DAY - timedelta(days=days))
        city.deliver("missing", feed="east/shared.cases", day=DAY - timedelta(days=days))
    city.deliver("received", "published")
    city.deliver("refused", day=DAY + timedelta(days=1))
    refused, held, missing = city.report().still_open
    assert refused.dates == (DAY + timedelta(days=1),), "what is open stands on every date's page"
    assert held.kind.word.en == "held"
    assert held.dates == tuple(DAY - timedelta(days=n) for n in (4, 2, 1))
    assert held.commands[0] == "./jingshu batch show 20260711-alpha-stock"
    assert missing.provider.id == "east"
    assert missing.since == datetime(2026, 7, 12, tzinfo=UTC)
    assert city.report().decisions == ()


def test_a_held_revision_that_a_correction_replaced_is_closed(city: City) -> None:
    yesterday = DAY - timedelta(days=1)
    city.deliver("received", "held", day=yesterday, batch_id="old")
    city.deliver("received", "published", day=yesterday, batch_id="new", revision=2)
    city.deliver("received", "published")
    assert city.report().still_open == ()


@pytest.mark.parametrize(
    ("feed", "is_open"), [("alpha/alpha.visits", False), ("alpha/alpha.stock", True)]
)
@pytest.mark.parametrize(("state", "status"), [("missing", None), ("received", "rejected")])
def test_a_newer_full_snapshot_makes_what_is_to_come_moot(
    city: City, feed: str, state: str, status: str | None, *, is_open: bool
) -> None:
    city.deliver(state, status, feed=feed, day=DAY - timedelta(days=1))
    city.deliver("received", "published", feed=feed)
    assert bool(city.report().still_open) is is_open


def test_what_a_batch_holds_above_its_level_is_to_decide_and_what_is_unnamed_to_follow_up(
    city: City,
) -> None:
    batch = city.deliver(status="published")
    city.find(batch, "under_graded", column="remark", kind="resident_id", proposed_level="L4")
    city.find(batch, "under_graded", column="note", kind="mobile", proposed_level="L3")
    city.find(batch, "unexpected_personal_information", column="qty", kind="name")
    city.find(batch, "over_graded", column="code", kind="public_code", proposed_level="L1")
    found = city.report().decisions
    assert [(d.kind.word.en, d.is_urgent) for d in found] == [
        ("holds more than its level", True),
        ("unexpected personal information", False),
        ("graded too high", False),
    ]
    assert found[0].why == (
        _holds("remark", "居民身份号码", "resident ID numbers", "L4"),
        _holds("note", "手机号码", "mobile numbers", "L3"),
    )
    assert batch is not None
    assert found[0].commands[0] == f"./jingshu batch show {batch.batch_id}"
    assert "内容高于定级" in render(city.report())
    assert "unexpected personal information" in render(city.report(), "en")


def test_what_the_newest_batch_of_a_feed_holds_above_its_level_stays_open(city: City) -> None:
    yesterday = DAY - timedelta(days=1)
    for feed in ("alpha/alpha.stock", "east/shared.cases"):
        old = city.deliver(status="published", feed=feed, day=yesterday)
        city.find(old, "under_graded", column="remark", kind="resident_id", proposed_level="L4")
        city.find(old, "over_graded", column="code", kind="public_code", proposed_level="L1")
    city.deliver(status="published")  # the newest of alpha holds nothing of the sort
    [level] = city.report().still_open
    assert (level.kind.word.en, level.provider.id) == ("holds more than its level", "east")
    assert level.dates == (yesterday,)
    assert level.why == (_holds("remark", "居民身份号码", "resident ID numbers", "L4"),)
    assert level.commands[1] == "./jingshu contract show shared.cases"
    assert city.report(yesterday).still_open == ()


def test_a_finding_of_another_batch_or_date_is_not_this_dates(city: City) -> None:
    old = city.deliver(status="published", day=DAY - timedelta(days=1))
    city.deliver(status="published")
    city.find(old, "under_graded", column="remark", kind="resident_id", proposed_level="L4")
    assert city.report().decisions == ()
