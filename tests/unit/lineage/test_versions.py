"""``lineage up|down --at``: versions followed run by run; graphs; origin; what others may write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contracts.delivery import Delivery
from lineage import outbox, stages
from lineage.stages import Occasion
from tests.support.lineage.asking import call
from tests.support.lineage.dot_shape import parse
from tests.support.lineage.made import CASE, DAY, VISIT
from tests.support.lineage.recording import batch, build, foreign, times

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree


@pytest.fixture
def recorded(home: Home, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Two batches of visits (the second simulated), one of cases each, and two builds."""
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    visit = Delivery(VISIT, "health", DAY)
    batch(home, visit, 1, 0)
    for provider in ("east", "west"):
        batch(home, Delivery(CASE, provider, DAY), 1, 1)
    build(home, tree, 0, 3, "real", health__visit=1, east__case=1, west__case=1)
    # A late landing comes before an early batch is published: only the batch tells them apart.
    batch(home, visit, 2, 5, "simulated")
    build(home, tree, 1, 8, "simulated", health__visit=2, east__case=1, west__case=1)
    return home


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def steps(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every step of a walk by its name; a name at two versions would be an error here."""
    own = f"{node['dataset']}.{node['column']}" if "column" in node else node["dataset"]
    found = {own: node}
    for following in node.get("inputs", []) + node.get("outputs", []):
        for name, step in steps(following).items():
            known = found.setdefault(name, step)
            assert (known["version"], known["run_id"]) == (step["version"], step["run_id"]), name
    return found


@pytest.mark.parametrize(
    ("at", "number"), [(("--at", "0"), 1), (("--at", "1"), 2), ((), 2)], ids=["old", "new", "now"]
)
def test_up_follows_the_versions_that_were_read(
    recorded: Home, capsys: pytest.CaptureFixture[str], at: tuple[str, ...], number: int
) -> None:
    found = steps(answer(capsys, "up", "shared/load__demo.persons", *at))
    told = {
        name: (s["job"], s["version"], s["version_inferred"], s["contract"], s["files"])
        for name, s in found.items()
    }
    visit, load = "bureaus/health/visit.odcs.yaml", "products/load.odcs.yaml"
    assert told == {
        "shared/load__demo.persons": ("share.load__demo", str(number - 1), False, load, []),
        "gold/load.persons": ("build.load", str(number - 1), False, load, []),
        "declared.k": (None, None, False, None, []),
        "silver/health__visit.person_id": ("publish.health__visit", str(number), False, visit, []),
        "bronze/health__visit.person_id": (
            "land.health__visit",
            str(number + 10),
            True,  # the publishing run names no version: its batch tells
            visit,
            [],
        ),
        "file://health/visit.证件号码": (
            None,
            f"20260715-health-{number}",
            False,
            None,
            [f"visit/health-{number}.csv"],
        ),
    }


def test_people_see_job_run_version_contract_and_file(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {s["job"]: s["run_id"] for s in steps(answer(capsys, "up", "gold/load")).values()}
    code, out, _ = call(capsys, "up", "gold/load.persons")
    assert code == 0
    lines = out.splitlines()
    load, visit = "products/load.odcs.yaml", "bureaus/health/visit.odcs.yaml"
    assert f"│   build.load · v1 · run {runs['build.load']} · {load}" in lines
    landed = f"land.health__visit · ≈v12 · run {runs['land.health__visit']} · {visit}"
    assert any(line.endswith(landed) for line in lines)
    assert any(
        line.endswith("批次 batch 20260715-health-2 · 文件 file visit/health-2.csv")
        for line in lines
    )


def test_down_from_a_version_goes_to_the_runs_that_read_it(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = {
        at: {
            (n, s["version"])
            for n, s in steps(answer(capsys, "down", "bronze/health__visit", "--at", at)).items()
        }
        for at in ("11", "12")
    }
    for at, number in (("11", 1), ("12", 2)):
        assert versions[at] == {
            ("bronze/health__visit", at),
            ("silver/health__visit", str(number)),
            ("quarantine/health__visit", None),
            ("gold/load", str(number - 1)),
            ("shared/load__demo", str(number - 1)),
        }
    name = "file://health/visit.证件号码"
    found = steps(answer(capsys, "down", name, "--at", "20260715-health-1"))
    assert found["gold/load.persons"]["version"] == "0"
    # Both builds read the one version of cases there is.
    outputs = answer(capsys, "down", "silver/east__case", "--at", "1")["outputs"]
    assert [(o["dataset"], o["version"]) for o in outputs] == [
        ("gold/load", "0"),
        ("gold/load", "1"),
    ]


def test_a_version_nobody_made_is_wrong_usage(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    for direction in ("up", "down"):
        code, out, err = call(capsys, direction, "gold/load.persons", "--at", "77")
        assert (code, out) == (2, "")
        assert "'77'" in err
        assert "Newest first, there are: 1, 0." in err


def test_a_withdrawal_leaves_the_rows_of_the_batch_before(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    visit = Delivery(VISIT, "health", DAY)
    for version, number, hour in ((3, 2, 10), (4, 1, 12)):
        run = stages.withdraw_run(
            visit,
            Occasion("withdrawn", **times(hour)),
            batch_id=f"20260715-health-{number}",
            silver_version=version,
        )
        outbox.write(recorded, run)
    found = steps(answer(capsys, "up", "silver/health__visit.note", "--at", "3"))
    assert found["silver/health__visit.note"]["job"] == "withdraw.health__visit"
    assert found["bronze/health__visit.note"]["version"] == "11"
    assert found["file://health/visit.备注"]["files"] == ["visit/health-1.csv"]
    # Of nothing only the columns have sources; the walk ends all the same.
    nothing = steps(answer(capsys, "up", "silver/health__visit.note", "--at", "4"))
    assert nothing["bronze/health__visit.note"]["version_inferred"]


def test_simulated_is_whatever_has_a_simulated_ancestor(
    recorded: Home, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    def origins(*arguments: str) -> dict[str, Any]:
        return {n: s["origin"] for n, s in steps(answer(capsys, *arguments)).items()}

    first = origins("up", "shared/load__demo", "--at", "0")
    assert set(first.values()) == {"real"}
    mixed = origins("up", "shared/load__demo")
    assert {n for n, origin in mixed.items() if origin == "simulated"} == {
        "shared/load__demo",
        "gold/load",
        "silver/health__visit",
        "bronze/health__visit",
        "file://health/visit",
    }
    assert mixed["silver/east__case"] == "real"
    # ``lon`` is of cases alone, which are real; which rows there are is decided by visits too.
    assert origins("up", "shared/load__demo.lon")["gold/load.lon"] == "simulated"
    # A run that says it is real does not make it so: its inputs tell.
    build(recorded, tree, 2, 20, "real", health__visit=2, east__case=1, west__case=1)
    lying = origins("up", "gold/load", "--at", "2")
    assert lying["gold/load"] == "simulated"
    # Nor does an append: the rows of the simulated batch are still there.
    batch(recorded, Delivery(VISIT, "health", DAY), 3, 30)
    assert origins("up", "silver/health__visit")["silver/health__visit"] == "simulated"
    down = origins("down", "bronze/east__case")
    assert (down["bronze/east__case"], down["gold/load"]) == ("real", "simulated")


def test_a_graph_groups_columns_by_table(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "up", "shared/load__demo.persons", "--dot")
    assert code == 0
    drawn = parse(out)
    clusters = {
        t: [drawn.label(n).split("\n")[0] for n in names] for t, names in drawn.clusters.items()
    }
    assert clusters["gold/load v1"] == ["persons"]
    assert clusters["silver/health__visit v2"] == ["person_id"]
    assert clusters["file://health/visit v20260715-health-2"] == ["证件号码"]
    labels = {drawn.label(n).split("\n")[0]: drawn.label(n) for n in drawn.nodes}
    assert labels["person_id"].split("\n")[1:] == ["L4", "模拟数据 simulated"]
    assert "visit/health-2.csv" in labels["证件号码"]
    named = {
        (drawn.label(a).split("\n")[0], drawn.label(b).split("\n")[0], e.get("style")): e
        for a, b, e in drawn.edges
    }
    counted = named["person_id", "persons", None]
    assert counted["label"] == "AGGREGATION\n遮蔽 masked"
    assert "color" in counted
    assert named["person_id", "persons", "dashed"]["label"] == "CONDITIONAL\n遮蔽 masked"
    assert "color" not in named["证件号码", "person_id", None]
    down = parse(call(capsys, "down", "file://health/visit.就诊日期", "--dot")[1])
    ends = {(down.label(a).split("\n")[0], down.label(b).split("\n")[0]) for a, b, _ in down.edges}
    assert ("visited_on", "行 rows") in ends
    tables = parse(call(capsys, "up", "load", "--dot")[1])
    assert len(tables.nodes) == len(tables.clusters) == 10
    code, _, err = call(capsys, "up", "load", "--dot", "--json")
    assert code == 2
    assert "one of them" in err


HOSTILE = 'a"]; evil [label="\\\nb\x1b[31m{}<b>\ud800 名.x'


def test_hostile_names_stay_names(recorded: Home, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (
        foreign(HOSTILE, "two") + foreign("two", HOSTILE) + foreign("load", "two", namespace="gold")
    )
    (recorded.lineage_events / "bi.ndjson").write_text(lines, "utf-8")
    name = "bi/" + HOSTILE.replace("\ud800", "?")
    code, out, _ = call(capsys, "up", f"{name}.x")
    assert code == 0
    assert "\x1b" not in out
    assert len(out.splitlines()) == 6  # a step and its run, three times
    drawn = parse(call(capsys, "up", f"{name}.x", "--dot")[1])
    assert len(drawn.nodes) == 2
    assert answer(capsys, "up", f"{name}.x")["dataset"] == name
    # Whoever calls his table like one of ours does not become its author.
    assert answer(capsys, "up", "gold/load")["job"] == "build.load"
    assert answer(capsys, "up", "//gold/load.x")["job"] == "dashboard"
    code, _, err = call(capsys, "up", "no\x1b[31msuch")
    assert code == 2
    assert "\x1b" not in err


def test_a_time_counts_wherever_it_was_written(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    early = foreign("one", "early", at="2026-07-17T07:59:59.123456789+08:00")
    late = foreign("one", "late", at="2026-07-17T00:00:00Z")
    (recorded.lineage_events / "bi.ndjson").write_text(late + early, "utf-8")
    assert [n["dataset"] for n in answer(capsys, "up", "bi/one")["inputs"]] == ["bi/late"]


def test_one_run_may_tell_a_data_set_in_parts(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(column: str, source: str, **more: Any) -> dict[str, Any]:
        fields = {column: {"inputFields": [{"namespace": "bi", "name": source, "field": "x"}]}}
        facets = {"columnLineage": {"fields": fields}, **more}
        return {"namespace": "bi", "name": "whole", "facets": facets}

    def read(version: str | None) -> dict[str, Any]:
        facets = {"version": {"datasetVersion": version}} if version else {}
        return {"namespace": "bi", "name": "left", "facets": facets}

    event = json.loads(foreign("whole"))
    event["inputs"] = [read(None), read("7"), read("8")]
    event["outputs"] = [part("x", "left"), part("y", "right", version={"datasetVersion": "3"})]
    (recorded.lineage_events / "bi.ndjson").write_text(json.dumps(event) + "\n", "utf-8")
    whole = answer(capsys, "up", "bi/whole", "--at", "3")
    assert [n["dataset"] for n in whole["inputs"]] == ["bi/left", "bi/right"]
    assert [n["column"] for n in answer(capsys, "up", "bi/whole.y")["inputs"]] == ["x"]
    for version in ("7", "8"):
        told = answer(capsys, "down", "bi/left", "--at", version)
        assert (told["version"], [n["dataset"] for n in told["outputs"]]) == (
            version,
            ["bi/whole"],
        )


def test_a_chain_without_end_and_a_net_without_bounds_end(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = "".join(foreign(f"c{n}", f"c{n + 1}") for n in range(300))
    (recorded.lineage_events / "chain.ndjson").write_text(chain, "utf-8")
    code, out, err = call(capsys, "up", "bi/c0.x")
    assert code == 1
    assert "（过深） (too deep)" in out
    assert "untraced: bi/c100.x" in err
    assert call(capsys, "up", "bi/c0.x", "--json")[0] == 1
    net = "".join(foreign(f"d{n}", f"e{n}", f"f{n}") for n in range(30))
    net += "".join(foreign(f"{side}{n}", f"d{n + 1}") for n in range(30) for side in "ef")
    (recorded.lineage_events / "net.ndjson").write_text(net, "utf-8")
    code, out, _ = call(capsys, "up", "bi/d0.x")
    assert code == 0
    assert len(out.splitlines()) < 30_000
    assert "（见上） (shown above)" in out
    assert "bi/d30.x" in out
