"""Pages in two languages tell people to type the same; what others take from here holds."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

from cli.main import main
from contracts.layout import ROOT
from tests.support.documented import of_page

if TYPE_CHECKING:
    from pathlib import Path

_TWINS: Final = [
    "SECURITY.zh.md",
    *(
        str(page.relative_to(ROOT))
        for folder in ("explanation", "tutorial", "how-to", "reference")
        for page in sorted((ROOT / "docs" / folder).glob("*.zh.md"))
    ),
]
_SOURCE: Final = "docs/tutorial/first-source.md"
_HOOKS: Final = ".pre-commit-hooks.yaml"
_RELEASE: Final = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def shape(page: str) -> dict[str, Any]:
    text = (ROOT / page).read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return {
        "typed": [(s.kind, s.name, s.text) for s in of_page(page)],
        "headings": [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)],
        "rows": len(re.findall(r"^\|", prose, re.MULTILINE)),
    }


@pytest.mark.parametrize("page", _TWINS)
def test_a_page_and_its_twin_say_the_same(page: str) -> None:
    twin = page.replace(".zh.md", ".md")
    assert shape(page) == shape(twin)
    for this, other in ((page, twin), (twin, page)):
        assert f"]({other.rpartition('/')[2]})" in (ROOT / this).read_text("utf-8")


@pytest.mark.parametrize("folder", ["tutorial", "how-to"])
def test_every_page_for_people_is_in_both_languages(folder: str) -> None:
    names = {page.name for page in (ROOT / "docs" / folder).glob("*.md")}
    assert names == {n for name in names for n in (name, f"{name.split('.')[0]}.zh.md")}
    assert len(names) >= 6


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another repository, whose top is the contracts tree of the tutorial."""
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JINGSHU_CONTRACTS", "")  # restored after the test: the option sets it
    there = tmp_path / "there"
    there.mkdir()
    for snippet in of_page(_SOURCE):
        folder, _, name = snippet.name.rpartition("/")
        if folder == "library-city":
            (there / name).write_text(snippet.text, "utf-8")
    monkeypatch.chdir(there)
    return there


def hook() -> dict[str, Any]:
    [found] = load_manifest(str(ROOT / _HOOKS))
    return dict(found)


def linted() -> object:
    assert (ROOT / hook()["entry"]).is_file()
    with pytest.raises(SystemExit) as ended:
        main(list(hook()["args"]))
    return ended.value.code


def test_the_offered_hook_passes_a_tree_that_holds(tree: Path) -> None:
    assert linted() == 0


def test_the_offered_hook_stops_a_commit_that_breaks_a_contract(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tree / "loan.odcs.yaml"
    contract.write_text(contract.read_text("utf-8").replace("physicalName", "physicalNames", 1))
    assert linted() == 1
    assert "Write physicalName." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "is_looked_at"),
    [
        ("bureaus/health/disease_case.odcs.yaml", True),
        ("providers.yaml", True),
        ("my-city/approvals.yaml", True),
        ("notes.yaml", False),
        ("old-providers.yaml.bak", False),
    ],
)
def test_the_offered_hook_looks_at_files_of_contracts(file: str, *, is_looked_at: bool) -> None:
    assert bool(re.search(hook()["files"], file)) is is_looked_at


def test_our_own_hooks_can_be_read() -> None:
    [repository] = load_config(str(ROOT / ".pre-commit-config.yaml"))["repos"]
    assert "typos" in {one["id"] for one in repository["hooks"]}


def test_the_newest_release_is_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    releases = _RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert releases[0][0] == project["version"]
    dates = [date.fromisoformat(on) for _, on in releases]
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda f: f.stem
)
def test_an_issue_form_asks_for_something(form: Path) -> None:
    said = yaml.safe_load(form.read_text("utf-8"))
    assert said["name"]
    assert said["description"]
    asked = [part for part in said["body"] if part["type"] != "markdown"]
    assert any(part.get("validations", {}).get("required") for part in asked)
    ids = [part["id"] for part in asked]
    assert len(ids) == len(set(ids))
    assert all(part["attributes"]["label"] for part in asked)


def test_hosted_checks_are_those_that_everybody_runs() -> None:
    [job] = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))[
        "jobs"
    ].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith('exec ./jingshu test "$@"')
