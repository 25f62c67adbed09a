"""Reads one workbook in a process of its own, with bounded memory and time.

A stranger's workbook can make its parser panic, or ask for more memory than there is: one cell at
``XFD1048576`` is enough. Here that ends this process, and the task that asked reads why.

``python -I jobs/sheet.py FILE [SHEET]`` prints a JSON array of texts a row: of one sheet (the first
if none is named), or with ``--all`` of every sheet. Imports nothing of this project.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys

#: Exit codes the caller turns into words.
NO_SHEET, UNREADABLE = 4, 5
_MEMORY_BYTES = 4 << 30
_CPU_S = 300
_DIGITS_LOST_FROM = 1e15


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
            for name in names if wanted == ["--all"] else (wanted or names)[:1]:
                for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False):
                    sys.stdout.write(json.dumps([cell_text(c) for c in row]) + "\n")
    except (CalamineError, OSError, ValueError, MemoryError):
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
