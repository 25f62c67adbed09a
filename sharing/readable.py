"""What the control database stores as text and is read as more, and rows that cannot be read.

Whoever can write to the database can plant anything in it: SQLite keeps text in a column of times,
and no database knows what a text that holds JSON must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Text, and_, inspect, select, type_coerce
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import NullType

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.control import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import MappedColumn, Session
    from sqlalchemy.types import TypeEngine

_R = TypeVar("_R", bound=Base)
#: In a column's ``info``: the function by which its text is read.
READS: Final = "reads"
#: What is planted may be long, and an error may repeat it.
_LINE_CHARACTERS: Final = 200
_WORDS: Final = TypeAdapter(dict[str, str])


def read_by(
    read: Callable[[str], object], kind: TypeEngine[str] | type[Text] = Text
) -> MappedColumn[Any]:
    """Declare a column whose text ``read`` reads, raising ValueError where it is none such."""
    return mapped_column(kind, info={READS: read})


def words(text: str) -> Mapping[str, str]:
    """Read what was stated with a step: an object of texts."""
    return _WORDS.validate_json(text, strict=True)


@dataclass(frozen=True)
class Unreadable:
    """A row that is not what its table holds: its key as the database has it, and why."""

    kind: type[Base]
    key: tuple[Any, ...]
    problem: str

    @property
    def where(self) -> str:
        """Name the row as ``verify`` names places."""
        return f"control.db {self.kind.__tablename__} {'/'.join(map(str, self.key))}"


def raw_key(kind: type[Base]) -> list[ColumnElement[Any]]:
    """Return the columns of a table's key, to be compared as they are stored."""
    return [
        type_coerce(column, NullType()).label(f"key_{number}")
        for number, column in enumerate(inspect(kind).primary_key)
    ]


def read_each(
    session: Session, kind: type[_R]
) -> Iterator[tuple[tuple[Any, ...], _R | Unreadable]]:
    """Yield every row of a table by its key, in that order, each read by a question of its own."""
    columns = raw_key(kind)
    for row in session.execute(select(*columns).order_by(*columns)).all():
        key = tuple(row)
        is_it = and_(*(column == part for column, part in zip(columns, key, strict=True)))
        try:
            yield key, session.scalars(select(kind).where(is_it)).one()
        except Exception as error:  # noqa: BLE001 - what is planted may break anything
            yield key, Unreadable(kind, key, error_line(error))


def read_rows(session: Session, kind: type[_R], asked: Select[_R]) -> list[_R]:
    """Return the rows that are asked for; where one cannot be read, all the readable ones."""
    try:
        return list(session.scalars(asked))
    except Exception:  # noqa: BLE001 - see above
        return [row for _, row in read_each(session, kind) if not isinstance(row, Unreadable)]


def words_of(error: Exception) -> Words:
    """Return what an error says; a foreign one says the same in both languages."""
    return error.words if isinstance(error, JingshuError) else Words(str(error), str(error))


def still_owed(error: Exception) -> Words:
    """Say for the log that leaves of evidence could not be written yet, and why."""
    why = words_of(error)
    return Words(f"存证尚未写入：{why.zh}", f"evidence is still owed: {why.en}")


def error_line(error: Exception) -> str:
    """Return an error in one line: its kind, and the beginning of what it says."""
    first = (words_of(error).en.splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}".removesuffix(": ")[:_LINE_CHARACTERS]
