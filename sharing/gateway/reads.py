"""Share reads in evidence: every hour that is over leaves one leaf a table, over its requests.

The records stay in the control database; a leaf holds their number and digest, so no recipient's
path or habit gets into the log, and none can be changed or dropped unseen.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import rfc8785
from sqlalchemy import select

from contracts.moment import iso, utc_now
from lineage.evidence.digests import digest_bytes
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.control import AccessRecord, LoggedReads
from sharing.sqlite import BUSY_TIMEOUT_S
from sharing.tables.names import table_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sharing.control import Control

_HOUR: Final = timedelta(hours=1)
#: A record may wait this long for the database after its time was taken.
_PATIENCE: Final = timedelta(seconds=4 * BUSY_TIMEOUT_S)
#: The table in a request's path: of the protocol, or of a signed file URL.
_TABLE: Final = re.compile(
    r"/shares/([^/?]+)/schemas/([^/?]+)/tables/([^/?]+)|/files/[^/]+/([^/?]+)/",
    re.IGNORECASE,
)
#: What a request that names no table (a listing, a stranger's) is logged under.
NO_TABLE: Final = "-"


def over_until(at: datetime) -> datetime:
    """Return the end of the newest hour (UTC) to which no record can come any more."""
    return (at - _PATIENCE).replace(minute=0, second=0, microsecond=0)


def settle_reads(control: Control, at: datetime | None = None) -> int:
    """Log the hours that are over and not logged yet; return how many leaves that took.

    Inside one transaction, as grants are: the log knows a leaf by its name, so a crash between the
    two commits is healed by logging it again.
    """
    until = over_until(at or utc_now())
    with control.write() as session:
        logged = session.scalars(select(LoggedReads)).one_or_none()
        if logged is not None and logged.until >= until:
            return 0
        asked = select(AccessRecord).where(AccessRecord.at < until).order_by(AccessRecord.id)
        if logged is not None:
            asked = asked.where(AccessRecord.at >= logged.until)
        leaves = leaves_of(session.scalars(asked))
        if leaves:
            EvidenceLog(control.home).append(leaves)
        if logged is None:
            session.add(LoggedReads(id=1, until=until))
        else:
            logged.until = until
    return len(leaves)


def leaves_of(records: Iterable[AccessRecord]) -> list[Leaf]:
    """Return the leaf of every hour and table that records fall in. Pure."""
    groups: dict[tuple[datetime, str], list[AccessRecord]] = {}
    for record in records:
        hour = record.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        groups.setdefault((hour, table_of(record.path)), []).append(record)
    return [_leaf(hour, table, rows) for (hour, table), rows in sorted(groups.items())]


def table_of(path: str) -> str:
    """Return the key of the table that a request's path names, in lower case."""
    found = _TABLE.search(path)
    if found is None:
        return NO_TABLE
    share, schema, table, key = found.groups()
    return (key or table_key(share.casefold(), schema, table)).casefold()


def _leaf(hour: datetime, table: str, rows: list[AccessRecord]) -> Leaf:
    digest = digest_bytes(rfc8785.dumps([_record(row) for row in rows]))
    return Leaf(
        "reads",
        f"{table}@{hour:%Y-%m-%dT%HZ}",
        {
            "table": table,
            "from": iso(hour),
            "until": iso(hour + _HOUR),
            "requests": sum(row.times for row in rows),
            "answered": sum(row.status < 300 for row in rows),  # noqa: PLR2004  (HTTP: done)
            "files": sum(row.files for row in rows),
            "records_sha256": digest.sha256,
            "records_sm3": digest.sm3,
        },
        iso(hour + _HOUR),
    )


def _record(row: AccessRecord) -> Mapping[str, str | int | None]:
    # Only where it says something: records made before it was kept have the digest they had.
    counted = {} if row.times == 1 else {"times": row.times}
    later = {
        "request_id": row.request_id,
        "address": row.address,
        "duration_ms": row.duration_ms,
        "bytes": row.bytes,
    }
    return {
        "id": row.id,
        "at": iso(row.at),
        "recipient": row.recipient,
        "method": row.method,
        "path": row.path,
        "status": row.status,
        "version": row.version,
        "files": row.files,
        **counted,
        # Rows of an earlier version have none of these, nor have the leaves over them.
        **({} if row.request_id is None else later),
    }
