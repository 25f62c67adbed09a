"""The stack's witness: a process of its own, pinned by its key, and none where others are named."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from contracts.moment import utc_now
from infra.stack import processes
from infra.stack.stack import Stack
from infra.stack.standing import WITNESS
from lineage.evidence.anchored import anchoring
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.witnesses import VARIABLE, hand_over, pinned_witnesses
from tests.support.lineage.endpoint import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home


@pytest.fixture
def stack(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.delenv(VARIABLE, raising=False)
    made = Stack(home, "manual", lambda _: None)
    yield made
    made.stop()


def test_the_witness_is_mended_remembers_and_ends_with_the_stack(stack: Stack, home: Home) -> None:
    assert WITNESS in stack._wanted()
    part = stack._parts[WITNESS] = stack._begin(WITNESS)
    processes.wait_listening(part, 60)
    log = EvidenceLog(home)
    log.append([Leaf("landing", "one", {}, "2026-07-15T00:00:00Z")])
    [pinned] = pinned_witnesses(home)
    assert hand_over(home, pinned) == 1
    os.kill(part.pid, signal.SIGKILL)
    wait_until(lambda: not part.is_alive(), "its end")
    stack.mend()
    log.append([Leaf("landing", "two", {}, "2026-07-15T00:00:00Z")])
    [pinned] = pinned_witnesses(home)
    assert hand_over(home, pinned) == 2
    told = anchoring(home, utc_now())
    assert told is not None
    assert told.copy is not None
    assert (told.copy.size, told.copy.is_local) == (2, True)
    last = stack._parts[WITNESS].pid
    stack.stop()
    assert not psutil.pid_exists(last)


def test_who_names_other_witnesses_has_no_local_one(
    stack: Stack, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(home.root / "mine"))
    assert WITNESS not in stack._wanted()
