"""``./jingshu share crossborder``, as people call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from cli.main import main
from contracts.layout import ROOT
from sharing.control import Control
from tests.support.sharing.abroad import COMPANY, TO, USCC, may_use
from tests.support.sharing.lakes import BANK, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home

    Run = Callable[..., tuple[int, str]]

ABROAD = ("--to", TO.recipient, "--country", TO.country, "--purpose", TO.purpose)


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
    assert run("party", COMPANY, "--name", "示例数据有限公司", "--uscc", USCC)[0] == 0
    assert "个人信息处理者 processor" in run("parties")[1]
    code, said = run("decide", COMPANY, BANK, *ABROAD)
    assert code == 0, said
    assert "deny（第 12 行，" in said
    assert "deny (row 12, " in said
    assert "请先向 civil 申请" in said
    with Control(home) as control:
        may_use(control, COMPANY, BANK)
    assert run("assess", COMPANY, "SA-1", "--on", "2026-03-02", "--table", BANK, *ABROAD)[0] == 0
    code, said = run("decide", COMPANY, BANK, *ABROAD, "--assessment", "SA-1", "--json")
    found = json.loads(said)
    assert (found["row"], found["outcome"], found["may_go"]) == (10, "exempt", False)
    assert found["lacking"] == ["impact_assessment", "separate_consent"]
    assert found["counters"] == found["own"] == {"general": 2, "sensitive": 0}
    assert (found["holders"], found["destination"]["country"]) == (["civil"], "SG")
    for kind in ("impact_assessment", "separate_consent"):
        paper = ("paper", COMPANY, kind, "N-7", "--on", "2026-03-02", "--table", BANK, *ABROAD)
        assert run(*paper)[0] == 0
    assert "impact_assessment N-7" in run("papers")[1]
    again = json.loads(run("decide", COMPANY, BANK, *ABROAD, "--assessment", "SA-1", "--json")[1])
    assert (again["may_go"], again["lacking"]) == (True, [])
    ciio = json.loads(
        run("decide", COMPANY, BANK, *ABROAD, "--assessment", "SA-1", "--ciio", "--json")[1]
    )
    assert (ciio["row"], ciio["may_go"]) == (7, True)
    assert run("give-up", found["id"], "--reason", "未实施")[0] == 0
    listed = json.loads(run("list", "--json")[1])["decisions"]
    assert [d["is_carried_out"] for d in listed] == [True, False, True, True]
    listed_lines = run("list")[1]
    assert "未实施" in listed_lines
    assert "given up" in listed_lines


def test_a_zones_list_is_added_and_consulted(run: Run, home: Home, tmp_path: Path) -> None:
    write_deltalake(home.table("silver", BANK), pa.table({"account_token": ["T1"]}))
    run("party", COMPANY, "--name", "示例数据有限公司", "--uscc", USCC, "--ftz")
    with Control(home) as control:
        may_use(control, COMPANY, BANK)
    run("assess", COMPANY, "SA-1", "--on", "2026-03-02", "--table", BANK, *ABROAD)
    asked = ("decide", COMPANY, BANK, *ABROAD, "--assessment", "SA-1", "--ftz", "--json")
    found = json.loads(run(*asked)[1])
    assert (found["row"], found["outcome"], found["zone_list"]) == (13, "undetermined", None)
    assert "请由数据主管部门添加清单" in found["reason"]
    file = tmp_path / "list.csv"
    file.write_text(
        "industry,scenario,field,threshold,route\n养老,时间银行,account_token,1,security_assessment\n",
        "utf-8",
    )
    added = ("zone-list", str(file), "--version", "2024", "--source", "公文", "--on", "2024-08-30")
    assert "1 个字段。 Added 2024: 1 fields." in run(*added)[1]
    assert run(*added)[0] == 2, "it is there already"
    found = json.loads(run(*asked)[1])
    assert (found["row"], found["outcome"], found["zone_list"]) == (
        14,
        "security_assessment",
        "2024",
    )


def test_what_cannot_be_decided_exits_with_words(run: Run) -> None:
    assert run("list")[1].startswith("没有出境判定")
    assert run("parties")[1].startswith("没有登记的出境者")
    assert run("papers")[1].startswith("没有登记的文件")
    assert run("decide", "civil", BANK)[0] == 2, "it says neither to whom nor what for"
    code, said = run("decide", "civil", BANK, *ABROAD)
    assert code != 0
    assert "is not published" in said
    code, said = run("decide", "civi1", BANK, *ABROAD)
    assert code != 0
    assert "Did you mean civil?" in said
