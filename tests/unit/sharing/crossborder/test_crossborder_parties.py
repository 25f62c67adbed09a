"""Who exports, whose data it is, with which papers, and under the rules of which day."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from contracts.errors import UsageError
from contracts.model import CITY_TZ, Provider
from jobs.verify.report import Report
from sharing import owed
from sharing.control import Control, Grant, Recipient
from sharing.crossborder import assessments, exports, papers, parties
from sharing.crossborder.decide import CONDITIONS, Counters, Destination, Facts, decide
from sharing.crossborder.exports import Circumstances, Export
from sharing.crossborder.papers import Paper
from sharing.crossborder.parties import Registration, UnknownPartyError, kind_of_code
from sharing.crossborder.records import ExportRow, export_leaf
from sharing.crossborder.rules import FILE, rulebook_of, rulebook_on, rulebooks
from sharing.crossborder.title import holders, title
from sharing.crossborder.zone import parse_list
from sharing.people import ForbiddenError
from sharing.verify.lake import CityLake
from sharing.verify.rights import rights
from tests.support.sharing.abroad import (
    AUTHORITY,
    CITY,
    COMPANY,
    OTHER,
    TO,
    USCC,
    known,
    may_use,
    ready,
    scope,
)
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import BANK, CASES, TREE, publish

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.crossborder.exports import Decided

PERSONS = Facts("general", "L2", is_state_organ=False, has_personal_information=True)


def export(
    control: Control, exporter: str, table: str, tree: Tree = TREE, **how: Any
) -> tuple[int, str]:
    made = decided(control, exporter, table, tree, **how)
    return made.decision.row, made.decision.outcome


def decided(control: Control, exporter: str, table: str, tree: Tree = TREE, **how: Any) -> Decided:
    asked = Export(exporter, table, TO, circumstances=Circumstances(**how))
    return exports.decide_export(control, tree, asked, AUTHORITY, MONDAY)


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(rights(CityLake(home, TREE)))
    return [f"{f.where}: {f.problem.en}" for f in report.broken]


@pytest.mark.parametrize(
    ("exporter", "near"),
    [
        ("heatlh", "health"),
        ("Health", "health"),
        ("h\u0435alth", "health"),
        ("hea1th", "health"),
        ("ｈｅａｌｔｈ", "health"),
        ("x_data_c0", COMPANY),
        ("acme", None),
    ],
)
def test_an_unknown_exporter_is_refused(
    home: Home, control: Control, exporter: str, near: str | None
) -> None:
    publish(home, BANK, "T1")
    known(control)
    with pytest.raises(UnknownPartyError, match="登记") as caught:
        export(control, exporter, BANK)
    assert (f"Did you mean {near}" in str(caught.value)) == (near is not None)
    assert exports.decisions(control) == []
    with pytest.raises(UnknownPartyError):
        assessments.record(
            control, TREE, scope(exporter), "SA-1", date(2026, 7, 1), AUTHORITY, MONDAY
        )


@pytest.mark.parametrize("exporter", ["x_tax", "x_customs", "x_meteo", "dongcheng"])
def test_a_supplier_that_is_an_organ_is_one(home: Home, control: Control, exporter: str) -> None:
    publish(home, BANK, "T1")
    may_use(control, exporter, BANK)
    assert export(control, exporter, BANK) == (1, "deny")


@pytest.mark.parametrize("table", [CASES, BANK])
def test_a_bureaus_persons_do_not_leave_through_a_company(
    home: Home, control: Control, table: str
) -> None:
    publish(home, table, "11010519491231002X")
    known(control)
    assert export(control, COMPANY, table) == ((0 if table == CASES else 12), "deny")
    may_use(control, COMPANY, table)
    made = decided(control, COMPANY, table)
    assert (made.decision.row, made.decision.outcome) == ((0 if table == CASES else 1), "deny")
    assert f"The data is {made.facts.holders[0]}'s" in made.reason
    assert exports.counters(control, COMPANY, 2026) == Counters()


def test_a_right_holds_for_its_purpose_only(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    known(control)
    may_use(control, COMPANY, BANK, use="另一目的")
    assert export(control, COMPANY, BANK, CITY) == (12, "deny")
    may_use(control, COMPANY, BANK, use=TO.purpose)
    assert export(control, COMPANY, BANK, CITY) == (10, "exempt")


def test_a_product_is_of_all_whose_data_it_is_made_from() -> None:
    found = holders(TREE, "heat_readiness")
    assert {"emergency", "civil"} <= set(found)
    assert holders(TREE, BANK) == ("civil",)


@pytest.mark.parametrize(
    ("purpose", "level", "revoked", "is_title"),
    [
        (TO.purpose, "L2", False, True),
        ("另一目的", "L2", False, False),
        (TO.purpose, "L3", False, False),
        (TO.purpose, "L2", True, False),
    ],
)
def test_a_grant_keeps_its_purpose_and_its_ceiling(
    control: Control,
    purpose: str,
    level: str,
    revoked: bool,  # noqa: FBT001
    is_title: bool,  # noqa: FBT001
) -> None:
    before = MONDAY - timedelta(days=1)
    with control.write() as session:
        session.add(Recipient(name="co", created_at=before, created_by="a", body=COMPANY))
        session.flush()
        row = Grant(id="g1", recipient="co", share="s", schema="d", table="heat_readiness__demo")
        row.purpose, row.granted_at, row.granted_by = purpose, before, "a"
        row.grant_leaf_at, row.revoked_at = before, before if revoked else None
        session.add(row)

    class What:
        table = "heat_readiness"

    What.level = level  # type: ignore[attr-defined]
    with control.read() as session:
        found = title(session, TREE, COMPANY, What(), TO.purpose, MONDAY)  # type: ignore[arg-type]
    assert (found is not None) == is_title


@pytest.mark.parametrize(
    ("uscc", "kind"),
    [
        ("11110000000012345H", "state_organ"),
        ("12110000400012345U", "public_institution"),
        (USCC, "processor"),
    ],
)
def test_a_code_says_what_its_holder_is(uscc: str, kind: str) -> None:
    assert kind_of_code(uscc) == kind
    with pytest.raises(UsageError, match="信用代码有误"):
        kind_of_code(uscc[:-1] + ("A" if uscc[-1] != "A" else "B"))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (Registration("hea1th", "甲", USCC), "易与 health 混淆"),
        (Registration("Health", "甲", USCC), "cannot name a body"),
        (Registration("h\u0435alth", "甲", USCC), "cannot name a body"),
        (Registration("x_new", "甲", USCC), f"{COMPANY} is registered"),
        (Registration(COMPANY, "甲", "91110000MA0054321B"), "by its own code"),
        (Registration("x_new", "", USCC), "has no name"),
        (Registration("health", "", USCC), "stands in the contracts"),
    ],
)
def test_nobody_gets_a_second_counter(control: Control, asked: Registration, problem: str) -> None:
    known(control)
    with pytest.raises(UsageError, match=problem):
        parties.register(control, TREE, asked, AUTHORITY, MONDAY)
    with pytest.raises(ForbiddenError):
        parties.register(control, TREE, asked, person("health", "cdo"), MONDAY)


def test_no_bureau_says_that_it_is_a_company() -> None:
    with pytest.raises(ValueError, match="no company"):
        Provider(id="a", name="a", name_en="a", kind="bureau", code="A", legal="processor")


def test_the_register_says_who_runs_critical_infrastructure(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    ready(control)
    asked = Registration(COMPANY, "甲", USCC, is_ciio=True)
    parties.register(control, TREE, asked, AUTHORITY, MONDAY)
    assert export(control, COMPANY, BANK, CITY, is_ciio=False) == (7, "security_assessment")
    assert export(control, OTHER, BANK, CITY, is_ciio=True) == (7, "security_assessment")
    with pytest.raises(UsageError, match="未登记为自贸区企业"):
        export(control, OTHER, BANK, CITY, is_in_ftz=True)


@pytest.mark.parametrize(
    ("article", "facts", "row", "outcome"),
    [
        ("DSL 36, PIPL 41", {"is_for_foreign_authority": True}, 11, "deny"),
        ("DSL 36, PIPL 41", {"is_for_foreign_authority": True, "has_approval": True}, 10, "exempt"),
        ("PIPL 36", {"is_state_organ": True}, 1, "deny"),
        ("PIPL 36", {"is_held_by_organ": True}, 1, "deny"),
        ("PIPL 36", {"is_held_by_organ": True, "has_security_assessment": True}, 10, "exempt"),
        ("choice", {"is_held_by_organ": True, "level": "L4"}, 0, "deny"),
        ("choice", {"has_title": False}, 12, "deny"),
        ("CAC 6", {"is_in_ftz": True}, 13, "undetermined"),
        ("CAC 6", {"is_in_ftz": True, "zone_list": "1"}, 6, "exempt"),
        (
            "CAC 6",
            {"is_in_ftz": True, "zone_list": "1", "zone_route": "security_assessment"},
            14,
            "security_assessment",
        ),
        (
            "CAC 6",
            {"is_in_ftz": True, "zone_list": "1", "zone_route": "contract_or_certification"},
            15,
            "contract_or_certification",
        ),
        ("CAC 5", {"necessity": "emergency"}, 5, "exempt"),
        ("网络数据条例 35(6)", {"necessity": "statutory_duty"}, 5, "exempt"),
        ("CAC 7", {"is_ciio": True}, 7, "security_assessment"),
    ],
)
def test_articles(article: str, facts: dict[str, Any], row: int, outcome: str) -> None:
    made = decide(replace(PERSONS, **facts))
    assert (made.row, made.outcome) == (row, outcome), article


@pytest.mark.parametrize("how", [{"because": ""}, {"because": "急救"}])
def test_a_necessity_needs_its_reason_and_its_columns(
    home: Home, control: Control, how: dict[str, str]
) -> None:
    publish(home, BANK, "T1")
    ready(control)
    with pytest.raises(UsageError, match="必要情形须写明理由"):
        export(control, COMPANY, BANK, CITY, necessity="emergency", **how)


@pytest.mark.parametrize(
    "other",
    [
        scope(table=CASES),
        replace(scope(), destination=replace(TO, recipient="Another Ltd")),
        replace(scope(), destination=replace(TO, country="US")),
        replace(scope(), destination=replace(TO, purpose="营销")),
    ],
)
def test_an_assessment_is_of_one_export(home: Home, control: Control, other: Any) -> None:
    publish(home, BANK, "T1")
    ready(control)
    day = date(2026, 7, 1)
    assessments.record(control, TREE, other, "SA-1", day, AUTHORITY, MONDAY)
    with pytest.raises(UsageError, match="不含此次出境"):
        export(control, COMPANY, BANK, CITY, assessment_id="SA-1")


def test_an_assessment_of_before_holds_once_its_scope_is_recorded(
    home: Home, control: Control
) -> None:
    publish(home, BANK, "T1")
    ready(control)
    day = date(2026, 7, 1)
    with control.write() as session:
        row = assessments.AssessmentRow(id="SA-1", seq=0, kind="result", exporter=COMPANY)
        row.on_date, row.last_day, row.actor, row.at = day, date(2029, 7, 1), "a", MONDAY
        session.add(row)
    owed.settle(control, assessments.AssessmentRow)
    with pytest.raises(UsageError, match="登记时未写明"):
        export(control, COMPANY, BANK, CITY, assessment_id="SA-1")
    assessments.record(control, TREE, scope(), "SA-1", day, AUTHORITY, MONDAY)
    made = decided(control, COMPANY, BANK, CITY, assessment_id="SA-1", is_ciio=True)
    assert (made.decision.outcome, made.facts.has_security_assessment) == (
        "security_assessment",
        True,
    )
    assert findings(home) == []


def test_a_contract_counts_once_filed_and_a_certificate_until_its_end(control: Control) -> None:
    ready(control)
    start, day = date(2026, 3, 2), timedelta(days=1)
    contract = Paper("standard_contract", "C", scope(), start)
    assert not contract.holds_on(start)
    assert replace(contract, filed_on=start).holds_on(start)
    assert not replace(contract, filed_on=date(2026, 3, 16)).is_filed_late
    assert replace(contract, filed_on=date(2026, 3, 17)).is_filed_late
    end = date(2026, 7, 12)
    certificate = Paper("certificate", "Z", scope(), start, last_day=end)
    assert (certificate.holds_on(end), certificate.holds_on(end + day)) == (True, False)
    for wrong in (
        replace(certificate, last_day=None),
        replace(contract, last_day=end),
        replace(contract, filed_on=start - day),
        replace(certificate, filed_on=start),
    ):
        with pytest.raises(UsageError):
            papers.record(control, TREE, wrong, AUTHORITY, MONDAY)
    approval = Paper("approval", "A", scope("civil"), start)
    with pytest.raises(ForbiddenError):
        papers.record(control, TREE, approval, person("civil", "cdo"), MONDAY)


def test_the_contract_route_asks_for_its_papers(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    ready(control)
    lacks = decided(control, COMPANY, CASES, CITY)
    assert (lacks.decision.row, lacks.may_go) == (9, False)
    assert lacks.facts.lacking == (
        "impact_assessment",
        "separate_consent",
        "contract_or_certificate",
    )
    start = date(2026, 3, 2)
    of = scope(table=CASES)
    for paper in (
        Paper("impact_assessment", "P", of, start),
        Paper("separate_consent", "S", of, start),
        Paper("standard_contract", "C", of, start, filed_on=start),
    ):
        papers.record(control, TREE, paper, AUTHORITY, MONDAY)
    whole = decided(control, COMPANY, CASES, CITY)
    assert (whole.may_go, whole.facts.lacking) == (True, ())
    assert decided(control, COMPANY, CASES, CITY, is_for_foreign_authority=True).decision.row == 11
    papers.record(control, TREE, Paper("approval", "A", of, start), AUTHORITY, MONDAY)
    assert decided(control, COMPANY, CASES, CITY, is_for_foreign_authority=True).decision.row == 9
    assert findings(home) == []
    with control.write() as session:
        session.execute(
            text("UPDATE share_export_papers SET number = 'other' WHERE kind = 'approval'")
        )
        session.execute(text("UPDATE share_parties SET legal_kind = 'state_organ'"))
    found = findings(home)
    assert any("number is not what" in one for one in found), found
    assert any("legal_kind is not what" in one for one in found), found


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("a,b\n1,2\n", "不是负面清单"),
        ("industry,scenario,field,threshold,route\nx,x,,0,security_assessment\n", "field"),
        ("industry,scenario,field,threshold,route\nx,x,f,many,security_assessment\n", "threshold"),
        ("industry,scenario,field,threshold,route\nx,x,f,0,exempt\n", "route"),
    ],
)
def test_what_is_no_negative_list_is_refused(lines: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_list(lines.encode(), "1", "公文", date(2024, 8, 30))


@pytest.mark.parametrize("country", ["CN", "sg", "SGP", ""])
def test_abroad_is_a_country_or_region(country: str) -> None:
    with pytest.raises(UsageError, match="no country"):
        Destination("R", country, "P")


def _future(folder: Path) -> Path:
    """Write the rules with a version of 2027 whose thresholds are half."""
    newest = [line for line in FILE.read_text("utf-8").splitlines() if line.startswith("2026-3,")]
    half = [
        line.replace("2026-3,2024-03-22", "2027-1,2027-01-01")
        .replace("1000000,10000", "500000,5000")
        .replace("100000,1,", "50000,1,")
        for line in newest
    ]
    file = folder / "rules.csv"
    file.write_text(FILE.read_text("utf-8") + "\n".join(half) + "\n", "utf-8")
    return file


@pytest.mark.parametrize(
    ("day", "general", "row"),
    [
        (date(2026, 12, 31), 50_000, 10),
        (date(2027, 1, 1), 50_000, 9),
        (date(2026, 12, 31), 500_000, 9),
        (date(2027, 1, 1), 500_000, 8),
    ],
)
def test_a_decision_is_by_the_rules_of_its_day(
    tmp_path: Path, day: date, general: int, row: int
) -> None:
    books = rulebooks(_future(tmp_path))
    assert decide(replace(PERSONS, counters=Counters(general)), rulebook_on(day, books)).row == row
    assert rulebook_of("2026-3", date(2027, 1, 1), books) is None, "the law was another by then"
    assert rulebook_of("2027-1", date(2026, 12, 31), books) is None
    assert rulebook_of("2026-2", date(2026, 12, 31), books) is not None
    with pytest.raises(UsageError, match="No rules"):
        rulebook_on(date(2024, 3, 21))


def test_every_row_has_a_condition_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    for book in rulebooks():
        assert {rule.row for rule in book.rules} <= CONDITIONS.keys()
    file = tmp_path / "rules.csv"
    file.write_text("\n".join(FILE.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    with pytest.raises(UsageError, match="rows 0–10"):
        rulebooks(file)


@pytest.mark.parametrize("version", ["2026-1", "2026-2"])
def test_a_decision_of_an_earlier_version_still_holds(
    home: Home, control: Control, version: str
) -> None:
    """A company's free-trade-zone export, exempt by row 6 as those versions read Art. 6."""
    old = asdict(replace(PERSONS, is_in_ftz=True, counters=Counters(2)))
    kept = {name: old[name] for name in list(old)[: 11 if version == "2026-1" else 12]}
    with control.write() as session:
        row = ExportRow(id="X2026-0001", seq=0, kind="decided", exporter="Health", year=2026)
        row.table, row.version, row.origin = BANK, 0, "real"
        row.facts, row.assessment_id = json.dumps(kept, sort_keys=True), None
        row.rule_row, row.outcome, row.rule_version = 6, "exempt", version
        row.own_general, row.own_sensitive, row.general, row.sensitive = 2, 0, 2, 0
        row.reason, row.actor, row.at = "", "a", datetime(2026, 11, 27, tzinfo=CITY_TZ)
        session.add(row)
    owed.settle(control, ExportRow)
    assert findings(home) == []
    [made] = exports.decisions(control)
    assert (made.decision.rule_version, made.facts.destination) == (version, None)
    with control.read() as session:
        assert "recipient" not in export_leaf(session.scalars(select(ExportRow)).one()).facts
    with control.write() as session:
        session.execute(text("UPDATE share_exports SET rule_version = '2099-1'"))
    assert any("2099-1 were not in force" in one for one in findings(home))
