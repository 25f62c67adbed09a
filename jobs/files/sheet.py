"""Reads one workbook in a process of its own, with bounded memory and time.

A stranger's workbook can make its parser panic, or ask for more memory than there is: one cell at
``XFD1048576`` is enough. Here that ends this process, and the task that asked reads why.

``python -I jobs/files/sheet.py FILE [SHEET]`` prints a JSON array of texts a row: of one sheet (the
first that is shown if none is named), or with ``--all`` of every sheet; then what it noticed, an
object. Imports nothing of this project.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import pathlib
import resource
import struct
import sys
import zipfile
from typing import Any

#: Exit codes the caller turns into words.
NO_SHEET, UNREADABLE = 4, 5
_MEMORY_BYTES = 4 << 30
_CPU_S = 300
_DIGITS_LOST_FROM = 1e15
#: What a workbook that is not whole makes its readers raise.
_BROKEN = (
    OSError,
    ValueError,
    MemoryError,
    LookupError,
    NotImplementedError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
)


def cell_text(value: object) -> str:
    """Write a cell as text: whole numbers without ``.0``, dates as ISO 8601."""
    match value:
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer() and abs(value) < _DIGITS_LOST_FROM:
            return str(int(value))
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)


def main(arguments: list[str]) -> int:
    """Print the rows of a workbook's sheets and return the exit code."""
    from python_calamine import CalamineError, CalamineWorkbook

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file, wanted = arguments[0], arguments[1:]
    try:
        with open(file, "rb") as handle:  # noqa: PTH123  (the bytes tell the format, not the name)
            book = CalamineWorkbook.from_filelike(handle)
            names = book.sheet_names
            if wanted and wanted != ["--all"] and wanted[0] not in names:
                sys.stderr.write(json.dumps(names, ensure_ascii=False))
                return NO_SHEET
            if wanted == ["--all"]:
                for number, name in enumerate(names):
                    _print_mended(_rows(book, name), _broken(file, number))
                return 0
            chosen = wanted[0] if wanted else _first_shown(book)
            broken = _broken(file, names.index(chosen))
            noticed = _print_mended(_rows(book, chosen), broken)
            noticed["unread"] = [] if wanted else _unread(book, chosen)
            sys.stdout.write(json.dumps(noticed, ensure_ascii=False) + "\n")
    except (CalamineError, *_BROKEN):
        return UNREADABLE
    return 0


def _rows(book: Any, name: str) -> list[list[Any]]:
    return list(book.get_sheet_by_name(name).to_python(skip_empty_area=False))


def _print_mended(rows: list[list[Any]], broken: dict[tuple[int, int], str]) -> dict[str, Any]:
    """Print rows with the text of their broken cells, which the parser gives as empty ones."""
    last = max((row for row, _ in broken), default=-1)
    columns: dict[int, int] = {}
    hit: set[int] = set()
    for i in range(max(len(rows), last + 1)):
        cells = [cell_text(c) for c in rows[i]] if i < len(rows) else []
        for (_, column), text in sorted(c for c in broken.items() if c[0][0] == i):
            cells += [""] * (column + 1 - len(cells))
            if not cells[column]:
                cells[column] = text
                columns[column] = columns.get(column, 0) + 1
                hit.add(i)
        sys.stdout.write(json.dumps(cells) + "\n")
    return {"broken_rows": len(hit), "broken_columns": sorted(columns)}


def _first_shown(book: Any) -> str:
    """Return the first sheet of cells that people see; of hidden ones only, the first."""
    kinds = [(m.name, str(m.typ), str(m.visible)) for m in book.sheets_metadata]
    tables = [(name, seen) for name, kind, seen in kinds if kind.endswith("WorkSheet")]
    shown = [name for name, seen in tables if seen.endswith("Visible")]
    return str([*shown, *(name for name, _ in tables), *book.sheet_names][0])


def _unread(book: Any, chosen: str) -> list[tuple[str, int]]:
    """Return the other sheets that hold cells, with the number of their rows."""
    found = []
    for meta in book.sheets_metadata:
        if meta.name != chosen and str(meta.typ).endswith("WorkSheet"):
            rows = sum(any(c != "" for c in row) for row in _rows(book, meta.name))
            if rows:
                found.append((meta.name, rows))
    return found


def _broken(file: str, sheet: int) -> dict[tuple[int, int], str]:
    """Return errors and formulas without a value by (row, column), counted from 0."""
    beside = pathlib.Path(__file__).with_name("broken_cells.py")
    spec = importlib.util.spec_from_file_location("broken_cells", beside)
    if spec is None or spec.loader is None:
        raise OSError(beside)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[tuple[int, int], str] = module.broken_cells(file, sheet)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
