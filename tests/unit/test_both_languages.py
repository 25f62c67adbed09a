"""Every text that people read is whole in Chinese and in English, and no string holds both."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest

from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES: Final = (
    "bench", "cli", "contracts", "dags", "infra", "jobs", "lineage", "portal", "sharing",
)  # fmt: skip
#: What takes a text in Chinese and then in English.
PAIRS: Final = ("Words", "Word", "text", "tell", "about", "printed", "refuse")
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
#: Chinese, or a text that only joins others or names the page in the other language.
SAID: Final = re.compile(r"[\u4e00-\u9fff]|[：。]|^\[English\]")
#: Chinese, and words of English that are no name beside it.
GLUED: Final = re.compile(
    r"[A-Za-z]{2,} [A-Za-z]{2,}.*[\u4e00-\u9fff]|[\u4e00-\u9fff].*[A-Za-z]{2,} [A-Za-z]{2,}"
    r"|[\u4e00-\u9fff）。：] [A-Za-z]{2,}",
    re.DOTALL,
)
#: A sentence of English within Chinese: words of more than an id, a command or a law's article.
SENTENCE: Final = re.compile(r"[。：；，] ?[A-Z][a-z]+ [a-z]+ [a-z]+")
#: The verifier in a dossier stands alone, and what it prints is hashed into dossiers; so are names
#: of scopes. Stored purposes and titles of earlier versions are looked for as they were written.
WHOLE_FILES: Final = frozenset(
    (
        "lineage/evidence/verify_dossier.py",
        "lineage/evidence/verify_anchors.py",
        "lineage/evidence/dossier_text.py",
        "jobs/files/parquet.py",  # a program of its own, which hands each language over apart
    )
)
KEPT: Final = (
    "京枢存证卷宗 Jingshu evidence dossier", "授权 grant {}", "数据集 dataset {}, {} – {}",
    "京枢 Jingshu", "区级数据回流 Returned to the district (Decree 809, Art. 24)",
    # quoted in one language: a term of law or of the sandbox, a program's name
    "(更新及时率)", "(回流)", "应为 true 或 false",
)  # fmt: skip
#: Names, and words that are quoted from laws, notices and contracts, stand in either language.
NAMES: Final = re.compile(
    r"\w+〔\d+〕\w*号|\w+条例 第\w+条|\[中文\]"
    r"|《[^》]*》|“[^”]*”|\"[^\"]*\"|'[^']*'|\S*[/:=]\S*|--\S+ \S+|`[^`]*`"
)


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module that are neither docstrings nor one of a pair."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in PAIRS:
            passed |= {id(inner) for a in (*node.args, *node.keywords) for inner in ast.walk(a)}
        elif isinstance(node, ast.JoinedStr):
            passed |= {id(inner) for inner in ast.walk(node) if inner is not node}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
    for node in ast.walk(tree):
        if id(node) not in passed and (told := written(node)) is not None:
            yield getattr(node, "lineno", 0), told


def written(node: ast.AST) -> str | None:
    """Return what the author wrote, braces for what is filled in; None for what is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return None


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_string_holds_both_languages(package: str) -> None:
    glued = [
        f"{path.relative_to(ROOT)}:{line}: {told}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in WHOLE_FILES
        for line, told in strings(ast.parse(path.read_text("utf-8")))
        if GLUED.search(told) and not any(kept in told for kept in KEPT)
    ]
    assert glued == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_has_chinese_and_then_english(package: str) -> None:
    wrong, found = [], 0
    for path in sorted((ROOT / package).rglob("*.py")):
        if str(path.relative_to(ROOT)) in WHOLE_FILES:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or _name(node) not in PAIRS or len(node.args) < 2:
                continue
            zh, en = written(node.args[0]), written(node.args[1])
            if zh is None or en is None or zh == en:
                continue  # handed on, or the same to every reader
            found += 1
            if not SAID.search(zh) and re.search(r"[A-Za-z]{3}", en):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} has no Chinese: {zh}")
            if SENTENCE.search(zh):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} has English in Chinese: {zh}")
            if CHINESE.search(NAMES.sub("", en)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} has Chinese in English: {en}")
    assert wrong == []
    assert found, "some text was looked at"
