"""How long request records are kept, and their removal, which evidence tells of.

An hour's number of requests and the digest of its records stay in the evidence log for ever
(``sharing.gateway.reads``); only hours that are there are removed, whole, and a leaf says up to
when. By it ``verify`` knows a removal from a deletion. First reads are noted on their requests by
``run``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from contracts.errors import UsageError
from contracts.moment import iso, utc_now
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.control import AccessRecord, LoggedReads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from sharing.control import Control

#: Not less than six months (Cybersecurity Law 网络安全法 Art. 21 (3)), with some days to spare.
DEFAULT_DAYS: Final = 200
#: About two gigabytes.
DEFAULT_MOST: Final = 10_000_000
_DAYS: Final = "JINGSHU_RECORDS_DAYS"
_MOST: Final = "JINGSHU_RECORDS_MOST"
_DIGITS: Final = 9
_HOUR: Final = timedelta(hours=1)
#: What a leaf of a removal is about; no table is called so.
_SUBJECT: Final = "removed@"


@dataclass(frozen=True)
class Retention:
    """Records are removed when they are older than ``days``, or more than ``most``."""

    days: int
    most: int


@dataclass(frozen=True)
class Kept:
    """What a removal came to: rows removed, rows still there, and the time of the oldest."""

    removed: int
    rows: int
    oldest: datetime | None


def retention() -> Retention:
    """Return the settings: ``JINGSHU_RECORDS_DAYS`` and ``JINGSHU_RECORDS_MOST``.

    Raises:
        UsageError: One is no number above 0.
    """
    return Retention(_number(_DAYS, DEFAULT_DAYS), _number(_MOST, DEFAULT_MOST))


def remove_old(control: Control, keep: Retention, at: datetime | None = None) -> Kept:
    """Remove the records that need not be kept, after writing a leaf that says so.

    Inside one transaction, as reads are logged: a crash between the two commits leaves records that
    the next call removes.
    """
    with control.write() as session:
        end = _end(session, keep, at or utc_now())
        removed = 0
        if end is not None:
            old = AccessRecord.at < end
            asked = session.scalar(select(func.sum(AccessRecord.times)).where(old))
            removed = session.scalar(select(func.count()).where(old)) or 0
            if removed:
                EvidenceLog(control.home).append([_leaf(end, removed, int(asked or 0))])
                session.execute(delete(AccessRecord).where(old))
        rows, oldest = session.execute(select(func.count(), func.min(AccessRecord.at))).one()
    return Kept(removed, rows, oldest)


def removed_until(log: Iterable[Leaf]) -> datetime | None:
    """Return up to when the evidence log says that records were removed; None where it does not."""
    ends = [
        datetime.fromisoformat(str(leaf.facts["until"]))
        for leaf in log
        if leaf.type == "reads" and is_removal(leaf)
    ]
    return max(ends, default=None)


def is_removal(leaf: Leaf) -> bool:
    """Tell a removal's leaf from an hour's."""
    return leaf.subject.startswith(_SUBJECT)


def _end(session: Session, keep: Retention, at: datetime) -> datetime | None:
    """Return the end of the hours to remove: those that are logged, and too old or too many."""
    logged = session.scalars(select(LoggedReads)).one_or_none()
    if logged is None:
        return None
    end = _whole_hour(at - timedelta(days=keep.days))
    newest = select(AccessRecord.at).order_by(AccessRecord.at.desc(), AccessRecord.id.desc())
    first_too_many = session.scalar(newest.offset(keep.most).limit(1))
    if first_too_many is not None:
        end = max(end, _whole_hour(first_too_many) + _HOUR)
    return min(end, logged.until)


def _whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _leaf(end: datetime, rows: int, requests: int) -> Leaf:
    until = iso(end)
    facts: dict[str, str | int] = {"until": until, "records": rows, "requests": requests}
    return Leaf("reads", f"{_SUBJECT}{end:%Y-%m-%dT%HZ}", facts, until)


def _number(variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS and int(given) > 0):
        raise UsageError(
            Words(f"{variable} 现为 {given!r}，不是正整数。", f"{variable} is {given!r}."),
            Words("请设为 1 以上的整数。", "Set it to a number from 1 on."),
        )
    return int(given)
