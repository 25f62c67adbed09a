"""The page of the contract dialect: the types that contracts are read into, field by field."""

from __future__ import annotations

import inspect
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from contracts import model, product
from contracts.approvals import Approval
from contracts.columns import CUSTOM
from contracts.constraint import Threshold
from contracts.glossary import Term
from contracts.model import Column
from contracts.reading import PARTS
from contracts.rules import NAMED_RULES
from contracts.sla import READ
from contracts.standard import (
    ARGUMENTS,
    COMPARISONS,
    OBJECT,
    OPTIONS,
    PROPERTY,
    QUALITY,
    RELATIONSHIP,
    SLA,
    SLA_UNCHECKED,
    Element,
)
from infra.reference.attributes import attribute_docs
from infra.reference.markdown import code, codes, docstring, english, page, table
from infra.reference.meanings import COLUMN_PROPERTIES, FIELDS, MASKS, meaning
from infra.reference.sample import kinds_of_rules
from jobs.share.masking import MASKS as REGISTERED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

_SUMMARY: Final = (
    "A contract is plain [ODCS](https://bitol.io) v3.1. What the standard has no word for stands"
    " in `customProperties`, so that other tools read every file. `jingshu contract lint` names"
    " whatever nothing here reads."
)
_STANDARD: Final[Mapping[str, Element]] = {
    "schema[]": OBJECT,
    "schema[].properties[]": PROPERTY,
    "relationships[]": RELATIONSHIP,
    "quality[]": QUALITY,
    "slaProperties[]": SLA,
}
#: Parts that stand in the properties of a contract, and where.
_NESTED: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "load.delete_marker": (model.Load.DeleteMarker, "in `load`"),
    "product.policies[]": (product.Policy, "in `product`"),
    "product.totals[]": (product.Total, "in `product`"),
    "product.return": (product.Return, "in `product`"),
    "export": (model.Export, "custom property of `servers[]`"),
    "release": (product.Release, "custom property of a column; also in policies"),
    "lowering": (model.Lowering, "custom property of a column"),
    "threshold": (Threshold, "custom property of `relationships[]`"),
}
_FILES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "providers.yaml": (model.Provider, "`providers`: a list of these. `city` may name the city."),
    "glossary.yaml": (
        Term,
        "`columns`: column names, each mapped to one of these. May be absent.",
    ),
    "approvals.yaml": (Approval, "`approvals`: a list of these. Needed once a column is lowered."),
}
#: Fields that are made by reading and never written.
_DERIVED: Final = frozenset({("Product", "returned_to")})


def dialect() -> str:
    """Return the page."""
    return page("Contract dialect", _SUMMARY, *_custom(), *_rules(), *_standard(), *_files())


def _custom() -> Iterator[str]:
    yield "## Custom properties of a contract"
    for name, part in PARTS.items():
        yield from _part(name, part, "")
    yield "## Parts of these, and custom properties of other elements"
    for name, (kind, where) in _NESTED.items():
        yield from _part(name, kind, where)
    yield "## Custom properties of a column"
    rows = []
    for name in CUSTOM:
        words = meaning(COLUMN_PROPERTIES, name, "custom property")
        rows.append((code(name), _type(Column.model_fields[name].annotation), words))
    yield table(("property", "value", "meaning"), rows)


def _part(name: str, kind: type[BaseModel], where: str) -> Iterator[str]:
    yield f"### {name}"
    yield f"{docstring(kind)} {where and f'({where})'}".strip()
    yield _fields(kind)


def _fields(kind: type[BaseModel]) -> str:
    meanings = FIELDS.get(kind.__name__, {})
    own = attribute_docs(kind)
    rows = []
    for name, info in kind.model_fields.items():
        if (kind.__name__, name) in _DERIVED:
            continue
        words = info.description or own.get(name, "")
        words = words or meaning(meanings, name, f"field {kind.__name__}.")
        rows.append((code(info.alias or name), _type(info.annotation), _default(info), words))
    return table(("field", "value", "default", "meaning"), rows)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    given = info.get_default(call_default_factory=True)
    if given in (None, "", (), {}, PydanticUndefined) or isinstance(given, BaseModel | Enum):
        return ""
    if isinstance(given, tuple):
        return codes(repr(v) if not v else str(v) for v in given)
    return code(str(given).lower() if isinstance(given, bool) else str(given))


def _type(annotation: Any) -> str:
    """Return a type in the words of YAML."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " | ".join(code(str(a)) for a in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(a) for a in arguments if a is not NoneType)
    if origin in (tuple, dict):
        many = "list of" if origin is tuple else "mapping to"
        return f"{many} {_type(arguments[origin is dict])}"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any value"}
    if annotation in names:
        return names[annotation]
    is_model = inspect.isclass(annotation) and issubclass(annotation, BaseModel)
    return _linked(annotation) if is_model else str(getattr(annotation, "__name__", annotation))


def _linked(kind: type[BaseModel]) -> str:
    for name, (one, _) in _NESTED.items():
        if one is kind:
            return f"[{name}](#{name.lower().replace('.', '').replace('[]', '')})"
    return "name, or `{name: {arguments}}`" if kind is model.RuleUse else kind.__name__


def _rules() -> Iterator[str]:
    yield "## Rules on each row"
    yield (
        "What a column declares becomes row rules; a row that breaks one of severity `error` goes"
        " to quarantine. `<column>` stands for the column's name."
    )
    rows = [(code(r.id), r.dimension, r.severity, source) for r, source in kinds_of_rules()]
    yield table(("rule", "dimension", "severity", "comes from"), rows)
    yield "### Named rules"
    yield table(
        ("rule", "types", "arguments", "dimension", "message"),
        [
            (code(r.name), codes(r.types), _arguments(r.arguments), r.dimension, english(r.message))
            for r in NAMED_RULES.values()
        ],
    )
    yield "### Masks"
    masks = ["drop", *REGISTERED]
    yield table(("mask", "what leaves"), [(code(m), meaning(MASKS, m, "mask")) for m in masks])


def _arguments(of: Mapping[str, tuple[int, ...]]) -> str:
    return "; ".join(f"{code(n)}: {', '.join(map(str, values))}" for n, values in of.items())


def _standard() -> Iterator[str]:
    yield "## What is read of the standard"
    yield (
        "*Read*: it decides something here. *Descriptive*: kept for people and other tools."
        " *Refused*: nothing would run it, so lint says what to write instead."
    )
    for where, element in _STANDARD.items():
        yield f"### {where}"
        yield table(
            ("", "keys"),
            [
                ("read", codes(sorted(element.read))),
                ("descriptive", codes(sorted(element.descriptive))),
                *(
                    (f"refused: {code(k)}", english(why))
                    for k, why in sorted(element.refused.items())
                ),
            ],
        )
    yield "### logicalTypeOptions"
    yield table(
        ("logical type", "checked", "refused"),
        [(code(n), codes(sorted(e.read)), codes(sorted(e.refused))) for n, e in OPTIONS.items()],
    )
    yield "### Checks of type library"
    yield table(
        ("metric", "arguments"), [(code(n), codes(sorted(a))) for n, a in ARGUMENTS.items()]
    )
    yield f"Operators: {codes(COMPARISONS)}."
    yield "### Service levels"
    yield (
        f"Checked: {codes(READ)}. Of people, listed as `not_executable`: {codes(SLA_UNCHECKED)}."
    )


def _files() -> Iterator[str]:
    yield "## Other files of a contracts tree"
    for name, (kind, where) in _FILES.items():
        yield f"### {name}"
        yield f"{docstring(kind)} {where}"
        yield _fields(kind)
