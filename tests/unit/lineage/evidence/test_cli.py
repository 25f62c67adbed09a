from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf
    from lineage.evidence.log import EvidenceLog

    Make = Callable[[int], Leaf]
    Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))

    def call(*arguments: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            main(["evidence", *map(str, arguments)])
        assert isinstance(caught.value.code, int)
        printed = capsys.readouterr()
        return caught.value.code, printed.out + printed.err

    return call


@pytest.fixture
def filled(log: EvidenceLog, leaf: Make) -> EvidenceLog:
    log.append([leaf(n) for n in range(30)])
    log.append([replace(leaf(3), type="verdict")])
    return log


def test_a_proof_is_made_and_verified(
    run: Run, filled: EvidenceLog, home: Home, leaf: Make, tmp_path: Path
) -> None:
    proof = tmp_path / "p.tlog-proof"
    assert run("prove", leaf(5).key, "--out", proof)[0] == 0
    assert proof.read_text() == filled.prove(leaf(5).key)
    assert run("prove", leaf(5).subject) == (0, proof.read_text())
    code, text = run("verify", proof)
    assert code == 0
    assert f"成立 HOLDS  index=5  fact={leaf(5).key}" in text
    code, text = run(
        "verify", proof, "--log", home.evidence, "--vkey", home.evidence / "log.vkey", "--json"
    )
    assert code == 0
    found = json.loads(text)
    assert found["holds"] is True
    assert found["findings"] == []
    assert found["facts"] == dict(leaf(5).facts)


def test_a_changed_proof_is_exit_code_1(
    run: Run, filled: EvidenceLog, leaf: Make, tmp_path: Path
) -> None:
    proof = tmp_path / "p.tlog-proof"
    proof.write_text(filled.prove(leaf(5).key).replace("index 5", "index 6"))
    code, text = run("verify", proof)
    assert code == 1
    assert "不成立  proof, index 6：" in text
    assert "BROKEN  proof, index 6: " in text


def test_a_subject_must_name_one_fact(run: Run, filled: EvidenceLog, leaf: Make) -> None:
    code, text = run("prove", leaf(3).subject)
    assert code == 2
    assert f"landing:{leaf(3).subject}, verdict:{leaf(3).subject}" in text
    for nothing in ("nothing", "landing:nothing"):
        assert run("prove", nothing)[0] == 2


def test_this_home_s_log_is_verified(run: Run, filled: EvidenceLog, home: Home) -> None:
    code, text = run("verify")
    assert code == 0
    assert "成立 HOLDS  origin=jingshu.local/evidence  size=31" in text
    bundle = home.evidence / "tile/entries/000.p/31"
    bundle.write_bytes(bundle.read_bytes()[:-1])
    code, text = run("verify", "--json")
    assert code == 1
    found = json.loads(text)
    assert found["holds"] is False
    assert found["findings"][0]["where"] == "evidence/tile/entries/000.p/31"
    code, text = run("verify", "--log", home.evidence, "--vkey", home.evidence / "log.vkey")
    assert code == 1
    assert "BROKEN  tile/entries/000.p/31: " in text


def test_no_log_is_said_not_passed_off_as_a_check(run: Run) -> None:
    assert run("verify") == (0, "尚无日志。 There is no log yet.\n")
    assert run("log") == (0, "日志是空的。 The log is empty.\n")
    assert run("log", "--json") == (0, "")


def test_usage_is_exit_code_2(
    run: Run, filled: EvidenceLog, home: Home, leaf: Make, tmp_path: Path
) -> None:
    vkey = home.evidence / "log.vkey"
    assert run("verify", "--log", home.evidence)[0] == 2
    assert run("verify", "--vkey", vkey)[0] == 2
    assert run("verify", tmp_path / "nothing")[0] == 2
    code, text = run("verify", home.evidence / "checkpoint", "--vkey", home.evidence / "checkpoint")
    assert code == 2
    assert "holds no verifier key" in text


def test_a_proof_of_what_the_log_has_lost_is_named(
    run: Run, filled: EvidenceLog, home: Home, leaf: Make, tmp_path: Path
) -> None:
    older = (home.evidence / "checkpoint").read_bytes()
    filled.append([leaf(99)])
    proof = tmp_path / "p.tlog-proof"
    proof.write_text(filled.prove(leaf(99).key))
    (home.evidence / "checkpoint").write_bytes(older)
    code, text = run("verify", proof, "--log", home.evidence, "--vkey", home.evidence / "log.vkey")
    assert code == 1
    assert "rolled back from 32 to 31" in text


def test_the_newest_facts_are_listed(run: Run, filled: EvidenceLog, leaf: Make) -> None:
    code, text = run("log", "-n", "2")
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == ["29", "30"]
    assert f"verdict:{leaf(3).subject}" in text
    lines = run("log", "--json")[1].splitlines()
    assert [json.loads(line)["index"] for line in lines] == list(range(11, 31))
    assert json.loads(lines[-1])["facts"] == dict(leaf(3).facts)


@pytest.mark.parametrize("command", [[], ["prove"], ["verify"], ["log"]])
def test_help_shows_an_example(run: Run, command: list[str]) -> None:
    code, text = run(*command, "--help")
    assert code == 0
    assert "示例： Example:" in text
    assert "./jingshu evidence" in text
