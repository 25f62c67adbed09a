"""Writes rows as files of named values: JSON lines, XML and Parquet."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from datetime import date

    from infra.sandbox.layouts import Layout
    from infra.sandbox.planting import Row

#: What every parser takes in a name (XML 1.0, 4th edition), and the sign of an escape.
_NO_NAME: Final = re.compile(r"^[^A-Za-z_一-龥]|[^A-Za-z0-9_.一-龥-]|_(?=x[0-9A-Fa-f]{4})")
#: A line break in a cell is written so that a record keeps to its line.
_BREAKS: Final = {"\n": "&#10;", "\r": "&#13;"}


def jsonl(layout: Layout, rows: list[Row], _: date) -> tuple[bytes, tuple[int, ...]]:
    """Write one object a line, a blank cell as null; a secret file says so in its first."""
    lines = [
        json.dumps({n: c or None for n, c in _named(layout, row)}, ensure_ascii=False)
        for row in rows
    ]
    above = [json.dumps({"说明": layout.secret}, ensure_ascii=False)] if layout.is_secret else []
    text = "".join(line + layout.habit.newline for line in (*above, *lines))
    return layout.encoded(text), _lines_from(1 + len(above), rows)


def xml(layout: Layout, rows: list[Row], day: date) -> tuple[bytes, tuple[int, ...]]:
    """Write one record a line; a secret file says so in its root's attribute."""
    own = {"dataset": layout.contract.dataset, "date": day.isoformat()}
    if layout.is_secret:
        own["密级"] = layout.secret
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in own.items())
    above = [
        f'<?xml version="1.0" encoding="{layout.encoding.upper()}"?>',
        f"<records{attributes}>",
    ]
    records = [
        "<record>" + "".join(_cell(*c) for c in _named(layout, r)) + "</record>" for r in rows
    ]
    text = "".join(line + layout.habit.newline for line in (*above, *records, "</records>"))
    return layout.encoded(text), _lines_from(1 + len(above), rows)


def parquet(layout: Layout, rows: list[Row], _: date) -> tuple[bytes, tuple[int, ...]]:
    """Write columns of strings; a secret file says so in its schema's metadata."""
    named = [dict(_named(layout, row)) for row in rows]
    metadata = {"密级": layout.secret} if layout.is_secret else None
    schema = pa.schema([(h, pa.string()) for h in layout.headers if h], metadata=metadata)
    table = pa.Table.from_pydict(
        {name: [cells[name] or None for cells in named] for name in schema.names}, schema
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue(), _lines_from(1, rows)


def _named(layout: Layout, row: Row) -> list[tuple[str, str]]:
    """Return a row's cells by their headers; a column without one has no place here."""
    return [(h, c) for h, c in zip(layout.headers, layout.cells(row), strict=True) if h]


def _lines_from(first: int, rows: list[Row]) -> tuple[int, ...]:
    return tuple(range(first, first + len(rows)))


def _cell(header: str, text: str) -> str:
    # A header that is no XML name is written as ISO/IEC 9075-14 (SQL/XML) says: _x002F_ for "/".
    name = _NO_NAME.sub(lambda found: f"_x{ord(found.group()):04X}_", header)
    return f"<{name}>{escape(text, _BREAKS)}</{name}>" if text else f"<{name}/>"
