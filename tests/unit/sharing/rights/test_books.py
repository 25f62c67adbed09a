"""A quarter of a small city's books: in order, apart, whole; and each change to them is named."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from alembic import command
from sqlalchemy import create_engine, select, text, update

from contracts.delivery import Delivery
from jobs.verify.report import Report
from lineage import outbox, stages
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.stages import Made, Occasion
from sharing import migrations
from sharing.attest.kinds import BOOKS
from sharing.control import Control
from sharing.rights import approvals, assets, periods
from sharing.rights.assets import Cost, totals
from sharing.rights.rates import rate
from sharing.rights.runs import measured_runs
from sharing.rights.terms import city_day
from sharing.verify.attested import attested
from sharing.verify.lake import CityLake
from sharing.verify.prove import answers
from sharing.verify.rights import rights
from tests.support.sharing.asking import person
from tests.support.sharing.lakes import TREE
from tests.support.sharing.trading import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Column, Table, Update

    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar
    from sharing.control import AttestedRow

DISEASE: Final = "health__disease_case"
ELDERS: Final = "civil__elder_service"
KEEPERS: Final = {body: person(body, "steward") for body in ("health", "civil")}
HEADS: Final = {body: person(body, "cdo") for body in ("health", "civil")}


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 4, tzinfo=UTC)


def ran(home: Home, contract_id: str, stage: str, ended_at: datetime, seconds: float) -> None:
    """Write the lineage of a landing or a publication that took so long."""
    contract = TREE.contract(contract_id)
    delivery = Delivery(contract, contract_id.partition(".")[0], city_day(ended_at))
    started_at = ended_at - timedelta(seconds=seconds)
    batch = f"b{ended_at.timestamp()}"
    if stage == "land":
        run = stages.land_run(
            delivery,
            Occasion("landed", started_at=started_at, ended_at=ended_at, origin="real"),
            batch_id=batch,
            file_name="a.csv",
            made=Made(3, 5),
        )
    else:
        run = stages.publish_run(
            delivery,
            Occasion(
                "published" if stage == "publish" else "held",
                started_at=started_at,
                ended_at=ended_at,
                origin="real",
            ),
            batch_id=batch,
            results=(),
            made=Made(3, 5) if stage == "publish" else None,
            bronze_version=None,
        )
    outbox.write(home, run)


def measure(control: Control, body: str, at: datetime) -> assets.BookedRuns:
    return assets.book_runs(control, TREE, body, KEEPERS[body], at)


def book(control: Control, cost: Cost, at: datetime, approval: str | None = None) -> str:
    return assets.book(control, TREE, cost, KEEPERS[cost.body], at, approval)


def keep_a_quarter(control: Control) -> None:
    """Keep both bodies' books of April to June; every month is closed on the 3rd of the next."""
    for month in (4, 5, 6):
        for day in (2, 15):
            on = date(2026, month, day)
            ran(control.home, "health.disease_case", "land", noon(on), 3)
            ran(control.home, "health.disease_case", "publish", noon(on) + timedelta(seconds=7), 10)
            ran(control.home, "civil.elder_service", "held", noon(on) + timedelta(seconds=3), 5)
            for body, table in (("health", DISEASE), ("civil", ELDERS)):
                later = noon(on) + timedelta(hours=1)
                book(control, Cost(body, table, "staff", 10 + day, on), later)
                book(control, Cost(body, table, "storage", 200, on), later)
                measure(control, body, later)
        if month == 5:
            (wrong,) = [
                c.id
                for c in assets.costs(control, DISEASE)
                if c.cost.stage == "land" and c.booked_on == date(2026, 5, 15)
            ]
            again = noon(date(2026, 5, 16))
            assets.reverse(control, wrong, "误记", KEEPERS["health"], again)
            assert len(measure(control, "health", again).made) == 1
        for body in ("civil", "health"):
            closing = noon(date(2026, month + 1, 3))
            periods.close_month(control, TREE, body, f"2026-{month:02}", KEEPERS[body], closing)
    late = Cost("health", DISEASE, "fee", 700, date(2026, 4, 20), reason="发票晚到")
    today = noon(date(2026, 7, 13))
    approval = approvals.approve(control, TREE, late, HEADS["health"], today)
    book(control, late, today, approval)


