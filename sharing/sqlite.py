"""How connections to the control database are set up where it is a SQLite file."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: How long one that finds the file busy waits for it (s).
BUSY_TIMEOUT_S: Final = 30


def set_up(connection: Any, _record: object) -> None:
    """Prepare a new connection: waiting, foreign keys, a log that readers need not wait for."""
    # Python's own BEGIN comes too late for a read that is followed by a write: ``begin`` sends it.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
    connection.execute("PRAGMA foreign_keys=ON")
    # SQLite does not wait here for whoever turns the same file to WAL, whatever the timeout says.
    patience = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.01)
        else:
            return


def begin(connection: Connection) -> None:
    """Begin a transaction, one that writes with the lock in its hands."""
    # IMMEDIATE takes the write lock before the first read, so what was read cannot go stale.
    writes = connection.get_execution_options().get("jingshu_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
