"""Reads what providers really send: sniffs the bytes, decodes strictly, yields rows of text.

Order (domain reference §2.7): magic bytes, byte-order mark, strict UTF-8, strict GB18030;
never with errors ignored. Of 315 real exports called ``.csv``, 26 were Excel files and 150 were
GB18030.
"""

from __future__ import annotations

import codecs
import json
import re
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.files import parquet as parquet_reader
from jobs.files import sheet as sheet_reader
from jobs.files.reasons import in_no_encoding, unpacks_too_far

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from contracts.model import Format

Kind = Literal["text", "jsonl", "xml", "xlsx", "xls", "parquet"]

MAX_LINE_BYTES: Final = 1 << 20
MAX_WORKBOOK_BYTES: Final = 64 << 20
MAX_UNPACKED_BYTES: Final = 512 << 20
_MAX_MEMBERS: Final = 10_000
_CHUNK: Final = 1 << 20
#: Text begins with a header; a NUL in it means UTF-16 without a mark, or no text at all.
_NUL_SEARCH_BYTES: Final = 1024
#: The byte-order mark: UTF-8's decoder takes the first one off, and GB18030's takes none.
MARK: Final = "\ufeff"
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
#: What may arrive for each declared format: a misnamed workbook or CSV is read as what it is, and
#: the first line of a JSON lines file may be broken.
_ACCEPTED: Final[Mapping[Format, tuple[Kind, ...]]] = {
    "csv": ("text", "xlsx", "xls"),
    "xlsx": ("text", "xlsx", "xls"),
    "xls": ("text", "xlsx", "xls"),
    "jsonl": ("jsonl", "text"),
    "xml": ("xml",),
    "parquet": ("parquet",),
}
_AS_TEXT: Final = Words("请以 UTF-8 或 GB18030 导出。", "Export it as UTF-8 or GB18030.")
_XML_START: Final = re.compile(rb"\s*<[?!\w\x80-\xff]")
_JSON_START: Final = re.compile(rb"\s*\{\s*[\"}]")
_XML_ENCODING: Final = re.compile(
    rb"""\s*<\?xml\b[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']"""
)
#: The declared names that may come, and what decodes them: GBK and GB2312 are parts of GB18030.
_XML_ENCODINGS: Final = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}


class DecodeError(JingshuError, ValueError):
    """A file that cannot be read as the contract says; the remedy is for its provider."""


@dataclass(frozen=True)
class Sniffed:
    """What the bytes are: the container and, for text, the encoding that really decodes them."""

    kind: Kind
    encoding: str | None
    size_bytes: int

    def check(self, declared: Format) -> None:
        """Raise DecodeError where the bytes cannot be the format that the contract names."""
        if self.kind not in _ACCEPTED[declared]:
            raise DecodeError(
                Words(
                    f"契约写明为 {declared}，而文件内容是 {self.kind}。",
                    f"The contract says {declared}, and the bytes are {self.kind}.",
                ),
                Words(
                    f"请交付 {declared}，或商定采用其他格式的契约版本。",
                    f"Deliver {declared}, or agree a contract version with another format.",
                ),
            )


class Record(NamedTuple):
    """One row of a file as text, and why it has no shape, where it has none.

    ``line`` is the 1-based physical line where it starts; for a workbook or a Parquet file, the
    row's number.
    """

    line: int
    cells: list[str]
    error: str | None = None


