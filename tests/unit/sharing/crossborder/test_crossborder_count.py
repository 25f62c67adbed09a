"""Persons counted in real published tables: sealed, in parts, over exports, tables and years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from contracts.errors import UsageError
from jobs.seal.keys import FileKeys, keys_of
from lineage.evidence.log import EvidenceLog
from sharing.control import Base, Control
from sharing.crossborder import assessments, exports, papers, records
from sharing.crossborder.assessments import city_date
from sharing.crossborder.count import NotCountedError, exported, persons
from sharing.crossborder.decide import Counters
from sharing.crossborder.exports import Circumstances, Export
from sharing.crossborder.papers import Paper
from sharing.crossborder.records import ExportedPersonRow, ExportRow
from sharing.crossborder.rules import rulebooks
from sharing.crossborder.zone import add_list, parse_list
from sharing.people import ForbiddenError
from tests.support.sharing.abroad import AUTHORITY, CITY, COMPANY, TO, ready, scope
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import BANK, CASES, CLAIMS, KEYS, TREE, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.crossborder.exports import Decided

_LIST: Final = b"industry,scenario,field,threshold,route\nx,x,no such field,0,security_assessment\n"


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    """A control database in which two companies may use every table."""
    with Control(home) as opened:
        ready(opened)
        yield opened


def decide(
    control: Control,
    table: str,
    at: datetime = MONDAY,
    exporter: str = COMPANY,
    circumstances: Circumstances | None = None,
    tree: Tree = CITY,
) -> Decided:
    how = circumstances or Circumstances()
    columns = (KEYS[table],) if how.necessity else ()
    export = Export(exporter, table, TO, columns, how)
    return exports.decide_export(control, tree, export, AUTHORITY, at)


def counted(made: Decided) -> tuple[int, str, int, int]:
    found = made.decision
    return found.row, found.outcome, found.counters.general, found.counters.sensitive


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (CASES, "person_id"),
        ("civil__elder_service", "elder_id"),
        ("disabled__certificate", "person_id"),
        ("edu__student", "pupil_token"),
        ("health__health_record", "pid_token"),
        (BANK, "account_token"),
        ("justice__legal_aid", None),
    ],
)
def test_which_column_tells_persons_apart(home: Home, table: str, column: str | None) -> None:
    write_deltalake(home.table("silver", table), pa.table({"x": ["1"]}))
    found = exported(home, TREE, table).person
    assert (found.name if found else None) == column


def test_sealed_numbers_are_counted_once_in_every_file_and_key_version(home: Home) -> None:
    publish(home, CASES, "11010519491231002X", "11010519491231002X", "440524188001010014")
    keys = keys_of(home)
    assert isinstance(keys, FileKeys)
    keys.rotate("bureau/health")
    publish(home, CASES, "11010519491231002x ", "440524188001010014")
    found = persons(home, exported(home, TREE, CASES), 2026)
    assert len(found) == 2
    assert {len(token) for token in found} == {32}


def test_the_same_person_is_the_same_in_two_bureaus_tables(home: Home) -> None:
    publish(home, CASES, "11010519491231002X")
    publish(home, CLAIMS, "11010519491231002X")
    tokens = [persons(home, exported(home, TREE, table), 2026) for table in (CASES, CLAIMS)]
    assert tokens[0] == tokens[1]


def test_equal_texts_of_two_numberings_are_two_persons(home: Home) -> None:
    publish(home, CASES, "A1")
    publish(home, BANK, "A1")
    tokens = [persons(home, exported(home, TREE, table), 2026) for table in (CASES, BANK)]
    assert not tokens[0] & tokens[1]


def test_tokens_are_of_one_year_and_outlive_a_rotated_key(home: Home) -> None:
    publish(home, CASES, "11010519491231002X")
    what = exported(home, TREE, CASES)
    this_year, next_year = persons(home, what, 2026), persons(home, what, 2027)
    assert not this_year & next_year
    keys = keys_of(home)
    assert isinstance(keys, FileKeys)
    keys.rotate("purpose/crossborder-2026")
    assert persons(home, what, 2026) == this_year


def test_a_row_that_names_nobody_counts_as_somebody(home: Home) -> None:
    publish(home, BANK, "T1", "T1", None, None)
    assert len(persons(home, exported(home, TREE, BANK), 2026)) == 3


def test_an_older_version_is_counted_as_it_was(home: Home) -> None:
    publish(home, BANK, "T1")
    before = exported(home, TREE, BANK)
    publish(home, BANK, "T2")
    assert [len(persons(home, x, 2026)) for x in (before, exported(home, TREE, BANK))] == [1, 2]


def test_persons_add_up_over_exports_and_count_once(home: Home, control: Control) -> None:
    publish(home, BANK, "T1", "T2")
    assert counted(decide(control, BANK)) == (10, "exempt", 2, 0)
    publish(home, BANK, "T3")
    again = decide(control, BANK, MONDAY + timedelta(days=1))
    assert counted(again) == (10, "exempt", 3, 0)
    assert again.own == Counters(3, 0)
    publish(home, CASES, "11010519491231002X")
    assert counted(decide(control, CASES)) == (9, "contract_or_certification", 3, 1)
    assert counted(decide(control, BANK)) == (9, "contract_or_certification", 3, 1)
    assert counted(decide(control, BANK, exporter="x_other")) == (10, "exempt", 3, 0)


def test_row_10_is_left_at_the_hundred_thousandth_person(home: Home, control: Control) -> None:
    publish(home, BANK, *(f"T{n}" for n in range(99_999)))
    assert counted(decide(control, BANK)) == (10, "exempt", 99_999, 0)
    publish(home, CASES, "11010519491231002X")
    sensitive = decide(control, CASES)
    assert counted(sensitive) == (9, "contract_or_certification", 99_999, 1)
    exports.give_up(control, sensitive.id, "未实施", AUTHORITY, MONDAY)
    publish(home, BANK, "T99998", "T99999")
    assert counted(decide(control, BANK)) == (9, "contract_or_certification", 100_000, 0)


def test_one_sensitive_person_leaves_row_10(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    assert counted(decide(control, CASES)) == (9, "contract_or_certification", 0, 1)


def test_ten_thousand_sensitive_persons_are_assessed(home: Home, control: Control) -> None:
    publish(home, CASES, *(f"N{n}" for n in range(9_999)))
    assert counted(decide(control, CASES))[0] == 9
    publish(home, CASES, "N9999")
    assert counted(decide(control, CASES)) == (8, "security_assessment", 0, 10_000)


@pytest.mark.parametrize(
    ("circumstances", "row"),
    [
        (Circumstances(is_foreign_collected_only=True), 4),
        (Circumstances(necessity="contract_with_person", because="订票"), 5),
        (Circumstances(necessity="statutory_duty", because="反洗钱法 第二十条"), 5),
        (Circumstances(is_in_ftz=True), 6),
    ],
)
def test_exempt_persons_do_not_count(
    home: Home, control: Control, circumstances: Circumstances, row: int
) -> None:
    publish(home, CASES, "11010519491231002X")
    publish(home, BANK, "T1")
    listed = parse_list(_LIST, "2024", "公文", date(2024, 8, 30))
    add_list(control, _LIST, listed, AUTHORITY, MONDAY)
    outside = Paper("outside_zone_list", "对照 1", scope(table=CASES), date(2024, 9, 1))
    papers.record(control, CITY, outside, AUTHORITY, MONDAY)
    exempt = decide(control, CASES, circumstances=circumstances)
    assert counted(exempt)[:2] == (row, "exempt")
    assert counted(decide(control, BANK)) == (10, "exempt", 1, 0)


def test_who_was_not_exempt_before_still_counts(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    decide(control, CASES)
    decide(control, CASES, circumstances=Circumstances(necessity="emergency", because="急救"))
    assert exports.counters(control, COMPANY, 2026) == Counters(0, 1)


def test_counters_begin_anew_on_1_january_in_beijing(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    publish(home, BANK, "T1")
    last = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    assert counted(decide(control, CASES, last)) == (9, "contract_or_certification", 0, 1)
    assert counted(decide(control, BANK, last + timedelta(minutes=1))) == (10, "exempt", 1, 0)
    assert exports.counters(control, COMPANY, 2026) == Counters(0, 1)


def test_a_bureau_keeps_its_persons_at_home(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    publish(home, CASES, "11010519491231002X")
    assert counted(decide(control, BANK, exporter="civil", tree=TREE))[:2] == (1, "deny")
    assert counted(decide(control, CASES, exporter="health", tree=TREE))[:2] == (0, "deny")
    what, today = scope("civil"), city_date(MONDAY)
    assessments.record(control, TREE, what, "SA-2026-7", today, AUTHORITY, MONDAY)
    assessed = Circumstances(assessment_id="SA-2026-7")
    made = decide(control, BANK, exporter="civil", circumstances=assessed, tree=TREE)
    assert counted(made)[0] == 10
    assert exports.counters(control, "health", 2026) == Counters()


def test_what_is_about_nobody_is_exempt(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    decide(control, CASES)
    write_deltalake(home.table("silver", "commerce__chain_stock"), pa.table({"x": ["1"]}))
    assert counted(decide(control, "commerce__chain_stock")) == (3, "exempt", 0, 0)


def test_an_export_that_was_not_carried_out_counts_nobody(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X", "440524188001010014")
    first, second = decide(control, CASES), decide(control, CASES)
    exports.give_up(control, second.id, "未实施", AUTHORITY, MONDAY)
    assert exports.counters(control, COMPANY, 2026) == Counters(0, 2), "the first still stands"
    exports.give_up(control, first.id, "未实施", AUTHORITY, MONDAY)
    assert exports.counters(control, COMPANY, 2026) == Counters()
    assert [d.is_carried_out for d in exports.decisions(control)] == [False, False]
    with pytest.raises(UsageError, match="given up already"):
        exports.give_up(control, first.id, "再次", AUTHORITY, MONDAY)
    with pytest.raises(UsageError, match="is not known"):
        exports.give_up(control, "X1999-0001", "…", AUTHORITY, MONDAY)


def test_every_decision_keeps_its_rules_counters_and_leaf(home: Home, control: Control) -> None:
    publish(home, CASES, "11010519491231002X")
    made = decide(control, CASES)
    with control.read() as session:
        row = session.scalars(select(ExportRow)).one()
    assert (row.rule_version, row.sensitive, row.own_sensitive) == (rulebooks()[-1].version, 1, 1)
    logged = EvidenceLog(home).find(f"crossborder:{made.id}#0")
    assert logged is not None
    assert logged.leaf == records.export_leaf(row)
    assert row.origin == "unknown", "nothing says what this table is made from"


def test_no_number_is_written_anywhere(home: Home, tmp_path: Path) -> None:
    number = "11010519491231002X"
    publish(home, CASES, number)
    with Control(home) as control:
        ready(control)
        decide(control, CASES)
        with control.read() as session:
            tokens = session.scalars(select(ExportedPersonRow.token)).all()
    assert [len(t) for t in tokens] == [32]
    written = [f for f in tmp_path.rglob("*") if f.is_file() and number.encode() in f.read_bytes()]
    assert written == []


def test_what_cannot_be_counted_or_named_is_refused(home: Home, control: Control) -> None:
    with pytest.raises(UsageError, match="no table 'nowhere'"):
        decide(control, "nowhere")
    with pytest.raises(NotCountedError, match="is not published"):
        decide(control, CASES)
    publish(home, CASES, "11010519491231002X")
    with pytest.raises(UsageError, match="no column 'nothing'"):
        exported(home, TREE, CASES, ("nothing",))
    stranger = person("civil", "cdo")
    with pytest.raises(ForbiddenError):
        exports.decide_export(control, TREE, Export("health", CASES, TO), stranger, MONDAY)


@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 9))), max_size=8))
def test_counters_are_unions_whatever_the_order(made: list[tuple[bool, set[int]]]) -> None:
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/c.db")
        Base.metadata.create_all(engine, tables=[ExportedPersonRow.__table__])  # type: ignore[list-item]
        with Session(engine) as session:
            for i, (is_sensitive, numbers) in enumerate(made):
                tokens = frozenset(bytes([n]) for n in numbers)
                records.keep(session, f"X{i}", COMPANY, 2026, tokens, is_sensitive=is_sensitive)
            found = records.counted_persons_of(session, COMPANY, 2026)
        engine.dispose()
    unions = [
        len(set().union(*(n for is_sensitive, n in made if is_sensitive == kind)))
        for kind in (False, True)
    ]
    assert found == Counters(*unions)
