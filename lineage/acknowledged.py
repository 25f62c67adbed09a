"""What an endpoint has acknowledged: for each file of events the bytes that are done with.

A cursor moves after the answer, so a crash sends again and never loses. SQLite in WAL mode; a
power cut may take back the newest acknowledgements, which is the same.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from contracts.words import Words
from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TIMEOUT_S: Final = 30.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS acknowledged (
  endpoint TEXT NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (endpoint, file)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS set_aside (
  endpoint TEXT NOT NULL, file TEXT NOT NULL, position INTEGER NOT NULL,
  status INTEGER, reason TEXT NOT NULL, recorded_at TEXT NOT NULL,
  PRIMARY KEY (endpoint, file, position)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class SetAside:
    """An event that an endpoint will not take: where it lies, and what was answered.

    ``reason`` is ``Words.stored``.
    """

    file: str
    position: int
    status: int | None
    reason: str

    @property
    def words(self) -> Words:
        """Why the endpoint will not take it."""
        return Words.read(self.reason)


class Acknowledged:
    """One endpoint's cursors in ``lineage/delivery.db``; closed as a context manager."""

    def __init__(self, path: Path, endpoint: str) -> None:
        self._endpoint = endpoint
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=_TIMEOUT_S, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.DatabaseError as damaged:
            raise LineageError(
                Words(
                    f"不能读取 {path.name}：{damaged}。", f"{path.name} cannot be read: {damaged}."
                ),
                Words(
                    "请删除该文件：所有事件会重新发送，没有害处。",
                    "Remove the file: everything is sent again, which harms nothing.",
                ),
            ) from damaged
        self._seen = self._version()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self._db.close()

    def changed_elsewhere(self) -> bool:
        """Tell whether another process has written since this was last asked."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def cursors(self) -> dict[str, int]:
        """Return the bytes done with, by file name."""
        rows = self._db.execute(
            "SELECT file, bytes FROM acknowledged WHERE endpoint = ?", (self._endpoint,)
        )
        return dict(rows.fetchall())

    def advance(self, file: str, start: int, end: int) -> None:
        """Note that the event in these bytes is done with, unless a replay took it back."""
        self._db.execute(
            "INSERT INTO acknowledged VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET bytes = excluded.bytes WHERE bytes = ?",
            (self._endpoint, file, end, start),
        )

    def set_aside(self, event: SetAside, end: int) -> None:
        """Note that the endpoint refused an event for good, and go past it."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?, ?, ?)",
                (self._endpoint, event.file, event.position, event.status, event.reason, now),
            )
            self.advance(event.file, event.position, end)

    def refused(self) -> list[SetAside]:
        """Return what stands aside, file by file."""
        rows = self._db.execute(
            "SELECT file, position, status, reason FROM set_aside WHERE endpoint = ?"
            " ORDER BY file, position",
            (self._endpoint,),
        )
        return [SetAside(*row) for row in rows]

    def forget(self, files: Iterable[str]) -> None:
        """Take back what is known of these files, so that they are sent again from the start."""
        names = [(self._endpoint, file) for file in files]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "UPDATE acknowledged SET bytes = 0 WHERE endpoint = ? AND file = ?", names
            )
            self._db.executemany("DELETE FROM set_aside WHERE endpoint = ? AND file = ?", names)

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])