def sniff(path: Path) -> Sniffed:
    """Tell what a file is from its bytes; its name says nothing.

    Raises DecodeError for an empty file, another archive, a bomb, an endless line, broken text.
    """
    size = path.stat().st_size
    if size == 0:
        raise DecodeError(
            Words("文件为空（0 字节）。", "The file is empty (0 bytes)."),
            Words("请重新导出并完整交付。", "Export it again and deliver it whole."),
        )
    with path.open("rb") as handle:
        head = handle.read(_NUL_SEARCH_BYTES)
    if head.startswith(b"PK\x03\x04"):
        _check_workbook_archive(path, size)
        return Sniffed("xlsx", None, size)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        _check_size(size)
        return Sniffed("xls", None, size)
    if head.startswith(b"PAR1"):
        return Sniffed("parquet", None, size)
    if head.startswith((b"\x1f\x8b\x08", b"%PDF")):
        raise DecodeError(
            Words("文件是压缩包或 PDF。", "The file is an archive or a PDF."),
            Words("请直接交付 CSV 或工作簿。", "Deliver the plain CSV or workbook."),
        )
    text = head.removeprefix(codecs.BOM_UTF8)
    if _XML_START.match(text):
        return Sniffed("xml", _encoding(path, head, _xml_encodings(head), has_lines=False), size)
    return Sniffed("jsonl" if _JSON_START.match(text) else "text", _encoding(path, head), size)


def _check_size(size: int) -> None:
    if size > MAX_WORKBOOK_BYTES:
        raise DecodeError(
            Words(
                f"工作簿有 {size} 字节，超过 {MAX_WORKBOOK_BYTES} 字节。",
                f"The workbook has {size} bytes, more than {MAX_WORKBOOK_BYTES}.",
            ),
            Words(
                "请改用 CSV 交付：CSV 以流方式读取。",
                "Deliver it as CSV, which is read as a stream.",
            ),
        )


def _check_workbook_archive(path: Path, size: int) -> None:
    _check_size(size)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as broken:
        raise DecodeError(
            Words(
                "文件开头像 ZIP 压缩包，但已损坏。",
                "The file begins like a ZIP archive and is broken.",
            ),
            Words("请重新导出并交付。", "Export and deliver it again."),
        ) from broken
    unpacked = sum(m.file_size for m in members)
    if unpacked > MAX_UNPACKED_BYTES or len(members) > _MAX_MEMBERS:
        told = unpacks_too_far(unpacked, len(members), MAX_UNPACKED_BYTES, _MAX_MEMBERS)
        raise DecodeError(*told)
    if not any(m.filename.lower() in ("xl/workbook.xml", "xl/workbook.bin") for m in members):
        raise DecodeError(
            Words("文件是 ZIP 压缩包，不是工作簿。", "The file is a ZIP archive, not a workbook."),
            Words("请直接交付 CSV 或 XLSX 文件。", "Deliver the CSV or XLSX itself."),
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
                Words(
                    f"第 {self.number} 行超过 {MAX_LINE_BYTES} 字节。",
                    f"Line {self.number} is longer than {MAX_LINE_BYTES} bytes.",
                ),
                Words(
                    "请用换行结束每条记录：这里像是二进制内容，或丢了换行。",
                    "End each record with a line break; this looks like binary or a lost newline.",
                ),
            )
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self.length = len(chunk) - last - 1 + (0 if ends else self.length)
        self.number += chunk.count(b"\n")


def _xml_encodings(head: bytes) -> tuple[str, ...]:
    """Return the encodings an XML file may be in: the declared one, else either."""
    declared = _XML_ENCODING.match(head.removeprefix(codecs.BOM_UTF8))
    if declared is None:
        return _ENCODINGS
    name = declared.group(1).decode("ascii")
    encoding = _XML_ENCODINGS.get(name.lower())
    if encoding is None or (encoding == "gb18030" and head.startswith(codecs.BOM_UTF8)):
        raise DecodeError(
            Words(
                f"该 XML 声明的编码为 {name[:40]}。", f"The XML declares the encoding {name[:40]}."
            ),
            Words(
                "请以 UTF-8 或 GB18030 导出，并如实声明。",
                "Export it as UTF-8 or GB18030, and declare that.",
            ),
        )
    return (encoding,)


