"""The command group: quick, honest about what it has, one meaning for every exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from cli.lazy import Entry
from cli.main import COMMANDS, main
from contracts.errors import JingshuError
from contracts.layout import ROOT
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAVY = {"airflow", "deltalake", "great_expectations", "pandas", "pyarrow", "pyspark", "sqlalchemy"}

SAMPLE = """
import os
import click
from contracts.errors import JingshuError, UsageError
from contracts.words import Words

@click.command()
@click.argument("how")
def sample(how):
    if how == "environment":
        click.echo(os.environ["JINGSHU_CONTRACTS"] + "|" + os.environ["JINGSHU_HOME"])
    if how == "error":
        raise JingshuError(
            Words("投递目录是空的。", "The drop folder is empty."),
            Words("请放入一个文件。", "Put a file into it."),
        )
    if how == "usage":
        raise UsageError(
            Words("没有名为 x 的契约。", "No contract is named x."),
            Words("请看 ./jingshu contract show。", "See ./jingshu contract show."),
        )
    if how == "interrupt":
        raise KeyboardInterrupt
    return 1 if how == "finding" else None
"""

EMPTY = Words("投递目录是空的。请放入一个文件。", "The drop folder is empty. Put a file into it.")
UNKNOWN = Words(
    "没有名为 x 的契约。请看 ./jingshu contract show。",
    "No contract is named x. See ./jingshu contract show.",
)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ``sample`` that ends in the way its argument names."""
    (tmp_path / "sample_command.py").write_text(SAMPLE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "sample", Entry("sample_command:sample", "Sample."))


def exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return stopped.value.code


def test_help_loads_nothing_heavy() -> None:
    program = """
import json, sys
from cli.main import main
try:
    main(["--help"])
except SystemExit as stopped:
    print(json.dumps([stopped.code, sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert not HEAVY & set(modules)
    assert {module for module in modules if module.startswith("cli.")} == {
        "cli.lazy",
        "cli.main",
    }


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("fine", 0, ""),
        ("finding", 1, ""),
        ("error", 1, f"错误：{EMPTY.zh} Error: {EMPTY.en}\n"),
        ("usage", 2, f"错误：{UNKNOWN.zh} Error: {UNKNOWN.en}\n"),
    ],
)
def test_exit_codes(
    how: str,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JINGSHU_DEBUG", raising=False)
    assert exit_code("sample", how) == status
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("zh", f"错误：{EMPTY.zh}\n"),
        ("en", f"Error: {EMPTY.en}\n"),
    ],
)
def test_an_error_is_told_in_the_language_of_its_reader(
    who: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_LANG", who)
    assert exit_code("sample", "error") == 1
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("sample")
def test_interruption_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("sample", "interrupt") == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.usefixtures("sample")
def test_a_missing_argument_is_wrong_usage() -> None:
    assert exit_code("sample") == 2


@pytest.mark.usefixtures("sample")
def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_DEBUG", "1")
    with pytest.raises(JingshuError, match="drop folder"):
        main(["sample", "error"])


@pytest.mark.usefixtures("sample")
def test_global_options_become_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JINGSHU_CONTRACTS", "before")  # restored after the test
    monkeypatch.setenv("JINGSHU_HOME", "before")
    home = tmp_path / "home"
    options = ("--contracts", str(tmp_path), "--home", str(home))
    assert exit_code(*options, "sample", "environment") == 0
    assert capsys.readouterr().out == f"{tmp_path}|{home}\n"


def test_a_contracts_tree_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert exit_code("--contracts", str(tmp_path / "nowhere"), "test", "--help") == 2


def test_a_command_without_its_module_is_not_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "later", Entry("cli.no_such_module:later", "Later."))
    assert exit_code("later") == 2
    assert exit_code("--help") == 0
    assert "Later." not in capsys.readouterr().out


def leaves(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from leaves((*path, name), child)
    else:
        yield path


PRESENT = [name for name, entry in COMMANDS.items() if entry.exists()]


@pytest.mark.parametrize("name", PRESENT)
def test_every_command_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for path in leaves((name,), COMMANDS[name].load()):
        assert exit_code(*path, "--help") == 0
        assert f"./jingshu {' '.join(path)}" in capsys.readouterr().out
