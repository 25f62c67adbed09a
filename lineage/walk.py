"""Walks the events: what a table or column is made from, and what is made from it.

Upwards a walk follows versions: from the run that made a version to those versions of its inputs
that it read. Downwards it follows the newest run of each table, or those that read one version.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from contracts.errors import UsageError
from contracts.words import Words
from lineage.columns import DECLARED
from lineage.facts import OURS, ROWS, About, Edge, printable
from lineage.names import unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from lineage.facts import Graph, Ran, Use

Direction = Literal["up", "down"]
#: No lineage of ours is this deep; a walk that is ends there, and says so.
_DEEPEST: Final = 100
#: From this many steps on, what was shown once is not shown again.
_MANY: Final = 5_000
_VERSIONS_SHOWN: Final = 8


class Facts(Protocol):
    """What a walk asks of the events; ``Store`` answers it."""

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

    def newest_read(self, name: str, *, version: str | None = None) -> Ran | None:
        """Return the newest run that read a data set (in this version)."""

    def read_as(self, name: str, version: str | None, batch: str | None) -> list[Ran]:
        """Return the runs that read a data set as this version; without one, those of the batch."""

    def read_between(self, name: str, first_us: int, last_us: int | None) -> list[Ran]:
        """Return the runs of a time that read a data set without saying which version."""

    def next_write_us(self, name: str, after_us: int) -> int | None:
        """Return when a data set was next written after a moment."""

    def users(self, source: str) -> list[str]:
        """Return the data sets that some run ever wrote from this one, in order."""

    def versions(self, name: str) -> list[str]:
        """Return the versions that events name of a data set, the newest first."""

    def simulated_since_us(self, name: str) -> int | None:
        """Return when a run first called a data set simulated."""

    def names(self) -> list[str]:
        """Return every data set that a run read or wrote, in order."""


@dataclass(frozen=True)
class Seen:
    """A data set at one step: which run wrote which version of it, and what it claims to be.

    Without ``run`` nobody wrote it: an export, a code table, or what came from elsewhere.
    ``is_inferred`` says that the reader did not name the version.
    """

    name: str
    run: Ran | None = None
    version: str | None = None
    is_inferred: bool = False
    files: tuple[str, ...] = ()
    about: About = field(default_factory=About)

    @property
    def key(self) -> tuple[str, str | None, Ran | None]:
        """What tells this from every other data set and version."""
        return self.name, self.version, self.run

    @property
    def graph(self) -> Graph | None:
        """What the run made it from."""
        use = self.run.wrote(self.name) if self.run else None
        return use.graph if use else None

    @property
    def columns(self) -> Mapping[str, tuple[Edge, ...]]:
        """Each column's inputs; none where nobody wrote it."""
        return self.graph.columns if self.graph else {}

    @property
    def is_end(self) -> bool:
        """Whether lineage may end here: an export, a code table or a declared constant."""
        return not self.name.startswith(OURS)


@dataclass(frozen=True)
class Node:
    """One step of the walk: a table, or a column with how its neighbour uses it.

    ``origin`` is simulated if that of anything is which it was made from. ``is_cut`` says that the
    walk does not go on although it could; ``is_repeated`` that an earlier step shows how.
    """

    seen: Seen
    column: str | None
    via: tuple[Edge, ...]
    origin: str | None
    next: tuple[Node, ...] = ()
    is_cut: bool = False
    is_repeated: bool = False

    @property
    def name(self) -> str:
        """The full name, ``layer/table`` or ``layer/table.column``."""
        return self.seen.name if self.column is None else f"{self.seen.name}.{self.column}"

    @property
    def level(self) -> str | None:
        """The column's level, or the table's."""
        if self.column is None or self.column == ROWS:
            return self.seen.about.level
        return self.seen.about.levels.get(self.column)

    def every(self) -> Iterator[Node]:
        """Yield this step and all that follow."""
        yield self
        for node in self.next:
            yield from node.every()

    def gaps(self) -> Iterator[str]:
        """Yield the names at which an upward walk ends though it should go on."""
        for node in self.every():
            is_last = not node.next and not node.is_repeated
            if node.is_cut or (is_last and not node.seen.is_end):
                yield node.name


@dataclass(frozen=True)
class _Step:
    seen: Seen
    column: str | None
    via: tuple[Edge, ...] = ()


