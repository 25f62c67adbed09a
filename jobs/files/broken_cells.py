"""Finds the cells of a workbook that hold an error, or a formula that was never computed.

calamine gives both as empty cells, so they are looked for in the file itself: Office Open XML
(ECMA-376-1 §18.3.1.4, ``c``), its binary form (MS-XLSB §2.5, BrtCellError and BrtFmlaError) and
Excel 97 (MS-XLS §2.4.24 BoolErr, §2.4.127 Formula). Run by ``jobs/files/sheet.py`` in its bounded
process; imports nothing of this project.
"""

from __future__ import annotations

import re
import struct
import zipfile
from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

Cells = dict[tuple[int, int], str]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_CHUNK = 1 << 20
#: What only a sheet with formulas or errors holds; the others are not parsed again.
_SIGNS = (b"<f", b":f", b't="e"', b"t='e'")
#: MS-XLS §2.5.10 BErr; MS-XLSB §2.5.97.2.
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_BRT_ROW, _BRT_CELL_ERROR, _BRT_FORMULA_ERROR, _BRT_SHEET = 0, 3, 11, 156
_XLS_BOOL_ERROR, _XLS_SHEET, _XLS_BOF, _XLS_EOF = 0x205, 0x85, 0x809, 0x0A
#: Formula records of the versions that a compound file may hold; a value that is no number ends
#: in FFFF and begins with its kind.
_XLS_FORMULA, _FORMULA_RESULT, _SPECIAL, _IS_ERROR = (0x06, 0x406), 14, b"\xff\xff", 2
#: Sector numbers from here on mark ends and free sectors.
_END = 0xFFFFFFFA


def broken_cells(file: str, sheet: int) -> Cells:
    """Return the broken cells of a workbook's sheet (by its place in the book, from 0) as text.

    An error is written as Excel shows it; a formula without a value as ``=`` and its text.
    """
    with open(file, "rb") as handle:  # noqa: PTH123  (the bytes tell the format, not the name)
        is_archive = handle.read(4) == b"PK\x03\x04"
    if not is_archive:
        return _of_xls(file, sheet)
    with zipfile.ZipFile(file) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        if "xl/workbook.bin" in names:
            return _of_xlsb(archive, names, sheet)
        part = _part(archive, names, sheet)
        if part is None or not _has_signs(archive, part):
            return {}
        with archive.open(part) as handle:
            return dict(_of_xlsx(handle))


def _part(archive: zipfile.ZipFile, names: dict[str, str], sheet: int) -> str | None:
    """Return the archive's part that holds a sheet: its relation leads there."""
    book = ET.fromstring(archive.read(names["xl/workbook.xml"]))  # noqa: S314  (bounded process)
    sheets = [e for e in book.iter() if e.tag in (f"{_MAIN}sheet", f"{_STRICT}sheet")]
    relation = next((v for k, v in sheets[sheet].attrib.items() if k.endswith("}id")), "")
    return _related(archive, names, "xl/_rels/workbook.xml.rels", relation)


def _related(
    archive: zipfile.ZipFile, names: dict[str, str], part: str, relation: str
) -> str | None:
    for one in ET.fromstring(archive.read(names[part])):  # noqa: S314  (bounded process)
        if one.get("Id") == relation:
            target = one.get("Target", "")
            path = target[1:] if target.startswith("/") else f"xl/{target}"
            return names.get(path.lower())
    return None


def _has_signs(archive: zipfile.ZipFile, part: str) -> bool:
    before = b""
    with archive.open(part) as handle:
        while chunk := handle.read(_CHUNK):
            if any(sign in before + chunk for sign in _SIGNS):
                return True
            before = chunk[-8:]
    return False


def _of_xlsx(handle: IO[bytes]) -> Iterator[tuple[tuple[int, int], str]]:
    row = column = -1
    for event, element in ET.iterparse(handle, events=("start", "end")):  # noqa: S314
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, column = int(element.get("r") or row + 2) - 1, -1
        elif event == "end" and tag == "c":
            column = _column(element.get("r")) if element.get("r") else column + 1
            parts = {part.tag.rpartition("}")[2]: part for part in element}
            value, formula = parts.get("v"), parts.get("f")
            has_value = "is" in parts or (value is not None and bool(value.text))
            if element.get("t") == "e":
                yield (row, column), (value.text if value is not None else None) or "#ERROR!"
            elif formula is not None and not has_value and element.get("t") != "str":
                yield (row, column), f"={formula.text or ''}"
        elif event == "end" and tag == "row":
            element.clear()


