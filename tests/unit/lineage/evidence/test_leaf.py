from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from lineage.evidence.errors import EvidenceConflictError, EvidenceError, TileError
from lineage.evidence.leaf import LEAF_TYPES, Leaf
from lineage.evidence.tiles import MISSING

AT = "2026-11-22T00:30:00Z"


def test_canonical_json_by_rfc_8785() -> None:
    leaf = Leaf("grant", "需求方@1", {"z": 1.0, "a": "京枢\n", "n": None, "t": True}, AT)
    assert leaf.canonical().decode() == (
        '{"at":"2026-11-22T00:30:00Z","facts":{"a":"京枢\\n","n":null,"t":true,"z":1},'
        '"subject":"需求方@1","type":"grant"}'
    )
    assert Leaf.parse(leaf.canonical()) == leaf
    assert leaf.key == "grant:需求方@1"


@pytest.mark.parametrize("leaf_type", LEAF_TYPES)
def test_every_type_round_trips(leaf_type: Any) -> None:
    leaf = Leaf(leaf_type, "s", {"rows": 3}, AT)
    assert Leaf.parse(leaf.canonical()) == leaf


def test_a_leaf_does_not_change_with_the_mapping_it_came_from() -> None:
    facts = {"rows": 1}
    leaf = Leaf("landing", "s", facts, AT)
    facts["rows"] = 2
    assert leaf.facts == {"rows": 1}


def test_leaves_hash_and_pickle() -> None:
    leaf = Leaf("landing", "s", {"rows": 1}, AT)
    assert {leaf, pickle.loads(pickle.dumps(leaf))} == {leaf}  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"type": "rumour"}, "no type"),
        ({"subject": ""}, "subject"),
        ({"subject": "a\nb"}, "subject"),
        ({"at": "2026-11-22"}, "UTC"),
        ({"at": "2026-11-22T00:30:00"}, "UTC"),
        ({"at": "2026-11-22T08:30:00+08:00"}, "UTC"),
        ({"at": "2026-13-22T00:30:00Z"}, "UTC"),
        ({"facts": {"a": [1]}}, "scalar"),
        ({"facts": {"a": {"b": 1}}}, "scalar"),
        ({"facts": {"a": float("nan")}}, "exact"),
        ({"facts": {"a": float("inf")}}, "exact"),
        ({"facts": {"a": 2**53}}, "exact"),
        ({"facts": {"a": -(2**53)}}, "exact"),
        ({"facts": {"a": 2.0**53}}, "exact"),
        ({"facts": {"a": "\ud800"}}, "canonical"),
        ({"facts": {"a": "x" * 65_535}}, "65,535"),
    ],
)
def test_what_cannot_be_logged_is_refused(changes: dict[str, Any], problem: str) -> None:
    good: dict[str, Any] = {"type": "landing", "subject": "s", "facts": {}, "at": AT}
    with pytest.raises(EvidenceError, match=problem):
        Leaf(**{**good, **changes})


def test_the_longest_leaf_fits_its_bundle_s_length() -> None:
    spare = 65_535 - len(Leaf("landing", "s", {"a": ""}, AT).canonical())
    assert len(Leaf("landing", "s", {"a": "x" * spare}, AT).canonical()) == 65_535
    with pytest.raises(EvidenceError, match="65,535"):
        Leaf("landing", "s", {"a": "x" * (spare + 1)}, AT)


@pytest.mark.parametrize("at", [AT, "2026-11-22T00:30:00+00:00", "2026-11-22T00:30:00.123456Z"])
def test_times_in_utc_are_taken(at: str) -> None:
    assert Leaf("landing", "s", {}, at).at == at


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b"[]", "lacks"),
        (b'{"type":"landing"}', "lacks"),
        (b'{"at":"x","facts":[],"subject":"s","type":"landing"}', "lacks"),
        (b'{"at":1,"facts":{},"subject":"s","type":"landing"}', "lacks"),
        (b'{"at":"x","facts":{},"more":1,"subject":"s","type":"landing"}', "lacks"),
        (
            b'{"type":"landing","at":"2026-11-22T00:30:00Z","facts":{},"subject":"s"}',
            "not canonical",
        ),
        (
            b'{"at":"2026-11-22T00:30:00Z","facts":{"a":1,"a":1},"subject":"s","type":"landing"}',
            "not canonical",
        ),
    ],
)
def test_entries_that_are_no_leaf(entry: bytes, problem: str) -> None:
    with pytest.raises(EvidenceError, match=problem):
        Leaf.parse(entry)


def test_leaves_agree_when_only_the_time_differs() -> None:
    leaf = Leaf("landing", "s", {"rows": 1, "ok": True}, AT)
    later = Leaf("landing", "s", {"ok": True, "rows": 1.0}, "2026-11-23T00:00:00Z")
    assert leaf.agrees_with(later)
    assert not leaf.agrees_with(Leaf("landing", "s", {"rows": 1, "ok": 1}, AT))
    assert not leaf.agrees_with(Leaf("landing", "t", {"rows": 1, "ok": True}, AT))
    assert not leaf.agrees_with(Leaf("verdict", "s", {"rows": 1, "ok": True}, AT))


@pytest.mark.parametrize(
    "error", [EvidenceConflictError("a:b", "11", "22"), TileError("tile/0/000", MISSING)]
)
def test_errors_survive_pickling(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_the_entry_is_plain_json_for_any_reader() -> None:
    leaf = Leaf("landing", "s", {"rows": 1}, AT)
    assert json.loads(leaf.canonical())["facts"] == {"rows": 1}
