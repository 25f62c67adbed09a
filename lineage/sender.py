"""From the outbox on disk to one OpenLineage endpoint: at least once, oldest first.

The sender is a process of its own: jobs write files and know of no endpoint. A run's events go in
their order; an event that is not taken holds back its own run and no other.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from contracts.digest import sha256
from contracts.model import CITY_TZ
from contracts.words import Words
from lineage.acknowledged import Acknowledged, SetAside
from lineage.endpoint import Answer
from lineage.errors import LineageError
from lineage.naming import is_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.endpoint import Address, Endpoint

_TIME: Final = re.compile(rb'"eventTime"\s*:\s*"([^"]+)"')
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_CHANCE: Final = secrets.SystemRandom()


@dataclass(frozen=True)
class Pace:
    """How hard to try: ``attempts`` an event, with waits that double from ``first_wait_s``."""

    attempts: int = 4
    first_wait_s: float = 0.5
    most_wait_s: float = 30.0
    #: So many runs in a row that were not taken, and the endpoint counts as down.
    stuck_runs: int = 3

    def wait_s(self, attempt: int) -> float:
        """Return the wait after an attempt (from 0): at least half of the doubled one."""
        longest = min(self.most_wait_s, self.first_wait_s * 2.0**attempt)
        return _CHANCE.uniform(longest / 2, longest)


@dataclass(frozen=True, order=True)
class Pending:
    """One event on disk that is not done with: ``at`` is never before the one ahead of it."""

    at: datetime
    file: str
    start: int
    end: int


@dataclass(frozen=True)
class Pass:
    """What one pass over the outbox came to; ``problem`` says why events are left waiting.

    It is ``Words.stored``.
    """

    delivered: int
    refused: tuple[SetAside, ...]
    waiting: int
    problem: str = ""
    retry_after_s: float = 0.0

    @property
    def words(self) -> Words:
        """Why events are left waiting."""
        return Words.read(self.problem)


def _sleep(seconds: float) -> bool:
    """Wait; nothing tells to give up."""
    time.sleep(seconds)
    return False


class Sender:
    """Sends what one endpoint has not acknowledged yet.

    ``sleep`` waits so many seconds and tells whether to give up meanwhile.
    """

    def __init__(
        self,
        home: Home,
        endpoint: Endpoint,
        acknowledged: Acknowledged,
        *,
        pace: Pace | None = None,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._events = home.lineage_events
        self._endpoint = endpoint
        self._known = acknowledged
        self._pace = pace or Pace()
        self._sleep = sleep or _sleep
        self._cursors = acknowledged.cursors()
        self._whole: set[str] = set()

    def send(self) -> Pass:
        """Go once over what is pending, oldest first."""
        delivered, refused, waiting = 0, [], 0
        stuck: dict[str, Answer] = {}
        in_a_row, down = 0, False
        for event in self.pending():
            if down or event.file in stuck:
                waiting += 1
                continue
            answer = self._offer(event)
            if answer.kind == "delivered":
                self._done(event)
                delivered, in_a_row = delivered + 1, 0
            elif answer.kind == "refused":
                refused.append(self._set_aside(event, answer))
                in_a_row = 0
            else:
                stuck[event.file] = answer
                waiting, in_a_row = waiting + 1, in_a_row + 1
                asked_to_wait = answer.kind == "down" or answer.retry_after_s is not None
                down = asked_to_wait or in_a_row >= self._pace.stuck_runs
        last = next(reversed(stuck.values()), Answer("delivered"))
        wait_s = max((a.retry_after_s or 0.0 for a in stuck.values()), default=0.0)
        return Pass(delivered, tuple(refused), waiting, last.reason.stored(), wait_s)

    def pending(self) -> list[Pending]:
        """Return the events that are not done with, oldest first, each run's in their order."""
        if self._known.changed_elsewhere():
            self._cursors = self._known.cursors()
            self._whole.clear()
        found: list[Pending] = []
        for name in self._names() - self._whole:
            found += self._after(self._events / name, self._cursors.get(name, 0))
        return sorted(found)

    def _names(self) -> set[str]:
        try:
            with os.scandir(self._events) as entries:
                names = {entry.name for entry in entries if entry.name.endswith(".ndjson")}
        except FileNotFoundError:
            return set()  # nothing has run yet
        return {name for name in names if not is_imported(name)}  # others' are theirs to send

    def _after(self, path: Path, done: int) -> Iterator[Pending]:
        """Yield the whole lines of a file behind the cursor; what is still being written waits."""
        if path.stat().st_size <= done:
            self._whole.add(path.name)
            return
        at, start = _FIRST, done
        for line in path.read_bytes()[done:].splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            at = max(at, _moment(line))
            yield Pending(at, path.name, start, start + len(line))
            start += len(line)

    def _offer(self, event: Pending) -> Answer:
        """Send one event, again and again while that may help."""
        with (self._events / event.file).open("rb") as file:
            file.seek(event.start)
            line = file.read(event.end - event.start).strip()
        if not line:
            return Answer("delivered")
        if not _is_event(line):
            reason = Words("该行不是 OpenLineage 事件", "this line is no OpenLineage event")
            return Answer("refused", reason)
        for attempt in range(self._pace.attempts):
            answer = self._endpoint.post(line)
            is_answered = answer.kind != "later" and answer.status is not None
            if is_answered or attempt == self._pace.attempts - 1:
                break
            asked_s = answer.retry_after_s
            wait_s = self._pace.wait_s(attempt) if asked_s is None else asked_s
            if wait_s > self._pace.most_wait_s or self._sleep(wait_s):
                break
        return answer

    def _done(self, event: Pending) -> None:
        self._known.advance(event.file, event.start, event.end)
        self._cursors[event.file] = event.end

    def _set_aside(self, event: Pending, answer: Answer) -> SetAside:
        aside = SetAside(event.file, event.start, answer.status, answer.reason.stored())
        self._known.set_aside(aside, event.end)
        self._cursors[event.file] = event.end
        return aside


