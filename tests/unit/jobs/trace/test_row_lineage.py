"""``lineage row``: real landings, publications, builds and shares; only Spark's part is Arrow's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import main
from jobs.tables.delta import open_table
from lineage.evidence.log import EvidenceLog
from tests.support.selling import HEAD, SECRET, WHO, Lake

if TYPE_CHECKING:
    from pathlib import Path


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", "row", *arguments])
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_a_silver_row_leads_to_its_line(
    lake: Lake, sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = found(capsys, "silver/shop__sale", "place=东,code=A1")
    assert answer["key"] == {"place": "东", "code": "A1"}
    first, second = (row["sources"][0] for row in answer["rows"])
    if first["batch_id"] != sold[0]:
        first, second = second, first
    assert (first["batch_id"], first["lines"], first["rows"]) == (sold[0], [2], 1)
    assert (second["batch_id"], second["lines"]) == (sold[1], [4])
    assert first["business_date"] == "2026-07-01"
    assert first["file"] == f"raw/shop/sale/{sold[0]}/sale_1.csv"
    line = (lake.home.root / first["file"]).read_text("utf-8").splitlines()[first["lines"][0] - 1]
    assert line.startswith("东,A1,")
    assert (first["contract"], first["origin"]) == ("shop.sale@1.0.0", "simulated")
    assert (first["published_by"], second["published_by"]) == ("audit", WHO)
    log = EvidenceLog(lake.home)
    for of in (first, second):
        kinds = {key.partition(":")[0] for key in of["evidence"]}
        assert kinds == {"landing", "publication", "verdict"}
        assert all(log.find(key) for key in of["evidence"])
    runs = {
        json.loads(p.read_text("utf-8").splitlines()[-1])["run"]["runId"] for p in _events(lake)
    }
    assert {first["run_id"], second["run_id"]} <= runs
    code, out, _ = call(capsys, "shop__sale", "code=A1,place=西")  # in any order, without its layer
    assert code == 0
    assert "第 3 行 line 3" in out
    assert f"landing:shop__sale@{sold[0]}" in out
    assert "published: passed its audit; owner 博物馆" in out


def _events(lake: Lake) -> list[Path]:
    return list(lake.home.lineage_events.glob("*.ndjson"))


def test_a_value_may_hold_what_separates_values(
    sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = found(capsys, "silver/shop__sale", "place=东,code=A=1,b")["rows"]
    assert row["sources"][0]["lines"] == [3]


def test_levels_above_l2_are_found_and_never_shown(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.publish("guest", 1, ["PERSON_ID", "11010119900101001X", SECRET])
    for key in (SECRET, f"person_id={SECRET}"):
        answer = found(capsys, "silver/shop__guest", key)
        assert answer["key"] == {"person_id": None}
        assert answer["rows"][0]["sources"][0]["lines"] == [3]
        code, out, _ = call(capsys, "silver/shop__guest", key)
        assert code == 0
        assert "person_id=***" in out
    code, out, err = call(capsys, "silver/shop__guest", f"person_id={SECRET}-2")
    assert (code, out) == (2, "")
    assert "No visible row of silver/shop__guest has that key" in err


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ("silver/shop__sale", "东", "place, code"),
        ("silver/shop__sale", "place=东", "place, code"),
        ("silver/shop__sale", "code=A1", "place, code"),
        ("silver/shop__sale", f"place={SECRET},code=x", "No visible row"),
        ("silver/shop__sold", "x", "There is no table"),
        ("bronze/shop__sale", "x", "There is no table"),
        ("gold/listed", "A1", "never published"),
    ],
)
def test_what_is_not_there_is_wrong_usage_without_values(
    sold: tuple[str, str], capsys: pytest.CaptureFixture[str], table: str, key: str, said: str
) -> None:
    code, out, err = call(capsys, table, key)
    assert (code, out) == (2, "")
    assert said in err


def test_products_and_shares_lead_to_the_rows_that_their_key_selects(
    lake: Lake, sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    guests = lake.publish("guest", 1, ["PERSON_ID", "1", "2"])
    read = open_table(lake.home.table("silver", "shop__sale"))
    assert read is not None
    inputs = {"shop__sale": read.version(), "shop__guest": 1}
    stage = lake.show(
        "gold",
        "listed",
        {"code": ["A1", "B"], "total": [2, 2]},
        **{"jingshu.kind": "build", "jingshu.inputs": json.dumps(inputs)},
    )
    for policy, codes in (("all", ["A1", "B"]), ("hidden", ["A", "B"])):
        lake.show(
            "shared",
            f"listed__{policy}",
            {"code": codes, "total": [2, 2]},
            **{"jingshu.kind": "share", "jingshu.source": stage},
        )
    later = lake.publish("sale", 4, [HEAD, "东,A1,,"])  # after the build: it had no part in it
    selected = {(sold[0], 2, (2, 3)), (sold[1], 1, (4,)), (guests, 2, None)}
    every = {(sold[0], 2, None), (sold[1], 3, None), (guests, 2, None)}
    for table, key, told_by, expected in (
        ("gold/listed", "A1", ["code"], selected),
        ("shared/listed__all", "A1", ["code"], selected),
        ("shared/listed__hidden", "A", [], every),  # a masked key is no input's value
    ):
        (row,) = found(capsys, table, key)["rows"]
        assert row["selected_by"] == told_by
        assert expected == {
            (s["batch_id"], s["rows"], s["lines"] and tuple(s["lines"])) for s in row["sources"]
        }
        steps = [s["table"] for s in row["steps"]]
        assert steps == [table, "gold/listed"] if table.startswith("shared") else [table]
        kinds = {"shared": "share", "gold": "build"}
        for step in row["steps"]:
            (leaf,) = step["evidence"]
            assert leaf.startswith(kinds[step["table"].partition("/")[0]] + ":")
            assert EvidenceLog(lake.home).find(leaf)
    assert later not in {s["batch_id"] for s in row["sources"]}
    code, out, _ = call(capsys, "listed", "A1")
    assert code == 0
    assert "which of them cannot be told" in out
    code, _, err = call(capsys, "gold/listed", "C")
    assert code == 2
    assert "No visible row of gold/listed" in err
