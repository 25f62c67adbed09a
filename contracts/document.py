"""A YAML file as plain data with line numbers, and the error that names a place in it.

Safe by construction: bounded size, no tags, no duplicate keys, no aliases that multiply, dates stay
strings.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from contracts import refusals
from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Place = tuple[str | int, ...]
_M = TypeVar("_M", bound=BaseModel)
_MAX_BYTES = 4 << 20
#: Nodes of a document with every alias written out.
_MAX_NODES = 100_000
#: libyaml composes recursively, in C: a stack that is too deep would end the process.
_MAX_DEPTH = 100


class ContractError(JingshuError, ValueError):
    """A contract that cannot be read; ``file``, ``line`` and ``place`` say where."""

    def __init__(
        self, file: Path, line: int | None, place: Place, problem: Words, remedy: Words
    ) -> None:
        where = ".".join(str(p) for p in place)
        at = f"{file.name}:{line}" if line else file.name
        told = Words(
            f"{at}（{where or '顶层'}）：{problem.zh}",
            f"{at} ({where or 'top level'}): {problem.en}",
        )
        super().__init__(told, remedy)
        self.file, self.line, self.place = file, line, place
        #: What else is wrong with the same file, in the order of its lines.
        self.more: tuple[ContractError, ...] = ()

    @property
    def all(self) -> tuple[ContractError, ...]:
        """This error, and whatever else is wrong with the file."""
        return (self, *self.more)

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from the finished sentences: exceptions cross process borders."""
        parts = (self.file, self.line, self.place, self.problem, self.remedy)
        return (_rebuilt, (*parts, self.more))


def _rebuilt(
    file: Path,
    line: int | None,
    place: Place,
    problem: Words,
    remedy: Words,
    more: tuple[ContractError, ...],
) -> ContractError:
    error = ContractError(file, line, place, problem, remedy)
    error.problem, error.more = problem, more
    return error


def outside(file: Path) -> ContractError:
    """Return the error of a link that leads out of its tree."""
    return ContractError(
        file,
        None,
        (),
        Words("文件在其契约树之外", "the file lies outside its tree"),
        Words("请用文件本身替换链接。", "Replace the link by the file."),
    )


def twin(file: Path, contract_id: str, other: str) -> ContractError:
    """Return the error of a contract whose id another file has."""
    return ContractError(
        file,
        None,
        ("id",),
        Words(f"{contract_id} 也在 {other} 中", f"{contract_id} is also in {other}"),
        Words("请给每份契约自己的 id。", "Give each contract its own id."),
    )


class Faults:
    """What is wrong with one file, gathered, so that its author mends it in one go."""

    def __init__(self) -> None:
        self.found: list[ContractError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note a ContractError raised inside, and go on after the block."""
        try:
            yield
        except ContractError as wrong:
            self.found += wrong.all

    def stop(self) -> None:
        """Raise the first error of the file with the others behind it, if there is any."""
        if self.found:
            raise gathered(self.found)


def gathered(errors: Sequence[ContractError]) -> ContractError:
    """Return the first of a file's errors, by line, with the others as its ``more``."""
    told = {(e.place, e.problem): e for e in errors}
    first, *others = sorted(told.values(), key=lambda e: e.line or 0)
    first.more = tuple(others)
    return first


class _Loader(yaml.CSafeLoader):
    """Safe YAML that refuses duplicate keys and leaves dates as strings.

    libyaml's parser: a city's contracts are read in a tenth of the time that PyYAML's own takes.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key is no plain word", key_node.start_mark
            )
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

    def fail(self, place: Place, problem: Words, remedy: Words) -> ContractError:
        """Return the error that names this file and the place."""
        return ContractError(self.file, self.line(place), place, problem, remedy)

    def parse(
        self,
        kind: type[_M],
        value: object,
        place: Place,
        called: Mapping[str, str] | None = None,
    ) -> _M:
        """Validate ``value`` as one of our types; every error is raised with its place.

        ``called`` says what the file calls fields that have another name in the type.
        """
        try:
            return kind.model_validate(value)
        except ValidationError as invalid:
            names = called or {}
            errors = [
                self.fail(
                    (*place, *(names.get(str(step), step) for step in error["loc"])),
                    refusals.problem(error),
                    refusals.remedy(kind, error),
                )
                for error in invalid.errors()
            ]
        raise gathered(errors)


def _nodes(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Count a document's nodes as if every alias were written out; each is walked once."""
    if id(node) not in known:
        known[id(node)] = _MAX_NODES + 1  # what holds itself has no end
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_nodes(part, known) for part in parts)
    return known[id(node)]


def _check_depth(text: str) -> None:
    """Raise RecursionError for what is nested without bound; events come without recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise RecursionError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def load_yaml(file: Path) -> Document:
    """Read a YAML mapping safely: bounded size, no duplicate keys, no tags, dates as strings."""
    try:
        size = file.stat().st_size
        text = file.read_text("utf-8") if size <= _MAX_BYTES else None
        _check_depth(text or "")
        loader = _Loader(text or "")
        root = loader.get_single_node()
        is_bomb = _nodes(root, {}) > _MAX_NODES
        data = None
        if root is not None and not is_bomb:
            data = loader.construct_document(root)
    except (OSError, RecursionError, ValueError, OverflowError, yaml.YAMLError) as bad:
        raise ContractError(file, *_explained(bad)) from None
    if text is None:
        raise ContractError(
            file,
            None,
            (),
            Words(f"{size} 字节过多", f"{size} bytes are too many"),
            Words("请拆分：契约小于 4 MiB。", "Split it: a contract is < 4 MiB."),
        )
    if is_bomb:
        raise ContractError(
            file,
            1,
            (),
            Words("其别名无限增多", "its aliases multiply without bound"),
            Words("请把值逐一写出。", "Write the values out."),
        )
    if root is None or not isinstance(data, dict):
        raise ContractError(
            file,
            1,
            (),
            Words("文件中没有映射", "the file holds no mapping"),
            Words("请从 example.odcs.yaml 开始。", "Start from example.odcs.yaml."),
        )
    return Document(file, data, root)


def _explained(bad: Exception) -> tuple[int | None, Place, Words, Words]:
    """Return line, place, problem and remedy of what stopped the reading of a file."""
    line = None
    match bad:
        case FileNotFoundError():
            problem = Words("没有这个文件", "there is no such file")
            remedy = Words("请检查路径，或写出该文件。", "Check the path, or write the file.")
        case OSError():
            why = bad.strerror
            problem = Words(f"无法读取：{why}", f"it cannot be read: {why}")
            remedy = Words("请放一个可读取的文件。", "Put a readable file there.")
        case UnicodeDecodeError():
            problem = Words(f"字节 {bad.start} 不是 UTF-8", f"byte {bad.start} is not UTF-8")
            remedy = Words("请把文件存为 UTF-8。", "Save the file as UTF-8.")
        case RecursionError():
            problem = Words("嵌套过深", "it is nested too deeply")
            remedy = Words("请减少 YAML 的层次。", "Flatten the YAML.")
        case yaml.YAMLError():
            mark = getattr(bad, "problem_mark", None)
            line = mark.line + 1 if mark else None
            problem = _unreadable(getattr(bad, "problem", None) or str(bad))
            remedy = Words("请修正这一行的 YAML。", "Mend the YAML at this line.")
        case _:  # a number that Python will not hold
            problem = _unreadable(str(bad))
            remedy = Words("请给该值加引号。", "Quote the value.")
    return line, (), problem, remedy


def _unreadable(why: str) -> Words:
    return Words(f"不能作为 YAML 读取：{why}", f"not readable as YAML: {why}")
