"""The SQLite file behind the lineage index: runs by what they read and wrote.

Graphs and descriptions are kept once each, with their digest, since thousands of runs share them.
Which events each file of the outbox holds is kept too, so that it can be read again or forgotten.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lineage.facts import Ran, Use, about_of, about_text, graph_of, graph_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

_TABLES: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE file (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, inode INTEGER,
       size INTEGER, changed_ns INTEGER, read_bytes INTEGER, lines INTEGER, digest BLOB,
       is_closed INTEGER)""",
    "CREATE TABLE text (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body TEXT NOT NULL)",
    "CREATE TABLE source (graph INTEGER, dataset TEXT, PRIMARY KEY (graph, dataset)) WITHOUT ROWID",
    "CREATE INDEX source_of ON source (dataset, graph)",
    """CREATE TABLE run (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER,
       at_us INTEGER, run_id TEXT, job TEXT, contract TEXT, batch TEXT)""",
    "CREATE INDEX run_of ON run (file)",
    """CREATE TABLE use (run INTEGER NOT NULL, place INTEGER NOT NULL, is_output INTEGER,
       dataset TEXT, version TEXT, about INTEGER, files TEXT, graph INTEGER, is_write INTEGER,
       is_simulated INTEGER, at_us INTEGER, batch TEXT, PRIMARY KEY (run, place)) WITHOUT ROWID""",
    "CREATE INDEX use_at ON use (dataset, is_write, at_us)",
    "CREATE INDEX use_version ON use (dataset, version, is_write, at_us)",
    "CREATE INDEX use_batch ON use (dataset, batch, is_write, at_us)",
    "CREATE INDEX use_graph ON use (graph, dataset) WHERE graph IS NOT NULL",
    "CREATE INDEX use_simulated ON use (dataset, at_us) WHERE is_simulated = 1",
)
_ORDER: Final = "(use.at_us, run.run_id, file.name, run.line)"
_NEWEST: Final = "use.at_us DESC, run.run_id DESC, file.name DESC, run.line DESC"
#: Joins uses to their run and file; CROSS keeps SQLite at the use's own index.
_USES: Final = "use CROSS JOIN run ON run.id = use.run CROSS JOIN file ON file.id = run.file"


@dataclass(frozen=True)
class FileState:
    """What was read of a file. A closed one holds one run whole, and nobody adds to it."""

    inode: int
    size: int
    changed_ns: int
    read_bytes: int
    lines: int
    digest: bytes
    is_closed: bool


