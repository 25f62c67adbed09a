"""Text read in blocks against Python's csv over the whole of it: the same rows and lines."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs.files.decode import DecodeError
from jobs.land import text as reader
from jobs.land.text import TextRows

if TYPE_CHECKING:
    from jobs.land.text import Part

Row = tuple[int, tuple[str, ...]]

cells = st.sampled_from(
    ["", "a", "北京", '"a"', '"a,b"', '"a\nb"', '"a""b"', '"\r\n"', 'a"b', '"a"b', '"', " ",
     "\u3000", "a\0", "a\rb", "\ufeff", '""', "a\x85b", "\u2028"]
)  # fmt: skip
lines = st.builds(
    lambda row, end: ",".join(row) + end,
    st.lists(cells, max_size=4) | st.lists(st.sampled_from("abc"), min_size=3, max_size=3),
    st.sampled_from(["\n", "\r\n", "\n", "\r", ""]),
)
texts = st.lists(lines, max_size=12).map("".join)


def one_by_one(text: str) -> list[Row]:
    """What Python's csv makes of the text, and the line where each row begins."""
    found: list[Row] = []
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    for row in rows:
        found.append((line, tuple(row)))
        line = rows.line_num + 1
    return found


def rows_of(part: Part) -> list[Row]:
    found = [(record.line, tuple(record.cells)) for record in part.records]
    if part.cells is not None and part.lines is not None:
        columns = [column.to_pylist() for column in part.cells.columns]
        found += zip(part.lines.tolist(), zip(*columns, strict=True), strict=True)
    return sorted(found)


def in_blocks(text: str, width: int) -> list[Row]:
    rows = TextRows(io.StringIO(text, newline=""), ",")
    return [row for part in rows.blocks(width) for row in rows_of(part)]


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
@settings(max_examples=200, deadline=None)
@given(texts, st.integers(1, 4))
@example('a,b,c\n1,"2\n', 3)
@example('a,b,c\n"1\n2",3,4\n5,6,7\n', 3)
@example("a,b,c\r\n1,2,3\r\n\r\n4,5,6", 3)
@example('1,5" pipe,3\n4,5,6\n', 3)
def test_blocks_hold_the_rows_that_csv_reads(block: int, text: str, width: int) -> None:
    try:
        wanted = one_by_one(text)
    except csv.Error:
        wanted = None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "_BLOCK_CHARS", block)
        if wanted is None:
            with pytest.raises(DecodeError, match="breaks CSV quoting"):
                in_blocks(text, width)
        else:
            assert in_blocks(text, width) == wanted


def test_regular_lines_are_taken_together() -> None:
    text = "".join(f"{n},北京,x\n" for n in range(100)) + "1,2\n" + '"a",b,"c,d"\n'
    [part] = TextRows(io.StringIO(text, newline=""), ",").blocks(3)
    assert part.cells is not None
    assert part.cells.num_rows == 101
    assert [(r.line, r.cells) for r in part.records] == [(101, ["1", "2"])]


@pytest.mark.parametrize("delimiter", ["，", "|", "\t", "^", "\\", "]", "-"])
def test_any_delimiter(delimiter: str) -> None:
    text = f'a{delimiter}"b{delimiter}c"\n1{delimiter}2\n'
    parts = list(TextRows(io.StringIO(text, newline=""), delimiter).blocks(2))
    assert [row for part in parts for row in rows_of(part)] == [
        (1, ("a", f"b{delimiter}c")),
        (2, ("1", "2")),
    ]


def test_blocks_go_on_where_the_search_for_the_header_ended() -> None:
    handle = io.StringIO("\ufeff一览表\na,b\n1,2\n3,4\n", newline="")
    rows = TextRows(handle, ",")
    for record in rows:
        if record.cells == ["a", "b"]:
            break
    assert [row for part in rows.blocks(2) for row in rows_of(part)] == [
        (3, ("1", "2")),
        (4, ("3", "4")),
    ]
