"""JSON lines, XML and Parquet land as CSV does: every cell as text, every fault in words."""

from __future__ import annotations

import io
import json
import tracemalloc
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.document import ContractError
from contracts.loading import load_tree
from contracts.tree import Feed
from contracts.words import Words
from infra.sandbox import deliveries
from infra.sandbox.layouts import Layout
from infra.sandbox.planting import Row
from infra.sandbox.rendering import render
from jobs.checks.landing import landing_results
from jobs.files.decode import MAX_LINE_BYTES, DecodeError
from jobs.land.header import HeaderError
from jobs.land.parsed import Parsed
from jobs.pull.secrecy import secret_mark
from tests.support.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract

DAY = date(2026, 7, 15)
EIGHT = datetime.combine(DAY, time(8))
FORMATS = ("csv", "xlsx", "jsonl", "xml", "parquet")
#: The header 票价（元/人） as SQL/XML writes it in a name.
PRICE = "票价_xFF08_元_x002F_人_xFF09_"
XML_START = '<?xml version="1.0" encoding="UTF-8"?>\n'


def contract_of(root: Path, kind: str, **export: object) -> Contract:
    """A contract of four columns, two of them required; one header is no XML name."""
    root.mkdir(exist_ok=True)
    server = {
        "server": "museum",
        "type": "local",
        "path": "{drop}/museum/visit/{date}/*",
        "format": kind,
        "customProperties": custom(export={"aliases": {"人数": "guests"}, **export}),
    }
    columns = [
        column("visit_id", required=True, physicalName="编号"),
        column("guests", "integer", required=True),
        column("price", "number", physicalName="票价（元/人）"),
        column("note"),
    ]
    schema = [{"name": "visit", "logicalType": "object", "properties": columns}]
    return load_tree(write(root, source(servers=[server], schema=schema))).contract("town.visit")


def parsed(
    tmp_path: Path, kind: str, content: bytes, **export: object
) -> tuple[list[dict[str, Any]], Parsed]:
    """What a file lands as, and what its parsing knows."""
    file = tmp_path / "visit"
    file.write_bytes(content)
    contract = contract_of(tmp_path / "contracts", kind, **export)
    found = Parsed(contract, contract.server("museum"), "batch")
    rows = [row for batch in found.batches(file) for row in batch.to_pylist()]
    assert found.rows == len(rows)
    return rows, found


def landed(
    tmp_path: Path, kind: str, content: bytes, **export: object
) -> tuple[list[dict[str, Any]], list[Words]]:
    """What a file lands as, and what its contract does not say of it."""
    rows, found = parsed(tmp_path, kind, content, **export)
    return rows, found.findings


def cells(row: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(row[name] for name in ("visit_id", "guests", "price", "note"))


def kept_of(row: dict[str, Any]) -> list[str]:
    """The text of a row without shape, as CSV's ragged rows keep theirs."""
    kept: list[str] = json.loads(json.loads(row["_extra"])["_cells"])
    return kept


def parquet(columns: dict[str, Any], metadata: dict[str, str] | None = None, **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), out, **how)
    return out.getvalue()


# ---------------------------------------------------------------- what one line may be

LINES = {
    "as_written": ('{"编号":"A","GUESTS":1.50}', ("A", "1.50", "", "")),
    "long_integer": ('{"编号":110101199003078515,"GUESTS":1e400}', ("110101199003078515", "1e400")),
    "true_false_null": ('{"编号":true,"GUESTS":false,"NOTE":null}', ("true", "false", "", "")),
    "any_order": ('{"NOTE":"n","GUESTS":"1","编号":"A"}', ("A", "1", "", "n")),
    "alias": ('{"编号":"A","人数":"7"}', ("A", "7", "", "")),
    "escaped": ('{"编号":"\\u7532\\n","GUESTS":1}', ("甲\n", "1", "", "")),
}


