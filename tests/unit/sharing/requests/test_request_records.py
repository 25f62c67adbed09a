"""Corrections and use records: issues that are answered, and records that are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.control import Control
from sharing.people import ForbiddenError
from sharing.requests import corrections, records
from sharing.requests.allowing import RequestStateError
from sharing.requests.corrections import Fault
from sharing.requests.records import RecordsKeptError, Use
from tests.support.sharing.asking import CDO_ASKER, CDO_OWNER, STEWARD, begun, bring_to, person
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home
    from tests.support.sharing.asking import City

PRODUCT = "emergency.heat_readiness"
USE = Use("值守", "查看", "调派两车", "不落地")


@pytest.fixture
def city(home: Home) -> Iterator[City]:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    with Control(home) as control:
        yield bring_to(begun(control), "delivered")


def asked(city: City, said: str = "东华门街道人数不对") -> str:
    return corrections.ask_correction(
        city.control, city.tree, city.ask_id, Fault(PRODUCT, "emergency", said), CDO_ASKER, city.at
    )


def test_a_correction_opens_an_issue_with_ten_working_days(city: City) -> None:
    issue = asked(city)
    (found,) = corrections.list_corrections(city.control)
    assert (found.id, found.state, found.provider) == (issue, "open", "emergency")
    assert found.due_at == datetime(2026, 7, 27, 16, 0, tzinfo=UTC)
    assert not found.is_overdue(found.due_at)
    assert found.is_overdue(found.due_at + timedelta(seconds=1))


@pytest.mark.parametrize("answer", ["corrected", "rejected"])
def test_an_issue_is_answered_once_with_a_reason(city: City, answer: corrections.Answer) -> None:
    issue = asked(city)
    with pytest.raises(UsageError, match="reason"):
        corrections.answer_correction(city.control, issue, answer, " ", STEWARD, city.at)
    corrections.answer_correction(city.control, issue, answer, "已重算", STEWARD, city.at)
    (found,) = corrections.list_corrections(city.control)
    assert (found.state, found.reason) == (answer, "已重算")
    with pytest.raises(RequestStateError, match=answer):
        corrections.answer_correction(city.control, issue, answer, "再", STEWARD, city.at)
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(city.control.home).entries()]
    assert [x.subject for x in leaves if x.type == "correction"] == [
        f"{issue}#asked",
        f"{issue}#answered",
    ]
    assert not [x for x in leaves if "街道" in str(x.facts) or "重算" in str(x.facts)]


def test_only_the_side_concerned_may(city: City) -> None:
    issue = asked(city)
    with pytest.raises(ForbiddenError):
        corrections.answer_correction(city.control, issue, "corrected", "x", CDO_ASKER, city.at)
    with pytest.raises(ForbiddenError):
        records.record_use(city.control, city.ask_id, USE, CDO_OWNER, city.at)


@pytest.mark.parametrize(
    ("contract", "provider"), [("health.disease_case", "health"), (PRODUCT, "health")]
)
def test_what_the_request_does_not_read_is_nobodys_issue(
    city: City, contract: str, provider: str
) -> None:
    with pytest.raises(UsageError, match="reads no"):
        corrections.ask_correction(
            city.control, city.tree, city.ask_id, Fault(contract, provider, "x"), CDO_ASKER, city.at
        )


def test_nothing_is_wrong_or_used_before_delivery(home: Home) -> None:
    with Control(home) as control:
        city = bring_to(begun(control), "agreed")
        with pytest.raises(RequestStateError, match="never delivered"):
            asked(city)
        with pytest.raises(UsageError, match="never delivered"):
            records.record_use(control, city.ask_id, USE, CDO_ASKER, city.at)


@pytest.mark.parametrize("part", ["scenario", "process", "effect", "storage"])
def test_a_use_record_has_all_four_parts(city: City, part: str) -> None:
    use = Use(**{**vars(USE), part: " "})
    with pytest.raises(UsageError, match=part):
        records.record_use(city.control, city.ask_id, use, CDO_ASKER, city.at)


@pytest.mark.parametrize(
    ("used_on", "kept", "gone"),
    [
        (date(2026, 7, 15), date(2029, 7, 15), date(2029, 7, 16)),
        (date(2028, 2, 29), date(2031, 3, 1), date(2031, 3, 2)),
    ],
)
def test_records_are_kept_three_years(city: City, used_on: date, kept: date, gone: date) -> None:
    actor = person("med_ins", "requester")
    at = datetime(used_on.year, used_on.month, used_on.day, 4, tzinfo=UTC)
    records.record_use(city.control, city.ask_id, USE, actor, at)
    with pytest.raises(RecordsKeptError, match=str(kept)):
        records.forget_uses(city.control, city.ask_id, actor, kept)
    assert records.uses(city.control, city.ask_id) == [(at, USE)]
    assert records.forget_uses(city.control, city.ask_id, actor, gone) == 1
    assert records.uses(city.control, city.ask_id) == []