class Walk:
    """One question to the events."""

    def __init__(self, facts: Facts, direction: Direction, at: str | None = None) -> None:
        self._facts = facts
        self._direction = direction
        self._at = at
        self._simulated: dict[tuple[str, str | None, Ran | None], bool] = {}
        self._met: set[tuple[str, str | None, Ran | None]] = set()
        self._steps = 0

    def begin(self, name: str, column: str | None) -> Node:
        """Return the tree from a table or column; raises UsageError for an unknown version."""
        return self._node(_Step(self._first(name), column), frozenset())

    def _first(self, name: str) -> Seen:
        run = self._facts.newest_write(name, version=self._at)
        if run is not None:
            return _written(name, run)
        run = self._facts.newest_read(name, version=self._at)
        if run is not None:
            return _used(run.read(name, self._at), name, None)
        if self._at is None:
            raise unknown(name, self._facts.names())
        known = [printable(v) for v in self._facts.versions(name)[:_VERSIONS_SHOWN]]
        version, table = printable(self._at), printable(name)
        raise UsageError(
            Words(
                f"没有事件提及 {table} 的版本 {version!r}。",
                f"No event speaks of version {version!r} of {table}.",
            ),
            Words(
                f"请从现有版本中选择（最新的在前）：{'、'.join(known) or '无'}。",
                f"Newest first, there are: {', '.join(known) or 'none'}.",
            ),
        )

    def _node(self, at: _Step, path: frozenset[tuple[str, str | None]]) -> Node:
        node = Node(at.seen, at.column, at.via, self._origin(at.seen))
        here = (at.seen.name, at.column)
        if here in path:  # a run that reads what it writes, such as a withdrawal
            return node
        self._steps += 1
        met = (*here, at.seen.run)
        if self._steps > _MANY and met in self._met:
            return replace(node, is_repeated=True)
        self._met.add(met)
        if len(path) == _DEEPEST:
            return replace(node, is_cut=True)
        following = self._up(at) if self._direction == "up" else self._down(at)
        return replace(node, next=tuple(self._node(step, path | {here}) for step in following))

    # ---------------------------------------------------------------- upwards

    def _up(self, at: _Step) -> Iterator[_Step]:
        seen, graph = at.seen, at.seen.graph
        if graph is None:
            return
        if at.column is None:
            for source in sorted(graph.sources - {DECLARED, seen.name}):
                yield _Step(self._source(seen, source), None)
            return
        edges = graph.rows if at.column == ROWS else graph.columns.get(at.column, ())
        for (source, name), same in groupby(edges, key=lambda e: (e.source, e.column)):
            yield _Step(self._source(seen, source), name, tuple(same))

    def _source(self, seen: Seen, source: str) -> Seen:
        """Return a source in the version that the run read which made ``seen``."""
        run = seen.run
        if run is None or source == DECLARED:
            return Seen(source)
        use = run.read(source)
        if use is not None and use.version is not None:
            wrote = self._facts.newest_write(source, version=use.version)
            return _written(source, wrote) if wrote else _used(use, source, use.version)
        newest = self._facts.newest_write
        if use is None and run.read(seen.name) is not None:
            base = self._base(run, seen.name)
            if base is not None:
                return self._source(_written(seen.name, base), source)
            wrote = newest(source)  # no rows are left: only the columns have sources
        else:
            wrote = self._inferred(run, source)
        if wrote is not None:
            return replace(_written(source, wrote), is_inferred=True)
        return _used(use or self._any_use(source), source, None)

    def _inferred(self, run: Ran, source: str) -> Ran | None:
        """Return the run that wrote what ``run`` read, though it does not name the version.

        It is that of the same batch; else the newest before it; else the newest.
        """
        newest = self._facts.newest_write
        of_batch = newest(source, batch=run.batch) if run.batch is not None else None
        return of_batch or newest(source, before=run) or newest(source)

    def _base(self, run: Ran, name: str) -> Ran | None:
        """Return whose rows a run left that took a batch out of its own table; None if nobody's."""
        without: set[str] = set()
        at: Ran | None = run
        while at is not None and at.read(name) is not None:
            without |= {at.batch} if at.batch is not None else set()
            at = self._facts.newest_write(name, before=at, without=without)
        return at

    def _any_use(self, source: str) -> Use | None:
        run = self._facts.newest_read(source)
        return run.read(source) if run else None

    # ---------------------------------------------------------------- downwards

    def _down(self, at: _Step) -> Iterator[_Step]:
        for user in self._users(at.seen):
            graph = user.graph
            if graph is None or user.name == at.seen.name:
                continue
            uses = [(own, e) for own, e in graph.edges if e.source == at.seen.name]
            if uses and (at.column is None or at.column == ROWS):
                yield _Step(user, at.column)
                continue
            for own, same in groupby(uses, key=lambda use: use[0]):
                edges = tuple(e for _, e in same if e.column in (at.column, ROWS))
                if edges:
                    yield _Step(user, own, edges)

    def _users(self, seen: Seen) -> Iterator[Seen]:
        if self._at is not None:
            for run, name in self._readers(seen):
                yield _written(name, run)
            return
        for name in self._facts.users(seen.name):
            newest = self._facts.newest_write(name)
            if newest is not None:
                yield _written(name, newest)

    def _readers(self, seen: Seen) -> Iterable[tuple[Ran, str]]:
        """Return the runs that read just this version, each with what it wrote."""
        name = seen.name
        found = self._facts.read_as(name, seen.version, None) if seen.version else []
        if seen.run is not None:
            unsaid = self._facts.read_between(
                name, seen.run.at_us, self._facts.next_write_us(name, seen.run.at_us)
            )
            if seen.run.batch is not None:
                unsaid += self._facts.read_as(name, None, seen.run.batch)
            found += [
                run
                for run in unsaid
                if (use := run.read(name)) is not None
                and use.version is None
                and self._inferred(run, name) == seen.run
            ]
        newest: dict[tuple[str, str | None], Ran] = {}
        for run in sorted(found, key=lambda r: r.order):
            newest |= {(u.dataset, u.version): run for u in run.outputs if u.graph}
        made = sorted(newest.items(), key=lambda item: (item[0][0], item[1].order))
        return [(run, output) for (output, _), run in made]

    # ---------------------------------------------------------------- origin

    def _origin(self, seen: Seen) -> str | None:
        """Return simulated if anything is that this was made from, directly or not."""
        return "simulated" if self._is_simulated(seen) else seen.about.origin

    def _is_simulated(self, seen: Seen) -> bool:
        waiting, met = [seen], {seen.key}
        is_found = False
        while waiting and not is_found:
            at = waiting.pop()
            is_found = self._simulated.get(at.key, False) or self._was_called_so(at)
            if at.graph is None or at.key in self._simulated:
                continue
            for source in at.graph.sources - {DECLARED}:
                above = self._source(at, source)
                if above.key not in met:
                    met.add(above.key)
                    waiting.append(above)
        if is_found:
            self._simulated[seen.key] = True
        else:
            self._simulated |= dict.fromkeys(met, False)
        return is_found

    def _was_called_so(self, seen: Seen) -> bool:
        """Tell whether this version or an earlier one, whose rows it may hold, was simulated."""
        if seen.about.origin == "simulated":
            return True
        since_us = self._facts.simulated_since_us(seen.name) if seen.run else None
        return since_us is not None and seen.run is not None and since_us <= seen.run.at_us


