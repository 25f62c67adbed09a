"""A YAML file as plain data with line numbers, and the error that names a place in it.

Safe by construction: bounded size, no tags, no duplicate keys, no aliases that multiply, dates stay
strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from contracts.errors import JingshuError

if TYPE_CHECKING:
    from pathlib import Path

Place = tuple[str | int, ...]
_M = TypeVar("_M", bound=BaseModel)
_MAX_BYTES = 4 << 20


class ContractError(JingshuError, ValueError):
    """A contract that cannot be read; ``file``, ``line`` and ``place`` say where."""

    def __init__(
        self, file: Path, line: int | None, place: Place, problem: str, remedy: str
    ) -> None:
        where = ".".join(str(p) for p in place)
        at = f"{file.name}:{line}" if line else file.name
        super().__init__(f"{at} ({where or 'top level'}): {problem}", remedy)
        self.file, self.line, self.place = file, line, place

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from the finished sentences: exceptions cross process borders."""
        return (_rebuilt, (self.file, self.line, self.place, self.problem, self.remedy))


def _rebuilt(
    file: Path, line: int | None, place: Place, problem: str, remedy: str
) -> ContractError:
    error = ContractError(file, line, place, "", remedy)
    error.problem = problem
    return error


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses duplicate keys and leaves dates as strings."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key_node.value!r} stands here twice", key_node.start_mark
            )
        seen.add(key_node.value)
    return {str(k): v for k, v in loader.construct_mapping(node, deep=True).items()}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass(frozen=True)
class Document:
    """One YAML file: its plain data, and its nodes for line numbers."""

    file: Path
    data: dict[str, Any]
    root: yaml.Node

    def line(self, place: Place) -> int | None:
        """Return the 1-based line of the deepest part of ``place`` that exists."""
        node: yaml.Node | None = self.root
        line = 1
        for step in place:
            if isinstance(node, yaml.MappingNode):
                found = [(k, v) for k, v in node.value if k.value == str(step)]
                if not found:
                    break
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def fail(self, place: Place, problem: str, remedy: str) -> ContractError:
        """Return the error that names this file and the place."""
        return ContractError(self.file, self.line(place), place, problem, remedy)

    def parse(self, kind: type[_M], value: object, place: Place) -> _M:
        """Validate ``value`` as one of our types; the first error is reported with its place."""
        try:
            return kind.model_validate(value)
        except ValidationError as invalid:
            first = invalid.errors()[0]
            where = (*place, *first["loc"])
            raise self.fail(
                where,
                first["msg"],
                f"Write it as {kind.__name__} is documented in contracts/model.py.",
            ) from None


def load_yaml(file: Path) -> Document:
    """Read a YAML mapping safely: bounded size, no duplicate keys, no tags, dates as strings."""
    try:
        size = file.stat().st_size
        if size > _MAX_BYTES:
            raise ContractError(
                file, None, (), f"{size} bytes are too many", "Split it: a contract is < 4 MiB."
            )
        text = file.read_text("utf-8")
        root = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  (_Loader is a SafeLoader)
    except FileNotFoundError:
        raise ContractError(
            file, None, (), "there is no such file", "Check the path, or write the file."
        ) from None
    except UnicodeDecodeError as bad:
        raise ContractError(
            file, None, (), f"byte {bad.start} is not UTF-8", "Save the file as UTF-8."
        ) from None
    except RecursionError:
        raise ContractError(
            file, None, (), "it is nested too deeply", "Flatten the YAML."
        ) from None
    except yaml.YAMLError as bad:
        mark = getattr(bad, "problem_mark", None)
        raise ContractError(
            file,
            mark.line + 1 if mark else None,
            (),
            f"not readable as YAML: {getattr(bad, 'problem', None) or bad}",
            "Mend the YAML at this line.",
        ) from None
    if root is None or not isinstance(data, dict):
        raise ContractError(
            file, 1, (), "the file holds no mapping", "Start from example.odcs.yaml."
        )
    return Document(file, data, root)
