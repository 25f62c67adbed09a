"""Writes a small made-up export in a real container, and keeps count of what was planted where."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

import xlsxwriter
import xlwt

if TYPE_CHECKING:
    from collections.abc import Mapping

Container = Literal["utf-8", "utf-8-sig", "gb18030", "xlsx", "xls"]
Cell = str | int | float | date


@dataclass(frozen=True)
class Twin:
    """A made-up file in the layout of a real one, and what must come of it, row by row."""

    file_name: str
    content: bytes
    good: tuple[int, ...]
    bad: Mapping[int, tuple[str, ...]]
    duplicates: int
    blank: int
    footers: int
    aside: Mapping[int, Mapping[str, str]]
    """Line → what stands there under no header."""
    values: Mapping[int, Mapping[str, object]]
    """Line → column → typed value, of rows that are published."""

    @property
    def landed(self) -> int:
        """How many rows of data the file holds."""
        return len(self.good) + len(self.bad) + self.duplicates


@dataclass
class Page:
    """A file in the making; each row says what it is when it is written."""

    container: Container
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    good: list[int] = field(default_factory=list)
    bad: dict[int, tuple[str, ...]] = field(default_factory=dict)
    values: dict[int, dict[str, object]] = field(default_factory=dict)
    duplicates: int = 0
    blanks: int = 0
    footers: int = 0
    aside: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """The line where the next row starts; in a workbook, its row number."""
        if self.container in ("xlsx", "xls"):
            return len(self.rows) + 1
        return 1 + sum(1 + sum(str(c).count("\n") for c in row) for row in self.rows)

    def head(self, *cells: Cell) -> None:
        """Write a row above the data: a title, a header."""
        self.rows.append(cells)

    def foot(self, *cells: Cell) -> None:
        """Write a note after the data."""
        self.footers += 1
        self.rows.append(cells)

    def keep(self, *cells: Cell, **values: object) -> None:
        """Write a good row; ``values`` are some of its columns, typed."""
        self.good.append(self.line)
        if values:
            self.values[self.line] = values
        self.rows.append(cells)

    def plant(self, cells: tuple[Cell, ...], *rules: str) -> None:
        """Write a bad row and the rules that must find it."""
        self.bad[self.line] = tuple(sorted(rules))
        self.rows.append(cells)

    def again(self, *cells: Cell) -> None:
        """Write a row that stands above already."""
        self.duplicates += 1
        self.rows.append(cells)

    def blank(self, count: int, width: int) -> None:
        """Write rows of empty cells after (or between) the data."""
        self.blanks += count
        self.rows += [("",) * width] * count

    def twin(self, file_name: str) -> Twin:
        """Close the file."""
        made = {"xlsx": self._xlsx, "xls": self._xls}.get(self.container, self._text)
        return Twin(
            file_name,
            made(),
            tuple(self.good),
            self.bad,
            self.duplicates,
            self.blanks,
            self.footers,
            self.aside,
            self.values,
        )

    def _text(self) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(self.rows)
        return out.getvalue().encode(self.container)

    def _xlsx(self) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            sheet = book.add_worksheet("Sheet1")
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            for r, row in enumerate(self.rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(r, c, cell, day)
                    elif isinstance(cell, str):
                        sheet.write_string(r, c, cell)
                    else:
                        sheet.write_number(r, c, cell)
        return out.getvalue()

    def _xls(self) -> bytes:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Sheet1")
        for empty in ("Sheet2", "Sheet3"):
            book.add_sheet(empty)
        day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write(r, c, cell, day)
                else:
                    sheet.write(r, c, cell)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()
