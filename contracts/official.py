"""Holds a document against the official JSON Schema of ODCS, and says each breach in words."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from contracts.standard import COMPARISONS, OBJECT, PROPERTY, QUALITY, RELATIONSHIP, SLA, nearest
from contracts.words import Words

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from contracts.document import ContractError, Document, Place
    from contracts.standard import Element

_AS_THE_STANDARD: Final = Words(
    "请按 Open Data Contract Standard v3.1 对该元素的规定更正。",
    "Correct it as the Open Data Contract Standard v3.1 says for this element.",
)
_UNKNOWN: Final = ("unevaluatedProperties", "additionalProperties")
#: What stands in a list of this name is one of these elements.
_ELEMENTS: Final[dict[object, Element]] = {
    "schema": OBJECT,
    "properties": PROPERTY,
    "quality": QUALITY,
    "relationships": RELATIONSHIP,
    "slaProperties": SLA,
}


@cache
def _schema() -> dict[str, Any]:
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return dict(json.loads(text))


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema())


def _is_valid(data: dict[str, Any]) -> bool:
    try:
        return _validator().is_valid(data)
    except ValueError:  # what YAML can say and JSON cannot: bytes, sets
        return False


def breaches(doc: Document) -> list[ContractError]:
    """Return every breach of the standard, one a place; none for a document that holds."""
    if _is_valid(doc.data):
        return []
    from jsonschema import Draft201909Validator
    from jsonschema.exceptions import best_match

    # Slower, and better at saying which of many errors a person should mend.
    by_place: dict[Place, list[ValidationError]] = {}
    for error in Draft201909Validator(_schema()).iter_errors(doc.data):
        by_place.setdefault(tuple(error.absolute_path), []).append(error)
    found: list[ContractError] = []
    for place, errors in by_place.items():
        unknown = [e for e in errors if e.validator in _UNKNOWN]
        others = [best_match([e]) for e in errors if e not in unknown]
        told = [_told(doc, e) for e in others if e is not None]
        keys = _unknown_keys(doc, place)
        if keys is None and not told:  # no element that is known here by its keys
            told = [_told(doc, e) for e in unknown[:1]]
        found += [_unknown(doc, place, key) for key in keys or ()] + told
    return found


def _node(doc: Document, place: Place) -> object:
    node: Any = doc.data
    for step in place:
        node = node[step]
    return node


def _element(place: Place) -> Element | None:
    is_in_list = len(place) > 1 and isinstance(place[-1], int)
    return _ELEMENTS.get(place[-2]) if is_in_list else None


def _unknown_keys(doc: Document, place: Place) -> list[str] | None:
    """Return the keys of a node that its element does not have; None for another element.

    The schema calls every key of an element unexpected as soon as one of them is wrong.
    """
    element, node = _element(place), _node(doc, place)
    if element is None or not isinstance(node, dict):
        return None
    return [key for key in node if key not in element.known]


def _unknown(doc: Document, place: Place, key: str) -> ContractError:
    element = _element(place) or PROPERTY
    return doc.fail(
        (*place, key),
        Words(f"违反 ODCS：此处没有键 {key!r}", f"breaks ODCS: {key!r} is no key here"),
        nearest(key, sorted(element.known)),
    )


def _told(doc: Document, error: ValidationError) -> ContractError:
    place: Place = tuple(error.absolute_path)
    if error.validator == "oneOf" and _element(place) is QUALITY:
        node = _node(doc, place)
        used = [c for c in COMPARISONS if isinstance(node, dict) and c in node]
        if len(used) != 1:
            many, names = len(used), ", ".join(used)
            return doc.fail(
                place,
                Words(
                    f"违反 ODCS：一项检查有 {many} 个运算符（{names or '无'}）",
                    f"breaks ODCS: {many} operators in one check ({names or 'none'})",
                ),
                Words(
                    "每项检查请写一个运算符；mustBeBetween: [low, high] 可写两个界限。",
                    "Write one operator a check; mustBeBetween: [low, high] says two bounds.",
                ),
            )
    words = re.sub(r"\s+", " ", error.message)[:300]
    problem = Words(f"违反 ODCS：{words}", f"breaks ODCS: {words}")
    return doc.fail(place, problem, _AS_THE_STANDARD)
