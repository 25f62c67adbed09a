"""``./jingshu share request`` and ``share kpi``, as people call them; and what verify finds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from cli.main import main
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.verify.report import Report
from sharing.control import Control
from sharing.verify.lake import CityLake
from sharing.verify.requests import requests
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home

    Run = Callable[..., tuple[int, str]]

_WAY = (
    ("submit",),
    ("supplement", "--missing", "范围"),
    ("resubmit",),
    ("accept",),
    ("agree",),
    ("deliver",),
    ("use", "--scenario", "值守", "--process", "看", "--effect", "好", "--storage", "无"),
    (
        "correct",
        "--contract",
        "emergency.heat_readiness",
        "--provider",
        "emergency",
        "--said",
        "不对",
    ),
    ("suspend", "--reason", "核查"),
    ("resume", "--reason", "无误"),
    ("close", "--reason", "用毕"),
    ("destroy", "--method", "覆写", "--proof", "签字单"),
)


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["share", *arguments])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call


@pytest.fixture
def drafted(run: Run, tmp_path: Path) -> str:
    file = tmp_path / "ask.yaml"
    file.write_text(run("request", "draft", "--example")[1], encoding="utf-8")
    code, said = run("request", "draft", str(file))
    assert code == 0, said
    return said.split("Drafted: ")[1].split(".")[0]


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(requests(CityLake(home, load_tree(ROOT / "contracts"))))
    return [f"{f.where}: {f.problem.en}" for f in (*report.broken, *report.recovering)]


def test_the_whole_way(run: Run, drafted: str, home: Home) -> None:
    for name, *options in _WAY:
        code, said = run("request", name, drafted, *options)
        assert code == 0, said
    (issue,) = [word for word in run("request", "list")[1].split() if word.startswith("C2")]
    assert run("request", "answer", issue, "--reason", "已改")[0] == 0
    code, said = run("request", "show", drafted, "--json")
    shown = json.loads(said)
    assert (code, shown["state"]) == (0, "closed")
    assert "destroy" in run("request", "show", drafted)[1]
    assert [one["id"] for one in json.loads(run("request", "list", "--json")[1])] == [drafted]
    assert run("request", "list", "--state", "draft")[1].startswith("没有匹配的申请")
    assert findings(home) == []


def test_a_wrong_turn_exits_with_words(run: Run, drafted: str) -> None:
    code, said = run("request", "agree", drafted)
    assert code != 0
    assert "is draft: agree does not follow" in said
    code, said = run("request", "submit", drafted, "--as-body", "health")
    assert code != 0
    assert "may not submit request" in said


def test_nobody_acts_as_the_machine(run: Run, drafted: str) -> None:
    code, said = run("request", "submit", drafted, "--as-role", "system")
    assert code == 2
    assert "'system' is not one of" in said
    told = "".join(run("request", "submit", "--help")[1].split())
    assert "|auditor]" in told


def test_rates_are_shown_with_their_parts(run: Run, drafted: str) -> None:
    code, said = run("kpi", "--json")
    assert code == 0
    rates = {k["name"] for k in json.loads(said)["kpis"]}
    assert rates == {"sharing_rate"}
    assert "数据共享率" in run("kpi")[1]
    assert drafted


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE share_ask_steps SET state = 'agreed' WHERE seq = 1", "state is not what"),
        ('UPDATE share_ask_steps SET said = \'{"a": "b"}\' WHERE seq = 1', "said_sha256 is not"),
        ("DELETE FROM share_ask_steps WHERE seq = 1", "has no such request any more"),
        ("UPDATE share_ask_steps SET action = 'agree' WHERE seq = 1", "no such request any more"),
        ("UPDATE share_grants SET request = 'R1999-0001'", "its request R1999-0001 is gone"),
    ],
)
def test_verify_names_what_was_changed(
    run: Run, drafted: str, home: Home, change: str, found: str
) -> None:
    for name in ("submit", "accept", "agree", "deliver"):
        assert run("request", name, drafted)[0] == 0
    assert findings(home) == []
    with Control(home) as control, control.write() as session:
        session.execute(text(change))
    assert any(found in said for said in findings(home)), findings(home)
