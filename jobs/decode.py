"""Reads what providers really send: sniffs the bytes, decodes strictly, yields rows of text.

Order (domain reference §2.7): magic bytes, byte-order mark, strict UTF-8, strict GB18030;
never with errors ignored. Of 315 real exports called ``.csv``, 26 were Excel files and 150 were
GB18030.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import JingshuError
from jobs import sheet as sheet_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model import Export

Kind = Literal["text", "xlsx", "xls"]

MAX_LINE_BYTES: Final = 1 << 20
MAX_WORKBOOK_BYTES: Final = 64 << 20
MAX_UNPACKED_BYTES: Final = 512 << 20
_MAX_MEMBERS: Final = 10_000
_CHUNK: Final = 1 << 20
#: Text begins with a header; a NUL in it means UTF-16 without a mark, or no text at all.
_NUL_SEARCH_BYTES: Final = 1024
#: 密级 marks as documents carry them (GB/T 9704-2012 §7.2.2): the grade and a star.
_SECRET_MARK: Final = re.compile(
    r"(绝密|机密|秘密)\s*[★☆✩]|密级\s*[:：][\s,，;；\"]*(绝密|机密|秘密)"
)


class DecodeError(JingshuError, ValueError):
    """A file that cannot be read as the contract says; the remedy is for its provider."""


@dataclass(frozen=True)
class Sniffed:
    """What the bytes are: the container and, for text, the encoding that really decodes them."""

    kind: Kind
    encoding: str | None
    size_bytes: int


def sniff(path: Path) -> Sniffed:
    """Tell what a file is from its bytes; its name says nothing.

    Raises DecodeError for an empty file, another archive, a bomb, an endless line, broken text.
    """
    size = path.stat().st_size
    if size == 0:
        raise DecodeError("The file is empty (0 bytes).", "Export it again and deliver it whole.")
    with path.open("rb") as handle:
        head = handle.read(_NUL_SEARCH_BYTES)
    if head.startswith(b"PK\x03\x04"):
        _check_workbook_archive(path, size)
        return Sniffed("xlsx", None, size)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        _check_size(size)
        return Sniffed("xls", None, size)
    if head.startswith((b"\x1f\x8b\x08", b"%PDF")):
        raise DecodeError("The file is an archive or a PDF.", "Deliver the plain CSV or workbook.")
    return Sniffed("text", _encoding(path, head), size)


def _check_size(size: int) -> None:
    if size > MAX_WORKBOOK_BYTES:
        raise DecodeError(
            f"The workbook has {size} bytes, more than {MAX_WORKBOOK_BYTES}.",
            "Deliver it as CSV, which is read as a stream.",
        )


def _check_workbook_archive(path: Path, size: int) -> None:
    _check_size(size)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as broken:
        raise DecodeError(
            "The file begins like a ZIP archive and is broken.", "Export and deliver it again."
        ) from broken
    unpacked = sum(m.file_size for m in members)
    if unpacked > MAX_UNPACKED_BYTES or len(members) > _MAX_MEMBERS:
        raise DecodeError(
            f"The archive unpacks to {unpacked} bytes in {len(members)} parts, more than"
            f" {MAX_UNPACKED_BYTES} in {_MAX_MEMBERS}.",
            "Deliver the data as CSV; an archive like this is not opened.",
        )
    if not any(m.filename.lower() in ("xl/workbook.xml", "xl/workbook.bin") for m in members):
        raise DecodeError(
            "The file is a ZIP archive, not a workbook.", "Deliver the CSV or XLSX itself."
        )


@dataclass
class _Lines:
    """Counts physical lines chunk by chunk and stops at one that is too long."""

    number: int = 1
    length: int = 0

    def pass_over(self, chunk: bytes) -> None:
        ends = [i for i in (chunk.find(b"\n"), chunk.find(b"\r")) if i >= 0]
        if self.length + min(ends, default=len(chunk)) > MAX_LINE_BYTES:
            raise DecodeError(
                f"Line {self.number} is longer than {MAX_LINE_BYTES} bytes.",
                "End each record with a line break; this looks like binary or a lost newline.",
            )
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self.length = len(chunk) - last - 1 + (0 if ends else self.length)
        self.number += chunk.count(b"\n")


def _encoding(path: Path, head: bytes) -> str:
    """Find the encoding that decodes the whole file; check line lengths in the same pass."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DecodeError("The file is UTF-16.", "Export it as UTF-8 or GB18030.")
    if b"\0" in head.split(b"\n", 1)[0] or head.count(0) > len(head) // 20:
        raise DecodeError(
            "The file begins with NUL bytes: UTF-16 without its mark, or no text.",
            "Export it as UTF-8 or GB18030.",
        )
    decoders = {
        "utf-8-sig": codecs.getincrementaldecoder("utf-8-sig")(),
        "gb18030": codecs.getincrementaldecoder("gb18030")(),
    }
    lines = _Lines()
    with path.open("rb") as handle:
        while decoders and (chunk := handle.read(_CHUNK)):
            for name in list(decoders):
                try:
                    decoders[name].decode(chunk)
                except UnicodeDecodeError:
                    del decoders[name]
            lines.pass_over(chunk)
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            del decoders[name]
    if not decoders:
        raise DecodeError(
            f"The text is neither UTF-8 nor GB18030 (near line {lines.number}).",
            "Export it in one of the two, without mixing them.",
        )
    return next(iter(decoders))


