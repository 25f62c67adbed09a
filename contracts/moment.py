"""Moments: aware, in UTC, and written in one way."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Return an aware moment as RFC 3339 in UTC, ending with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