def named(home: Home) -> list[str]:
    report = Report()
    lake = CityLake(home, TREE)
    report.add(answers(rights, lake))
    report.add(answers(attested, lake))
    assert not any(f.is_recovering for f in report.findings)
    return [f"{f.where}: {f.problem.en}" for f in report.broken]


@pytest.fixture
def books(control_url: str, home: Home) -> Iterator[Control]:
    assert control_url
    with Control(home) as control:
        keep_a_quarter(control)
        yield control


def altered(control: Control, *statements: str) -> list[str]:
    """Write to the database as somebody does who has nothing but it; return what verify names."""
    with control.write() as session:
        for statement in statements:
            session.connection().execute(text(statement))
    return named(control.home)


def test_a_quarter_is_whole_and_each_change_to_it_is_named(books: Control) -> None:
    assert named(books.home) == []
    for body, entries in (("civil", 18), ("health", 27)):
        numbers = [c.number for c in assets.costs(books, body=body)]
        assert numbers == list(range(1, entries + 1))
    for body in ("civil", "health"):
        table = [c for c in assets.costs(books) if c.cost.body == body]
        for (whose, _, _), by in totals(table).items():
            assert whose == body
            assert all(fen >= 0 for fen in by.values())
    machine = [c for c in assets.costs(books) if c.cost.kind == "run"]
    # Six days on which something ran for 10 seconds, whatever ran beside it.
    assert sum(c.cost.quantity for c in machine) == 6 * 10_000
    mine = sum(c.cost.quantity for c in machine if c.cost.body == "health")
    assert sum(c.amount_fen for c in machine if c.cost.body == "health") == rate(
        "run", date(2026, 7, 1)
    ).amount(mine)

    last = assets.costs(books, body="health")[-1].id
    first = assets.costs(books, body="civil")[0]
    for change, undo, found in (
        (
            f"UPDATE share_costs SET amount_fen = 1 WHERE id = '{last}'",
            f"UPDATE share_costs SET amount_fen = 700 WHERE id = '{last}'",
            (
                f"share_costs {last}: it is 1 fen; its quantity at its rate is 700",
                f"share_costs {last}: its amount_fen is not what its newest cost leaf says",
            ),
        ),
        (
            f"UPDATE share_costs SET quantity = 900, amount_fen = 900 WHERE id = '{last}'",
            f"UPDATE share_costs SET quantity = 700, amount_fen = 700 WHERE id = '{last}'",
            (
                f"share_costs {last}: A2026-0001 is not of it",
                f"share_costs {last}: its amount_fen, quantity is not what its newest cost leaf",
            ),
        ),
        (
            f"UPDATE share_costs SET dataset = '{DISEASE}' WHERE id = '{first.id}'",
            f"UPDATE share_costs SET dataset = '{ELDERS}' WHERE id = '{first.id}'",
            (
                f"share_costs {first.id}: its dataset is not what",
                "share_closed_months civil 2026-04: its 6 costs are not those",
            ),
        ),
        (
            "UPDATE share_cost_approvals SET actor = 'health.steward'",
            "UPDATE share_cost_approvals SET actor = 'health.cdo'",
            ("share_cost_approvals A2026-0001: its actor", "A2026-0001 is not of it"),
        ),
        (
            "UPDATE share_closed_months SET month = '2026-09' WHERE month = '2026-06'",
            "UPDATE share_closed_months SET month = '2026-06' WHERE month = '2026-09'",
            (
                "share_closed_months civil 2026-09: its 0 costs are not those",
                "evidence closing:health/2026-06: the control database has no such closing",
            ),
        ),
    ):
        problems = altered(books, change)
        for words in found:
            assert any(words in problem for problem in problems), (words, problems)
        assert altered(books, undo) == []
    each_cell_is_named(books)


