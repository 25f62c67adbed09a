"""DCAT 3 and DQV: conforming, deterministic, and refused by name where a field is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from contracts.layout import ROOT
from contracts.loading import load_tree
from sharing.catalogue.dcat import Format, export, graph, nonconformities
from sharing.catalogue.entries import LakeFacts, Score, entries

_LAKE = LakeFacts(
    3, datetime(2026, 7, 16, tzinfo=UTC), 9, "simulated", {"completeness": Score(9, 10)}
)
_TABLE = "health__disease_case"
FOUND = entries(load_tree(ROOT / "contracts"), {_TABLE: _LAKE})
(ENTRY,) = [e for e in FOUND if e.table == _TABLE]


def test_the_whole_catalogue_conforms() -> None:
    assert nonconformities(graph(FOUND)) == ()


@pytest.mark.parametrize("form", ["turtle", "json-ld"])
def test_an_export_reads_back_and_is_the_same_every_time(form: Format) -> None:
    text = export(FOUND[:9], form)
    assert text == export(reversed(FOUND[:9]), form)
    assert isomorphic(Graph().parse(data=text, format=form), graph(FOUND[:9]))


def test_quality_and_origin_are_told() -> None:
    text = export([ENTRY], "turtle")
    assert "dqv:QualityMeasurement" in text
    assert "simulated" in text


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("title", "", "title"),
        ("cycle", None, "accrualPeriodicity"),
        ("source_dept", "", "sourceDepartment"),
        ("attribute", "sometimes", "accessRights"),
        ("format", "", "format"),
        ("items", (), "item"),
        ("use_conditions", (), "rights"),
        ("gb43697_grade", "", "grade"),
        ("code", "17", "identifier"),
    ],
)
def test_a_broken_entry_is_refused_by_name(field: str, value: object, path: str) -> None:
    broken = replace(ENTRY, **{field: value})  # type: ignore[arg-type]
    (told,) = nonconformities(graph([broken]))
    assert told.startswith(f"urn:jingshu:dataset/{broken.code}")
    assert path in told.split(": ")[1]