@pytest.mark.parametrize(("line", "wanted"), LINES.values(), ids=LINES)
def test_a_json_value_lands_as_it_is_written(
    tmp_path: Path, line: str, wanted: tuple[str, ...]
) -> None:
    rows, findings = landed(tmp_path, "jsonl", line.encode())
    assert cells(rows[0])[: len(wanted)] == wanted
    assert (rows[0]["_source_line"], rows[0]["_row_error"], rows[0]["_extra"]) == (1, None, None)
    assert not findings


BAD_LINES = {
    "cut": ('{"编号":"A","GUES', "no JSON at character"),
    "two_objects": ('{"编号":"A"} {"编号":"B"}', "no JSON at character"),
    "single_quotes": ("{'编号':'A'}", "no JSON at character"),
    "a_word": ("编号,GUESTS", "no JSON at character"),
    "a_list": ('["A", 1]', "no JSON object"),
    "a_number": ("12", "no JSON object"),
    "key_twice": ('{"编号":"A","GUESTS":1,"GUESTS":2}', "a key stands in the object twice"),
    "object_inside": ('{"编号":"A","GUESTS":{"n":1}}', "values within values"),
    "list_inside": ('{"编号":"A","GUESTS":[]}', "values within values"),
    "deep": ('{"编号":' + "[" * 100_000, "values within values"),
    "not_a_number": ('{"编号":"A","GUESTS":NaN}', "NaN is no JSON number"),
    "half_a_character": ('{"编号":"\\ud83d","GUESTS":1}', "half a surrogate pair"),
    "half_a_key": ('{"编号":"A","\\udc00":1}', "half a surrogate pair"),
    "nul": ('{"编号":"A\\u0000","GUESTS":1}', "a NUL byte in the row"),
}


