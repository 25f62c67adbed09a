"""What commands say: one language for a reader who has one, both whole for whoever has none."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import click
import pytest

from cli.words import about, printed, shown
from contracts.layout import ROOT
from contracts.words import Words
from infra.reference.commands import commands, every_command

if TYPE_CHECKING:
    from contracts.words import Language

_CHINESE: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
#: Code, and what click says itself.
_TYPED: Final = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_SENTENCE: Final = re.compile(r"(?:\b[a-z]+ ){3}")
HELP = about("列出批次。\n\n拒收的在后。", "List batches v1.2.\n\nRefused ones last.", "./x", "./y")


def overview(language: Language) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "--help"],
        cwd=ROOT,
        env={"JINGSHU_LANG": language, "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def pages() -> dict[Language, str]:
    """The pages of commands without what is typed."""
    return {language: _TYPED.sub("", commands(language)) for language in ("zh", "en")}


def test_an_english_reader_sees_no_chinese(pages: dict[Language, str]) -> None:
    said = pages["en"].replace("[中文](commands.zh.md)", "")
    assert [line for line in said.splitlines() if _CHINESE.search(line)] == []
    assert not _CHINESE.search(overview("en"))


def test_help_is_wrapped_by_the_cells_of_a_terminal() -> None:
    command = click.Command("x", help="批" * 70 + " batch " + "次" * 20)
    told = command.get_help(click.Context(command, terminal_width=80))
    lines = told.splitlines()
    assert max(sum(2 if _CHINESE.match(c) else 1 for c in line) for line in lines) <= 80
    assert told.count("批") == 70
    assert "\0" not in told


def test_a_chinese_reader_sees_no_english_sentence(pages: dict[Language, str]) -> None:
    lines = [line for line in pages["zh"].splitlines() if line.strip(" |-")]
    prose = [line for line in lines if not line.startswith("#")]
    assert [line for line in prose if not _CHINESE.search(line) and "|" not in line][1:] == []
    assert [line for line in prose if _SENTENCE.search(line)] == []
    said = overview("zh").replace("Show this message and exit.", "")  # click's own words
    assert "批次" in said
    assert not _SENTENCE.search(said)


def test_every_command_says_itself_and_its_options_in_both() -> None:
    told = [
        (" ".join(path), text)
        for path, command in every_command()
        for text in (command.help, *(p.help for p in command.params if isinstance(p, click.Option)))
        if text is not None
    ]
    assert [t for t in told if not _CHINESE.search(t[1])] == []
    assert [t for t in told if not re.search(r"[A-Za-z]{2}[A-Za-z ,.]*\w", t[1])] == []


def test_the_overview_has_the_first_sentence_of_each_language() -> None:
    assert HELP["short_help"] == "列出批次。 List batches v1.2."
    assert HELP["help"] == "列出批次。\n\n拒收的在后。\n\nList batches v1.2.\n\nRefused ones last."
    assert HELP["epilog"] == "\b\n示例： Example:\n  ./x\n  ./y"


def test_indented_lines_and_blocks_keep_their_form() -> None:
    assert printed("  行：9", "  lines: 9") == "  行：9 lines: 9"
    assert printed("\n检查：", "\nChecks:") == "\n检查： Checks:"
    assert printed("甲\n乙", "a\nb") == "甲\n乙\na\nb"


@pytest.mark.parametrize(("who", "said"), [("zh", "迟到"), ("en", "late"), ("both", "迟到 late")])
def test_a_kept_text_is_shown_to_its_reader(
    who: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_LANG", who)
    late = Words("迟到", "late")
    assert shown(late) == shown(late.stored()) == said
    assert Words.read(late.stored()) == late
    assert shown("as it is") == "as it is"
