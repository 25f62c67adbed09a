"""Which entry holds which fact: a cache beside the log that may be deleted at any time.

The log's files are the truth. A hit is always checked against its entry, and the cache catches up
from the entries when it is behind, so a lost or stale cache can cost time only.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from lineage.evidence.errors import VERIFY, EvidenceError
from lineage.evidence.hashing import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lineage.evidence.tree import TileTree

#: A fact's name: type and subject.
Fact = tuple[str, str]

#: How many entries the file may be behind the log.
MOST_BEHIND: Final = 256

#: How many facts are kept in memory while a lost file is made anew.
_MOST_IN_MEMORY: Final = 65_536

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
    for suffix in ("", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class FactIndex:
    """The cache of one log, open; made by :func:`open_index`.

    The file may lag behind the log by up to ``MOST_BEHIND`` entries, which are read from the log:
    writing it with every leaf would cost more syncs than the leaf itself.
    """

    def __init__(self, path: Path, tree: TileTree) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        self._behind: dict[Fact, int] = {}  # facts that the file does not hold yet
        self._asked: dict[Fact, int | None] = {}  # what the file told of facts
        try:
            # The log's lock is held: one lock on the file instead of one a statement.
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA cache_size = -65536")  # KiB, so that a batch fits
            self._catch_up(tree)
        except BaseException:
            self.close()
            raise

    def position(self, leaf_type: str, subject: str) -> int | None:
        """Return the index of the entry that holds a fact; None if none does."""
        fact = (leaf_type, subject)
        if fact not in self._asked:
            row = self._base.execute(
                "SELECT position FROM fact WHERE subject = ? AND type = ?", (subject, leaf_type)
            ).fetchone()
            self._asked[fact] = None if row is None else int(row[0])
        found = self._asked[fact]
        return self._behind.get(fact) if found is None else found

    def types_of(self, subject: str) -> list[str]:
        """Return the types of the facts that are logged of a subject."""
        rows = self._base.execute("SELECT type FROM fact WHERE subject = ?", (subject,))
        types = {str(row[0]) for row in rows}
        return sorted(types.union(kind for kind, about in self._behind if about == subject))

    def add(self, facts: Iterable[Fact], size: int, root: bytes) -> None:
        """Note the log's newest facts, in order; the cache then covers ``size`` entries."""
        new = list(facts)
        self._behind.update(zip(new, range(size - len(new), size), strict=True))
        if len(self._behind) > MOST_BEHIND:
            self._write(size, root)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _catch_up(self, tree: TileTree) -> None:
        size, root = self._covered()
        if size > tree.size or tree.root(size) != root:
            self._base.execute("DROP TABLE fact")
            self._base.execute("DROP TABLE covered")
            size, _ = self._covered()
        for position, entry in tree.entries(size):
            self._behind.setdefault(_fact_of(entry), position)
            if len(self._behind) == _MOST_IN_MEMORY:
                self._write(position + 1, tree.root(position + 1))
        if len(self._behind) > MOST_BEHIND:
            self._write(tree.size, tree.root())

    def _covered(self) -> tuple[int, bytes]:
        for statement in _TABLES:
            self._base.execute(statement)
        row = self._base.execute("SELECT size, root FROM covered").fetchone()
        return (0, EMPTY_ROOT) if row is None else (int(row[0]), bytes(row[1]))

    def _write(self, size: int, root: bytes) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany(
            "INSERT OR IGNORE INTO fact (type, subject, position) VALUES (?, ?, ?)",
            ((*fact, position) for fact, position in self._behind.items()),
        )
        self._base.execute("DELETE FROM covered")
        self._base.execute("INSERT INTO covered (size, root) VALUES (?, ?)", (size, root))
        self._base.execute("COMMIT")
        self._behind.clear()
        self._asked.clear()


def _fact_of(entry: bytes) -> Fact:
    """Read a leaf's name only: its form was checked when it was appended."""
    try:
        leaf = json.loads(entry)
        return str(leaf["type"]), str(leaf["subject"])
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        problem = Words("存证日志中有条目不是存证。", "An entry of the evidence log is no leaf.")
        raise EvidenceError(problem, VERIFY) from error
