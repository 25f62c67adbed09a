"""``jingshu try``: every stage on one file; nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from contracts.layout import ROOT, Home
from infra.stack import processes
from infra.stack.processes import Ledger
from tests.support.small import properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.calling import Jingshu
    from tests.support.shop import Shop

HEADER = "CODE,QTY,BUYER,GONE\n"
GOOD = HEADER + "".join(f"A{n},{n},buyer-{n},否\n" for n in range(20))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to try; whatever the command writes for a while lies beside it."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "sale.csv"


def test_a_good_file_would_be_published_and_is_not(
    jingshu: Jingshu, shop: Shop, file: Path, tmp_path: Path
) -> None:
    file.write_text(GOOD + "A1,1,buyer-1,否\n", "utf-8")
    said = jingshu(
        "try", file, "--contract", "shop.sale", "--simulated", "--json", contracts=shop.tree.root
    )
    assert said.code == 0, said.err
    told = said.json
    assert told["decision"] == "publish"
    assert (told["rows_landed"], told["rows_good"], told["rows_duplicate"]) == (21, 20, 1)
    assert told["bad_rows"] == []
    assert {c["rule_id"] for c in told["checks"]} >= {"row.shape", "qty.range", "table.layout"}
    assert [*told["seconds"]] == [
        "contracts",
        "start spark",
        "connect",
        "pull",
        "land",
        "refine",
        "audit",
        "stop spark",
    ]
    assert not (tmp_path / "empty").exists(), "the home was touched"
    assert not list((tmp_path / "scratch").iterdir()), "something was left behind"


def test_bad_rows_are_shown_by_line_and_protected_values_are_not(
    jingshu: Jingshu, shop: Shop, file: Path
) -> None:
    file.write_text(GOOD.replace("A3,3", "A3,drei").replace("A5,5,", ",5,"), "utf-8")
    file.write_text(file.read_text("utf-8").replace("buyer-9,否", "buyer-9,也许"), "utf-8")
    said = jingshu("try", file, "--contract", "shop.sale", "--simulated", contracts=shop.tree.root)
    assert said.code == 1
    assert "会被扣留：" in said.out
    assert "would be held: " in said.out
    lines = [line.split() for line in said.out.splitlines() if "行 line" in line]
    assert [(line[2], line[3]) for line in lines] == [
        ("5", "qty.type"),
        ("7", "code.required"),
        ("11", "gone.enum"),
    ]
    assert "'drei'" in said.out
    assert "buyer-" not in said.out, "an L3 value was shown"


def test_values_of_protected_columns_are_absent_from_json(
    jingshu: Jingshu, shop: Shop, file: Path, tmp_path: Path
) -> None:
    contract = yaml.safe_load((shop.tree.root / "sale.odcs.yaml").read_text("utf-8"))
    buyer = next(c for c in properties(contract) if c["name"] == "buyer")
    buyer["required"] = True
    draft = tmp_path / "draft.odcs.yaml"
    draft.write_text(yaml.safe_dump(contract, allow_unicode=True), "utf-8")
    file.write_text(GOOD.replace("buyer-4", ""), "utf-8")
    said = jingshu(
        "try", file, "--contract", draft, "--simulated", "--json", contracts=shop.tree.root
    )
    assert said.json["bad_rows"] == [
        {
            "line": 6,
            "reasons": [
                {
                    "rule_id": "buyer.required",
                    "column": "buyer",
                    "message": "BUYER：必填而为空 ‖ BUYER: missing",
                    "value": None,
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("QTY,CODE\n1,2\n", ("--simulated",), "lacks BUYER"),
        ("机密★1年\nQTY,CODE\n", ("--simulated",), "机密★"),
    ],
    ids=["other-columns", "secret"],
)
def test_what_would_not_land_says_why(
    jingshu: Jingshu, shop: Shop, file: Path, text: str, arguments: tuple[str, ...], words: str
) -> None:
    file.write_text(text, "utf-8")
    said = jingshu("try", file, "--contract", "shop.sale", *arguments, contracts=shop.tree.root)
    assert said.code == 1
    assert words in said.err
    assert not list(Path(tempfile.gettempdir()).iterdir())


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_the_spark_of_a_killed_command_ends_with_it(shop: Shop, file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD, "utf-8")
    scratch = tmp_path / "scratch"
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_REMOTE"}
    tried = subprocess.Popen(
        [sys.executable, "-m", "cli", "try", file, "--contract", "shop.sale", "--simulated"],
        cwd=ROOT,
        env={
            **environment,
            "JINGSHU_HOME": str(tmp_path / "empty"),
            "JINGSHU_CONTRACTS": str(shop.tree.root),
            "TMPDIR": str(scratch),
        },
    )
    try:
        until(lambda: bool(list(scratch.glob("jingshu-spark-*/run/stack.json"))), "no Spark")
        [ledger] = scratch.glob("jingshu-spark-*/run/stack.json")
        [spark] = Ledger(Home(ledger.parent.parent)).parts()
        until(lambda: processes.is_listening(spark.port), "Spark does not listen")
        assert spark.members()
    finally:
        tried.send_signal(signal.SIGKILL)
        tried.wait()
    until(lambda: not spark.members(), "Spark outlives its killed caller")