def _column(reference: str | None) -> int:
    number = 0
    for letter in re.sub(r"[^A-Z]", "", (reference or "").upper()):
        number = number * 26 + ord(letter) - 64
    return number - 1


def _of_xlsb(archive: zipfile.ZipFile, names: dict[str, str], sheet: int) -> Cells:
    relations = [
        body[12 : 12 + 2 * struct.unpack_from("<I", body, 8)[0]].decode("utf-16-le")
        for kind, body in _records(archive.read(names["xl/workbook.bin"]))
        if kind == _BRT_SHEET
    ]
    part = _related(archive, names, "xl/_rels/workbook.bin.rels", relations[sheet])
    found: Cells = {}
    row = 0
    for kind, body in _records(archive.read(part)) if part else ():
        if kind == _BRT_ROW:
            row = struct.unpack_from("<I", body)[0]
        elif kind in (_BRT_CELL_ERROR, _BRT_FORMULA_ERROR):
            column = struct.unpack_from("<I", body)[0]
            found[row, column] = _ERRORS.get(body[8], "#ERROR!")
    return found


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a binary part: number, size, body (MS-XLSB §2.1.4)."""
    at = 0
    while at < len(data):
        kind = data[at]
        if kind & 0x80:
            kind = (kind & 0x7F) | data[at + 1] << 7
            at += 1
        at += 1
        size = shift = 0
        while data[at] & 0x80:
            size |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        size |= data[at] << shift
        yield kind, data[at + 1 : at + 1 + size]
        at += 1 + size


def _of_xls(file: str, sheet: int) -> Cells:
    with open(file, "rb") as handle:  # noqa: PTH123  (the bytes tell the format, not the name)
        book = _stream(handle.read())
    starts = [
        struct.unpack_from("<I", book, at)[0]
        for kind, at, _ in _biff(book, 0)
        if kind == _XLS_SHEET
    ]
    found: Cells = {}
    for kind, at, size in _biff(book, starts[sheet]):
        if kind == _XLS_BOOL_ERROR and book[at + 7]:
            code = book[at + 6]
        elif (
            kind in _XLS_FORMULA
            and size > _FORMULA_RESULT
            and book[at + 6 : at + 14][6:] == _SPECIAL
        ):
            if book[at + 6] != _IS_ERROR:
                continue
            code = book[at + 8]
        else:
            continue
        row, column = struct.unpack_from("<HH", book, at)
        found[row, column] = _ERRORS.get(code, "#ERROR!")
    return found


def _biff(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield (number, place of the body, size) of the records of one substream (MS-XLS §2.1.4)."""
    depth = 0
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, at)
        yield kind, at + 4, size
        depth += (kind == _XLS_BOF) - (kind == _XLS_EOF)
        if depth <= 0:
            return
        at += 4 + size


def _stream(data: bytes) -> bytes:
    """Return the workbook stream of a compound file (MS-CFB §2)."""
    compound = _Compound(data)
    directory = compound.whole(struct.unpack_from("<I", data, 48)[0])
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace").lower()
        found.setdefault(name, struct.unpack_from("<II", directory, at + 116))
    start, length = found.get("workbook") or found["book"]
    cutoff, mini = struct.unpack_from("<II", data, 56)
    if length >= cutoff:
        return compound.whole(start)[:length]
    small = compound.whole(found["root entry"][0])
    short = _numbers(compound.whole(mini))
    return b"".join(small[n * 64 : n * 64 + 64] for n in _chain(start, short))[:length]


class _Compound:
    """The sectors of a compound file, and the table that chains them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = 1 << struct.unpack_from("<H", data, 30)[0]
        heads = list(struct.unpack_from("<109I", data, 76))
        deeper = struct.unpack_from("<I", data, 68)[0]
        while deeper < _END and len(heads) <= len(data):  # a table in circles ends as well
            *more, deeper = _numbers(self.sector(deeper))
            heads += more
        self.table = [n for head in heads if head < _END for n in _numbers(self.sector(head))]

    def sector(self, number: int) -> bytes:
        return self.data[(number + 1) * self.size : (number + 2) * self.size]

    def whole(self, start: int) -> bytes:
        return b"".join(self.sector(n) for n in _chain(start, self.table))


def _numbers(block: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(block) // 4}I", block))


def _chain(start: int, table: list[int]) -> Iterator[int]:
    for _ in range(len(table)):
        if start >= _END:
            return
        yield start
        start = table[start]
