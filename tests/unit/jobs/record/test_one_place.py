"""Who writes down what became of data: ``jobs.record`` alone, as import-linter holds too."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pytest

from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Where rows are appended; a scan states what it found, which is a row of no run.
_WRITERS: Final = ("jobs/record/", "jobs/scan/findings.py")
_FILES: Final = [
    file.relative_to(ROOT)
    for top in ("cli", "jobs", "dags")
    for file in sorted((ROOT / top).rglob("*.py"))
    if not file.relative_to(ROOT).as_posix().startswith(_WRITERS)
]


def appends(source: str) -> Iterator[str]:
    """Yield whose ``append`` a module calls, where it is governance's or the evidence log's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whose = ast.unparse(node.func.value)
            if node.func.attr == "append" and ("governance" in whose or "EvidenceLog" in whose):
                yield f"{whose}.append, line {node.lineno}"


@pytest.mark.parametrize("file", _FILES, ids=str)
def test_nobody_else_appends_a_row_or_a_leaf(file: Path) -> None:
    assert list(appends((ROOT / file).read_text("utf-8"))) == []


def test_an_append_is_seen() -> None:
    assert len(list(appends("governance.append(home, 'x', [])\nEvidenceLog(home).append([])"))) == 2