@pytest.mark.parametrize(("line", "error"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_json_line_is_one_row_without_shape(tmp_path: Path, line: str, error: str) -> None:
    good = '{"编号":"A","GUESTS":1}'
    rows, _ = landed(tmp_path, "jsonl", f"{good}\n\n{line}\r\n{good}".encode())
    assert [r["_source_line"] for r in rows] == [1, 3, 4]
    assert [r["_row_error"] is None for r in rows] == [True, False, True]
    assert error in rows[1]["_row_error"]
    assert kept_of(rows[1]) == (
        [line] if error != "a NUL byte in the row" else ["A\0", "1", "", ""]
    )


ONE = '{"编号":"甲","GUESTS":1,"票价（元/人）":2.50}\n'
JSON_FILES = {
    "utf8": (ONE.encode(), ()),
    "mark": (b"\xef\xbb\xbf" + ONE.encode(), ()),
    "gb18030": (ONE.encode("gb18030"), ()),
    "declared_otherwise": (ONE.encode("gb18030"), ("declared utf-8, found gb18030",)),
}


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_lines_in_either_encoding(tmp_path: Path, name: str) -> None:
    content, noticed = JSON_FILES[name]
    rows, findings = landed(
        tmp_path, "jsonl", content, **({"encoding": "utf-8"} if noticed else {})
    )
    assert [cells(r) for r in rows] == [("甲", "1", "2.50", "")]
    assert tuple(f.en for f in findings) == noticed


# ---------------------------------------------------------------- XML


def test_an_xml_record_lands_by_its_names_and_line(tmp_path: Path) -> None:
    text = f"""{XML_START}<!-- 导出 --><export xmlns="urn:x" date="2026-07-15">
  <row 编号="A"><GUESTS>1</GUESTS><{PRICE}>2.50</{PRICE}></row>
  <row>
    <NOTE>a&amp;b<![CDATA[<c>]]>
&#x7532;</NOTE><编号>B</编号><GUESTS> 2 </GUESTS>
  </row>
  <row><编号>C</编号><GUESTS xsi:nil="true" xmlns:xsi="urn:i"/></row>
</export>"""
    rows, findings = landed(tmp_path, "xml", text.encode())
    assert [(r["_source_line"], cells(r)) for r in rows] == [
        (3, ("A", "1", "2.50", "")),
        (4, ("B", " 2 ", "", "a&b<c>\n甲")),
        (8, ("C", "", "", "")),
    ]
    assert not [r for r in rows if r["_row_error"] or r["_extra"]]
    assert not findings


def test_xml_records_on_one_line_are_counted(tmp_path: Path) -> None:
    record = "<r><编号>A</编号><GUESTS>1</GUESTS></r>"
    rows, found = parsed(tmp_path, "xml", f"<x>{record * 50_000}</x>".encode())
    assert [r["_source_line"] for r in rows] == list(range(1, 50_001))
    assert found.findings == []
    [note] = found.notes
    assert "several records on a line: rows are counted by record" in note.en


# ---------------------------------------------------------------- what is passed over

TABLE = "编号,GUESTS,票价（元/人）,NOTE\nA,1,2.50,\n\nB,2,2.50,\n\n合计,3,,\n"
AGREEMENTS: dict[str, tuple[dict[str, object], str, int, bool]] = {
    "nothing": ({}, "2 blank lines passed over", 3, False),
    "footer": ({"footer": "^合计"}, "2 blank lines passed over", 2, False),
    "blank lines": ({"blank_lines": True}, "", 3, True),
    "both": ({"footer": "^合计", "blank_lines": True}, "", 2, True),
}


@pytest.mark.parametrize(
    ("export", "noticed", "count", "is_as_agreed"), AGREEMENTS.values(), ids=AGREEMENTS
)
def test_only_what_the_contract_does_not_say_fails_the_layouts_check(
    tmp_path: Path, export: dict[str, object], noticed: str, count: int, *, is_as_agreed: bool
) -> None:
    rows, found = parsed(tmp_path, "csv", TABLE.encode(), **export)
    assert [r["visit_id"] for r in rows] == ["A", "B", "合计"][:count]
    assert noticed in "".join(f.en for f in found.findings)
    assert any("1 lines after the data" in n.en for n in found.notes) == ("footer" in export)
    [result] = landing_results(
        [f.stored() for f in found.findings], [n.stored() for n in found.notes]
    )
    assert (result.rule_id, result.status) == (
        "table.layout",
        "passed" if is_as_agreed else "failed",
    )
    told = Words.read(result.message)
    for noted in (*found.findings, *found.notes):
        assert noted.zh in told.zh
        assert noted.en in told.en


BAD_RECORDS = {
    "nested": ("<r><编号>A<b>2</b></编号></r>", "elements within a cell", ["b", "编号=A2"]),
    "twice": ("<r><编号>A</编号><编号>B</编号></r>", "twice", ["编号=A", "编号=B"]),
    "attribute_and_child": ('<r 编号="A"><编号>B</编号></r>', "twice", ["编号=A", "编号=B"]),
    "attribute_of_a_cell": (
        '<r><GUESTS unit="人">1</GUESTS></r>',
        "attributes on a cell",
        ["人", "GUESTS=1"],
    ),
    "loose_text": ("<r><编号>A</编号>以上</r>", "text beside the cells", ["编号=A", "以上"]),
    "between": ("合计 1", "text between the records", ["合计 1\n"]),
}


@pytest.mark.parametrize(("record", "error", "kept"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_xml_record_is_one_row_without_shape(
    tmp_path: Path, record: str, error: str, kept: list[str]
) -> None:
    good = "<r><编号>A</编号><GUESTS>1</GUESTS></r>"
    rows, _ = landed(tmp_path, "xml", f"<x>\n{good}\n{record}\n{good}\n</x>".encode())
    assert [r["_source_line"] for r in rows] == [2, 3, 4]
    assert [r["_row_error"] is None for r in rows] == [True, False, True]
    assert error in rows[1]["_row_error"]
    assert kept_of(rows[1]) == kept


@pytest.mark.parametrize("declared", ["GB18030", "gbk", "GB2312", "UTF-8", None])
def test_xml_in_the_encoding_it_declares(tmp_path: Path, declared: str | None) -> None:
    start = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    text = f"{start}<x>\n<r><编号>龥㐀</编号><GUESTS>1</GUESTS></r></x>"
    encoding = "utf-8" if declared == "UTF-8" else "gb18030"
    rows, _ = landed(tmp_path, "xml", text.encode(encoding))
    assert cells(rows[0]) == ("龥㐀", "1", "", "")


# ---------------------------------------------------------------- Parquet


def test_typed_columns_land_as_exact_text(tmp_path: Path) -> None:
    types: list[tuple[pa.Array, list[str]]] = [
        (pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1), ""]),
        (pa.array([Decimal("12.30"), Decimal("-0.01")]), ["12.30", "-0.01"]),
        (pa.array([Decimal("1E-10"), None], pa.decimal128(38, 12)), ["0.000000000100", ""]),
        (pa.array([0.1, 3.0]), ["0.1", "3"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([date(2026, 7, 15), None]), ["2026-07-15", ""]),
        (
            pa.array([EIGHT, EIGHT.replace(year=1, microsecond=5)]),
            ["2026-07-15 08:00:00", "0001-07-15 08:00:00.000005"],
        ),
        (
            pa.array([datetime(2026, 7, 15, 20, 0, 1, tzinfo=UTC), None]),
            ["2026-07-16 04:00:01", ""],
        ),
        (pa.array([time(8, 30), None], pa.time32("s")), ["08:30:00", ""]),
        (pa.array(["甲", " 乙"]).dictionary_encode(), ["甲", " 乙"]),
        (pa.array(["甲".encode(), b""]), ["甲", ""]),
        (pa.nulls(2), ["", ""]),
    ]
    for values, wanted in types:
        rows, findings = landed(
            tmp_path,
            "parquet",
            parquet(
                {
                    "编号": ["A", "B"],
                    "GUESTS": ["1", "2"],
                    "票价（元/人）": [None, "1.0"],
                    "NOTE": values,
                }
            ),
        )
        assert [r["note"] for r in rows] == wanted, values.type
        assert [r["_source_line"] for r in rows] == [1, 2]
        assert not findings


def _with_row_count(rows: int) -> bytes:
    """A small file whose footer speaks of so many rows."""
    count = 12_345
    made = parquet(
        {
            "编号": ["A"] * count,
            "GUESTS": ["1"] * count,
            "票价（元/人）": ["1"] * count,
            "NOTE": ["1"] * count,
        }
    )
    length = int.from_bytes(made[-8:-4], "little")
    footer = made[-8 - length : -8].replace(_varint(2 * count), _varint(2 * rows))
    return made[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _four(**more: Any) -> dict[str, Any]:
    return {"编号": ["A"], "GUESTS": ["1"], "票价（元/人）": ["1"], "NOTE": ["n"], **more}


# ---------------------------------------------------------------- files that are refused whole

BILLION = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    "<x><r><编号>&b;</编号></r></x>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>\n<x><r><编号>&f;</编号></r></x>'
XML_ONE = "<x>\n<r><编号>A</编号><GUESTS>1</GUESTS></r>\n</x>"
GOOD_PARQUET = parquet(_four())
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "jsonl_empty": ("jsonl", b"", "is empty"),
    "jsonl_no_record": ("jsonl", b"a,b\n1,2\n", "holds no jsonl record"),
    "jsonl_one_array": ("jsonl", b'[\n{"a":1},\n{"a":2},\n]\n', "holds no jsonl record"),
    "jsonl_nothing_named": ("jsonl", b"{}\n{}\n", "holds no jsonl record"),
    "jsonl_blank": ("jsonl", '{"编号":null,"GUESTS":""}'.encode(), "no rows"),
    "jsonl_endless_line": (
        "jsonl",
        ONE.encode() + b'{"a":"' + b"x" * (2 << 20),
        "Line 2 is longer",
    ),
    "jsonl_mixed": ("jsonl", ONE.encode() + "甲\n".encode("gb18030") + b"\xff\n", "neither UTF-8"),
    "jsonl_utf16": ("jsonl", ONE.encode("utf-16"), "UTF-16"),
    "jsonl_unknown_key": ("jsonl", (ONE * 9 + '{"编号":"A","x":"1"}').encode(), "header has x"),
    "jsonl_no_required": ("jsonl", '{"编号":"A"}'.encode(), "lacks GUESTS"),
    "jsonl_by_two_names": (
        "jsonl",
        '{"编号":"A","GUESTS":1}\n{"编号":"A","人数":1}'.encode(),
        "stands in the header twice",
    ),
    "jsonl_many_keys": (
        "jsonl",
        b"\n".join(b'{"%d":%d}' % (i, i) for i in range(20_000)),
        "more than 16384 different names",
    ),
    "xml_entities": ("xml", BILLION.encode(), "document type"),
    "xml_other_file": ("xml", OUTSIDE.encode(), "document type"),
    "xml_unknown_entity": ("xml", "<x><r><编号>&f;</编号></r></x>".encode(), "undefined entity"),
    "xml_cut": ("xml", XML_ONE[:-12].encode(), "broken in line 2"),
    "xml_two_roots": ("xml", (XML_ONE * 2).encode(), "junk after document element"),
    "xml_unknown_element": (
        "xml",
        XML_ONE.replace("</r>", "<x>1</x></r>").encode(),
        "header has x",
    ),
    "xml_no_record": ("xml", b"<x/>", "holds no xml record"),
    "xml_declares_otherwise": (
        "xml",
        (XML_START + XML_ONE).encode("gb18030"),
        "not the UTF-8 it declares",
    ),
    "xml_big5": ("xml", b"<?xml version='1.0' encoding='Big5'?><x/>", "declares the encoding Big5"),
    "xml_mark_and_gbk": (
        "xml",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='GBK'?><x/>",
        "declares the encoding GBK",
    ),
    "xml_endless_record": (
        "xml",
        b"<x><r><NOTE>" + b"y\n" * MAX_LINE_BYTES + b"</NOTE></r></x>",
        "record in line 1 is longer",
    ),
    "xml_endless_tag": ("xml", b"<x><" + b"y" * (3 << 20), "is longer than"),
    "xml_endless_comment": ("xml", b"<x><!--" + b"y" * (3 << 20), "is longer than"),
    "xml_endless_text": ("xml", b"<x>" + b"y\n" * (1 << 20) + b"</x>", "is longer than"),
    "xml_deep": ("xml", b"<x>" + b"<a>" * 500_000, "is longer than"),
    "parquet_cut": ("parquet", GOOD_PARQUET[:-20], "cannot be read"),
    "parquet_cut_inside": ("parquet", GOOD_PARQUET[:40] + GOOD_PARQUET[60:], "cannot be read"),
    "parquet_footer_only": ("parquet", b"PAR1" + b"\xff" * 40 + b"PAR1", "cannot be read"),
    "parquet_long_footer": ("parquet", b"PAR1\xff\xff\xff\x7fPAR1", "cannot be read"),
    "parquet_nested": ("parquet", parquet(_four(NOTE=[{"a": 1}])), "'NOTE' is of type struct"),
    "parquet_list": ("parquet", parquet(_four(NOTE=[[1]])), "'NOTE' is of type list"),
    "parquet_bytes": ("parquet", parquet(_four(NOTE=[b"\xff\xfe"])), "cannot be read"),
    "parquet_int96": (
        "parquet",
        parquet(_four(NOTE=[EIGHT]), use_deprecated_int96_timestamps=True),
        "INT96",
    ),
    "parquet_other_columns": ("parquet", parquet({"a": ["1"]}), "lacks 编号"),
    "parquet_no_rows": (
        "parquet",
        parquet(dict.fromkeys(_four(), pa.array([], "string"))),
        "no rows",
    ),
    "parquet_many_rows": ("parquet", _with_row_count(10**12), "declares 1000000000000 rows"),
    "parquet_lying_rows": ("parquet", _with_row_count(99_000_000), "and holds 12345"),
    "parquet_long_cell": ("parquet", parquet(_four(NOTE=["x" * (2 << 20)])), "Row 1 is longer"),
    "csv_is_json": ("csv", ONE.encode(), "says csv, and the bytes are jsonl"),
    "csv_is_parquet": ("csv", GOOD_PARQUET, "says csv, and the bytes are parquet"),
    "xlsx_is_html": (
        "xlsx",
        b"<html><table><tr></table></html>",
        "says xlsx, and the bytes are xml",
    ),
    "xml_is_csv": ("xml", b"a,b\n1,2\n", "says xml, and the bytes are text"),
    "jsonl_is_xml": ("jsonl", XML_ONE.encode(), "says jsonl, and the bytes are xml"),
    "parquet_is_json": ("parquet", ONE.encode(), "says parquet, and the bytes are jsonl"),
}


@pytest.mark.parametrize(("kind", "content", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_such_file_is_refused_in_words(
    tmp_path: Path, kind: str, content: bytes, words: str
) -> None:
    with pytest.raises(DecodeError) as refused:
        landed(tmp_path, kind, content)
    assert words in refused.value.problem.en
    assert refused.value.remedy.en.endswith(".")


@pytest.mark.full
def test_a_kilobyte_of_parquet_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    rows = 3000
    text = pa.array(["x" * (1 << 19)]).dictionary_encode()
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), text.dictionary)
    same = ["1"] * rows
    content = parquet(_four(**{"编号": same, "GUESTS": same, "票价（元/人）": same, "NOTE": long}))
    assert len(content) < 100_000
    with pytest.raises(DecodeError, match="bytes of Parquet can honestly hold"):
        landed(tmp_path, "parquet", content)


def test_a_long_xml_file_is_read_as_a_stream(tmp_path: Path) -> None:
    from jobs.files.markup import items

    file = tmp_path / "visit.xml"
    record = "<r><编号>A</编号><GUESTS>1</GUESTS></r>\n"
    file.write_text(f"<x>{record * 30_000}</x>", "utf-8")
    tracemalloc.start()
    try:
        assert sum(1 for _ in items(file, "utf-8")) == 30_000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("jsonl", (ONE + '{"编号":"B","GUESTS":2,"x":"aside"}').encode()),
        (
            "xml",
            XML_ONE.replace(
                "\n</x>", "\n<r><编号>B</编号><GUESTS>2</GUESTS><x>aside</x></r></x>"
            ).encode(),
        ),
        (
            "parquet",
            parquet(
                {
                    "编号": ["A", "B"],
                    "GUESTS": ["1", "2"],
                    "票价（元/人）": ["", ""],
                    "NOTE": ["", ""],
                    "x": [None, "aside"],
                }
            ),
        ),
    ],
    ids=["jsonl", "xml", "parquet"],
)
def test_a_new_name_is_kept_aside_where_the_contract_evolves(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    rows, findings = landed(tmp_path, kind, content, drift="evolve")
    assert [r["_extra"] and json.loads(r["_extra"]) for r in rows] == [None, {"x": "aside"}]
    assert [f.en for f in findings] == ["added column 'x' kept aside at L3"]


# ---------------------------------------------------------------- secrecy marks

MARKS: dict[str, bytes] = {
    "json_value": '{"编号":"机密★10年"}'.encode(),
    "json_escaped": b'{"a":"' + b"\\u673a\\u5bc6\\u2605" + b'"}',
    "json_key_and_value": ONE.encode() + '{"密级": "秘密"}'.encode(),
    "json_gb18030": '{"编号":"绝密★"}'.encode("gb18030"),
    "xml_root": '<x 密级="机密"><r/></x>'.encode(),
    "xml_element": "<x><密级>秘密</密级></x>".encode(),
    "xml_escaped": b"<x><r>&#x673A;&#23494;&#9733;</r></x>",
    "xml_comment": "<x><!-- 绝密★ --></x>".encode(),
    "xml_gb18030": '<?xml version="1.0" encoding="GBK"?><x a="机密★"/>'.encode("gb18030"),
    "parquet_metadata": parquet(_four(), {"密级": "机密"}),
    "parquet_escaped_metadata": parquet(_four(), {"pandas": json.dumps({"a": "机密★10年"})}),
    "parquet_column_name": parquet({"机密★": ["1"]}),
    "parquet_first_row": parquet(_four(NOTE=["秘密★5年"])),
    "parquet_refused": parquet(_four(NOTE=[["秘密★5年"]]), compression="none"),
}


@pytest.mark.parametrize("content", MARKS.values(), ids=MARKS)
def test_a_mark_is_found_wherever_it_stands(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "visit"
    file.write_bytes(content)
    assert secret_mark(file) is not None


@pytest.mark.parametrize(
    "content",
    [
        '{"密级":"公开","NOTE":"商业秘密"}'.encode(),
        "<x><密级>公开</密级></x>".encode(),
        GOOD_PARQUET,
    ],
    ids=["jsonl", "xml", "parquet"],
)
def test_ordinary_records_carry_no_mark(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "visit"
    file.write_bytes(content)
    assert secret_mark(file) is None


# ---------------------------------------------------------------- what the sandbox writes

ODD = ("A", "１２人", "", '换\n行, "引号" <b>&amp;\t密级 末')
ROWS = [("甲1", "3", "2.50", "n"), ODD, ("甲3", "", "1e3", "")]


def rendered(contract: Contract, *, drifted: bool = False, secret: bool = False) -> Any:
    names = [c.name for c in contract.columns]
    rows = [Row(dict(zip(names, cells, strict=True))) for cells in ROWS]
    return render(Layout.of(contract, "museum", drifted=drifted, secret=secret), rows, DAY)


@pytest.mark.parametrize("encoding", ["auto", "gb18030"])
@pytest.mark.parametrize("kind", FORMATS)
def test_what_the_sandbox_writes_lands_as_it_was_meant(
    tmp_path: Path, kind: str, encoding: str
) -> None:
    contract = contract_of(tmp_path / "contracts", kind, encoding=encoding)
    made = rendered(contract)
    assert made.name == f"visit_20260715.{kind}"
    rows, findings = landed(tmp_path, kind, made.content, encoding=encoding)
    assert tuple(r["_source_line"] for r in rows) == made.lines
    assert [cells(r) for r in rows] == ROWS
    assert not [r for r in rows if r["_row_error"] or r["_extra"]]
    assert not findings
    assert rendered(contract) == made


@pytest.mark.parametrize("kind", FORMATS)
def test_the_sandbox_drifts_and_marks_in_every_format(tmp_path: Path, kind: str) -> None:
    contract = contract_of(tmp_path / "contracts", kind)
    with pytest.raises(HeaderError, match="新版"):
        landed(tmp_path, kind, rendered(contract, drifted=True).content)
    file = tmp_path / "visit"
    file.write_bytes(rendered(contract, secret=True).content)
    assert secret_mark(file) in ("机密★", "密级:机密")


@pytest.mark.parametrize("kind", FORMATS)
def test_yesterdays_bytes_are_found_by_their_format(tmp_path: Path, kind: str) -> None:
    feed = Feed(contract_of(tmp_path / "contracts", kind), "museum")
    made = rendered(feed.contract)
    folder = deliveries.folder_of(tmp_path / "drop", feed, DAY)
    folder.mkdir(parents=True)
    (folder / made.name).write_bytes(made.content)
    (folder / f"{made.name}.manifest.json").write_bytes(b"{}")
    found = deliveries.yesterdays(tmp_path / "drop", feed, DAY + timedelta(days=1))
    assert found == made.content


@pytest.mark.parametrize("kind", [*FORMATS, "xls"])
def test_only_csv_rows_can_lack_shape(tmp_path: Path, kind: str) -> None:
    server = contract_of(tmp_path / "contracts", kind).server("museum")
    assert server.is_ragged == (kind == "csv")


@pytest.mark.parametrize("kind", ["json", "CSV", "delta", "docx"])
def test_a_format_that_nothing_reads_is_no_contract(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ContractError, match="'csv', 'xlsx', 'xls', 'jsonl', 'xml' or 'parquet'"):
        contract_of(tmp_path / "contracts", kind)
