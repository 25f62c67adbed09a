"""Security assessments: how long each holds, by when to ask for more, and what is denied after."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cli.main import main
from contracts.errors import UsageError
from contracts.layout import ROOT, Home
from contracts.model import CITY_TZ
from jobs.verify.report import Report
from lineage.evidence.log import EvidenceLog
from sharing.control import Control
from sharing.crossborder import assessments, exports
from sharing.crossborder.assessments import end_of_years
from sharing.crossborder.decide import Counters
from sharing.crossborder.exports import Circumstances, Export
from sharing.notices import outbox
from sharing.notices.collect import collect
from sharing.notices.owed import EXTENSION_NEAR, timers
from sharing.people import ForbiddenError
from sharing.verify.lake import CityLake
from sharing.verify.rights import rights
from sharing.workdays import is_workday, subtract_workdays
from tests.conftest import TREE
from tests.support.sharing.abroad import AUTHORITY, CITY, COMPANY, TO, USCC, ready, scope
from tests.support.sharing.asking import person
from tests.support.sharing.lakes import BANK, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.exports import Decided

ORGAN, ID = "civil", "SA-2023-0007"
#: It holds to 10 November 2026; 60 working days before lie Mid-Autumn, the National Day holiday
#: and two days made up for them.
ISSUED, LAST, ASK_BY = date(2023, 11, 10), date(2026, 11, 10), date(2026, 8, 12)


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """Return a time of the city's day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CITY_TZ).astimezone(UTC)


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    """A control database in which a company may use every table."""
    with Control(home) as opened:
        ready(opened)
        yield opened


def record(control: Control, exporter: str = COMPANY, issued: date = ISSUED) -> Assessment:
    what = scope(exporter)
    return assessments.record(control, TREE, what, ID, issued, AUTHORITY, at(issued))


def decide(control: Control, when: datetime, exporter: str = COMPANY, **how: Any) -> Decided:
    circumstances = Circumstances(**{"assessment_id": ID, "is_ciio": True, **how})
    export = Export(exporter, BANK, TO, circumstances=circumstances)
    tree = TREE if exporter == ORGAN else CITY
    return exports.decide_export(control, tree, export, AUTHORITY, when)


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (ISSUED, LAST),
        (date(2024, 2, 29), date(2027, 2, 28)),
        (date(2025, 2, 28), date(2028, 2, 28)),
        (date(2023, 12, 31), date(2026, 12, 31)),
    ],
)
def test_three_years_end_on_the_day_of_the_same_date(issued: date, last: date) -> None:
    assert end_of_years(issued) == last


def test_sixty_working_days_before_the_end_are_counted_over_holidays(control: Control) -> None:
    found = record(control)
    assert (found.last_day, found.ask_by, found.problem) == (LAST, ASK_BY, None)
    between = [ASK_BY + timedelta(days=n) for n in range((LAST - ASK_BY).days)]
    assert sum(is_workday(day) for day in between) == 60
    assert sum(day.weekday() < 5 for day in between) == 64, "by plain weekdays it would be later"
    assert is_workday(date(2026, 10, 10)), "a Saturday made up for"
    assert not is_workday(date(2026, 9, 25))


@given(st.dates(date(2010, 1, 1), date(2026, 12, 31)), st.integers(1, 90))
def test_as_many_working_days_lie_between(day: date, count: int) -> None:
    first = subtract_workdays(day, count)
    assert is_workday(first)
    assert sum(is_workday(first + timedelta(days=n)) for n in range((day - first).days)) == count


def test_a_year_without_a_calendar_is_said_and_never_guessed(control: Control) -> None:
    found = record(control, issued=date(2096, 5, 4))
    assert (found.last_day, found.ask_by) == (date(2099, 5, 4), None)
    assert found.problem is not None
    assert found.problem.en.startswith("calendar_missing: the working days of 2099")
    assert list(timers(control, TREE, at(date(2099, 5, 4)))) == []


