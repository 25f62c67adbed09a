"""One round of notices: find what is to be told, address it, send what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.moment import utc_now
from contracts.words import Words
from sharing.control import Control
from sharing.notices import outbox
from sharing.notices.addresses import read_book
from sharing.notices.collect import collect
from sharing.notices.deliver import Sender, drain

if TYPE_CHECKING:
    from contracts.layout import Home


@dataclass(frozen=True)
class Round:
    """How many notices were new, and how many sendings arrived, failed or were given up."""

    new: int
    sent: int
    failed: int
    dead: int

    @property
    def words(self) -> Words:
        """What came of the round; what was given up only where something was."""
        zh, en = (f"，放弃 {self.dead}", f", {self.dead} given up") if self.dead else ("", "")
        return Words(
            f"新通知 {self.new}，已发 {self.sent}，待重试 {self.failed}{zh}",
            f"{self.new} new, {self.sent} sent, {self.failed} to retry{en}",
        )

    def __str__(self) -> str:
        return str(self.words)


def collect_and_send(home: Home, budget_s: float) -> Round:
    """Collect notices and send what is due, taking no new ones after ``budget_s`` seconds.

    Raises:
        JingshuError: the home's notices.toml or its lake does not read.
    """
    book = read_book(home)
    with Control(home) as control:
        new = collect(control, utc_now())
        outbox.address(control, book, utc_now())
        done = drain(control, Sender(home, book), budget_s=budget_s)
    return Round(new, done.sent, done.failed, done.dead)
