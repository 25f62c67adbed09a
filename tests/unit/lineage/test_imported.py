"""``lineage import``: others' events take part, and speak for their own tables only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lineage.acknowledged import Acknowledged
from lineage.endpoint import Address, Endpoint
from lineage.naming import city_namespace
from lineage.sender import Sender
from tests.support.lineage.asking import call, names, tree_of

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home


def event(**more: Any) -> dict[str, Any]:
    """An event as the integrations send it: nothing but what OpenLineage 2-0-2 requires."""
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-07-18T00:00:00.000Z",
        "producer": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0191e2c0-0000-7000-8000-0000000000aa", "facets": {}},
        "job": {"namespace": "dbt", "name": "models.board", "facets": {}},
        "inputs": [],
        "outputs": [],
    } | more


def dataset(namespace: str, name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def ours(name: str, **facets: Any) -> dict[str, Any]:
    return dataset(city_namespace(), name, **facets)


BOARD = dataset("postgres://bi:5432", "db.public.board")


def taken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *events: Any, as_list: bool = False
) -> tuple[int, str, str]:
    file = tmp_path / "events"
    lines = [json.dumps(e) for e in events]
    file.write_text(f"[{','.join(lines)}]" if as_list else "\n".join(lines), "utf-8")
    return call(capsys, "import", str(file))


def test_a_model_without_columns_is_followed_table_by_table(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = taken(
        capsys, tmp_path, event(inputs=[ours("shared.load__demo")], outputs=[BOARD])
    )
    assert (code, "postgres://bi:5432/db.public.board" in out) == (0, True)
    board = "postgres://bi:5432/db.public.board"
    up = tree_of(capsys, "up", board)
    assert [n["dataset"] for n in up["inputs"]] == ["shared/load__demo"]
    # Whatever column of ours changes, a table that does not say which it reads is affected.
    down = names(tree_of(capsys, "down", "silver/health__visit.person_id"), "outputs")
    assert f"{board}.*" in down
    assert up["origin"] == "simulated"


def test_a_spark_job_that_names_a_table_by_its_path_reads_ours(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(recorded.root / "lake" / "gold" / "load")
    fields = {"n": {"inputFields": [{"namespace": "file", "name": path, "field": "persons"}]}}
    output = dataset("file", "/warehouse/n", columnLineage={"fields": fields})
    assert taken(capsys, tmp_path, event(inputs=[dataset("file", path)], outputs=[output]))[0] == 0
    assert "file//warehouse/n.n" in names(tree_of(capsys, "down", "gold/load.persons"), "outputs")


def test_an_output_without_inputs_is_known_and_ends_there(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, the message said that no event speaks of it, and named it as near to itself."""
    taken(capsys, tmp_path, event(outputs=[BOARD]))
    code, out, _ = call(capsys, "up", "postgres://bi:5432/db.public.board")
    assert (code, out.splitlines()[0]) == (0, "postgres://bi:5432/db.public.board")
    code, _, err = call(capsys, "up", "postgres://bi:5432/db.public.board.name")
    assert code == 2
    assert "No event speaks of" not in err


@pytest.mark.parametrize(
    "written",
    [
        lambda home: ours("silver.health__visit"),
        lambda home: dataset("jingshu", "gold/load"),
        lambda home: dataset("file", str(home.root / "lake" / "shared" / "load__demo")),
    ],
    ids=["by name", "by the old name", "by path"],
)
def test_nobody_else_writes_our_tables(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: Any
) -> None:
    before = tree_of(capsys, "up", "load")
    forged = event(outputs=[written(recorded)], producer="urn:jingshu:lineage")
    code, out, err = taken(capsys, tmp_path, event(outputs=[BOARD]), forged)
    assert (code, out) == (1, "")
    assert "Event 2 says that its job wrote" in err
    assert not list(recorded.lineage_events.glob("imported-*"))
    # Nor where the file is put there by hand, or what they read of ours is called another level.
    tags = [{"key": "jingshu.origin", "value": "simulated"}]
    reading = event(inputs=[ours("silver.health__visit", tags={"tags": tags})])
    lines = "".join(f"{json.dumps(e)}\n" for e in (forged, reading))
    (recorded.lineage_events / "imported-x.ndjson").write_text(lines, "utf-8")
    assert tree_of(capsys, "up", "load") == before


@pytest.mark.parametrize(
    "bad",
    [
        "{", "3", "[1]", '{"eventType":"COMPLETE"}', "", "[]", "\x00",
        json.dumps(event(run={})), json.dumps(event(eventTime="yesterday", outputs=[BOARD])),
        json.dumps(event(outputs=[{"name": "x"}])), json.dumps(event(outputs=[3])), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_event_is_named_and_nothing_is_kept(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    file = tmp_path / "events"
    file.write_text(f"{json.dumps(event(outputs=[BOARD]))}\n{bad}" if bad == "{" else bad, "utf-8")
    code, out, err = call(capsys, "import", str(file))
    assert (code, out) == (1, "")
    assert "vent" in err
    assert not list(recorded.lineage_events.glob("imported-*"))


def test_an_import_is_kept_once_and_is_not_sent_on(
    recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = {k: v for k, v in event().items() if k not in ("run", "job", "inputs", "outputs")}
    described |= {"dataset": BOARD, "eventTime": "2026-07-18T00:00:00Z"}
    events = (event(eventType="START"), event(outputs=[BOARD]), described)
    assert "3" in taken(capsys, tmp_path, *events)[1]
    first = sorted(recorded.lineage_events.glob("imported-*"))
    assert "imported before" in taken(capsys, tmp_path, *events, as_list=True)[1]
    assert sorted(recorded.lineage_events.glob("imported-*")) == first
    assert len(first) == 1
    endpoint = Address("http://127.0.0.1:1")
    with Acknowledged(recorded.lineage_delivery, endpoint.name) as known, Endpoint(endpoint) as to:
        pending = {event.file for event in Sender(recorded, to, known).pending()}
    assert pending
    assert first[0].name not in pending
