"""``lineage impact``: what is shared of a column, and which recipients hold a grant of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import main
from contracts.words import Words
from sharing.control import Control
from sharing.grants import grants
from tests.support.sharing.served import TABLE

if TYPE_CHECKING:
    from contracts.layout import Home

SHARED = f"shared/{TABLE}"


def read(
    name: str, column: str, *, indirect: bool = False, masking: bool = False
) -> dict[str, Any]:
    how = {"type": "INDIRECT" if indirect else "DIRECT", "subtype": "X", "masking": masking}
    return {"namespace": "jingshu", "name": name, "field": column, "transformations": [how]}


def made(name: str, rows: list[dict[str, Any]], **columns: list[dict[str, Any]]) -> str:
    fields = {c: {"inputFields": inputs} for c, inputs in columns.items()}
    tags = [{"key": "jingshu.level", "value": "L2", "field": c} for c in columns]
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-07-15T00:00:00Z",
        "run": {"runId": name},
        "job": {"namespace": "jingshu", "name": f"make.{name}"},
        "outputs": [
            {
                "namespace": "jingshu",
                "name": name,
                "facets": {
                    "columnLineage": {"fields": fields, "dataset": rows},
                    "tags": {"tags": [*tags, {"key": "jingshu.origin", "value": "simulated"}]},
                },
            }
        ],
    }
    return json.dumps(event) + "\n"


@pytest.fixture
def recorded(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    events = [
        made("silver/t", [], a=[read("bronze/t", "a")], b=[read("bronze/t", "b")]),
        made(
            "gold/t",
            [read("silver/t", "b", indirect=True)],
            street=[read("silver/t", "a")],
            elders=[
                read("silver/t", "a", masking=True),
                read("silver/t", "b", indirect=True, masking=True),
            ],
        ),
        made(
            SHARED,
            [],
            street=[read("gold/t", "street", masking=True)],
            district=[read("gold/t", "street")],
            elders=[read("gold/t", "elders")],
        ),
        made("shared/other", [], street=[read("gold/t", "street")]),
    ]
    home.lineage_events.mkdir(parents=True)
    (home.lineage_events / "all.ndjson").write_text("".join(events), "utf-8")
    return home


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", "impact", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def told(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, Any]:
    code, out, err = call(capsys, name, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def kinds(found: dict[str, Any]) -> set[tuple[str, str | None, str | None, bool | None]]:
    return {(s["table"], s["column"], s["type"], s["masking"]) for s in found["shared"]}


def test_shared_columns_and_their_recipients(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with Control(recorded) as control:
        grants.grant(control, "demo", TABLE, "演示", actor="me")
        grants.grant(control, "gone", TABLE, "演示", actor="me")
        grants.revoke(control, "gone", TABLE, actor="me")
    found = told(capsys, "silver/t.a")
    assert kinds(found) == {
        (SHARED, "street", "DIRECT", True),
        (SHARED, "district", "DIRECT", False),
        (SHARED, "elders", "DIRECT", True),
        ("shared/other", "street", "DIRECT", False),
    }
    assert found["recipients"] == ["demo"]
    for column in found["shared"]:
        assert (column["level"], column["origin"]) == ("L2", "simulated")
        holders = [h["recipient"] for h in column["recipients"]]
        assert holders == (["demo"] if column["table"] == SHARED else [])
    code, out, _ = call(capsys, "silver/t.a")
    assert code == 0
    lines = out.splitlines()
    masked = Words(
        f"{SHARED}.street  L2  模拟数据  遮蔽", f"{SHARED}.street  L2  simulated  masked"
    )
    other = Words("shared/other.street  L2  模拟数据", "shared/other.street  L2  simulated")
    street = lines.index(f"  {masked}")
    assert lines[street + 1] == "    → demo  演示"
    assert lines[lines.index(f"  {other}") + 1] == ("    无有效授权 no active grant")


def test_what_only_decides_is_indirect(recorded: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert kinds(told(capsys, "silver/t.b")) == {
        (SHARED, "elders", "INDIRECT", True),
        (SHARED, "*", "INDIRECT", False),
        ("shared/other", "*", "INDIRECT", False),
    }
    assert "决定有哪些行" in call(capsys, "silver/t.b")[1]
    assert kinds(told(capsys, "gold/t")) == {
        (SHARED, None, None, None),
        ("shared/other", None, None, None),
    }


def test_without_grants_a_question_makes_no_database(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "silver/t.a")["recipients"] == []
    assert not recorded.control_db.exists()
    code, _, err = call(capsys, "silver/t.c")
    assert code == 2
    assert "a, b" in err
