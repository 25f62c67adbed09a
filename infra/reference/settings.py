"""The page of settings: every environment variable that the code reads, as its syntax says."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT
from contracts.words import Words
from infra.reference.markdown import UndescribedError, code, page, table
from infra.reference.variables import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_SUMMARY: Final = (
    "Jingshu reads its settings from environment variables; `--contracts` and `--home` set two of"
    " them for one command. A variable that is unset or empty has its default. Delta tables in a"
    " bucket are reached by the variables that AWS's own tools read (`AWS_ACCESS_KEY_ID`,"
    " `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`). Where notices go is a file:"
    " `notices.toml` of `JINGSHU_HOME`."
)
#: What is run: packages of the project and its tests' browser. Each reads settings of its own.
_FOLDERS: Final = (
    "bench",
    "cli",
    "contracts",
    "dags",
    "infra",
    "jobs",
    "lineage",
    "portal",
    "sharing",
    "tests",
)
_OURS: Final = re.compile(r"JINGSHU_[A-Z][A-Z0-9_]*")
#: Of the launcher: what it tests, prints or hands on.
_IN_SHELL: Final = re.compile(r"\$\{?(JINGSHU_[A-Z_]+|JAVA_HOME)\b")
_PLACE: Final = "infra/reference/variables.py"
_ASKING: Final = ("get", "pop", "setdefault")


@dataclass(frozen=True)
class _Module:
    """One module's syntax tree, with the names that stand for texts."""

    tree: ast.Module
    constants: Mapping[str, str]

    @classmethod
    def of(cls, file: Path) -> _Module:
        tree = ast.parse(file.read_text("utf-8"))
        constants = {}
        for node in tree.body:
            match node:
                case (
                    ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
                    | ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                ):
                    constants[name] = text
        return cls(tree, constants)

    def names(self) -> Iterator[str]:
        """Yield the variables that are read by name, and every text that is one of ours."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Constant(value=str(text)) if _OURS.fullmatch(text):
                    yield text
                case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[name, *_]) if (
                    attr in _ASKING and _is_environment(owner)
                ) or attr == "getenv":
                    yield from self._text(name)
                case ast.Subscript(value=owner, slice=name, ctx=ast.Load()) if _is_environment(
                    owner
                ):
                    yield from self._text(name)
                case ast.Compare(left=name, comparators=[owner]) if _is_environment(owner):
                    yield from self._text(name)

    def _text(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Name(id=name) if name in self.constants:
                yield self.constants[name]


def _is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return name == "environ"


def names_in(file: Path) -> Iterator[str]:
    """Yield the variables that one module reads."""
    return _Module.of(file).names()


def variables() -> frozenset[str]:
    """Return every environment variable that the code or the launcher reads."""
    found = set(_IN_SHELL.findall((ROOT / "jingshu").read_text("utf-8")))
    for folder in _FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            is_test = folder == "tests" and file.parent != ROOT / folder
            if not is_test:
                found |= set(names_in(file))
    return frozenset(found)


def settings() -> str:
    """Return the page.

    Raises:
        UndescribedError: a variable is read and not described, or described and not read.
    """
    described = {name for group in GROUPS for name in group.variables}
    check(variables(), described)
    parts = []
    for group in GROUPS:
        rows = [(code(name), v.default, v.meaning) for name, v in sorted(group.variables.items())]
        parts += [f"## {group.title}", group.about, table(("variable", "default", "meaning"), rows)]
    return page("Settings", _SUMMARY, *filter(None, parts))


def check(read: Iterable[str], described: Iterable[str]) -> None:
    """Raise UndescribedError where what is read and what is described differ."""
    unsaid, gone = sorted(set(read) - set(described)), sorted(set(described) - set(read))
    if unsaid:
        names = ", ".join(unsaid)
        raise UndescribedError(
            Words(
                f"代码读取 {names}，而没有一页说明它。",
                f"The code reads {names}, which no page describes.",
            ),
            Words(f"请在 {_PLACE} 里说明。", f"Describe it in {_PLACE}."),
        )
    if gone:
        names = ", ".join(gone)
        raise UndescribedError(
            Words(f"已没有代码读取 {names}。", f"Nothing reads {names} any more."),
            Words(f"请从 {_PLACE} 里删去。", f"Take it out of {_PLACE}."),
        )
