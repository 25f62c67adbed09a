"""Rights, trades, costs and exports: each by its leaf, or verify says what was changed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from contracts.layout import Home
from jobs.verify.report import Report
from lineage.evidence.log import EvidenceLog
from sharing.control import Control
from sharing.crossborder.exports import Export, decide_export
from sharing.rights import assets, listing, periods, register, trades
from sharing.rights.terms import Asked, Terms, city_day
from sharing.verify.attested import attested
from sharing.verify.lake import CityLake
from sharing.verify.rights import rights
from tests.support.sharing.abroad import CITY, COMPANY, TO, known, may_use
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import BANK, INPUTS, TREE, HeatLake, publish
from tests.support.sharing.trading import (
    AUTHORITY,
    CHEAP,
    COST,
    LISTER,
    ORDER,
    STEWARD,
    THIRDS,
    give_rights,
)

if TYPE_CHECKING:
    from pathlib import Path

#: The last day of the month before.
JUNE = MONDAY - timedelta(days=13)


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(rights(CityLake(home, TREE)))
    report.add(attested(CityLake(home, TREE)))
    return [f"[{f.invariant}] {f.where}: {f.problem.en}" for f in report.broken]


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with rights, a listing, a trade and its refund, a closed month and an export."""
    home = Home(tmp_path_factory.mktemp("traded") / "home")
    HeatLake(home).make()
    with Control(home) as control:
        trade_one_of_each(control)
    return home


@pytest.fixture
def traded(one_of_each: Home, tmp_path: Path) -> HeatLake:
    """A copy of that home, to be spoilt."""
    shutil.copytree(one_of_each.root, tmp_path / "copy")
    return HeatLake(Home(tmp_path / "copy"))


def trade_one_of_each(control: Control) -> None:
    give_rights(control)
    listing.list_product(control, TREE, CHEAP, LISTER, MONDAY)
    trades.add_rule(control, THIRDS, AUTHORITY, MONDAY)
    trades.trade(control, TREE, ORDER, AUTHORITY, MONDAY)
    trades.refund(control, ORDER.order_id, "重复", AUTHORITY, MONDAY)
    assets.book(control, TREE, replace(COST, incurred_on=date(2026, 6, 30)), STEWARD, JUNE)
    periods.close_month(control, TREE, "health", "2026-06", STEWARD, MONDAY)
    publish(control.home, BANK, "T1", "T2")
    known(control)
    may_use(control, COMPANY, BANK)
    decide_export(control, CITY, Export(COMPANY, BANK, TO), AUTHORITY, MONDAY)


def test_all_of_it_is_proved(traded: HeatLake) -> None:
    assert findings(traded.home) == []


def test_both_databases_keep_it_alike(control_url: str, home: Home) -> None:
    HeatLake(home).make()
    with Control(home) as control:
        trade_one_of_each(control)
    assert findings(home) == []


def test_no_database_is_no_right(home: Home) -> None:
    assert findings(home) == []
    assert not home.control_db.exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE share_rights SET scope = '[\"x\"]' WHERE seq = 0", "its scope is not what"),
        ("UPDATE share_rights SET legal_basis = '另'", "legal_basis_sha256 is not what"),
        ("DELETE FROM share_rights WHERE id = 'Q2026-0001'", "has no such rights any more"),
        ("UPDATE share_listings SET commercial_fen = 1", "commercial_fen is not what"),
        ("UPDATE share_listings SET bundle = replace(bundle, '37', '38')", "bundle_sha256 is not"),
        ("UPDATE share_split_rules SET actor = 'li'", "its actor is not what"),
        ("UPDATE share_trades SET amount_fen = 1 WHERE refund_of IS NULL", "its amount 1"),
        (
            "UPDATE share_trades SET amount_fen = 1 WHERE refund_of IS NULL",
            "it gives back 10000 fen of 1",
        ),
        ("UPDATE share_settlements SET amount_fen = 1 WHERE party = 'civil'", "are not the parts"),
        ("DELETE FROM share_settlements", "are not the parts"),
        ("UPDATE share_costs SET amount_fen = 1", "1 costs are not those it was closed with"),
        ("DELETE FROM share_costs", "0 costs are not those it was closed with"),
        ("UPDATE share_exports SET general = 1", "general is not what"),
        ("UPDATE share_exports SET rule_row = 9", "row 10 (exempt) follows from its facts"),
        ("DELETE FROM share_exports", "has no such crossborder any more"),
        ("DELETE FROM share_exports", "it is of no export"),
        ("DELETE FROM share_export_persons", "0 persons are kept, 2 count"),
    ],
)
def test_verify_names_what_was_changed(traded: HeatLake, change: str, found: str) -> None:
    with Control(traded.home) as control, control.write() as session:
        session.execute(text(change))
    assert any(found in said for said in findings(traded.home)), findings(traded.home)


def test_parts_that_no_rule_makes_are_found(traded: HeatLake) -> None:
    with Control(traded.home) as control, control.write() as session:
        for party, fen in (("civil", 3335), ("health", 3332)):
            session.execute(
                text(
                    f"UPDATE share_settlements SET amount_fen = {fen} WHERE party = '{party}'"
                    " AND amount_fen > 0"
                )
            )
        session.execute(
            text(
                "UPDATE share_trades SET parts ="
                ' \'{"civil": 3335, "emergency": 3333, "health": 3332}\' WHERE refund_of IS NULL'
            )
        )
    assert any("not what thirds makes of them" in said for said in findings(traded.home))


def test_a_listing_whose_data_turns_out_simulated_breaks_invariant_8(traded: HeatLake) -> None:
    traded.origins = {"batch old": "simulated"}
    traded.state(INPUTS[0], "old", "withdrawn")
    (said,) = findings(traded.home)
    assert said.startswith("[8] control.db share_listings L2026-0001")


def test_a_row_that_owes_its_leaf_is_recovering(
    home: Home, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(EvidenceLog, "append", crash)
    terms = Terms("协议", frozenset("*"), city_day(MONDAY))
    asked = Asked("health__disease_case", "process", "x_data_co", "health", terms)
    with pytest.raises(OSError, match="no space"):
        register.grant(control, TREE, asked, person("health", "cdo"), MONDAY)
    report = Report()
    report.add(rights(CityLake(home, TREE)))
    assert report.is_whole
    assert [f.is_recovering for f in report.findings] == [True]
