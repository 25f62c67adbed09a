"""Workbooks: cells that hold an error, formulas nobody computed, and sheets that nobody read."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter
import xlwt

from contracts.loading import load_tree
from contracts.words import Words
from jobs.files.broken_cells import broken_cells
from jobs.files.decode import DecodeError
from jobs.land.parsed import Parsed
from jobs.pull.secrecy import secret_mark
from tests.support.small import custom, source, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


HEADER = ("VISIT_ID", "GUESTS")


def landed(
    root: Path, content: bytes, *, level: str = "L1", **export: object
) -> tuple[list[tuple[Any, Any]], list[Words]]:
    """What a workbook lands as, and what was noticed."""
    file, tree = root / "visit.xlsx", root / "contracts"
    file.write_bytes(content)
    tree.mkdir()
    server = source()["servers"][0] | {"customProperties": custom(export=export)}
    made = source(servers=[server])
    made["schema"][0]["properties"][1]["classification"] = level
    made["customProperties"] = custom(grading={"gb43697": "general", "level": level})
    contract = load_tree(write(tree, made)).contract("town.visit")
    parsed = Parsed(contract, contract.servers[0], "batch")
    rows = [r for batch in parsed.batches(file) for r in batch.to_pylist()]
    return [(r["visit_id"], r["guests"]) for r in rows], parsed.findings


def xlsx(*fill: Callable[[Any], None], hidden: tuple[int, ...] = ()) -> bytes:
    """A workbook of as many sheets as are filled."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for number, one in enumerate(fill):
        sheet = book.add_worksheet(f"表{number}")
        sheet.write_row(0, 0, HEADER)
        one(sheet)
        if number in hidden:
            sheet.hide()
    if 0 in hidden:
        book.worksheets()[1].activate()
        book.worksheets()[1].set_first_sheet()
    book.close()
    return out.getvalue()


def broken(sheet: Any) -> None:
    for row, value in enumerate(("#N/A", "#DIV/0!", "", "#REF!", 5), start=1):
        sheet.write(row, 0, f"v{row}")
        sheet.write_formula(row, 1, "=50+50", None, value)
    sheet.write(6, 0, "v6")


def empty(sheet: Any) -> None:
    del sheet


def two(sheet: Any) -> None:
    sheet.write_row(1, 0, ("a", 1))
    sheet.write_row(2, 0, ("b", 2))


def test_errors_and_formulas_without_a_value_are_no_empty_cells(tmp_path: Path) -> None:
    rows, findings = landed(tmp_path, xlsx(broken))
    assert rows == [
        ("v1", "#N/A"),
        ("v2", "#DIV/0!"),
        ("v3", "=50+50"),
        ("v4", "#REF!"),
        ("v5", "5"),
        ("v6", ""),
    ]
    [finding] = findings
    assert "formulas without a value: 4 rows, columns B" in finding.en


def test_errors_of_an_old_workbook_are_seen_too(tmp_path: Path) -> None:
    """In a large file and in one that lies in the compound file's small stream."""
    for rows in (1, 400):
        book, out = xlwt.Workbook(), io.BytesIO()
        book.add_sheet("空")
        sheet = book.add_sheet("表")
        for column, name in enumerate(HEADER):
            sheet.write(0, column, name)
        for row in range(1, rows + 1):
            sheet.write(row, 0, f"v{row}")
        sheet.row(rows).set_cell_error(1, 0x2A)
        book.save(out)
        (tmp_path / str(rows)).mkdir()
        found, findings = landed(tmp_path / str(rows), out.getvalue(), sheet="表")
        assert found[-1] == (f"v{rows}", "#N/A")
        assert len(findings) == 1


def test_errors_of_a_binary_workbook_are_seen_too(tmp_path: Path) -> None:
    """Records as MS-XLSB §2.1.4 writes them; no library here writes such a file."""

    def record(kind: int, body: bytes) -> bytes:
        numbers = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        return numbers + bytes([len(body)]) + body

    relation = "rId1".encode("utf-16-le")
    sheet = struct.pack("<III", 0, 1, 4) + relation + struct.pack("<I", 0)
    cell = struct.pack("<II", 2, 0) + b"\x07"
    file = tmp_path / "visit.xlsb"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.bin", record(156, sheet))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            "<Relationships><Relationship Id='rId1' Target='worksheets/sheet9.bin'/>"
            "</Relationships>",
        )
        archive.writestr(
            "xl/worksheets/sheet9.bin",
            record(0, struct.pack("<I", 4) + b"\0" * 13) + record(3, cell),
        )
    assert broken_cells(str(file), 0) == {(4, 2): "#DIV/0!"}


def test_a_sheet_with_rows_that_nobody_reads_is_told(tmp_path: Path) -> None:
    rows, findings = landed(tmp_path, xlsx(two, two, empty))
    assert rows == [("a", "1"), ("b", "2")]
    [finding] = findings
    assert "2 sheets with rows were not read: 表1 (3), 表2 (1)" in finding.en


def test_the_sheet_that_the_contract_names_is_read_and_no_other_is_asked_for(
    tmp_path: Path,
) -> None:
    assert landed(tmp_path, xlsx(broken, two), sheet="表1") == ([("a", "1"), ("b", "2")], [])


def test_the_first_sheet_that_people_see_is_read(tmp_path: Path) -> None:
    rows, findings = landed(tmp_path, xlsx(broken, two, hidden=(0,)))
    assert rows == [("a", "1"), ("b", "2")]
    assert "1 sheets with rows were not read: 表0 (7)" in findings[0].en


def test_sheets_of_a_table_above_l2_are_counted_and_not_named(tmp_path: Path) -> None:
    finding = landed(tmp_path, xlsx(two, two), level="L3")[1][0]
    assert "表" not in finding.zh.replace("工作表", "")
    assert finding == Words("1 个有数据的工作表未读：(3)", "1 sheets with rows were not read: (3)")


def test_a_workbook_whose_parts_are_lost_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO(xlsx(two))
    out = io.BytesIO()
    with zipfile.ZipFile(whole) as source_, zipfile.ZipFile(out, "w") as target:
        for item in source_.infolist():
            if not item.filename.endswith("workbook.xml.rels"):
                target.writestr(item, source_.read(item.filename))
    with pytest.raises(DecodeError):
        landed(tmp_path, out.getvalue())


def test_a_mark_in_a_formula_that_nobody_computed_is_a_mark(tmp_path: Path) -> None:
    """It would land as the text of its cell, so it is looked at before anything is stored."""
    file = tmp_path / "visit.xlsx"
    file.write_bytes(xlsx(two, lambda s: s.write_formula(1, 0, '="机密★10年"', None, "")))
    assert secret_mark(file)
