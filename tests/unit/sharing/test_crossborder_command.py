"""``./jingshu share crossborder``, as people call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from contracts.layout import ROOT
from tests.unit.sharing.lakes import BANK, CASES, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.layout import Home

    Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["share", "crossborder", *arguments])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call


def test_exports_are_decided_listed_and_given_up(run: Run, home: Home) -> None:
    publish(home, BANK, "T1", "T2")
    publish(home, CASES, "11010519491231002X")
    code, said = run("decide", "x_data_co", BANK)
    assert code == 0, said
    assert "exempt（第 10 行 row" in said
    code, said = run("decide", "x_data_co", CASES, "--json")
    found = json.loads(said)
    assert (found["row"], found["outcome"]) == (9, "contract_or_certification")
    assert found["counters"] == {"general": 2, "sensitive": 1}
    assert found["own"] == {"general": 0, "sensitive": 1}
    assert json.loads(run("decide", "x_data_co", CASES, "--ciio", "--json")[1])["row"] == 7
    assert run("give-up", found["id"], "--reason", "未实施")[0] == 0
    listed = json.loads(run("list", "--json")[1])["decisions"]
    assert [d["is_carried_out"] for d in listed] == [True, False, True]
    assert "未实施 given up" in run("list")[1]


def test_what_cannot_be_decided_exits_with_words(run: Run) -> None:
    assert run("list")[1].startswith("没有出境判定")
    code, said = run("decide", "x_data_co", BANK)
    assert code != 0
    assert "is not published" in said
