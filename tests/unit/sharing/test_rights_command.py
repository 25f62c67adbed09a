"""``./jingshu share rights``, as people call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

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
    return said.split("registered: ")[1].split()[0]


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
