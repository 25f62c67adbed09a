"""Reads an XML export as a stream: each child of the root is a record, its children are its cells.

No document type is read: entities can name files, or grow a kilobyte to gigabytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from contracts.words import Words
from jobs.files.decode import MAX_LINE_BYTES, DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Small, because the parser begins an unfinished tag anew with each chunk.
_CHUNK: Final = 1 << 16
_ROOT, _RECORD, _CELL = 1, 2, 3
#: A character that no XML name has, as ISO/IEC 9075-14 (SQL/XML) writes it in one.
_ESCAPED: Final = re.compile(
    r"_x((?![dD][89a-fA-F])[0-9A-Fa-f]{4}|(?:0[1-9a-fA-F]|10)[0-9A-Fa-f]{4})_"
)
#: Attributes of XML's own: namespaces, languages, an empty cell's ``xsi:nil``.
_OWN: Final = ("xml:", "xmlns", "xsi:")


@dataclass(frozen=True, slots=True)
class Item:
    """A record of named values; or why it has no shape, and then its text in pieces."""

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    raw: tuple[str, ...] = ()


def items(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the records of an XML file by the line where each begins.

    Raises DecodeError for what is not well formed, a document type, and a record without an end.
    """
    reader = _Reader()
    with path.open(encoding=encoding, newline="") as handle:
        while chunk := handle.read(_CHUNK):
            reader.feed(chunk.encode(), is_last=False)
            yield from reader.taken()
    reader.feed(b"", is_last=True)
    yield from reader.taken()


class _Reader:
    """What the parser calls; a record is put together between its two tags."""

    def __init__(self) -> None:
        # The text comes decoded; the declaration has been read and kept to by jobs.files.decode.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.ordered_attributes = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.items: list[Item] = []
        self.fed = self.depth = 0
        self._begin()

    def feed(self, data: bytes, *, is_last: bool) -> None:
        self.fed += len(data)
        try:
            self.parser.Parse(data, is_last)
        except expat.ExpatError as bad:
            why = expat.errors.messages[bad.code]
            raise DecodeError(
                Words(
                    f"XML 第 {bad.lineno} 行已损坏：{why}。",
                    f"The XML is broken in line {bad.lineno}: {why}.",
                ),
                Words(
                    "请用 XML 程序库写出并完整交付。",
                    "Write it with an XML library and deliver it whole.",
                ),
            ) from None
        self._check_length()

    def taken(self) -> list[Item]:
        taken, self.items = self.items, []
        return taken

    def _begin(self) -> None:
        """Start a record; between two records, start what does not belong there."""
        self.cells: dict[str, str] = {}
        self.pieces: list[str] = []
        self.text: list[str] = []
        self.name = ""
        self.error: str | None = None
        self.line = self.parser.CurrentLineNumber
        self.began_at = max(0, self.parser.CurrentByteIndex)

    def _check_length(self) -> None:
        """Refuse what has begun and does not end: a record, a tag, text between the records."""
        is_open = self.depth > _ROOT or bool(self.text)
        if self.fed - (self.began_at if is_open else self.parser.CurrentByteIndex) > MAX_LINE_BYTES:
            raise DecodeError(
                Words(
                    f"第 {self.line} 行的记录超过 {MAX_LINE_BYTES} 字节。",
                    f"The record in line {self.line} is longer than {MAX_LINE_BYTES} bytes.",
                ),
                Words(
                    "请用结束标签结束每条记录：这里像是缺了结束标签，或没有记录。",
                    "End each record with its tag; this looks like a lost end, or no records.",
                ),
            )

    def _doctype(self, *_: object) -> None:
        raise DecodeError(
            Words(
                "该 XML 含文档类型（<!DOCTYPE …>），一律不予读取。",
                "The XML has a document type (<!DOCTYPE …>), which is never read.",
            ),
            Words(
                "请去掉后交付：不用实体，不引用其他文件。",
                "Deliver it without: no entities, no other files.",
            ),
        )

    def _start(self, name: str, attributes: list[str]) -> None:
        self.depth += 1
        own = dict(zip(attributes[::2], attributes[1::2], strict=True)) if attributes else {}
        given = {n: v for n, v in own.items() if not n.startswith(_OWN)} if own else {}
        if self.depth == _RECORD:
            self._between()
            self._begin()
            for attribute, value in given.items():
                self._put(attribute, value)
        elif self.depth == _CELL:
            self._loose()
            self.name = name
            if given:
                self._wrong("attributes on a cell", *given.values())
        elif self.depth > _CELL:
            self._wrong("elements within a cell", name, *own.values())

    def _characters(self, text: str) -> None:
        if self.depth > _RECORD or text.strip() or self.text:
            if not self.text and self.depth == _ROOT:
                self._begin()
            self.text.append(text)

    def _end(self, _: str) -> None:
        if self.depth == _CELL:
            self._put(self.name, "".join(self.text))
            self.text = []
        elif self.depth == _RECORD:
            self._loose()
            raw = tuple(self.pieces) if self.error else ()
            cells = {} if self.error else self.cells
            self.items.append(Item(self.line, cells, self.error, raw))
            self._begin()
        elif self.depth == _ROOT:
            self._between()
        self.depth -= 1

    def _put(self, name: str, text: str) -> None:
        if "_x" in name:
            name = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), name)
        self.pieces.append(f"{name}={text}")
        if name in self.cells:
            self._wrong("a name stands in the record twice")
        self.cells[name] = text

    def _wrong(self, error: str, *pieces: str) -> None:
        self.error = self.error or error
        self.pieces += pieces

    def _loose(self) -> None:
        """Keep text that stands in a record and in no cell of it."""
        if self.text:
            self._wrong("text beside the cells", "".join(self.text))
            self.text = []

    def _between(self) -> None:
        """Keep text that stands in no record."""
        if self.text:
            self.items.append(
                Item(self.line, error="text between the records", raw=("".join(self.text),))
            )
            self.text = []