class Store:
    """The open database. Any method may raise ``sqlite3.DatabaseError`` where it is damaged."""

    def __init__(self, path: Path | None, stamp: str) -> None:
        """Open the file, emptied where another version of the code made it; None: in memory."""
        self.base = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._texts: dict[bytes, int] = {}
        self._bodies: dict[int, str] = {}
        self._runs: dict[int, Ran] = {}
        self.files_used: set[int] = set()
        try:
            self.base.execute("PRAGMA journal_mode = TRUNCATE")
            self.base.execute("PRAGMA synchronous = NORMAL")
            self.base.execute("PRAGMA cache_size = -65536")
            self._prepare(stamp)
        except BaseException:
            self.base.close()
            raise

    def _prepare(self, stamp: str) -> None:
        tables = {
            str(row[0])
            for row in self.base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "meta" in tables and self.meta("stamp") == stamp:
            return
        self.base.execute("BEGIN IMMEDIATE")
        for name in tables:
            quoted = name.replace('"', '""')
            self.base.execute(f'DROP TABLE "{quoted}"')
        for statement in _TABLES:
            self.base.execute(statement)
        self.set_meta("stamp", stamp)
        self.base.execute("COMMIT")

    def meta(self, key: str) -> str | None:
        """Return what is noted under a key."""
        row = self.base.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Note something under a key."""
        self.base.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ---------------------------------------------------------------- files

    def file_count(self) -> int:
        """Return how many files were read."""
        return int(self.base.execute("SELECT count(*) FROM file").fetchone()[0])

    def known(self) -> dict[str, tuple[int, int, int, bool]]:
        """Return every file's inode, size, time of change, and whether it is closed."""
        rows = self.base.execute("SELECT name, inode, size, changed_ns, is_closed FROM file")
        return {os.fsdecode(r[0]): (r[1], r[2], r[3], bool(r[4])) for r in rows}

    def open_files(self) -> list[str]:
        """Return the files that may grow."""
        rows = self.base.execute("SELECT name FROM file WHERE is_closed = 0")
        return [os.fsdecode(row[0]) for row in rows]

    def state(self, name: str) -> FileState | None:
        """Return what was read of a file."""
        row = self.base.execute(
            "SELECT inode, size, changed_ns, read_bytes, lines, digest, is_closed FROM file"
            " WHERE name = ?",
            (os.fsencode(name),),
        ).fetchone()
        if row is None:
            return None
        return FileState(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]))

    def was(self, name: str) -> tuple[int, int, int, bool] | None:
        """Return what ``known`` says of one file."""
        state = self.state(name)
        if state is None:
            return None
        return state.inode, state.size, state.changed_ns, state.is_closed

    def used_files(self) -> list[str]:
        """Return the files that answers since the start rest on."""
        found = (
            self.base.execute("SELECT name FROM file WHERE id = ?", (key,)).fetchone()
            for key in self.files_used
        )
        return [os.fsdecode(row[0]) for row in found if row is not None]

    def forget(self, name: str) -> None:
        """Take out a file with all its events."""
        self._runs.clear()
        key = (os.fsencode(name),)
        of = "(SELECT id FROM run WHERE file = (SELECT id FROM file WHERE name = ?))"
        self.base.execute(f"DELETE FROM use WHERE run IN {of}", key)  # noqa: S608
        self.base.execute("DELETE FROM run WHERE file = (SELECT id FROM file WHERE name = ?)", key)
        self.base.execute("DELETE FROM file WHERE name = ?", key)

    def keep(self, name: str, state: FileState, runs: Iterable[Ran]) -> None:
        """Note how far a file was read, and add the runs that were new in it."""
        raw = os.fsencode(name)
        self.base.execute(
            "INSERT INTO file (name, inode, size, changed_ns, read_bytes, lines, digest, is_closed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
            " inode = excluded.inode, size = excluded.size, changed_ns = excluded.changed_ns,"
            " read_bytes = excluded.read_bytes, lines = excluded.lines, digest = excluded.digest,"
            " is_closed = excluded.is_closed",
            (
                raw,
                state.inode,
                state.size,
                state.changed_ns,
                state.read_bytes,
                state.lines,
                state.digest,
                state.is_closed,
            ),
        )
        row = self.base.execute("SELECT id FROM file WHERE name = ?", (raw,)).fetchone()
        for run in runs:
            self._add(int(row[0]), run)

    def _add(self, file: int, run: Ran) -> None:
        key = self.base.execute(
            "INSERT INTO run (file, line, at_us, run_id, job, contract, batch)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (file, run.order[3], run.at_us, run.run_id, run.job, run.contract, run.batch),
        ).lastrowid
        uses = [(False, u) for u in run.inputs] + [(True, u) for u in run.outputs]
        self.base.executemany(
            "INSERT INTO use VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    place,
                    is_output,
                    use.dataset,
                    use.version,
                    self._text(about_text(use.about)),
                    "\n".join(f.replace("\n", "\\n") for f in use.files) or None,
                    self._graph(use),
                    is_output and use.graph is not None,
                    use.about.origin == "simulated",
                    run.at_us,
                    run.batch,
                )
                for place, (is_output, use) in enumerate(uses)
            ],
        )

    def _graph(self, use: Use) -> int | None:
        if use.graph is None:
            return None
        key = self._text(graph_text(use.graph))
        self.base.executemany(
            "INSERT OR IGNORE INTO source VALUES (?, ?)", [(key, s) for s in use.graph.sources]
        )
        return key

    def _text(self, body: str) -> int:
        digest = sha256(body.encode()).digest()
        if digest not in self._texts:
            self.base.execute(
                "INSERT OR IGNORE INTO text (digest, body) VALUES (?, ?)", (digest, body)
            )
            found = self.base.execute("SELECT id FROM text WHERE digest = ?", (digest,)).fetchone()
            self._texts[digest] = int(found[0])
        return self._texts[digest]

    # ---------------------------------------------------------------- questions

    def names(self) -> list[str]:
        """Return every data set that a run read or wrote, in order."""
        rows = self.base.execute(  # one look into the index a name, not one a use
            "WITH RECURSIVE name (dataset) AS (SELECT min(dataset) FROM use UNION ALL"
            " SELECT (SELECT min(dataset) FROM use WHERE dataset > name.dataset) FROM name"
            " WHERE name.dataset IS NOT NULL) SELECT dataset FROM name WHERE dataset IS NOT NULL"
        )
        return [str(row[0]) for row in rows]

    def newest_write(
        self,
        name: str,
        *,
        version: str | None = None,
        batch: str | None = None,
        before: Ran | None = None,
        without: Collection[str] = (),
    ) -> Ran | None:
        """Return the newest run that wrote a data set, of those that fit."""
        where, values = ["use.dataset = ?", "use.is_write = 1"], [name]
        if version is not None:
            where.append("use.version = ?")
            values.append(version)
        if batch is not None:
            where.append("use.batch = ?")
            values.append(batch)
        if without:
            where.append(f"coalesce(use.batch, '') NOT IN ({', '.join('?' * len(without))})")
            values += without
        return self._newest(where, values, before)

    def newest_read(self, name: str, *, version: str | None = None) -> Ran | None:
        """Return the newest run that read a data set (in this version)."""
        where, values = ["use.dataset = ?", "use.is_write = 0", "use.is_output = 0"], [name]
        if version is not None:
            where.append("use.version = ?")
            values.append(version)
        return self._newest(where, values, None)

    def _newest(self, where: list[str], values: list[str], before: Ran | None) -> Ran | None:
        parameters: list[str | int | bytes] = list(values)
        if before is not None:
            at_us, run_id, file, line = before.order
            where = [*where, "use.at_us <= ?", f"{_ORDER} < (?, ?, ?, ?)"]
            parameters += [at_us, at_us, run_id, os.fsencode(file), line]
        row = self.base.execute(
            f"SELECT use.run FROM {_USES} WHERE {' AND '.join(where)}"  # noqa: S608
            f" ORDER BY {_NEWEST} LIMIT 1",
            parameters,
        ).fetchone()
        return None if row is None else self.run(int(row[0]))

    def read_as(self, name: str, version: str | None, batch: str | None) -> list[Ran]:
        """Return the runs that read a data set as this version; without one, those of the batch."""
        where, values = "version = ?", [name, version]
        if version is None:
            where, values = "version IS NULL AND batch IS ?", [name, batch]
        rows = self.base.execute(
            f"SELECT run FROM use WHERE dataset = ? AND {where} AND is_output = 0",  # noqa: S608
            values,
        ).fetchall()
        return [self.run(int(row[0])) for row in rows]

    def read_between(self, name: str, first_us: int, last_us: int | None) -> list[Ran]:
        """Return the runs of a time that read a data set without saying which version."""
        rows = self.base.execute(
            "SELECT run FROM use WHERE dataset = ? AND is_write = 0 AND is_output = 0"
            " AND version IS NULL AND at_us >= ? AND at_us <= ?",
            (name, first_us, (1 << 63) - 1 if last_us is None else last_us),
        ).fetchall()
        return [self.run(int(row[0])) for row in rows]

    def next_write_us(self, name: str, after_us: int) -> int | None:
        """Return when a data set was next written after a moment."""
        row = self.base.execute(
            "SELECT min(at_us) FROM use WHERE dataset = ? AND is_write = 1 AND at_us > ?",
            (name, after_us),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def users(self, source: str) -> list[str]:
        """Return the data sets that some run ever wrote from this one, in order."""
        graphs = self.base.execute("SELECT graph FROM source WHERE dataset = ?", (source,))
        found: set[str] = set()
        for (graph,) in graphs.fetchall():
            name = ""
            while name is not None:
                row = self.base.execute(
                    "SELECT min(dataset) FROM use WHERE graph = ? AND dataset > ?", (graph, name)
                ).fetchone()
                name = row[0]
                found |= {name} - {None}
        return sorted(found)

    def versions(self, name: str) -> list[str]:
        """Return the versions that events name of a data set, the newest first."""
        rows = self.base.execute(
            "SELECT version FROM use WHERE dataset = ? AND version IS NOT NULL"
            " AND (is_write = 1 OR is_output = 0)"
            " GROUP BY version ORDER BY max(at_us) DESC, version DESC",
            (name,),
        )
        return [str(row[0]) for row in rows]

    def simulated_since_us(self, name: str) -> int | None:
        """Return when a run first called a data set simulated."""
        row = self.base.execute(
            "SELECT min(at_us) FROM use WHERE dataset = ? AND is_simulated = 1", (name,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def run(self, key: int) -> Ran:
        """Return one run whole."""
        if key not in self._runs:
            self._runs[key] = self._load(key)
        return self._runs[key]

    def _load(self, key: int) -> Ran:
        row = self.base.execute(
            "SELECT run.at_us, run.run_id, file.name, run.line, run.job, run.contract, run.batch,"
            " file.id FROM run JOIN file ON file.id = run.file WHERE run.id = ?",
            (key,),
        ).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(key)
        self.files_used.add(int(row[7]))
        uses = self.base.execute(
            "SELECT is_output, dataset, version, about, files, graph FROM use"
            " WHERE run = ? ORDER BY place",
            (key,),
        ).fetchall()
        made = [(bool(u[0]), self._use(*u[1:])) for u in uses]
        return Ran(
            order=(int(row[0]), str(row[1]), os.fsdecode(row[2]), int(row[3])),
            job=str(row[4]),
            contract=row[5],
            batch=row[6],
            inputs=tuple(u for is_output, u in made if not is_output),
            outputs=tuple(u for is_output, u in made if is_output),
        )

    def _use(
        self, dataset: str, version: str | None, about: int, files: str | None, graph: int | None
    ) -> Use:
        return Use(
            dataset,
            version,
            about_of(self._body(about)),
            tuple(files.split("\n")) if files else (),
            None if graph is None else graph_of(self._body(graph)),
        )

    def _body(self, key: int) -> str:
        if key not in self._bodies:
            row = self.base.execute("SELECT digest, body FROM text WHERE id = ?", (key,)).fetchone()
            if row is None or sha256(str(row[1]).encode()).digest() != row[0]:
                raise sqlite3.DatabaseError(key)
            self._bodies[key] = row[1]
        return self._bodies[key]
