"""Looks for planted values in every byte below a folder: packed, encoded, in all of Parquet."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
#: Where rows may lie in clear, inside the lake.
_LAYERS = ("lake/bronze/", "lake/silver/", "lake/quarantine/", "lake/gold/")


@dataclass(frozen=True)
class Planted:
    """A column, its level, and a text that each of its cells holds and nothing else does."""

    column: str
    level: str
    mark: str


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file; ``column`` where they are the cells of one Parquet column."""

    where: str
    data: bytes
    column: str = ""


def spills(root: Path, planted: Iterable[Planted]) -> list[str]:
    """Return every place that holds a value it may not hold, as ``file: part: column``."""
    found = []
    planted = list(planted)
    marks = [(p, [p.mark.encode(e) for e in ENCODINGS]) for p in planted]
    closed = frozenset(p.column for p in planted if p.level == "L3") | {"_extra"}
    for file in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        name = file.relative_to(root).as_posix()
        for piece in [Piece("name", name.encode()), *_pieces(file.name, file.read_bytes())]:
            found += [
                f"{name}: {piece.where}: {p.column} ({p.level})"
                for p, encoded in marks
                if any(mark in piece.data for mark in encoded)
                and not _may_hold(name, piece, p, closed)
            ]
    return found


def _may_hold(name: str, piece: Piece, planted: Planted, closed: frozenset[str]) -> bool:
    """L4 lies sealed only; L3 in the raw bytes, and as cells of columns at L3 inside the lake.

    They need not be its own: a shifted row's cells stand under others' names.
    """
    if planted.level == "L4":
        return False
    if name.startswith("raw/"):
        return not name.endswith("manifest.json")
    in_lake = name.startswith(_LAYERS) and "/_delta_log/" not in name
    return in_lake and piece.column in closed


def _pieces(name: str, data: bytes) -> Iterator[Piece]:
    if data[:4] == b"PAR1" and data[-4:] == b"PAR1":
        yield from _parquet(data)
        return
    yield Piece("bytes", data)
    if data[:2] == b"\x1f\x8b":
        yield from _pieces(name, gzip.decompress(data))
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for member in packed.namelist():
                yield from _pieces(member, packed.read(member))


def _parquet(data: bytes) -> Iterator[Piece]:
    """Yield a file's cells by column, the statistics of each, and all bytes that are no page."""
    file = pq.ParquetFile(io.BytesIO(data))
    table, metadata, end = file.read(), file.metadata, 4
    for column in table.column_names:
        yield Piece("cells", _text(table[column].to_pylist()), column)
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            start = min(o for o in (chunk.dictionary_page_offset, chunk.data_page_offset) if o)
            end = max(end, start + chunk.total_compressed_size)
            if chunk.statistics is not None and chunk.statistics.has_min_max:
                bounds = [chunk.statistics.min, chunk.statistics.max]
                yield Piece(f"statistics of {chunk.path_in_schema}", _text(bounds))
    yield Piece("indexes and footer", data[end:])


def _text(values: list[Any]) -> bytes:
    return "\n".join(map(str, values)).encode()
