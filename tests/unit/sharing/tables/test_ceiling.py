"""What may leave the house: levels, nesting, protocol."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from contracts.moment import utc_now
from contracts.words import Words
from sharing.control import Grant
from sharing.tables.ceiling import NotServedError, check_levels, check_protocol, column_levels
from tests.support.sharing.served import TABLE, TABLE_URL, districts, write_shared

if TYPE_CHECKING:
    from tests.support.sharing.served import Served


def field(name: str, level: str | None, kind: Any = "string") -> dict[str, Any]:
    metadata = {} if level is None else {"jingshu.level": level}
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def schema(*fields: dict[str, Any]) -> str:
    return json.dumps({"type": "struct", "fields": fields})


def struct(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "struct", "fields": list(fields)}


def array(element: Any) -> dict[str, Any]:
    return {"type": "array", "elementType": element, "containsNull": True}


def mapped(key: Any, value: Any) -> dict[str, Any]:
    return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}


@pytest.mark.parametrize("levels", [("L1",), ("L2",), ("L1", "L2")])
def test_levels_up_to_l2_pass(levels: tuple[str, ...]) -> None:
    check_levels(schema(*(field(f"c{i}", level) for i, level in enumerate(levels))))


@pytest.mark.parametrize("level", ["L3", "L4", None, "", "l1", "L0", "public", 1])
def test_one_column_above_l2_or_without_a_level_is_refused(level: Any) -> None:
    with pytest.raises(NotServedError, match=r"Columns above L2: b \(L[34]\)\."):
        check_levels(schema(field("a", "L1"), field("b", level)))


def test_an_untagged_column_counts_as_l3_and_a_wrong_tag_as_l4() -> None:
    levels = dict(column_levels(schema(field("a", None), field("b", "secret"))))
    assert levels == {"a": "L3", "b": "L4"}


def test_a_field_without_metadata_is_untagged() -> None:
    bare = json.dumps({"type": "struct", "fields": [{"name": "a", "type": "long"}]})
    assert list(column_levels(bare)) == [("a", "L3")]


@pytest.mark.parametrize(
    "kind",
    [
        struct(field("x", "L3")),
        array(struct(field("x", "L3"))),
        mapped("string", struct(field("x", "L3"))),
        mapped(struct(field("x", "L3")), "string"),
        array(array(struct(field("x", "L3")))),
    ],
    ids=["struct", "array", "map value", "map key", "array of arrays"],
)
def test_a_level_deep_in_a_column_counts(kind: dict[str, Any]) -> None:
    with pytest.raises(NotServedError, match=r"a\.x \(L3\)"):
        check_levels(schema(field("a", "L1", kind)))


def test_a_nested_field_without_a_tag_has_its_parents_level() -> None:
    inner = struct(field("x", None), field("y", "L2", struct(field("z", None))))
    assert dict(column_levels(schema(field("a", "L1", inner)))) == {
        "a": "L1", "a.x": "L1", "a.y": "L2", "a.y.z": "L2"
    }  # fmt: skip


def test_reader_features_are_refused() -> None:
    check_protocol(1)
    with pytest.raises(NotServedError, match="reader version 3"):
        check_protocol(3)


def test_the_refusal_can_be_pickled_and_ends_with_a_remedy() -> None:
    error = NotServedError(Words("问题。", "Problem."), Words("办法。", "Remedy."))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(again) == str(error) == "问题。办法。 Problem. Remedy."


@pytest.mark.parametrize("level", ["L3", "L4", None])
def test_rule_15_a_table_with_a_column_above_l2_is_404_and_unlisted(
    served: Served, level: str | None
) -> None:
    raised = districts(("110108", "中关村", 9), level=level)
    write_shared(served.home, TABLE, raised, mode="overwrite", schema_mode="overwrite")
    for answer in (served.query(), served.get(TABLE_URL + "/metadata")):
        assert answer.status == 404
        assert "elders" not in answer.text
    assert served.get("/delta-sharing/shares").json() == {"items": []}


def test_rule_15_a_table_with_deletion_vectors_is_404(served: Served) -> None:
    raised = districts(("110108", "中关村", 9))
    write_shared(
        served.home,
        "marked__all",
        raised,
        configuration={"delta.enableDeletionVectors": "true"},
    )
    with served.control.write() as session:
        session.add(
            Grant(
                id="0",
                recipient="demo",
                share="jingshu",
                schema="city",
                table="marked__all",
                purpose="x",
                granted_at=utc_now(),
                granted_by="test",
                grant_leaf_at=utc_now(),
            )
        )
    url = TABLE_URL.replace(TABLE, "marked__all")
    assert served.get(url + "/version").status == 404
    assert "marked__all" not in served.get("/delta-sharing/shares/jingshu/all-tables").text
