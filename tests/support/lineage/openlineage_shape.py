"""Holds parsed events strictly against the official generated classes.

The specification's JSON Schemas are in no package, but openlineage-python's classes are generated
from them. ``read`` rebuilds an event from plain JSON: an unknown key, a missing one, a wrong type,
a facet in the wrong place or under the wrong schema URL is an error; the classes' own validators
(times, UUIDs, URIs) run too.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

import attr
from openlineage.client import generated
from openlineage.client.generated import base

_FACETS = (
    base.DatasetFacet,
    base.InputDatasetFacet,
    base.OutputDatasetFacet,
    base.RunFacet,
    base.JobFacet,
)
#: The property that each facet's schema gives it, where it is not the class's own name.
_PROPERTY = {"DatasetVersionDatasetFacet": "version"}
_SUFFIXES = ("InputDatasetFacet", "OutputDatasetFacet", "DatasetFacet", "RunFacet", "JobFacet")
_KEPT = {"ProcessingEngineRunFacet": "processing_engine", "SQLJobFacet": "sql"}


class ShapeError(AssertionError):
    """Where an event is not what the generated classes say."""


def _facet_classes() -> dict[str, type]:
    modules = (
        importlib.import_module(f"{generated.__name__}.{module.name}")
        for module in pkgutil.iter_modules(generated.__path__)
    )
    return {
        name: kind
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, _FACETS) and kind not in _FACETS
    }


_CLASSES = _facet_classes()
_hints = cache(typing.get_type_hints)


def read(event: dict[str, Any]) -> base.RunEvent:
    """Rebuild a run event; ShapeError names the place that is wrong."""
    rebuilt = _build(base.RunEvent, event, "event")
    assert isinstance(rebuilt, base.RunEvent)
    return rebuilt


def _build(kind: Any, value: Any, at: str) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = [k for k in typing.get_args(kind) if k is not type(None)]  # nulls are not written
    if typing.get_origin(kind) is not None:
        return _container(kind, value, at)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is not Any and attr.has(kind):
        return _object(kind, value, at)
    wanted = (int, float) if kind is float else kind
    fits = kind is Any or (isinstance(value, wanted) and (kind is bool) == isinstance(value, bool))
    _expect(at, kind, value, fits=fits)
    return value


def _container(kind: Any, value: Any, at: str) -> Any:
    _expect(at, kind, value, fits=isinstance(value, typing.get_origin(kind)))
    inner = typing.get_args(kind)[-1]
    if isinstance(value, list):
        return [_build(inner, v, f"{at}[{i}]") for i, v in enumerate(value)]
    if inner in _FACETS:
        return {k: _facet(inner, k, v, f"{at}.{k}") for k, v in value.items()}
    return {k: _build(inner, v, f"{at}.{k}") for k, v in value.items()}


def _object(kind: Any, value: Any, at: str) -> Any:
    _expect(at, kind, value, fits=isinstance(value, dict))
    hints = _hints(kind)
    known = {f.name: f for f in attr.fields(kind) if not f.name.endswith("skip_redact")}
    unknown = set(value) - set(known)
    if unknown:
        raise ShapeError(f"{at}: {kind.__name__} has no {sorted(unknown)}")
    arguments = {}
    for name, field in known.items():
        if name not in value:
            if field.default is attr.NOTHING:
                raise ShapeError(f"{at}: {kind.__name__} needs {name}")
            continue
        built = _build(hints[name], value[name], f"{at}.{name}")
        if field.init:
            arguments[field.alias] = built
    rebuilt = kind(**arguments)
    for name in ("schemaURL", "_schemaURL"):
        if name in value and value[name] != getattr(rebuilt, name):
            raise ShapeError(f"{at}.{name}: {value[name]} is not {getattr(rebuilt, name)}")
    return rebuilt


def _facet(place: type, key: str, value: Any, at: str) -> Any:
    name = str(value.get("_schemaURL", "")).rpartition("/")[2]
    kind = _CLASSES.get(name)
    if kind is None or not issubclass(kind, place):
        raise ShapeError(f"{at}: {name or 'a facet without schema'} is no {place.__name__}")
    if key != _property(name):
        raise ShapeError(f"{at}: {name} belongs under {_property(name)}")
    return _object(kind, value, at)


def _property(name: str) -> str:
    if name in _PROPERTY or name in _KEPT:
        return (_PROPERTY | _KEPT)[name]
    bare = next(name.removesuffix(s) for s in _SUFFIXES if name.endswith(s))
    return bare[0].lower() + bare[1:]


def _expect(at: str, kind: Any, value: Any, *, fits: bool) -> None:
    if not fits:
        raise ShapeError(f"{at}: {type(value).__name__} is no {kind}")
