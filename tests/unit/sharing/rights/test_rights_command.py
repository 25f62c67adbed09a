"""``./jingshu share rights``, as people call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from contracts.layout import ROOT
from contracts.moment import utc_now
from sharing.rights.terms import city_day
from tests.support.sharing.lakes import INPUTS, HeatLake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home

    Run = Callable[..., tuple[int, str]]

TABLE = "health__disease_case"


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["share", "rights", *arguments])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call


def granted(run: Run, right: str, *options: str) -> str:
    code, said = run("grant", TABLE, right, "x_data_co", "--legal-basis", "协议", *options)
    assert code == 0, said
    return said.split("Registered: ")[1].split()[0]


def test_a_right_is_granted_proved_changed_corrected_and_revoked(run: Run) -> None:
    process = granted(run, "process", "--scope", "公益", "--scope", "商业")
    granted(run, "operate", "--scope", "公益")
    code, said = run("check", "x_data_co", TABLE, "operate", "--use", "公益", "--json")
    assert code == 0, said
    assert [link["holder"] for link in json.loads(said)["chain"]] == ["health", "x_data_co"]
    assert "rights:" in run("check", "x_data_co", TABLE, "process", "--use", "公益")[1]
    assert run("change", process, "--scope", "公益", "--reason", "调整")[0] == 0
    assert run("correct", process, "--legal-basis", "新协议", "--reason", "笔误")[0] == 0
    assert run("check", "x_data_co", TABLE, "process", "--use", "商业")[0] != 0
    assert run("revoke", process, "--reason", "终止")[0] == 0
    code, said = run("check", "x_data_co", TABLE, "operate", "--use", "公益")
    assert code != 0
    assert "has no right to operate" in said
    shown = json.loads(run("list", "--json")[1])["rights"]
    assert [(r["right"], r["in_force"]) for r in shown] == [("process", False), ("operate", False)]
    assert [e["kind"] for e in shown[0]["entries"]] == ["first", "change", "correct", "cancel"]
    assert "无效 not in force" in run("list", "--dataset", TABLE)[1]
    assert run("list", "--dataset", "heat_readiness")[1].startswith("没有授予的权利")


def test_what_cannot_be_granted_exits_with_words(run: Run) -> None:
    code, said = run("grant", "nowhere", "process", "x_data_co", "--legal-basis", "协议")
    assert code != 0
    assert "There is no table 'nowhere'" in said
    code, said = run("grant", TABLE, "operate", "x_data_co", "--legal-basis", "协议")
    assert code != 0
    assert "may not process" in said


@pytest.fixture
def listed(run: Run, home: Home) -> str:
    """A listing of heat readiness at 10,000 分, made on the command line."""
    HeatLake(home).make()
    for feed in INPUTS:
        for right in ("process", "operate"):
            if feed.provider != "emergency":
                options = ("--legal-basis", "协议")
                assert run("grant", feed.table, right, "emergency", *options)[0] == 0
    price = ("--price-version", "1", "--cost-fen", "9500", "--profit", "1/19", "--cap-fen", "20000")
    code, said = run("listing", "make", "emergency.heat_readiness", "demo", *price)
    assert code == 0, said
    return said.split("Listed: ")[1].split(".")[0]


def test_a_listing_is_made_shown_sold_and_withdrawn(run: Run, listed: str, tmp_path: Path) -> None:
    out = tmp_path / "package.json"
    assert run("listing", "show", listed, "--out", str(out))[0] == 0
    assert json.loads(out.read_text("utf-8"))["listing"] == listed
    assert json.loads(run("listing", "show", listed)[1])["lister"] == "emergency"
    assert run("trade", "rule", "v1", "civil=1/3", "health=1/3", "emergency=1/3:500")[0] == 0
    order = ("trade", "order", "PO-1", listed, "--buyer", "x_data_co", "--use", "commercial")
    code, said = run(*order, "--rule", "v1", "--json")
    assert code == 0, said
    assert json.loads(said)["parts"] == {"civil": 3334, "emergency": 3333, "health": 3333}
    assert "refund of" in run("trade", "refund", "PO-1", "--reason", "误")[1]
    document = json.loads(run("trade", "list", "--json")[1])
    assert [t["amount_fen"] for t in document["trades"]] == [10_000, -10_000]
    assert set(document["balances"].values()) == {0}
    assert "PO-1" in run("trade", "list")[1]
    assert run("listing", "withdraw", listed, "--reason", "下架")[0] == 0
    shown = json.loads(run("listing", "list", "--json")[1])["listings"]
    assert [(one["id"], one["is_open"]) for one in shown] == [(listed, False)]
    assert "已下架 withdrawn" in run("listing", "list")[1]


def test_simulated_data_exits_with_words(run: Run, home: Home) -> None:
    HeatLake(home, {"batch health-1": "simulated"}).make()
    price = ("--price-version", "1", "--cost-fen", "1", "--cap-fen", "2")
    code, said = run("listing", "make", "emergency.heat_readiness", "demo", *price)
    assert code != 0
    assert "simulated data is never listed" in said
    assert run("listing", "list")[1].startswith("没有上架的产品")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trade", "rule", "v1", "civil=1/2"), "are 1/2 together"),
        (("trade", "rule", "v1", "civil"), "is no share"),
        (("listing", "show", "L1"), "no listing 'L1'"),
        (("listing", "withdraw", "L1", "--reason", "x"), "no listing 'L1'"),
        (("asset", "reverse", "B1", "--reason", "x"), "no cost 'B1'"),
        (
            (
                *("asset", "book", "health", TABLE, "--kind", "fee", "--quantity", "5"),
                *("--incurred", "2023-12-31"),
            ),
            "was expensed",
        ),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_cannot_be_done_exits_with_words(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, said = run(*arguments)
    assert code != 0
    assert words in said


def test_costs_are_booked_reversed_and_summed(run: Run) -> None:
    today = f"{city_day(utc_now())}"
    staff = ("asset", "book", "health", TABLE, "--kind", "staff", "--quantity", "90")
    code, said = run(*staff, "--incurred", today)
    assert code == 0, said
    cost_id = said.split("Booked: ")[1].strip(".\n")
    late = run(*staff, "--incurred", "2026-06-01")
    assert late[0] != 0
    assert "another person" in late[1]
    assert "no right in" in run(*staff[:2], "nowhere", *staff[3:], "--incurred", today)[1]
    assert "no month that is over" in run("asset", "close", "health", today[:7])[1]
    assert run("asset", "measure", "health") == (0, "已记账 0 次运行。 Booked 0 runs.\n")
    assert f"health  {TABLE}  30000 分 fen = staff 30000" in run("asset", "list")[1]
    assert run("asset", "reverse", cost_id, "--reason", "误记")[0] == 0
    document = json.loads(run("asset", "list", "--json")[1])
    of = {"body": "health", "dataset": TABLE, "version": None}
    assert document["totals"] == [{**of, "fen": {"staff": 0}}]
    assert [c["amount_fen"] for c in document["costs"]] == [30_000, -30_000]
    assert [c["number"] for c in document["costs"]] == [1, 2]
    assert run("asset", "list", "--body", "civil")[1].startswith("没有记账")


def test_a_late_cost_is_approved_by_one_account_and_booked_by_another(run: Run) -> None:
    for name, role in (("wang.health", "cdo"), ("li.health", "steward")):
        for words in (("add", name, "--body", "health"), ("roles", name, role)):
            with pytest.raises(SystemExit):
                main(["share", "account", *words])
    late = (TABLE, "--kind", "fee", "--quantity", "700", "--incurred", "2026-06-01")
    code, said = run("asset", "approve", "health", *late, "--reason", "漏记", "--as", "wang.health")
    assert code == 0, said
    by = ("--approval", said.split("Approved: ")[1].strip(".\n"))
    assert "approved it" in run("asset", "book", "health", *late, *by, "--as", "wang.health")[1]
    assert run("asset", "book", "health", *late, *by, "--as", "li.health")[0] == 0


def test_a_data_resource_is_judged(run: Run) -> None:
    held = ("asset", "recognise", "--use", "held_for_sale")
    assert json.loads(run(*held, "--json")[1])["case"] == "disclosed_only"
    code, said = run(*held, "--controlled", "--benefits", "--measurable")
    assert code == 0
    assert said.startswith("inventory  存货")
    assert run(*held, "--test", "hopeful")[0] != 0


def test_an_account_acts_for_its_body_only(run: Run) -> None:
    for arguments in (("add", "li.civil", "--body", "civil"), ("roles", "li.civil", "cdo")):
        with pytest.raises(SystemExit):
            main(["share", "account", *arguments])
    given = ("x_data_co", "--legal-basis", "协议", "--as", "li.civil")
    code, said = run("grant", TABLE, "process", *given)
    assert code != 0
    assert "li.civil (cdo of civil) may not grant rights for health" in said
    assert run("grant", "civil__elder_service", "process", *given)[0] == 0
