"""The page that names the files of a batch's way, held against what the files import."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from contracts.layout import ROOT

PAGE: Final = (ROOT / "docs/explanation/way-of-a-batch.md").read_text("utf-8")
_STAGE: Final = re.compile(r"\d\. (\w+):")
_ROW: Final = re.compile(r"^\| `(\S+)` \|", re.MULTILINE)
_PATH: Final = re.compile(
    r"`((?:pull|files|land|rules|refine|checks|audit|publish|tables)/\w+\.py)`"
)
#: Files by stage, in the order of the page; those beside every stage are under "".
NAMED: Final = {
    stage[1] if (stage := _STAGE.match(part)) else "": _ROW.findall(part)
    for part in PAGE.split("\n## ")[1:]
}
STAGES: Final = [stage for stage in NAMED if stage]


@cache
def imported(file: str) -> frozenset[str]:
    """Return the files of ``jobs`` that a file imports when it runs."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in for_types and node.module:
            module = Path(*node.module.split("."))
            found |= {module.with_suffix(".py"), *(module / f"{a.name}.py" for a in node.names)}
    return frozenset(str(f) for f in found if f.parts[0] == "jobs" and (ROOT / f).is_file())


def reached(file: str) -> set[str]:
    seen: set[str] = set()
    todo = [file]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += imported(one)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_s_files_are_those_that_it_imports(stage: str) -> None:
    run = f"jobs/{stage}/run.py"
    assert run in NAMED[stage]
    assert set(NAMED[stage]) <= reached(run), "named, and not used"
    known = {file for files in NAMED.values() for file in files}
    assert imported(run) <= known, "used, and not named"


def test_stages_stand_in_the_order_in_which_data_passes() -> None:
    """Each stage takes what the one before it returns."""
    handed: list[tuple[set[str], str]] = []
    for stage in STAGES:
        tree = ast.parse((ROOT / f"jobs/{stage}/run.py").read_text("utf-8"))
        (does,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == stage)
        takes = {ast.unparse(a.annotation) for a in does.args.args if a.annotation}
        handed.append((takes, ast.unparse(does.returns) if does.returns else ""))
    assert len(handed) == 5
    for (_, returned), (taken, _) in pairwise(handed):
        assert returned in taken


def test_the_first_pages_name_the_same_files() -> None:
    for page in ("README.md", "README.zh.md"):
        text = (ROOT / page).read_text("utf-8")
        paths = _PATH.findall(text)
        assert len(paths) == 16
        order = [f"jobs/{path}" for path in paths]
        assert [file for stage in STAGES for file in NAMED[stage] if file in order] == order
