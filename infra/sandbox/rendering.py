"""Writes rows as a provider's system exports them: layout from the contract, habits from here."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import xlsxwriter

from infra.sandbox import records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.sandbox.layouts import Layout
    from infra.sandbox.planting import Row

_EPOCH: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook's own date has no zone


@dataclass(frozen=True)
class Rendered:
    """A file's bytes, and the 1-based physical line (or sheet row) where each row starts."""

    name: str
    content: bytes
    lines: tuple[int, ...]


def render(layout: Layout, rows: list[Row], day: date, revision: int = 1) -> Rendered:
    """Write the rows as the provider would."""
    kind = layout.server.format
    stem = layout.habit.file_stem or layout.contract.dataset
    suffix = f"_r{revision}" if revision > 1 else ""
    content, lines = _WRITERS[kind](layout, rows, day)
    return Rendered(f"{stem}_{day:%Y%m%d}{suffix}.{kind}", content, lines)


def _text(layout: Layout, rows: list[Row], day: date) -> tuple[bytes, tuple[int, ...]]:
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=layout.server.export.delimiter, lineterminator=layout.habit.newline
    )
    above = layout.above(day)
    writer.writerows(above)
    writer.writerow(layout.headers)
    line, lines = len(above) + 2, []
    for row in rows:
        cells = layout.cells(row)
        writer.writerow(cells)
        lines.append(line)
        line += 1 + sum(c.count("\n") for c in cells)
    return layout.encoded(out.getvalue()), tuple(lines)


def _sheet(layout: Layout, rows: list[Row], day: date) -> tuple[bytes, tuple[int, ...]]:
    """Write a workbook; whole numbers as numbers, as a spreadsheet would hold them."""
    out = io.BytesIO()
    numbers = {c.name for c in layout.contract.columns if c.type == "integer"}
    above = [*layout.above(day), layout.headers]
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": layout.contract.name, "created": _EPOCH})
        sheet = book.add_worksheet(layout.server.export.sheet or "Sheet1")
        for number, cells in enumerate(above):
            sheet.write_row(number, 0, cells)
        for number, row in enumerate(rows, start=len(above)):
            names = [*layout.columns, *("" for _ in range(max(0, row.extra)))]
            for column, (name, cell) in enumerate(zip(names, layout.cells(row), strict=False)):
                if name in numbers and cell.removeprefix("-").isdigit():
                    sheet.write_number(number, column, int(cell))
                elif cell:
                    sheet.write_string(number, column, cell)
    return out.getvalue(), tuple(range(len(above) + 1, len(above) + 1 + len(rows)))


#: No provider here writes the old workbooks (.xls) any more.
_WRITERS: Final[
    Mapping[str, Callable[[Layout, list[Row], date], tuple[bytes, tuple[int, ...]]]]
] = {
    "csv": _text,
    "xlsx": _sheet,
    "jsonl": records.jsonl,
    "xml": records.xml,
    "parquet": records.parquet,
}