def rows(path: Path, sniffed: Sniffed, export: Export) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every row, title rows too.

    ``line`` is the 1-based physical line where the row starts; for a workbook, its row number.
    """
    if sniffed.kind == "text":
        yield from _text_rows(path, sniffed.encoding or "utf-8-sig", export.delimiter)
    else:
        yield from _sheet_rows(path, export.sheet)


def _text_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open(encoding=encoding, errors="strict", newline="") as handle:
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                yield line, cells
                line = reader.line_num + 1
        except csv.Error as bad:
            raise DecodeError(
                f"The row that starts at line {line} breaks CSV quoting: {bad}.",
                'Quote cells as RFC 4180 §2 says: a quote inside a quoted cell is written "".',
            ) from bad


def _sheet_rows(
    path: Path, sheet: str | None, *, is_all: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield a workbook's rows, parsed by a process of its own (``jobs.sheet`` says why)."""
    wanted = ["--all"] if is_all else [sheet] if sheet else []
    command = [sys.executable, "-I", str(Path(sheet_reader.__file__)), str(path), *wanted]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        if child.stdout is None or child.stderr is None:
            raise TypeError(command)
        try:
            for number, line in enumerate(child.stdout, start=1):
                yield number, json.loads(line)
            said = child.stderr.read()
        except BaseException:  # also GeneratorExit: whoever asked wants no more rows
            child.kill()
            raise
    if child.returncode == sheet_reader.NO_SHEET:
        raise DecodeError(
            f"The workbook has no sheet {sheet!r}.", f"It has: {', '.join(json.loads(said))}."
        )
    if child.returncode:
        raise DecodeError("The workbook cannot be opened.", "Save it again and deliver it whole.")


def secret_mark(path: Path) -> str | None:
    """Return the secrecy mark a file carries in its name or its text, or None.

    State secrets are not government data (State Council Decree 809, Art. 3): what carries a mark is
    refused before anything is stored. Unreadable files carry none that can be read; they are kept
    and rejected by landing.
    """
    named = mark_in_name(path.name)
    if named:
        return named
    try:
        sniffed = sniff(path)
    except DecodeError:
        return _mark_in_bytes(path)
    if sniffed.kind == "text":
        return _mark_in_text(path, sniffed.encoding or "utf-8-sig")
    try:
        for _, cells in _sheet_rows(path, None, is_all=True):
            if found := _SECRET_MARK.search(" ".join(cells)):
                return found.group(0)
    except DecodeError:
        return None
    return None


def mark_in_name(name: str) -> str | None:
    """Return the secrecy mark in a file's name, or None."""
    found = _SECRET_MARK.search(name)
    return found.group(0) if found else None


def _mark_in_text(
    path: Path, encoding: str, errors: str = "strict", limit: int | None = None
) -> str | None:
    with path.open(encoding=encoding, errors=errors, newline="") as handle:
        tail, seen = "", 0
        while (limit is None or seen < limit) and (chunk := handle.read(_CHUNK)):
            if found := _SECRET_MARK.search(tail + chunk):
                return found.group(0)
            tail, seen = chunk[-16:], seen + len(chunk)
    return None


def _mark_in_bytes(path: Path) -> str | None:
    """Look for a mark in text that decodes as nothing whole: any readable part counts.

    Bounded, because the file may be one endless line; landing rejects it anyway.
    """
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
        if found := _mark_in_text(path, encoding, errors="replace", limit=32 * _CHUNK):
            return found
    return None


@contextmanager
def naming(delivery: str, file_name: str) -> Iterator[None]:
    """Put the delivery and the file before any DecodeError raised inside."""
    try:
        yield
    except DecodeError as error:
        raise DecodeError(f"{delivery}, {file_name}: {error.problem}", error.remedy) from error