def another(value: object, column: Column[Any], place: int) -> object:
    """Return what a cell could have said instead; no two rows say the same then."""
    match value:
        case None:
            return place if column.type.python_type is int else f"x{place}"
        case int():
            return value + 1000
        case date():  # a moment too
            return value + timedelta(days=400)
        case str() if column.name == "month":
            return f"2027{value[4:]}"
        case _:
            return f"x{str(value)[1:]}"


def overwritten(
    control: Control, kind: type[AttestedRow], names: Sequence[str]
) -> list[tuple[str, Update]]:
    """Alter columns of every row of a table, past us; return each row's key and what undoes it."""
    table = cast("Table", kind.__table__)
    keys, undo = list(table.primary_key.columns), []
    with control.write() as session:
        connection = session.connection()
        for place, row in enumerate(connection.execute(select(table)).mappings().all()):
            new = {name: another(row[name], table.columns[name], place) for name in names}
            own = [key == row[key.name] for key in keys]
            changed = [key == new.get(key.name, row[key.name]) for key in keys]
            connection.execute(update(table).where(*own).values(new))
            undone = update(table).where(*changed).values({name: row[name] for name in names})
            undo.append(("/".join(str(row[key.name]) for key in keys), undone))
    return undo


def each_cell_is_named(control: Control) -> None:
    """Alter every column of every row: none is free, each is signed with its row or names it."""
    for kind in BOOKS:
        whole = cast("Table", kind.__table__)
        table, key = whole.name, [column.name for column in whole.primary_key.columns]
        assert {*key, *kind.attested} == set(whole.columns.keys())
        for names in (kind.attested, *([name] for name in key)):
            undo = overwritten(control, kind, names)
            assert undo, f"{table} has rows"
            problems = named(control.home)
            for row, _ in undo:
                if names == kind.attested:
                    says = (f"{n}_sha256" if n in kind.digested else n for n in sorted(names))
                    end = f"is not what its newest {kind.leaf_type} leaf says"
                    wanted = f"control.db {table} {row}: its {', '.join(says)} {end}"
                else:
                    gone = f"the control database has no such {kind.leaf_type} any more"
                    wanted = f"evidence {kind.leaf_type}:{row}: {gone}"
                assert wanted in problems
            with control.write() as session:
                for _, undone in undo:
                    session.connection().execute(undone)
    assert named(control.home) == []


def test_what_is_put_in_or_cut_is_named(books: Control) -> None:
    cut = [c.id for c in assets.costs(books, body="health")][-2:]
    problems = altered(
        books, *(f"DELETE FROM share_costs WHERE id = '{cost_id}'" for cost_id in cut)
    )
    assert sum("has no such cost any more" in problem for problem in problems) == 2
    columns = "id, body, number, dataset, kind, quantity, unit, rate_version, amount_fen"
    values = f"'B2026-9000', 'civil', 20, '{ELDERS}', 'fee', 5, 'fen', '2026-1', 5"
    problems = altered(
        books,
        f"INSERT INTO share_costs ({columns}, incurred_on, booked_on, reason, actor, at) VALUES"
        f" ({values}, '2026-07-13', '2026-07-13', '', 'x', '2026-07-13 04:00:00')",
    )
    assert "control.db share_costs B2026-9000: its cost is not in the evidence log" in problems
    assert any("its number is 20; the books of civil go on with 19" in p for p in problems)
    book(books, Cost("health", DISEASE, "fee", 1, date(2026, 7, 13)), noon(date(2026, 7, 13)))
    assert any("B2026-9000: its cost is not in" in p for p in named(books.home)), "never signed"


