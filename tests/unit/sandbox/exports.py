"""Reads the sandbox's files back as a stranger would."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from python_calamine import CalamineWorkbook

from contracts.tree import load_tree

if TYPE_CHECKING:
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
