"""What ``./jingshu share`` says, to a reader of one language: that language alone, and whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from cli.main import jingshu, main
from contracts.errors import JingshuError
from contracts.layout import ROOT
from infra.reference.commands import every_command

if TYPE_CHECKING:
    from contracts.layout import Home

_CJK: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
#: Words that stand in no Chinese sentence; names of commands, columns and files do.
_ENGLISH: Final = re.compile(r"\b(?:the|of|is|are|and|its|what|which|with|only)\b", re.IGNORECASE)
_MAKE: Final = "rights listing make emergency.heat_readiness demo --price-version 1"
_HELPS: Final = """
import json, click
from infra.reference.commands import every_command
told = {}
for path, command in every_command():
    if path[0] == "share":
        options = [p.help for p in command.params if isinstance(p, click.Option)]
        entries = [e.help for e in getattr(command, "entries", {}).values()]
        heading = command.epilog.split("./jingshu")[0]
        told[" ".join(path)] = [command.help, heading, *options, *entries]
print(json.dumps(told))
"""


@pytest.fixture(scope="module", params=["zh", "en"])
def helps(request: pytest.FixtureRequest) -> tuple[str, dict[str, list[str]]]:
    """Every text of every help below ``share``, as a process of such a reader has it."""
    environment = {**os.environ, "JINGSHU_LANG": request.param, "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", _HELPS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return request.param, json.loads(done.stdout)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Load every command while no language is set: its help stays as it is first made."""
    assert list(every_command())


def is_of(reader: str, told: str) -> bool:
    if reader == "en":
        return not _CJK.search(told)
    return bool(_CJK.search(told)) and not _ENGLISH.search(told)


def test_every_help_is_whole_in_one_language(helps: tuple[str, dict[str, list[str]]]) -> None:
    reader, told = helps
    assert len(told) > 80
    wrong = [(path, one) for path, texts in told.items() for one in texts if not is_of(reader, one)]
    assert wrong == []


@pytest.mark.parametrize("reader", ["zh", "en"])
@pytest.mark.parametrize(
    "command",
    [
        "networks demo",
        "return",
        "records",
        "request list",
        "catalogue list",
        "catalogue register",
        "rights list",
        "rights trade list",
        "rights asset list",
        "rights listing list",
        "crossborder list",
        "crossborder parties",
        "crossborder papers",
        "crossborder assessments",
        "notices collect",
        "notices send",
        "account bootstrap",
    ],
)
def test_what_a_command_prints_last_is_of_its_reader(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    reader: str,
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    monkeypatch.setenv("JINGSHU_LANG", reader)
    if command == "networks demo":
        with pytest.raises(SystemExit):
            main(["share", "body", "demo", "health"])
    with pytest.raises(SystemExit) as stopped:
        main(["share", *command.split()])
    printed = capsys.readouterr()
    assert stopped.value.code == 0, printed
    assert is_of(reader, printed.out.splitlines()[-1])


@pytest.mark.parametrize(
    "command",
    [
        "catalogue show nothing",
        "catalogue submit nothing",
        "rights listing show L1",
        "rights trade rule v1 civil",
        f"{_MAKE} --cost-fen 1 --cap-fen 2 --profit much",
        "notices test nobody@example.cn",
    ],
)
def test_a_refusal_is_whole_in_each_language(
    home: Home, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    with pytest.raises(JingshuError) as refused:
        jingshu.main(["share", *command.split()], standalone_mode=False)
    assert is_of("zh", refused.value.words.zh)
    assert is_of("en", refused.value.words.en)