def test_runs_share_the_clock_and_what_is_reversed_is_booked_again(
    home: Home, control: Control
) -> None:
    at = noon(date(2026, 7, 13))
    ran(home, "health.disease_case", "land", at, 4)
    ran(home, "civil.elder_service", "land", at + timedelta(seconds=2), 4)
    ran(home, "health.disease_case", "held", at + timedelta(hours=1), 0.1)
    ran(home, "health.disease_case", "publish", at + timedelta(hours=1, seconds=3), 3.2)
    later = at + timedelta(hours=2)
    assert len(measure(control, "health", later).made) == 3
    assert measure(control, "health", later).made == ()
    assert len(measure(control, "civil", later).made) == 1
    found = [(c.cost.body, c.cost.stage, c.cost.version, c.cost.quantity) for c in _costs(control)]
    assert found == [
        ("civil", "land", None, 3000),
        ("health", "land", None, 3000),
        ("health", "publish", None, 50),
        ("health", "publish", 3, 3150),
    ]
    # 0.67, 0.01 and 0.70 分: none is lost.
    assert [c.amount_fen for c in _costs(control)[1:]] == [1, 0, 0]
    (landed,) = [c for c in _costs(control) if c.cost.body == "civil"]
    assets.reverse(control, landed.id, "误记", KEEPERS["civil"], later)
    (again,) = measure(control, "civil", later).made
    assert [c.cost.quantity for c in _costs(control) if c.cost.body == "civil"] == [
        3000,
        -3000,
        3000,
    ]
    assert assets.costs(control, body="civil")[-1].id == again
    # What ended before another round was measured leaves its part as it is.
    ran(home, "civil.elder_service", "publish", at + timedelta(hours=3), 3 * 3600)
    much_later = at + timedelta(hours=4)
    measure(control, "civil", much_later)
    whole = sum(c.cost.quantity for c in _costs(control))
    assert whole == 3 * 3600 * 1000 + 4000, "the clock, once"
    assert named(home) == []


def test_a_run_before_the_open_period_waits_for_an_approval(home: Home, control: Control) -> None:
    june = noon(date(2026, 6, 30))
    book(control, Cost("health", DISEASE, "fee", 1, date(2026, 6, 30)), june)
    ran(home, "health.disease_case", "land", noon(date(2023, 12, 31)), 60)
    ran(home, "health.disease_case", "land", june, 60)
    july = noon(date(2026, 7, 13))
    periods.close_month(control, TREE, "health", "2026-06", KEEPERS["health"], july)
    assert measure(control, "health", july) == assets.BookedRuns((), 1)
    head = HEADS["health"]
    assert len(approvals.approve_runs(control, TREE, "health", "补计", head, july)) == 1
    assert approvals.approve_runs(control, TREE, "health", "补计", head, july) == []
    assert assets.book_runs(control, TREE, "health", head, july).waiting == 1, "its own approval"
    (made,) = measure(control, "health", july).made
    late = assets.costs(control)[-1]
    assert (late.id, late.cost.incurred_on) == (made, date(2026, 6, 30))
    assert (late.booked_on, late.approval) == (date(2026, 7, 13), "A2026-0001")
    assert named(home) == []


def _costs(control: Control) -> Sequence[assets.Booked]:
    return assets.costs(control)


COSTS_BEFORE: Final = (
    ("B2026-0001", "health", DISEASE, 30_000, "2026-06-02"),
    ("B2026-0002", "civil", ELDERS, 30_000, "2026-06-03"),
    ("B2026-0003", "health", DISEASE, 30_000, "2026-07-02"),
)


