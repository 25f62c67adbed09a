"""Open intents: what is about to become visible, written down before it does.

A published version without its leaf is *recovering* only while its intent is open; anything else is
a broken invariant.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.moment import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

CREATE = """
CREATE TABLE IF NOT EXISTS intents (
  name TEXT PRIMARY KEY, subject TEXT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT
)"""


@dataclass(frozen=True)
class Intent:
    """A step that was begun and not yet finished: ``publish:<batch_id>`` and its table."""

    name: str
    subject: str
    opened_at: str


@contextmanager
def _database(home: Home, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
    home.root.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(home.control_db, timeout=60, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
        db.execute(CREATE)
        yield db


def begin(home: Home, name: str, subject: str) -> None:
    """Write the intent down; one that is there is opened again."""
    with _database(home) as db:
        db.execute(
            "INSERT INTO intents VALUES (?, ?, ?, NULL)"
            " ON CONFLICT(name) DO UPDATE SET closed_at = NULL",
            (name, subject, utc_now().isoformat()),
        )


def finish(home: Home, name: str) -> None:
    """Close an intent: everything it announced is there.

    Not synced: after a power cut it is open again, and running the step again closes it.
    """
    with _database(home, synced=False) as db:
        db.execute("UPDATE intents SET closed_at = ? WHERE name = ?", (utc_now().isoformat(), name))


@contextmanager
def under_way(home: Home, name: str, subject: str) -> Iterator[None]:
    """Keep an intent open while the block runs; it stays open where the block does not end."""
    begin(home, name, subject)
    yield
    finish(home, name)


def open_intents(home: Home) -> list[Intent]:
    """Return the intents that nobody closed, oldest first."""
    if not home.control_db.exists():
        return []
    with _database(home) as db:
        found = db.execute(
            "SELECT name, subject, opened_at FROM intents WHERE closed_at IS NULL"
            " ORDER BY opened_at"
        )
        return [Intent(*row) for row in found]
