"""Reads one Parquet file in a process of its own, with bounded memory, time and output.

A few kilobytes can declare billions of rows, or one page of gigabytes. Here that ends this process,
and the task that asked reads why.

``python -I jobs/files/parquet.py FILE`` prints the header, then every row, as JSON arrays of texts;
with ``--all`` what the metadata says comes first. Imports nothing of this project.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Exit codes the caller turns into words; of REFUSED, they stand on stderr as [problem, remedy],
#: each as [Chinese, English].
UNREADABLE, REFUSED = 5, 6
_MEMORY_BYTES = 4 << 30
_CPU_S = 900
_MAX_ROWS = 100_000_000
_MAX_COLUMNS = 16_384
_MAX_ROW_CHARACTERS = 1 << 20
#: Text that a file may unpack to: this much, or so many times its own size.
_MAX_TEXT, _MAX_TIMES = 512 << 20, 50
_BATCH_ROWS = 4096
#: What a timestamp with a zone is written in, as contracts read local time.
_CITY: Final = "Asia/Shanghai"


class RefusedError(Exception):
    """A file that is not read, with the problem and the remedy."""


def refuse(zh: str, zh_remedy: str, en: str, en_remedy: str) -> NoReturn:
    """Raise RefusedError: the problem and the remedy, in Chinese and in English."""
    raise RefusedError((zh, en), (zh_remedy, en_remedy))


def check(file: Any) -> None:
    """Refuse what a flat table of texts cannot hold, before any row is read."""
    import pyarrow.types as kinds

    footer = file.metadata
    if not 0 <= footer.num_rows <= _MAX_ROWS or footer.num_columns > _MAX_COLUMNS:
        refuse(
            f"该 Parquet 文件声明有 {footer.num_rows} 行、{footer.num_columns} 列。",
            f"每个文件请不超过 {_MAX_ROWS} 行、{_MAX_COLUMNS} 列。",
            f"The Parquet file declares {footer.num_rows} rows of {footer.num_columns} columns.",
            f"Deliver at most {_MAX_ROWS} rows of {_MAX_COLUMNS} columns a file.",
        )
    for field in file.schema_arrow:
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        is_flat = (
            kinds.is_string(kind)
            or kinds.is_large_string(kind)
            or kinds.is_binary(kind)
            or kinds.is_integer(kind)
            or kinds.is_decimal(kind)
            or kinds.is_float32(kind)
            or kinds.is_float64(kind)
            or kinds.is_boolean(kind)
            or kinds.is_date(kind)
            or kinds.is_time(kind)
            or kinds.is_timestamp(kind)
            or kinds.is_null(kind)
        )
        if not is_flat:
            name, of = field.name[:80], str(kind)[:80]
            refuse(
                f"列 {name!r} 的类型为 {of}。",
                "请交付平面列：文本、数值、日期、时间戳或真假值。",
                f"The column {name!r} is of type {of}.",
                "Deliver flat columns: text, numbers, dates, timestamps, true or false.",
            )
    for i in range(footer.num_columns):
        if file.schema.column(i).physical_type == "INT96":
            name = file.schema.column(i).name[:80]
            refuse(
                f"列 {name!r} 为 INT96 时间戳，未说明时区。",
                "请写为 TIMESTAMP（由 isAdjustedToUTC 说明是哪里的时间）。",
                f"The column {name!r} holds INT96 timestamps, which say no time zone.",
                "Write TIMESTAMP (isAdjustedToUTC says whose time it is).",
            )


def texts(column: Any) -> list[str | None]:
    """Return a column's values as text: exact numbers, ISO dates, the city's local time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    column.validate(full=True)  # text that is not UTF-8 is found here
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kinds.is_decimal(column.type):  # Arrow would write small ones with an exponent
        return [None if value is None else f"{value:f}" for value in column.to_pylist()]
    if kinds.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column.cast(pa.timestamp(column.type.unit, _CITY)))
    text = column.cast(pa.large_string())
    if kinds.is_temporal(column.type):  # a fraction of nothing is none: 08:30:00.000
        text = pc.replace_substring_regex(text, r"\.0+$", "")
    return list(text.to_pylist())


def metadata(file: Any) -> list[str]:
    """Return what the file says of itself, for a reader who looks for marks."""
    of_file = {**(file.metadata.metadata or {}), **(file.schema_arrow.metadata or {})}
    own = [f.metadata or {} for f in file.schema_arrow]
    pairs = [p for items in (of_file, *own) for p in items.items() if p[0] != b"ARROW:schema"]
    return [f"{k.decode(errors='replace')}:{plain(v.decode(errors='replace'))}" for k, v in pairs]


def plain(text: str) -> str:
    """Return a text, JSON in it without escapes."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def rows(file: Any, size: int) -> Iterator[list[str]]:
    """Yield the rows of a file, until they are more than a file of this size may hold."""
    allowed = max(_MAX_TEXT, _MAX_TIMES * size)
    number = 0
    for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
        columns = [texts(column) for column in batch.columns]
        for values in zip(*columns, strict=True):
            cells = [value or "" for value in values]
            length = sum(map(len, cells)) + len(cells)
            number, allowed = number + 1, allowed - length
            if length > _MAX_ROW_CHARACTERS or allowed < 0:
                refuse(
                    f"第 {number} 行超过 {_MAX_ROW_CHARACTERS} 个字符，"
                    f"或至此各行已超过 {size} 字节的 Parquet 所能如实容纳的数量。",
                    "请改用 CSV 交付：CSV 以流方式读取。",
                    f"Row {number} is longer than {_MAX_ROW_CHARACTERS} characters, or the rows up"
                    f" to it are more than {size} bytes of Parquet can honestly hold.",
                    "Deliver it as CSV, which is read as a stream.",
                )
            yield cells
    if number != file.metadata.num_rows:
        refuse(
            f"该 Parquet 文件声明有 {file.metadata.num_rows} 行，实有 {number} 行。",
            "请重新写出并完整交付。",
            f"The Parquet file declares {file.metadata.num_rows} rows and holds {number}.",
            "Write it again and deliver it whole.",
        )


def main(arguments: list[str]) -> int:
    """Print a Parquet file as rows of text and return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve more than is allowed
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    try:
        with pq.ParquetFile(arguments[0]) as file:
            check(file)
            if arguments[1:] == ["--all"]:
                sys.stdout.write(json.dumps(metadata(file)) + "\n")
            sys.stdout.write(json.dumps(file.schema_arrow.names) + "\n")
            for cells in rows(file, os.path.getsize(arguments[0])):  # noqa: PTH202  (no more imports)
                sys.stdout.write(json.dumps(cells) + "\n")
    except RefusedError as refused:
        sys.stderr.write(json.dumps(refused.args))
        return REFUSED
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
