"""Reads delimited text a block at a time: regular lines as Arrow columns, the others one by one.

A line is regular where it is one record with as many cells as the header, which RFC 4180 lets
nobody read otherwise: Arrow's parser takes all of those of a block at once. A ragged line, a quoted
line break, a stray quote or carriage return, a NUL or a blank line goes through Python's ``csv``,
strict, which then says how many lines its record takes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from contracts.words import Words
from jobs.arrays import flags
from jobs.files.decode import MARK, MAX_LINE_BYTES, DecodeError, Record, without_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from jobs.arrays import Flags

_BLOCK_CHARS: Final = 8 << 20
_LF, _QUOTE, _NUL = 10, 34, 0
#: What ``str.strip`` takes off (Unicode White_Space and the separators of ASCII).
_SPACE: Final = (
    r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}"
    r"\x{202f}\x{205f}\x{3000}"
)


@dataclass
class Part:
    """Some rows of a file: ``cells`` at their ``lines``, by column number; the rest as records."""

    records: list[Record] = field(default_factory=list)
    lines: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None
    cells: pa.Table | None = None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.records) + (0 if self.lines is None else len(self.lines))

    def parted(self, line: int) -> tuple[Part, Part]:
        """Return the rows up to a line, and those after it."""
        upper = [r for r in self.records if r.line <= line]
        lower = [r for r in self.records if r.line > line]
        if self.lines is None or self.cells is None:
            return Part(upper), Part(lower)
        at = int(np.searchsorted(self.lines, line, side="right"))
        return (
            Part(upper, self.lines[:at], self.cells.slice(0, at)),
            Part(lower, self.lines[at:], self.cells.slice(at)),
        )


class TextRows:
    """The rows of an open text; iterated, or from where that stopped taken in blocks."""

    def __init__(self, handle: TextIO, delimiter: str) -> None:
        csv.field_size_limit(MAX_LINE_BYTES)
        self._handle = handle
        self._delimiter = delimiter
        self._line = 1

    def __iter__(self) -> Iterator[Record]:
        """Yield rows one by one, from the next line on."""
        return self._records(without_marks(self._handle) if self._line == 1 else self._handle)

    def blocks(self, width: int) -> Iterator[Part]:
        """Yield the rest in blocks; a regular line has ``width`` cells."""
        while text := self._handle.read(_BLOCK_CHARS):
            text += self._handle.readline()
            if not self._delimiter.isascii() or _has_lone_returns(text):
                yield Part(self._all_of(text))
            else:
                yield self._block(text, width)

    def _all_of(self, text: str) -> list[Record]:
        """Read a block's records one by one, the last of them to its end in the next block."""
        lines = io.StringIO(text, newline="")
        found = []
        records = self._records(chain(lines, self._handle))
        while lines.tell() < len(text):
            if (record := next(records, None)) is None:
                break
            found.append(record)
        return found

    def _block(self, text: str, width: int) -> Part:
        block = _Block.of(text, self._delimiter)
        regular = block.regular(width)
        first, after = self._line, self._line + len(block.lines)
        records: list[Record] = []
        for at in np.flatnonzero(~regular):
            if self._line - first > at:  # a record before took this line too
                continue
            self._line = first + int(at)
            rest = (str(line) for line in block.lines[int(at) :])
            records.append(next(self._records(chain(rest, self._handle))))
            regular[at : self._line - first] = False
        self._line = max(after, self._line)
        cells = block.parsed(regular, width)
        lines = None if cells is None else first + np.flatnonzero(regular)
        return Part(records, lines, cells)

    def _records(self, lines: Iterable[str]) -> Iterator[Record]:
        """Yield records, and keep count of the lines that they take."""
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        before, line = self._line, self._line
        try:
            for cells in reader:
                self._line = before + reader.line_num
                yield Record(line, cells)
                line = self._line
        except csv.Error as bad:
            raise DecodeError(
                Words(
                    f"自第 {line} 行开始的记录不合 CSV 引号规则：{bad}。",
                    f"The row that starts at line {line} breaks CSV quoting: {bad}.",
                ),
                Words(
                    '请按 RFC 4180 第 2 节加引号：引号内的引号写作 ""。',
                    'Quote cells as RFC 4180 §2 says: a quote inside a quoted cell is written "".',
                ),
            ) from bad


def _has_lone_returns(text: str) -> bool:
    return text.count("\r") != text.count("\r\n")


@dataclass(frozen=True)
class _Block:
    """Whole lines of text: as octets, and where each begins and ends."""

    octets: np.ndarray[tuple[int], np.dtype[np.uint8]]
    lines: pa.Array
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    ends: np.ndarray[tuple[int], np.dtype[np.int64]]
    delimiter: str

    @classmethod
    def of(cls, text: str, delimiter: str) -> _Block:
        data = text.encode()
        octets = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(octets == _LF) + 1
        if not len(ends) or ends[-1] < len(octets):
            ends = np.append(ends, len(octets))
        offsets = np.concatenate([[0], ends])
        buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
        lines = pa.StringArray.from_buffers(len(ends), buffers[1], buffers[2])
        return cls(octets, lines, offsets[:-1], ends, delimiter)

    def regular(self, width: int) -> Flags:
        """Tell which lines are one record of ``width`` cells, some cell of it not blank."""
        delimiters = self._count(ord(self.delimiter))
        quotes, nuls = self._count(_QUOTE), self._count(_NUL)
        found = (delimiters == width - 1) & (quotes == 0) & (nuls == 0)
        quoted = (quotes > 0) & (nuls == 0)
        if quoted.any():
            found[quoted] = flags(
                pc.match_substring_regex(self.lines.filter(pa.array(quoted)), self._well(width))
            )
        blank = rf"^[{_SPACE}\"{_in_class(self.delimiter)}]*$"
        found &= ~flags(pc.match_substring_regex(self.lines, blank))
        found &= ~flags(pc.starts_with(self.lines, MARK))  # Arrow would take it off
        return np.asarray(found)

    def parsed(self, regular: Flags, width: int) -> pa.Table | None:
        """Return the regular lines' cells as columns ``0``, ``1``, …; None where there are none."""
        if not regular.any():
            return None
        lines = self.lines if regular.all() else self.lines.filter(pa.array(regular))
        _, offsets, data = lines.buffers()
        size = int(np.frombuffer(offsets, np.int32)[len(lines)])
        names = [str(n) for n in range(width)]
        found = arrow_csv.read_csv(
            pa.BufferReader(data.slice(0, size)),
            arrow_csv.ReadOptions(column_names=names, block_size=max(size, 1) + 1),
            arrow_csv.ParseOptions(delimiter=self.delimiter, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        if found.num_rows != len(lines):
            raise AssertionError(f"{len(lines)} regular lines gave {found.num_rows} rows")
        return found

    def _count(self, octet: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Count an octet in each line."""
        places = np.flatnonzero(self.octets == octet)
        if not len(places):
            return np.zeros(len(self.ends), np.int64)
        return np.searchsorted(places, self.ends) - np.searchsorted(places, self.starts)

    def _well(self, width: int) -> str:
        """Return what a line of so many cells matches where each quote is one of RFC 4180's."""
        stop = _in_class(self.delimiter)
        cell = rf"(?:\"(?:[^\"\r\n]|\"\")*\"|[^\"\r\n{stop}]*)"
        more = rf"(?:[{stop}]{cell}){{{width - 1}}}" if width > 1 else ""
        return rf"^{cell}{more}\r?\n?$"


def _in_class(delimiter: str) -> str:
    return f"\\x{{{ord(delimiter):x}}}"