def _encoding(
    path: Path, head: bytes, names: tuple[str, ...] = _ENCODINGS, *, has_lines: bool = True
) -> str:
    """Find the encoding that decodes the whole file; check line lengths in the same pass."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DecodeError(Words("文件是 UTF-16 编码。", "The file is UTF-16."), _AS_TEXT)
    if b"\0" in head.split(b"\n", 1)[0] or head.count(0) > len(head) // 20:
        raise DecodeError(
            Words(
                "文件以 NUL 字节开头：是没有标记的 UTF-16，或不是文本。",
                "The file begins with NUL bytes: UTF-16 without its mark, or no text.",
            ),
            _AS_TEXT,
        )
    lines = _Lines()
    for name in names:
        lines = _Lines()
        if _decodes(path, name, lines if has_lines else None):
            return name
    encodings = [name.removesuffix("-sig").upper() for name in names]
    raise DecodeError(*in_no_encoding(encodings, lines.number if has_lines else None))


def _decodes(path: Path, encoding: str, lines: _Lines | None) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as handle:
        try:
            while chunk := handle.read(_CHUNK):
                if lines is not None:
                    lines.pass_over(chunk)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def without_marks(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, the first without its byte-order marks: exports joined by hand have two."""
    # No "yield from": ended early, it would close the file that the lines come from.
    for number, line in enumerate(lines):
        yield line if number else line.lstrip(MARK)


def sheet_rows(
    path: Path,
    sheet: str | None,
    *,
    is_all: bool = False,
    noticed: dict[str, Any] | None = None,
) -> Iterator[Record]:
    """Yield a workbook's rows, parsed by a process of its own (``jobs.files.sheet`` says why)."""
    wanted = ["--all"] if is_all else [sheet] if sheet else []
    try:
        yield from _rows_of(sheet_reader.__file__, path, wanted, first=1, noticed=noticed)
    except subprocess.CalledProcessError as failed:
        if failed.returncode == sheet_reader.NO_SHEET:
            names = json.loads(failed.stderr)
            raise DecodeError(
                Words(f"工作簿没有工作表 {sheet!r}。", f"The workbook has no sheet {sheet!r}."),
                Words(f"现有：{'、'.join(names)}。", f"It has: {', '.join(names)}."),
            ) from None
        raise DecodeError(
            Words("工作簿无法打开。", "The workbook cannot be opened."),
            Words("请重新保存并完整交付。", "Save it again and deliver it whole."),
        ) from None


def parquet_rows(path: Path, *, is_all: bool = False) -> Iterator[Record]:
    """Yield a Parquet file's header as row 0, then its rows, from a process of its own.

    With ``is_all`` what its metadata says comes first.
    """
    wanted = ["--all"] if is_all else []
    try:
        yield from _rows_of(parquet_reader.__file__, path, wanted, first=0)
    except subprocess.CalledProcessError as failed:
        if failed.returncode == parquet_reader.REFUSED:
            raise DecodeError(*(Words(*told) for told in json.loads(failed.stderr))) from None
        raise DecodeError(
            Words(
                "该 Parquet 文件无法读取：已损坏，或所需资源过多。",
                "The Parquet file cannot be read: it is broken, or asks for too much.",
            ),
            Words("请重新写出并完整交付。", "Write it again and deliver it whole."),
        ) from None


def _rows_of(
    program: str,
    path: Path,
    arguments: list[str],
    first: int,
    noticed: dict[str, Any] | None = None,
) -> Iterator[Record]:
    """Run a reader of this package; raises CalledProcessError with what it wrote.

    A list is a row; an object is what the reader noticed besides.
    """
    command = [sys.executable, "-I", program, str(path), *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        if child.stdout is None or child.stderr is None:
            raise TypeError(command)
        try:
            for number, line in enumerate(child.stdout, start=first):
                read = json.loads(line)
                if isinstance(read, list):
                    yield Record(number, read)
                elif noticed is not None:
                    noticed.update(read)
            errors = child.stderr.read()
        except BaseException:  # also GeneratorExit: whoever asked wants no more rows
            child.kill()
            raise
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, stderr=errors)


@contextmanager
def naming(delivery: str, file_name: str) -> Iterator[None]:
    """Put the delivery and the file before any DecodeError raised inside."""
    try:
        yield
    except DecodeError as error:
        problem = Words(
            f"{delivery}，{file_name}：{error.problem.zh}",
            f"{delivery}, {file_name}: {error.problem.en}",
        )
        raise DecodeError(problem, error.remedy) from error