def as_json(node: Node, direction: Direction) -> dict[str, Any]:
    """Return a walk as JSON's own types; the next nodes are ``inputs`` or ``outputs``."""
    seen, run = node.seen, node.seen.run
    found: dict[str, Any] = {"dataset": seen.name}
    if node.column is not None:
        found["column"] = node.column
    found |= {
        "job": run.job if run else None,
        "run_id": run.run_id if run else None,
        "version": seen.version,
        "version_inferred": seen.is_inferred,
        "contract": run.contract if run else None,
        "files": list(seen.files),
        "level": node.level,
        "origin": node.origin,
    }
    if node.via:
        found["transformations"] = [
            {
                "type": edge.type,
                "subtype": edge.subtype,
                "masking": edge.masking,
                "description": edge.description,
            }
            for edge in node.via
        ]
    if node.is_cut or node.is_repeated:
        found["ends"] = "too deep" if node.is_cut else "shown before"
    found["inputs" if direction == "up" else "outputs"] = [
        as_json(following, direction) for following in node.next
    ]
    return found


def _written(name: str, run: Ran) -> Seen:
    use = run.wrote(name)
    return Seen(name, run, use.version, about=use.about) if use else Seen(name, run)


def _used(use: Use | None, name: str, version: str | None) -> Seen:
    if use is None:
        return Seen(name, version=version)
    return Seen(name, None, version or use.version, files=use.files, about=use.about)
