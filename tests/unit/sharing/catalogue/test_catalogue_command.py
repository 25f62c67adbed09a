"""``./jingshu share catalogue`` over the packaged contracts, and a lake with one batch."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from cli.main import main
from contracts.layout import ROOT
from jobs.record import governance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home

_AT = datetime(2026, 7, 16, tzinfo=UTC)


@pytest.fixture
def run(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))

    def call(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(["share", "catalogue", *arguments])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    return call


def test_an_entry_tells_what_the_lake_holds(
    home: Home, run: Callable[..., tuple[int, str]]
) -> None:
    row = governance.BatchRow(
        recorded_at=_AT,
        provider="health",
        dataset="disease_case",
        batch_id="b1",
        business_date=date(2026, 7, 15),
        contract_id="health.disease_case",
        contract_version="1.2.0",
        revision=1,
        origin="simulated",
        status="published",
        reason="",
        file_name="a.csv",
        rows_landed=3,
        rows_published=3,
        rows_quarantined=0,
        rows_duplicate=0,
        silver_version=0,
        started_at=_AT,
        finished_at=_AT,
    )
    governance.append(home, "batches", [row])
    write_deltalake(home.table("silver", "health__disease_case"), pa.table({"a": [1, 2, 3]}))
    status, out = run("show", "320003/000017", "--json")
    (entry,) = json.loads(out)["entries"]
    assert (status, entry["is_mounted"], entry["is_simulated"]) == (0, True, True)
    assert entry["lake"]["rows"] == 3
    _, out = run("list", "--provider", "health")
    assert "模拟数据" in out
    assert "3 条" in out


def test_check_exits_1_and_names_repeated_collection(run: Callable[..., tuple[int, str]]) -> None:
    status, out = run("check", "--json")
    told = json.loads(out)
    assert status == 1
    assert any("手机号码" in line for line in told["findings"])
    assert {f["id"] for f in told["figures"]} == {"completeness", "mounted", "repeated", "graded"}


def test_export_writes_and_an_unknown_entry_is_usage(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    out = tmp_path / "c.ttl"
    assert run("export", "--out", str(out))[0] == 0
    assert "dcat:Catalog" in out.read_text("utf-8")
    assert run("show", "nothing")[0] == 2


_RULINGS = (
    ("手机号码", "--lead", "civil"),
    ("最大承载量", "--distinct"),
    ("机动车号牌", "--lead", "transport"),
    ("营业收入（万元）", "--lead", "stats"),
)


def test_rulings_on_every_repeated_item_leave_check_nothing_to_find(
    run: Callable[..., tuple[int, str]],
) -> None:
    for ruling in _RULINGS:
        status, said = run("rule", *ruling, "--reason", "核定")
        assert (status, "已裁定：" in said and "Ruled: " in said) == (0, True)
    status, out = run("check", "--json")
    told = json.loads(out)
    assert (status, told["findings"]) == (0, [])
    assert next(f["numerator"] for f in told["figures"] if f["id"] == "repeated") == 0


def test_an_entry_is_registered_changed_and_given_more_time(
    run: Callable[..., tuple[int, str]],
) -> None:
    code = "320003/000017"
    signed = ("--signed-by", "cdo.health", "--pia", "PIA-2026-0012")
    assert "已评估" in run("assess", code, "--outcome", "clear", *signed)[1]
    assert "待审核" in run("submit", code)[1]
    assert "审核 review ≤ " in run("register", "--state", "submitted")[1]
    assert "已编目" in run("review", code, "approve")[1]
    assert "变更中" in run("change", code, "--reason", "职责调整")[1]
    assert run("extend", code, "--reason", "系统改造")[0] == 0
    (line,) = json.loads(run("register", "--state", "changed", "--json")[1])["register"]
    assert (line["code"], line["is_behind"]) == (code, False)
    assert [(d["what"], d["done_at"] is None) for d in line["dues"]] == [
        ("update", True),
        ("review", False),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("submit", "320003/000017"), "is unregistered: it cannot submit"),
        (("submit", "1"), "no entry '1'"),
        (("rule", "手机号码", "--lead", "health", "--reason", "x"), "health cannot lead"),
        (("submit", "320003/000017", "--as", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_registered_exits_with_words(
    run: Callable[..., tuple[int, str]], arguments: tuple[str, ...], said: str
) -> None:
    status, out = run(*arguments)
    assert status != 0
    assert said in out
