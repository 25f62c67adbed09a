"""A lake with its control database, each read once; what cannot be read is passed over, and kept.

Nobody who has the database alone can blind a check by a record that breaks it: the record is named,
and the check proves the others.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sqlalchemy import event, inspect, not_, select, tuple_
from sqlalchemy.orm import with_loader_criteria

from contracts.moment import utc_now
from jobs.verify.lake import Lake
from sharing import migrations
from sharing.attest.journal import leaf_of
from sharing.control import AttestedRow, Base, Control, has_control
from sharing.owed import leaves_due
from sharing.readable import READS, Unreadable, error_line, raw_key, read_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import ORMExecuteState, Session

    from contracts.layout import Home

#: Rows that are read at once where all of a table are.
_ROWS: Final = 1000


@dataclass(frozen=True)
class CityLake(Lake):
    """A lake, and the control data that is kept beside it."""

    @cached_property
    def records(self) -> Records:
        """The control database, as far as it can be read."""
        return Records(self.home)


@dataclass
class Records:
    """The control database of a home.

    ``unreadable`` are the rows that were found to be no records, which ``read`` passes over from
    then on; ``asked`` are the tables that were asked for since it was last cleared.
    """

    home: Home
    unreadable: set[Unreadable] = field(default_factory=set)
    asked: set[type[Base]] = field(default_factory=set)

    @property
    def are_kept(self) -> bool:
        """Tell whether there is such a database: asking makes none."""
        return has_control(self.home)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one state of the database, without what cannot be read."""
        with Control(self.home) as control, control.read() as session:
            event.listen(session, "do_orm_execute", self._pass_over)
            yield session

    def survey(self, kinds: Iterable[type[Base]] | None = None) -> None:
        """Read every row of these tables, or of all of them, and remember what cannot be read."""
        if not self.are_kept:
            return
        with Control(self.home) as control, control.read() as session:
            for kind in all_kinds() if kinds is None else kinds:
                self.unreadable |= _unreadable(session, kind)

    def _pass_over(self, state: ORMExecuteState) -> None:
        self.asked |= {mapper.class_ for mapper in state.all_mappers}
        for kind in {row.kind for row in self.unreadable} if state.is_select else ():
            keys = [row.key for row in self.unreadable if row.kind is kind]
            is_other = not_(tuple_(*raw_key(kind)).in_(keys))
            state.statement = state.statement.options(with_loader_criteria(kind, is_other))


def all_kinds() -> list[type[Base]]:
    """Return every table of the control database by its class."""
    migrations.declare_all()
    return sorted((m.class_ for m in Base.registry.mappers), key=lambda kind: kind.__tablename__)


def _unreadable(session: Session, kind: type[Base]) -> set[Unreadable]:
    """Return the rows of a table that are none, by one question if that can be answered."""
    asked = select(kind, *raw_key(kind)).execution_options(yield_per=_ROWS)
    try:
        return {
            Unreadable(kind, tuple(key), problem)
            for row, *key in session.execute(asked)
            if (problem := _problem(row)) is not None
        }
    except Exception:  # noqa: BLE001 - what is planted may break anything
        found = set()
        for key, row in read_each(session, kind):
            problem = row.problem if isinstance(row, Unreadable) else _problem(row)
            if problem is not None:
                found.add(Unreadable(kind, key, problem))
        return found


def _problem(row: Base) -> str | None:
    """Say what of a row is not what its table holds: a type, a text, or the leaf of all of it."""
    problems = [f"{name}: {problem}" for name, problem in _columns(row)]
    if problems:
        return "; ".join(problems)
    try:
        leaves = leaves_due(row)
        if isinstance(row, AttestedRow):
            leaves.append(leaf_of(row, "", utc_now()))
        for leaf in leaves:
            leaf.canonical()
    except Exception as error:  # noqa: BLE001 - what is planted may break anything
        return error_line(error)
    return None


def _columns(row: Base) -> Iterator[tuple[str, str]]:
    for column in inspect(type(row)).columns:
        value, kind = getattr(row, column.key), column.type.python_type
        if value is None:
            continue
        if not isinstance(value, kind):
            yield column.key, f"{type(value).__name__} is no {kind.__name__}"
        elif READS in column.info:
            try:
                column.info[READS](value)
            except Exception as error:  # noqa: BLE001 - see above
                yield column.key, error_line(error)
