"""The index answers as a full read does, whatever came, grew, changed and went, in any order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.layout import Home
from lineage import index
from tests.support.lineage.plain_facts import PlainFacts, every_answer

TABLES = [("jingshu", f"{layer}/t") for layer in ("bronze", "silver", "gold")] + [("bi", "b")]
COLUMNS = st.sampled_from(["x", "y"])
VERSIONS = st.none() | st.sampled_from(["1", "2"])
HOWS = st.fixed_dictionaries(
    {"type": st.sampled_from(["DIRECT", "INDIRECT"]), "masking": st.booleans()}
)


def field(table: tuple[str, str], column: str, how: dict[str, Any]) -> dict[str, Any]:
    return {
        "namespace": table[0],
        "name": table[1],
        "field": column,
        "transformations": [{**how, "subtype": "IDENTITY"}],
    }


FIELDS = st.lists(st.builds(field, st.sampled_from(TABLES), COLUMNS, HOWS), max_size=2)


def used(
    table: tuple[str, str],
    version: str | None,
    origin: str | None,
    graph: dict[str, Any] | None = None,
    rows: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    facets: dict[str, Any] = {"version": {"datasetVersion": version}} if version else {}
    tags = [{"key": "jingshu.level", "value": "L2", "field": "x"}]
    tags += [{"key": "jingshu.origin", "value": origin}] if origin else []
    facets["tags"] = {"tags": tags}
    if graph is not None:
        fields = {name: {"inputFields": inputs} for name, inputs in graph.items()}
        facets["columnLineage"] = {"fields": fields, "dataset": rows}
    return {"namespace": table[0], "name": table[1], "facets": facets}


ORIGINS = st.sampled_from([None, "real", "real", "simulated"])
INPUTS = st.builds(used, st.sampled_from([*TABLES, ("file://p", "e")]), VERSIONS, ORIGINS)
OUTPUTS = st.builds(
    used,
    st.sampled_from(TABLES),
    VERSIONS,
    ORIGINS,
    st.none() | st.dictionaries(COLUMNS, FIELDS, max_size=2),
    FIELDS,
)


@st.composite
def events(draw: st.DrawFn) -> str:
    batch = draw(st.none() | st.sampled_from(["b1", "b2"]))
    tags = [{"key": "jingshu.batch_id", "value": batch}] if batch else []
    event = {
        "eventType": draw(st.sampled_from(["COMPLETE", "COMPLETE", "COMPLETE", "START", "FAIL"])),
        "eventTime": f"2026-07-15T0{draw(st.integers(0, 4))}:00:00Z",
        "run": {"runId": draw(st.sampled_from(["r1", "r2"])), "facets": {"tags": {"tags": tags}}},
        "job": {"namespace": "jingshu", "name": draw(st.sampled_from(["j", "k"]))},
        "inputs": draw(st.lists(INPUTS, max_size=2)),
        "outputs": draw(st.lists(OUTPUTS, max_size=2)),
    }
    return json.dumps(event) + "\n"


FILES = st.sampled_from(["a", "b", "0191e2c0-0000-7000-8000-000000000009"])
ACTS = st.tuples(FILES, st.sampled_from(["write", "append", "remove"]), events())


@given(acts=st.lists(ACTS, min_size=1, max_size=6), asks=st.sets(st.integers(0, 5), max_size=2))
@settings(max_examples=20, deadline=None)
def test_the_index_answers_as_a_full_read_does(
    acts: list[tuple[str, str, str]], asks: set[int]
) -> None:
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.lineage_events.mkdir(parents=True)
        for number, (name, act, text) in enumerate(acts):
            path = home.lineage_events / f"{name}.ndjson"
            if act == "remove":
                path.unlink(missing_ok=True)
            else:
                with path.open("w" if act == "write" else "a", encoding="utf-8") as file:
                    file.write(text)
            if number in asks:
                index.ask(home, every_answer)
        assert index.ask(home, every_answer) == every_answer(PlainFacts.of(home))


@given(texts=st.lists(events(), min_size=1, max_size=4), order=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_the_order_in_which_files_arrive_is_nothing(texts: list[str], order: Any) -> None:
    files = {f"f{n}.ndjson": text for n, text in enumerate(texts)}
    shuffled = list(files.items())
    order.shuffle(shuffled)
    answers = []
    for arriving in (list(files.items()), shuffled):
        with TemporaryDirectory() as folder, mock.patch.object(index, "_FEW", 0):
            home = Home(Path(folder))
            home.lineage_events.mkdir(parents=True)
            for name, text in arriving:
                (home.lineage_events / name).write_text(text, "utf-8")
                os.utime(home.lineage_events)
                answers.append(index.ask(home, every_answer))
    assert answers[len(files) - 1] == answers[-1]
