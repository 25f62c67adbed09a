"""Reads workbooks, Parquet, and files of named values (JSON lines, XML) as rows of text.

A record may leave out what it has no value for, and name its values in any order; the header is
every name that any record uses, so a file is read twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from contracts.words import Words
from jobs.files import markup
from jobs.files.decode import DecodeError, Record, parquet_rows, sheet_rows
from jobs.files.markup import Item
from jobs.land.header import completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from contracts.model import Contract, Server
    from jobs.files.decode import Sniffed

_MAX_NAMES: Final = 16_384


@dataclass(frozen=True)
class Noticed:
    """What reading a file showed: what the contract does not say, and what is as agreed."""

    findings: list[Words]
    notes: list[Words]


def read(
    path: Path, sniffed: Sniffed, contract: Contract, server: Server, told: Noticed
) -> Iterator[Record]:
    """Yield a file's rows as its contract's format has them, its header among or before them.

    Delimited text is read by ``jobs.land.text``. Adds to ``told`` what is worth knowing. Raises
    DecodeError where the bytes are no such format.
    """
    notes = told.notes
    encoding = sniffed.encoding or "utf-8-sig"
    match server.format:
        case "jsonl":
            yield from _Named(lambda: json_lines(path, encoding), contract, server, notes).rows()
        case "xml":
            items = markup.items
            yield from _Named(lambda: items(path, encoding), contract, server, notes).rows()
        case "parquet":
            yield from parquet_rows(path)
        case _:
            noticed: dict[str, Any] = {}
            yield from sheet_rows(path, server.export.sheet, noticed=noticed)
            told.findings.extend(_of_workbook(noticed, contract))


def _of_workbook(noticed: Mapping[str, Any], contract: Contract) -> Iterator[Words]:
    """Yield what a workbook holds that no row shows; sheets of people above L2 are not named."""
    if rows := noticed.get("broken_rows"):
        letters = ", ".join(_letters(column) for column in noticed["broken_columns"])
        yield Words(
            f"错误值或未计算的公式：{rows} 行，列 {letters}",
            f"errors, or formulas without a value: {rows} rows, columns {letters}",
        )
    unread = noticed.get("unread") or ()
    if unread:
        is_open = contract.level in ("L1", "L2")
        named = [f"{name} ({rows})" if is_open else f"({rows})" for name, rows in unread]
        yield Words(
            f"{len(unread)} 个有数据的工作表未读：{'、'.join(named)}",
            f"{len(unread)} sheets with rows were not read: {', '.join(named)}",
        )


def _letters(column: int) -> str:
    """Return a column of a sheet as spreadsheets call it: A, B, … Z, AA."""
    name, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


@dataclass
class _Named:
    """Items that name their values, and what a first look at all of them showed."""

    items: Callable[[], Iterator[Item]]
    contract: Contract
    server: Server
    notes: list[Words]
    names: dict[str, None] = field(default_factory=dict)
    last_line: int = 0
    shares_lines: bool = False

    def rows(self) -> Iterator[Record]:
        """Yield the header, then every item as a row of its width."""
        self._survey()
        header = completed(self.contract, self.server.export, self.names)
        yield Record(0, header)
        for number, item in enumerate(self.items(), start=1):
            line = number if self.shares_lines else item.line
            if item.error is not None:
                yield Record(line, list(item.raw), item.error)
            else:
                yield Record(line, [item.cells.get(name, "") for name in header])

    def _survey(self) -> None:
        for item in self.items():
            self.shares_lines |= item.line <= self.last_line
            self.last_line = item.line
            self.names.update(dict.fromkeys(item.cells))
            if len(self.names) > _MAX_NAMES:
                raise DecodeError(
                    Words(
                        f"各记录共用了超过 {_MAX_NAMES} 个不同的名称。",
                        f"The records use more than {_MAX_NAMES} different names.",
                    ),
                    Words("请用列名命名每个值。", "Name each value by its column."),
                )
        if not self.names:
            kind = self.server.format
            raise DecodeError(
                Words(
                    f"文件中没有任何含名称的 {kind} 记录。",
                    f"The file holds no {kind} record with a name in it.",
                ),
                Words(
                    "请每行交付一个对象（JSON lines），或每条记录交付一个元素（XML）。",
                    "Deliver one object a line (JSON lines), or one element a record (XML).",
                ),
            )
        if self.shares_lines:
            # A row is known by its line in everything that follows, so no two may share one.
            en = "several records on a line: rows are counted by record"
            self.notes.append(Words("一行有多条记录，按记录计行", en))


class _ShapeError(ValueError):
    """A line that is no flat JSON object, in words that hold none of its values."""


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object with its keys in order, the repeated ones too."""

    __slots__ = ()


def _no_number(name: str) -> NoReturn:
    raise _ShapeError(f"{name} is no JSON number")


_DECODER: Final = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_Object
)


def json_lines(path: Path, encoding: str) -> Iterator[Item]:
    """Yield one item a line; numbers keep the digits they are written with (RFC 8259)."""
    with path.open(encoding=encoding, newline="") as handle:
        for number, line in enumerate(handle, start=1):
            text = line.lstrip("\ufeff").strip(" \t\r\n")
            if not text:
                yield Item(number)
                continue
            try:
                yield Item(number, _cells(text))
            except _ShapeError as wrong:
                yield Item(number, error=str(wrong), raw=(text,))


def _cells(text: str) -> dict[str, str]:
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise _ShapeError("values within values") from None
    except json.JSONDecodeError as bad:
        raise _ShapeError(f"no JSON at character {bad.pos + 1}") from None
    if not isinstance(value, _Object):
        raise _ShapeError("no JSON object")
    cells = {name: _text(cell) for name, cell in value}
    if len(cells) != len(value):
        raise _ShapeError("a key stands in the object twice")
    try:
        "".join((*cells, *cells.values())).encode()
    except UnicodeEncodeError:
        raise _ShapeError("half a surrogate pair, which is no character") from None
    return cells


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case _:
            raise _ShapeError("values within values")
