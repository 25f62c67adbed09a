"""Each language whole: in what lineage, evidence, the stack, set-up and the sandbox tell people."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.layout import ROOT
from contracts.words import SETTING, Words
from infra.setup.__main__ import in_words
from lineage.acknowledged import SetAside
from lineage.errors import LineageError, TagLossError, no_event
from lineage.evidence.anchored import Anchoring, Copy
from lineage.evidence.errors import ChainError, EvidenceConflictError, TileError, TreeError
from lineage.evidence.tiles import MISSING
from lineage.sender import Pass

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
AT = datetime(2026, 11, 22, tzinfo=UTC)
COPY = Copy("witness", "archive", 7, AT)


@pytest.mark.parametrize(
    "error",
    [
        LineageError(Words("不能追溯。", "It cannot be traced."), Words("请更正。", "Correct it.")),
        TagLossError("a.b", ("a.b L1", "c L3"), MISSING, Words("请更正。", "Correct it.")),
        no_event("a.ndjson", 3),
        ChainError(Words("没有应答。", "It did not answer.")),
        EvidenceConflictError("landing:x", "11", "22"),
        TileError("tile/0/000", MISSING),
        TreeError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_tell_each_language_whole(error: LineageError) -> None:
    assert str(error) == f"{error.words.zh} {error.words.en}"
    assert error.words.zh.endswith("。")
    assert CHINESE.search(error.words.zh)
    assert not CHINESE.search(error.words.en)


@pytest.mark.parametrize(
    ("who", "copy", "said"),
    [
        ("zh", None, ["未锚定："]),
        ("en", None, ["Not anchored:"]),
        ("both", None, ["未锚定：", "Not anchored:"]),
        ("zh", COPY, ["见证者 archive 联署了前 7 条"]),
        ("en", COPY, ["The witness archive cosigned the first 7 of 9 leaves"]),
        ("en", replace(COPY, is_local=True), ["The witness archive cosigned"]),
    ],
)
def test_what_a_log_is_anchored_to_is_said_to_its_reader(
    who: str, copy: Copy | None, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, who)
    anchoring = Anchoring(9, copy, 60)
    told = anchoring.sentences()
    assert len(told) == len(said)
    assert all(line.startswith(begin) for line, begin in zip(told, said, strict=True))
    assert not CHINESE.search(anchoring.mark.en)


def test_what_is_kept_as_one_text_is_read_back_in_two_languages() -> None:
    why = Words("无人应答", "nobody answers")
    assert Pass(0, (), 1, why.stored()).words == SetAside("f", 0, None, why.stored()).words == why
    assert Pass(0, (), 0).problem == ""


@pytest.mark.parametrize("who", ["zh", "en"])
def test_a_program_s_help_is_in_its_reader_s_language(who: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.witness", "--help"],
        env={"PATH": "", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", SETTING: who},
        capture_output=True,
        text=True,
        check=True,
    )
    assert bool(CHINESE.search(done.stdout)) is (who == "zh")
    assert ("Cosign the evidence log" in done.stdout) is (who == "en")


def test_set_up_tells_a_system_s_error_as_it_is() -> None:
    assert in_words(OSError(28, "No space left on device")) == Words(
        "错误：[Errno 28] No space left on device", "error: [Errno 28] No space left on device"
    )
    told = in_words(LineageError(Words("甲。", "A."), Words("乙。", "B.")))
    assert told == Words("错误：甲。乙。", "error: A. B.")
