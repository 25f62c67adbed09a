"""Reads the sandbox's files back as a stranger would."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from contracts.loading import load_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from infra.sandbox.truth import DayTruth, DeliveryTruth

FIRST = date(2026, 7, 15)


@dataclass(frozen=True)
class Made:
    """A day that was made: where, and what is true of it."""

    home: Home
    truth: DayTruth

    def folder(self, feed: str) -> Path:
        return self.home.drop / feed / str(self.truth.business_date)

    def file(self, feed: str) -> Path:
        name = self.truth.deliveries[feed].file
        assert name is not None
        return self.folder(feed) / name

    def rows(self, feed: str) -> dict[int, dict[str, str]]:
        """Read a file as a stranger would: line where a row starts → column name → text."""
        return read_rows(self.truth.deliveries[feed], self.file(feed))


def read_rows(delivery: DeliveryTruth, file: Path) -> dict[int, dict[str, str]]:
    contract = load_tree().contract(delivery.contract_id)
    export = contract.server(delivery.provider).export
    names = {c.header: c.name for c in contract.columns} | export.aliases
    numbered: list[tuple[int, list[str]]] = []
    if file.suffix in (".jsonl", ".xml", ".parquet"):
        return {
            line: {**{names.get(h, h): text for h, text in cells.items()}, "#": "0"}
            for line, cells in _named(file, export.encoding)
        }
    if file.suffix == ".xlsx":
        sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)
        cells = sheet.to_python(skip_empty_area=False)
        numbered = [
            (n, [str(int(c)) if isinstance(c, float) else str(c) for c in row])
            for n, row in enumerate(cells, start=1)
        ]
    else:
        encoding = "gb18030" if export.encoding == "gb18030" else "utf-8-sig"
        text = io.StringIO(file.read_bytes().decode(encoding), newline="")
        reader = csv.reader(text, delimiter=export.delimiter, strict=True)
        line = 1
        for row in reader:
            numbered.append((line, row))
            line = reader.line_num + 1
    header = [names.get(h, h) for h in numbered[export.header_row - 1][1]]
    return {
        line: {**dict(zip(header, row, strict=False)), "#": str(len(row) - len(header))}
        for line, row in numbered[export.header_row :]
    }


def _named(file: Path, encoding: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a file of named values: line, header → text."""
    if file.suffix == ".parquet":
        rows = pq.read_table(file).to_pylist()
        yield from enumerate(({h: v or "" for h, v in row.items()} for row in rows), start=1)
        return
    text = file.read_bytes().decode("gb18030" if encoding == "gb18030" else "utf-8-sig")
    for number, line in enumerate(text.split("\n"), start=1):
        if file.suffix == ".xml" and line.startswith("<record>"):
            cells = ET.fromstring(line)  # noqa: S314  (what the sandbox wrote a moment ago)
            yield number, {_unescaped(c.tag): c.text or "" for c in cells}
        elif file.suffix == ".jsonl" and line.strip():
            yield number, {h: v or "" for h, v in json.loads(line).items()}


def _unescaped(tag: str) -> str:
    """Read a header that is no XML name (ISO/IEC 9075-14): ``_x002F_`` is ``/``."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found.group(1), 16)), tag)