@pytest.mark.parametrize("exporter", [COMPANY, ORGAN])
def test_the_last_day_and_the_day_after(home: Home, control: Control, exporter: str) -> None:
    publish(home, BANK, "T1")
    record(control, exporter)
    last = decide(control, at(LAST, 23, 59), exporter)
    assert (last.decision.row, last.decision.outcome) == (7, "security_assessment")
    assert last.reason == ""
    after = decide(control, at(LAST, 23, 59) + timedelta(minutes=1), exporter)
    row = 1 if exporter == ORGAN else 7
    assert (after.decision.row, after.decision.outcome) == (row, "deny")
    assert f"{ID} 的有效期已于 2026-11-10 届满" in after.reason
    assert "crossborder assess" in after.reason
    assert [d.reason for d in exports.decisions(control)] == ["", after.reason]


def test_what_is_denied_counts_nobody(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    record(control)
    decide(control, at(LAST + timedelta(days=1)))
    assert exports.counters(control, COMPANY, 2026) == Counters()
    decide(control, at(LAST))
    assert exports.counters(control, COMPANY, 2026) == Counters(1, 0)


def test_what_needs_no_assessment_is_not_denied_for_one_that_is_over(
    home: Home, control: Control
) -> None:
    publish(home, BANK, "T1")
    record(control)
    later = at(LAST + timedelta(days=1))
    assert decide(control, later, is_ciio=False).decision.outcome == "exempt"
    named_none = decide(control, later, assessment_id=None)
    assert (named_none.decision.outcome, named_none.assessment) == ("security_assessment", None)


def test_an_approved_extension_holds_three_years_from_the_end(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    record(control)
    asked = assessments.ask(control, ID, ASK_BY, AUTHORITY, at(ASK_BY))
    assert (asked.is_asked, asked.last_day, asked.extensions) == (True, LAST, 0)
    approved = date(2026, 10, 20)
    more = assessments.extend(control, ID, approved, AUTHORITY, at(approved))
    assert (more.is_asked, more.last_day, more.extensions) == (False, date(2029, 11, 10), 1)
    assert more.issued_on == ISSUED
    made = decide(control, at(LAST + timedelta(days=1)))
    assert made.decision.outcome == "security_assessment"
    assert made.assessment == more


def test_a_result_of_the_future_or_without_a_date_is_refused(control: Control) -> None:
    tomorrow = ISSUED + timedelta(days=1)
    with pytest.raises(UsageError, match="still to come"):
        assessments.record(control, TREE, scope(), ID, tomorrow, AUTHORITY, at(ISSUED, 23, 59))
    assert assessments.assessments(control) == {}
    night = at(ISSUED, 23, 59) + timedelta(minutes=1)
    made = assessments.record(control, TREE, scope(), ID, tomorrow, AUTHORITY, night)
    assert made.issued_on == tomorrow
    with pytest.raises(UsageError, match="still to come"):
        assessments.extend(control, ID, date(2024, 1, 2), AUTHORITY, at(date(2024, 1, 1)))


@pytest.mark.parametrize("name", ["", " \n", "a\u202eb", "x" * 201])
def test_a_result_has_a_number_that_can_be_read(control: Control, name: str) -> None:
    with pytest.raises(UsageError, match="has a number of"):
        assessments.record(control, TREE, scope(), name, ISSUED, AUTHORITY, at(ISSUED))


def test_what_is_not_on_record_cannot_be_relied_on(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    with pytest.raises(UsageError, match="no record of a security assessment"):
        decide(control, at(LAST))
    record(control)
    with pytest.raises(UsageError, match=f"is of {COMPANY}, not of civil"):
        decide(control, at(LAST), ORGAN)
    with pytest.raises(UsageError, match="no record"):
        decide(control, at(ISSUED - timedelta(days=1)))
    assert exports.decisions(control) == []


@pytest.mark.parametrize(
    ("approved", "is_kept"),
    [(ISSUED - timedelta(days=1), False), (LAST, True), (LAST + timedelta(days=1), False)],
)
def test_only_what_still_holds_is_extended(
    control: Control,
    approved: date,
    is_kept: bool,  # noqa: FBT001
) -> None:
    record(control)
    when = at(LAST + timedelta(days=2))
    for step in (assessments.ask, assessments.extend):
        if is_kept:
            step(control, ID, approved, AUTHORITY, when)
            continue
        with pytest.raises(UsageError, match=f"{approved} is not from {ISSUED}"):
            step(control, ID, approved, AUTHORITY, when)
    assert assessments.assessments(control)[ID].extensions == is_kept


def test_who_may_and_what_is_there_already(control: Control) -> None:
    stranger = person("health", "cdo")
    with pytest.raises(ForbiddenError):
        assessments.record(control, TREE, scope(ORGAN), ID, ISSUED, stranger, at(ISSUED))
    record(control, ORGAN)
    with pytest.raises(ForbiddenError):
        assessments.extend(control, ID, LAST, stranger, at(LAST))
    with pytest.raises(UsageError, match="recorded already"):
        record(control, COMPANY)
    with pytest.raises(UsageError, match="no record"):
        assessments.extend(control, "SA-0", LAST, AUTHORITY, at(LAST))


def test_an_extension_is_told_when_it_is_near_and_when_it_is_late(control: Control) -> None:
    record(control)
    due = at(ASK_BY + timedelta(days=1), 0)
    found = {
        name: [(t.request, t.what, t.body, t.roles, t.state) for t in timers(control, TREE, when)]
        for name, when in {
            "early": due - EXTENSION_NEAR - timedelta(seconds=1),
            "near": due - EXTENSION_NEAR,
            "last day": due - timedelta(seconds=1),
            "late": due,
            "last": at(LAST, 23, 59),
            "over": at(LAST + timedelta(days=1)),
        }.items()
    }
    one = (ID, "extension", COMPANY, ("cdo",))
    assert found == {
        "early": [],
        "near": [(*one, "near")],
        "last day": [(*one, "near")],
        "late": [(*one, "over")],
        "last": [(*one, "over")],
        "over": [],
    }
    assessments.ask(control, ID, ASK_BY, AUTHORITY, at(ASK_BY))
    assert list(timers(control, TREE, due)) == []
    assessments.extend(control, ID, ASK_BY, AUTHORITY, at(ASK_BY))
    assert list(timers(control, TREE, due)) == []


def test_it_is_in_the_outbox_once(control: Control) -> None:
    record(control)
    assert collect(control, at(ASK_BY)) == 1
    assert collect(control, at(ASK_BY, 13)) == 0
    assert collect(control, at(ASK_BY + timedelta(days=1))) == 1
    assert collect(control, at(ASK_BY + timedelta(days=9))) == 0
    late, near = outbox.list_notices(control)
    assert (near.kind, late.kind, near.body) == ("deadline", "overdue", COMPANY)
    assert ID in near.subject
    with control.read() as session:
        words = [row.text for row in session.query(outbox.NoticeRow)]
    assert all(f"安全评估 {ID}：申请延长有效期" in w and "2026-08-13 00:00" in w for w in words)


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(rights(CityLake(home, TREE)))
    return [f"[{f.invariant}] {f.where}: {f.problem.en}" for f in report.broken]


def _facts(name: str, kept: str) -> str:
    """Say the contrary of a fact wherever it was so."""
    other = "false" if kept == "true" else "true"
    return f"exports SET facts = replace(facts, '\"{name}\": {kept}', '\"{name}\": {other}')"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a result, its extension, and exports before, after and without them."""
    home = Home(tmp_path_factory.mktemp("assessed") / "home")
    publish(home, BANK, "T1")
    with Control(home) as control:
        ready(control)
        record(control)
        decide(control, at(LAST + timedelta(days=1)))
        decide(control, at(LAST))
        exports.give_up(control, "X2026-0002", "未实施", AUTHORITY, at(date(2030, 1, 1)))
        assessments.ask(control, ID, ASK_BY, AUTHORITY, at(ASK_BY))
        assessments.extend(control, ID, LAST, AUTHORITY, at(LAST + timedelta(days=2)))
        decide(control, at(LAST + timedelta(days=3)))
        decide(control, at(LAST), assessment_id=None)
    return home


@pytest.fixture
def spoilt(extended: Home, tmp_path: Path) -> Home:
    """A copy of that home, to be spoilt."""
    shutil.copytree(extended.root, tmp_path / "copy")
    return Home(tmp_path / "copy")


def test_all_of_it_is_proved(extended: Home) -> None:
    assert findings(extended) == []
    log = EvidenceLog(extended)
    for n, kind in enumerate(("result", "asked", "extended")):
        logged = log.find(f"crossborder:assessment/{ID}#{n}")
        assert logged is not None
        assert logged.leaf.facts["kind"] == kind


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("assessments SET on_date = '2023-11-11' WHERE seq = 0", "its on_date is not"),
        ("assessments SET on_date = '2023-11-11' WHERE seq = 0", "was still to come"),
        ("assessments SET last_day = '2027-11-10' WHERE seq = 0", "to 2026-11-10, not"),
        ("assessments SET last_day = '2030-11-10' WHERE seq = 2", "to 2029-11-10, not"),
        ("assessments SET on_date = '2026-11-11' WHERE seq = 2", "is not within"),
        ("assessments SET exporter = 'civil' WHERE seq = 2", "and then of civil"),
        ("assessments SET exporter = 'civil'", f"{COMPANY} had no security assessment"),
        ("assessments SET actor = 'li'", "its actor is not what"),
        ("assessments SET id = 'other' WHERE seq = 0", "an earlier record of it is gone"),
        ("assessments SET id = 'other' WHERE seq = 2", "no such crossborder any more"),
        ("assessments SET id = 'other' WHERE seq = 2", "its assessment was over on that day"),
        ("assessments SET id = 'other'", f"{COMPANY} had no security assessment {ID} then"),
        ("assessments SET at = '2030-01-01' WHERE seq = 2", "was over on that day"),
        (_facts("is_assessment_over", "true"), "its assessment was over on that day"),
        (_facts("has_security_assessment", "false"), "does not say whether an assessment held"),
        ("exports SET outcome = 'security_assessment'", "row 7 (deny) follows"),
    ],
)
def test_verify_names_what_was_changed(spoilt: Home, change: str, found: str) -> None:
    with Control(spoilt) as control, control.write() as session:
        session.execute(text(f"UPDATE share_{change}"))
    assert any(found in said for said in findings(spoilt)), findings(spoilt)


def test_both_databases_keep_it_alike(control_url: str, home: Home) -> None:
    publish(home, BANK, "T1")
    with Control(home) as control:
        ready(control)
        record(control)
        assessments.extend(control, ID, LAST, AUTHORITY, at(LAST))
        decide(control, at(LAST + timedelta(days=1)))
    assert findings(home) == []
    assert control_url


def test_the_command_line(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    publish(home, BANK, "T1")
    to = ("--to", TO.recipient, "--country", TO.country, "--purpose", TO.purpose)
    of = ("--table", BANK, *to)

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["share", *arguments])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    def run(*arguments: str) -> tuple[int, str]:
        return call("crossborder", *arguments)

    assert run("assessments") == (0, "没有安全评估。 No security assessment is recorded.\n")
    assert run("assess", COMPANY, "OLD", *of)[0] == 2, "it has no date"
    code, said = run("assess", COMPANY, "OLD", "--on", "2020-03-10", *of)
    assert (code, "There is no body 'x_data_co'" in said) == (1, True)
    assert run("party", COMPANY, "--name", "示例数据有限公司", "--uscc", USCC)[0] == 0
    assert call("rights", "grant", BANK, "process", COMPANY, "--legal-basis", "协议")[0] == 0
    assert run("assess", COMPANY, "OLD", "--on", "2999-01-01", *of)[0] == 2
    code, said = run("assess", COMPANY, "OLD", "--on", "2020-03-10", *of)
    assert code == 0, said
    assert "有效至 2023-03-10，最迟 2022-12-12 申请延期。" in said
    assert "It holds to 2023-03-10; ask for more by 2022-12-12." in said
    decide = ("decide", COMPANY, BANK, *to, "--ciio", "--assessment")
    code, said = run(*decide, "OLD")
    assert code == 0, said
    assert "deny（第 1 行，" in said
    assert "deny (row 1, " in said
    assert "请重新申报评估" in said
    assert run(*decide, "NONE")[0] == 2
    today = datetime.now(CITY_TZ).date().isoformat()
    assert run("assess", COMPANY, "NEW", "--on", today, "--json", *of)[0] == 0
    assert "calendar_missing" in run("assessments")[1]
    assert "已申请延期" in run("ask", "NEW", "--on", today)[1]
    listed = json.loads(run("extend", "NEW", "--on", today, "--json")[1])["assessments"]
    assert [(a["id"], a["extensions"], a["is_asked"]) for a in listed] == [("NEW", 1, False)]
    code, said = run(*decide, "NEW", "--json")
    found = json.loads(said)
    assert (found["outcome"], found["reason"]) == ("security_assessment", "")
    assert found["assessment"]["last_day"] == listed[0]["last_day"]
