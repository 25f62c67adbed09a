"""Which entry holds which fact: a cache beside the log that may be deleted at any time.

The log's files are the truth. A hit is always checked against its entry, and the cache catches up
from the entries when it is behind, so a lost or stale cache can cost time only.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lineage.evidence.hashing import EMPTY_ROOT
from lineage.evidence.leaf import Leaf
from lineage.evidence.tiles import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lineage.evidence.tree import TileTree

_TABLES = (
    (
        "CREATE TABLE IF NOT EXISTS fact (subject TEXT NOT NULL, type TEXT NOT NULL,"
        " position INTEGER NOT NULL, PRIMARY KEY (subject, type)) WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS covered (size INTEGER NOT NULL, root BLOB NOT NULL)",
)


@contextmanager
def open_index(path: Path, tree: TileTree) -> Iterator[FactIndex]:
    """Open the cache of a log, brought up to ``tree``; the caller holds the log's lock.

    Raises:
        EvidenceError: An entry is damaged or is no leaf.
    """
    try:
        index = FactIndex(path, tree)
    except sqlite3.DatabaseError:
        forget_index(path)
        index = FactIndex(path, tree)
    try:
        yield index
    finally:
        index.close()


def forget_index(path: Path) -> None:
    """Delete the cache."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class FactIndex:
    """The cache of one log, open; made by :func:`open_index`."""

    def __init__(self, path: Path, tree: TileTree) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        try:
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._catch_up(tree)
        except BaseException:
            self.close()
            raise

    def position(self, leaf_type: str, subject: str) -> int | None:
        """Return the index of the entry that holds a fact; None if none does."""
        row = self._base.execute(
            "SELECT position FROM fact WHERE subject = ? AND type = ?", (subject, leaf_type)
        ).fetchone()
        return None if row is None else int(row[0])

    def types_of(self, subject: str) -> list[str]:
        """Return the types of the facts that are logged of a subject."""
        rows = self._base.execute(
            "SELECT type FROM fact WHERE subject = ? ORDER BY type", (subject,)
        )
        return [str(row[0]) for row in rows]

    def add(self, leaves: Iterable[tuple[int, Leaf]], size: int, root: bytes) -> None:
        """Note entries and their positions; the cache then covers a tree of ``size`` leaves."""
        self._base.execute("BEGIN")
        self._note(leaves)
        self._cover(size, root)
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _catch_up(self, tree: TileTree) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        size, root = self._covered()
        if size > tree.size or tree.root(size) != root:
            self._base.execute("DROP TABLE fact")
            self._base.execute("DROP TABLE covered")
            size, _ = self._covered()
        if size < tree.size:
            for bundle in range(size // WIDTH, -(-tree.size // WIDTH)):
                entries = (Leaf.parse(entry) for entry in tree.bundle(bundle))
                self._note(enumerate(entries, bundle * WIDTH))
            self._cover(tree.size, tree.root())
        self._base.execute("COMMIT")

    def _covered(self) -> tuple[int, bytes]:
        for statement in _TABLES:
            self._base.execute(statement)
        row = self._base.execute("SELECT size, root FROM covered").fetchone()
        return (0, EMPTY_ROOT) if row is None else (int(row[0]), bytes(row[1]))

    def _note(self, leaves: Iterable[tuple[int, Leaf]]) -> None:
        # Entries before the covered size are met again when their bundle has grown.
        self._base.executemany(
            "INSERT OR IGNORE INTO fact (subject, type, position) VALUES (?, ?, ?)",
            ((leaf.subject, leaf.type, position) for position, leaf in leaves),
        )

    def _cover(self, size: int, root: bytes) -> None:
        self._base.execute("DELETE FROM covered")
        self._base.execute("INSERT INTO covered (size, root) VALUES (?, ?)", (size, root))