def test_books_of_the_version_before_are_taken_over_once(control_url: str, home: Home) -> None:
    engine = create_engine(control_url)
    home.root.mkdir(exist_ok=True)
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0011")
        for cost_id, body, table, fen, day in COSTS_BEFORE:
            connection.execute(
                text(
                    "INSERT INTO share_costs (id, body, dataset, kind, quantity, unit,"
                    " rate_version, amount_fen, incurred_on, booked_on, reason, actor, at) VALUES"
                    f" ('{cost_id}', '{body}', '{table}', 'staff', 90, 'minute', '2026-1', {fen},"
                    f" '{day}', '{day}', '', 'x', '2026-07-10 04:00:00')"
                )
            )
        # As the version before wrote it: SHA-256 of the one row of that month.
        values = ["B2026-0002", "civil", ELDERS, "None", "staff", "90", "minute", "2026-1", "30000"]
        values += ["2026-06-03", "2026-06-03", "None", "None", "", "x", "2026-07-10 04:00:00+00:00"]
        digest = _sha256_of_line(values)
        connection.execute(
            text(
                "INSERT INTO share_closed_months (body, month, costs, amount_fen, costs_sha256,"
                f" actor, at, leaf_at) VALUES ('civil', '2026-06', 1, 30000, '{digest}', 'x',"
                " '2026-07-10 05:00:00', '2026-07-10 05:00:00')"
            )
        )
    facts: dict[str, JsonScalar] = {
        "body": "civil",
        "month": "2026-06",
        "costs": 1,
        "amount_fen": 30000,
    }
    facts |= {"costs_sha256": digest, "actor": "x"}
    EvidenceLog(home).append([Leaf("asset", "civil/2026-06", facts, "2026-07-10T05:00:00Z")])
    # Rights of the version before were attested: the key is there already.
    home.keys.mkdir(mode=0o700, exist_ok=True)
    (home.keys / "control.key").write_bytes(b"k" * 32)
    (home.keys / "control.key").chmod(0o600)
    with Control(home) as control:
        assert named(home) == []
        numbers = [(c.id, c.number) for c in assets.costs(control, body="health")]
        assert numbers == [("B2026-0001", 1), ("B2026-0003", 2)]
        adoption = EvidenceLog(home).find("adoption:control.db/books")
        assert adoption is not None
        assert adoption.leaf.facts["rows"] == 4
        july = noon(date(2026, 7, 13))
        book(control, Cost("health", DISEASE, "fee", 5, date(2026, 7, 1)), july)
        assert named(home) == []
        problems = altered(
            control,
            "UPDATE share_costs SET amount_fen = 1 WHERE id = 'B2026-0003'",
            "UPDATE share_closed_months SET costs = 2",
        )
    assert any("B2026-0003: its amount_fen is not what" in p for p in problems)
    assert any("civil/2026-06: it is not what asset:civil/2026-06 says" in p for p in problems)
    # Set back to the version before, with a row put in: it is not taken over again.
    with engine.begin() as connection:
        for statement in set_back(connection, "0011"):
            connection.execute(text(statement))
        connection.execute(
            text(
                "INSERT INTO share_costs (id, body, dataset, kind, quantity, unit, rate_version,"
                " amount_fen, incurred_on, booked_on, reason, actor, at) VALUES ('B2026-0009',"
                f" 'health', '{DISEASE}', 'fee', 9, 'fen', '2026-1', 9, '2026-07-01',"
                " '2026-07-01', '', 'x', '2026-07-10 04:00:00')"
            )
        )
    with Control(home):
        assert any("B2026-0009: its cost is not in the evidence log" in p for p in named(home))
    engine.dispose()


def _sha256_of_line(values: Sequence[str]) -> str:
    return hashlib.sha256(f"{json.dumps(values, ensure_ascii=False)}\n".encode()).hexdigest()


def test_every_stage_is_measured(home: Home) -> None:
    at = noon(date(2026, 7, 13))
    for stage in ("land", "publish", "held"):
        ran(home, "health.disease_case", stage, at, 1)
        at += timedelta(seconds=9)
    assert sorted(run.stage for run in measured_runs(home)) == ["land", "publish", "publish"]
