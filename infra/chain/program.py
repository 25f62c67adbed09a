"""The ``cometbft`` program."""

from __future__ import annotations

from typing import Final

from contracts.words import Words
from infra.stack.gobuild import GoProgram

COMETBFT: Final = GoProgram(
    "cometbft",
    "github.com/cometbft/cometbft/cmd/cometbft",
    "v1.0.1",
    Words("链", "The chain"),
)