def replay(
    home: Home, acknowledged: Acknowledged, first: date | None = None, last: date | None = None
) -> int:
    """Let events be sent again, of all runs or of those of some business dates; count the runs.

    What was never acknowledged is pending anyway.
    """
    files = [
        path.name
        for path in sorted(home.lineage_events.glob("*.ndjson"))
        if (first is None and last is None) or _is_within(path, first, last)
    ]
    acknowledged.forget(files)
    return len(files)


@contextmanager
def sole_sender(home: Home, address: Address) -> Iterator[None]:
    """Hold the one place of a sender to this endpoint: two would mix up the order.

    Raises LineageError while another process holds it.
    """
    name = sha256(address.name)[:12]
    path = home.lineage_delivery.with_name(f"delivery-{name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LineageError(
                Words(
                    f"已有另一个进程在向 {address.name} 发送。",
                    f"Another process sends to {address.name} already.",
                ),
                Words(
                    "它会发送全部事件；请用 ./jingshu status 查看发送程序是否在运行。",
                    "It sends all there is; ./jingshu status shows whether the stack's sender"
                    " runs.",
                ),
            ) from None
        yield


def _moment(line: bytes) -> datetime:
    """Return when an event says it happened; what does not say goes with the one ahead of it."""
    found = _TIME.search(line)
    try:
        moment = datetime.fromisoformat(found[1].decode()) if found else _FIRST
    except ValueError:
        return _FIRST
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_event(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _is_within(path: Path, first: date | None, last: date | None) -> bool:
    """Tell whether a run is of some business dates: those of its nominal time, in the city."""
    for line in path.read_bytes().splitlines():
        if _is_event(line):
            day = _business_date(json.loads(line))
            return day is not None and (first or day) <= day <= (last or day)
    return False


def _business_date(event: dict[str, Any]) -> date | None:
    try:
        start = event["run"]["facets"]["nominalTime"]["nominalStartTime"]
        return datetime.fromisoformat(start).astimezone(CITY_TZ).date()
    except (KeyError, TypeError, ValueError):
        return None
