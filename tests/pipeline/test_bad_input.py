"""What providers should never send: each ends in the right state, in words, with its bytes kept.

Only pull and land are asked, so no Spark is needed.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import tracemalloc
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xlsxwriter
import xlwt
from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.moment import utc_now
from jobs import steps
from jobs.files.decode import MAX_LINE_BYTES, DecodeError, sniff
from jobs.pull.secrecy import secret_mark
from jobs.record import governance
from jobs.stages import Ended, LandedBatch
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.conftest import TREE
from tests.support.days import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.layout import Home

DAY = date(2026, 7, 15)
SPEED = TREE.contract("transport.link_speed")
BASES = TREE.contract("econ_it.innovation_base")
CASES = TREE.contract("health.disease_case")
HEADER = "路段编号,观测时间,平均速度（公里/小时）,流量（辆）,经度,纬度"
ROW = "L000001,2026-07-15 08:00:00,31.5,120,116.40,39.90"
GOOD = f"{HEADER}\n{ROW}\n".encode()


def speed_on(day: date = DAY) -> Delivery:
    return Delivery(SPEED, "transport", day)


def workbook(*rows: list[str], more: dict[str, list[list[str]]] | None = None) -> bytes:
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory) as book:
        for name, content in {"基地": list(rows), **(more or {})}.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(content):
                sheet.write_row(i, 0, row)
    return memory.getvalue()


def old_workbook(rows: int = 30) -> bytes:
    memory = io.BytesIO()
    book = xlwt.Workbook()
    sheet = book.add_sheet("基地")
    for i in range(rows):
        for j in range(4):
            sheet.write(i, j, f"格{i}{j}")
    book.save(memory)
    return memory.getvalue()


def archive(name: str = "data.csv", content: bytes = GOOD) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return memory.getvalue()


def bomb() -> bytes:
    """A workbook whose one part says that it unpacks to 3 GiB."""
    made = bytearray(archive("xl/workbook.xml", b"<workbook/>"))
    directory = made.rindex(b"PK\x01\x02")
    made[directory + 24 : directory + 28] = struct.pack("<I", 3 << 30)
    return bytes(made)


def far_cell() -> bytes:
    """A small workbook that a reader fills up to 17 billion cells."""
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "路段编号")
        sheet.write(1_048_575, 16_383, "x")
    return memory.getvalue()


def kept_files(home: Home) -> list[Path]:
    return [p for p in home.root.rglob("*") if p.is_file() and home.drop not in p.parents]


def assert_nothing_half_written(home: Home) -> None:
    assert not [p for p in home.root.rglob("*") if p.name.startswith((".building", ".old-"))]


BROKEN = {
    "empty": (b"", "empty"),
    "header_only": (f"{HEADER}\n".encode(), "no rows"),
    "title_only": (b"\xef\xbb\xbf", "ends before row 1"),
    "wrong_columns": (b"a,b,c\n1,2,3\n", "lacks 路段编号"),
    "half_the_columns": ("路段编号,观测时间\nL000001,x\n".encode(), "lacks 平均速度"),
    "column_twice": (f"{HEADER},路段编号\n{ROW},L000001\n".encode(), "twice"),
    "header_in_row_3": (f"路段速度\n\n{HEADER}\n{ROW}\n".encode(), "row 3, not in row 1"),
    "endless_line": (HEADER.encode() + b"\n" + b"x" * (3 << 20), "Line 2 is longer than"),
    "line_over_two_chunks": (
        HEADER.encode() + b"\n" + b"x" * (MAX_LINE_BYTES + 10) + b"\nL1,,,,,\n",
        "Line 2 is longer than",
    ),
    "unclosed_quote": (f'{HEADER}\n"L000001,2026\n{ROW}\n'.encode(), "starts at line 2 breaks CSV"),
    "quote_over_a_megabyte": (
        (f'{HEADER}\n"' + f"{ROW}\n" * 40_000).encode(),
        "starts at line 2 breaks CSV",
    ),
    "utf16": (f"{HEADER}\n{ROW}\n".encode("utf-16"), "UTF-16"),
    "utf16_no_mark": (f"{HEADER}\n{ROW}\n".encode("utf-16-le"), "UTF-16 without its mark"),
    "nul_padding": (GOOD + b"\0" * 4096, "NUL"),
    "mixed_encodings": (
        f"{HEADER}\n".encode() + ROW.replace("L", "李").encode("gb18030") * 3 + b"\n\xff\n",
        "neither UTF-8 nor GB18030",
    ),
    "pdf": (b"%PDF-1.7\n" + bytes(range(256)) * 8, "PDF"),
    "gzip": (b"\x1f\x8b\x08\x04" + bytes(200), "archive"),
    "zip_of_csv": (archive(), "not a workbook"),
    "zip_bomb": (bomb(), "unpacks to"),
    "cut_xlsx": (workbook([HEADER])[:-200], "broken"),
    "xlsx_of_nothing": (archive("xl/workbook.xml", b"<workbook/>"), "cannot be opened"),
    "far_cell": (far_cell(), "cannot be opened"),
    "ole_garbage": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 20, "cannot be"),
    "cut_xls": (old_workbook()[:3000], "cannot be opened"),
}


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_rejected_in_words_and_kept(home: Home, content: bytes, words: str) -> None:
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", content)
    ended = steps.land_delivery(home, speed_on())

    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert words in ended.reason
    assert "transport/link_speed 2026-07-15" in ended.reason
    assert "speed.csv" in ended.reason
    assert ended.batch_id is not None
    row = governance.batch(home, ended.batch_id)
    assert row is not None
    assert (row.status, row.reason, row.rows_landed) == ("rejected", ended.reason, 0)
    assert [d.state for d in governance.latest_deliveries(home, DAY)] == ["received"]
    folder = home.raw("transport", "link_speed", ended.batch_id)
    assert (folder / "speed.csv").read_bytes() == content
    assert not home.table("bronze", "transport__link_speed").exists()
    assert_nothing_half_written(home)


def test_rejected_again_changes_nothing(home: Home) -> None:
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", b"a,b\n1,2\n")
    first = steps.land_delivery(home, speed_on())
    version = DeltaTable(str(home.table("governance", "batches"))).version()
    assert steps.land_delivery(home, speed_on()) == first
    assert DeltaTable(str(home.table("governance", "batches"))).version() == version


def test_two_gibibytes_without_a_line_break(tmp_path: Path) -> None:
    file = tmp_path / "speed.csv"
    file.write_bytes(GOOD * 20)
    os.truncate(file, 2 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="Line 41 is longer"):
            sniff(file)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_nul_in_a_cell_is_a_row_without_shape(home: Home) -> None:
    rows = f"{ROW}\n" * 40 + ROW.replace("31.5", "31\0") + "\n"
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", f"{HEADER}\n{rows}".encode())
    landed = steps.land_delivery(home, speed_on())
    assert isinstance(landed, LandedBatch)
    bronze = DeltaTable(str(home.table("bronze", "transport__link_speed"))).to_pyarrow_table()
    wrong = [r for r in bronze.to_pylist() if r["_row_error"]]
    assert [r["_source_line"] for r in wrong] == [42]
    assert wrong[0]["_row_error"] == "a NUL byte in the row"


MISNAMED = {
    "xlsx_as_csv": ("list.csv", "xlsx"),
    "xlsx_as_xls": ("list.xls", "xlsx"),
    "xls_as_xlsx": ("list.xlsx", "xls"),
    "no_extension": ("list", "xlsx"),
    "ours": ("manifest.json", "xlsx"),
    "long_name": ("名" * 78 + ".xlsx", "xlsx"),
}


@pytest.mark.parametrize(("name", "kind"), MISNAMED.values(), ids=MISNAMED)
def test_the_bytes_tell_what_a_workbook_is(home: Home, name: str, kind: str) -> None:
    header = [c.header for c in BASES.columns]
    row = ["1", "某某孵化器", "海淀区", "91110000802100433B"]
    content = workbook(header, row)
    if kind == "xls":
        memory = io.BytesIO()
        book = xlwt.Workbook()
        sheet = book.add_sheet("基地")
        for i, cells in enumerate((header, row)):
            for j, cell in enumerate(cells):
                sheet.write(i, j, cell)
        book.save(memory)
        content = memory.getvalue()
    deliver(home.drop, f"econ_it/innovation_base/{DAY}/{name}", content)
    landed = steps.land_delivery(home, Delivery(BASES, "econ_it", DAY))
    assert isinstance(landed, LandedBatch)
    assert landed.rows_landed == 1
    folder = home.raw("econ_it", "innovation_base", landed.batch_id)
    assert sorted(p.read_bytes() == content for p in folder.iterdir()) == [False, True]
    assert json.loads((folder / "manifest.json").read_text())["batch_id"] == landed.batch_id


def test_name_in_gb18030_bytes_is_kept_as_text(home: Home) -> None:
    file = deliver(
        home.drop, f"econ_it/integration_pilot/{DAY}/x.csv", b"a,b\n1,2\n", manifest=False
    )
    named = Path(os.fsdecode(os.fsencode(file.parent) + b"/" + "贯标企业.csv".encode("gb18030")))
    file.rename(named)
    pilots = TREE.contract("econ_it.integration_pilot")
    ended = steps.land_delivery(home, Delivery(pilots, "econ_it", DAY))
    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert "贯标企业.csv" in ended.reason
    [kept] = (home.root / "raw").rglob("*.csv")
    assert kept.name == "贯标企业.csv"


def test_damaged_workbooks_never_take_the_task_along(tmp_path: Path) -> None:
    """Bytes that make the parser panic or ask for terabytes end as a DecodeError."""
    from random import Random

    from jobs.files.decode import sheet_rows

    random = Random(7)
    file = tmp_path / "list.xls"
    export = BASES.server("econ_it").export
    ends: set[object] = set()
    for original in (old_workbook(), workbook(*[["格"] * 4] * 30)):
        for _ in range(12):
            damaged = bytearray(original)
            for _ in range(10):
                damaged[random.randrange(8, len(damaged))] = random.randrange(256)
            file.write_bytes(damaged)
            try:
                sniff(file)
                ends.add(len(list(sheet_rows(file, export.sheet, noticed={}))) > 0)
            except DecodeError as error:
                ends.add(error.remedy)
    assert len(ends) > 1


MANIFESTS: dict[str, tuple[Callable[[dict[str, object]], bytes], str]] = {
    "no_json": (lambda _: b"size: 12", "is not a manifest"),
    "a_list": (lambda _: b"[1, 2]", "is not a manifest"),
    "no_size": (lambda m: json.dumps({"file": m["file"]}).encode(), "is not a manifest"),
    "not_utf8": (lambda _: b'{"file": "\xff\xfe"}', "is not a manifest"),
    "deep": (lambda _: b"[" * 200_000, "is not a manifest"),
    "huge": (lambda m: json.dumps(m | {"x": "x" * (2 << 20)}).encode(), "is not a manifest"),
    "year_one": (
        lambda m: json.dumps(m | {"sent_at": "0001-01-01T00:00:00+08:00"}).encode(),
        "is not a manifest",
    ),
    "year_9999": (
        lambda m: json.dumps(m | {"sent_at": "9999-12-31T23:59:59-08:00"}).encode(),
        "is not a manifest",
    ),
    "no_offset": (
        lambda m: json.dumps(m | {"sent_at": "2026-07-15T20:00:00"}).encode(),
        "is not a manifest",
    ),
    "path_in_the_name": (
        lambda m: json.dumps(m | {"file": "../../../etc/passwd"}).encode(),
        "names another file",
    ),
    "folder_in_the_name": (
        lambda m: json.dumps(m | {"file": f"./{m['file']}"}).encode(),
        "names another file",
    ),
    "wrong_size": (lambda m: json.dumps(m | {"size_bytes": 7}).encode(), "7 were announced"),
    "wrong_sha256": (lambda m: json.dumps(m | {"sha256": "0" * 64}).encode(), "SHA-256 is not"),
    "wrong_sm3": (lambda m: json.dumps(m | {"sm3": "0" * 64}).encode(), "SM3 is not"),
}


@pytest.mark.parametrize(("spoil", "words"), MANIFESTS.values(), ids=MANIFESTS)
def test_bad_manifest_rejects_the_batch_and_keeps_its_bytes(
    home: Home, spoil: Callable[[dict[str, object]], bytes], words: str
) -> None:
    file = deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    manifest = file.with_name("speed.csv.manifest.json")
    said = manifest.read_bytes()
    manifest.write_bytes(spoil(json.loads(said)))
    ended = steps.land_delivery(home, speed_on())

    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert words in ended.reason
    assert "transport/link_speed 2026-07-15" in ended.reason
    assert "speed.csv" in ended.reason
    assert ended.batch_id is not None
    row = governance.batch(home, ended.batch_id)
    assert row is not None
    assert row.status == "rejected"
    kept = home.raw("transport", "link_speed", ended.batch_id) / "speed.csv"
    assert kept.read_bytes() == GOOD

    manifest.write_bytes(said)  # the provider mends the manifest, not the file
    landed = steps.land_delivery(home, speed_on())
    assert isinstance(landed, LandedBatch)
    assert landed.batch_id == ended.batch_id


def test_digests_may_be_written_in_capitals(home: Home) -> None:
    file = deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    manifest = file.with_name("speed.csv.manifest.json")
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"sha256": said["sha256"].upper()}))
    assert isinstance(steps.land_delivery(home, speed_on()), LandedBatch)


def test_a_broken_manifest_does_not_hide_a_newer_good_one(home: Home) -> None:
    where = f"transport/link_speed/{DAY}"
    broken = deliver(home.drop, f"{where}/speed_r2.csv", GOOD, revision=2)
    broken.with_name("speed_r2.csv.manifest.json").write_text("{")
    os.utime(broken, (1, 1))
    deliver(home.drop, f"{where}/speed_r3.csv", GOOD.replace(b"31.5", b"32.5"), revision=3)
    landed = steps.land_delivery(home, speed_on())
    assert isinstance(landed, LandedBatch)
    assert landed.batch.file_name == "speed_r3.csv"

    last = deliver(home.drop, f"{where}/speed_r4.csv", GOOD, revision=4)
    last.with_name("speed_r4.csv.manifest.json").write_text("{")
    os.utime(last, (2**32, 2**32))
    ended = steps.land_delivery(home, speed_on())
    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert "speed_r4.csv" in ended.reason


def test_missing_until_the_manifest_is_there(home: Home) -> None:
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD, manifest=False)
    ended = steps.land_delivery(home, speed_on())
    assert isinstance(ended, Ended)
    assert ended.state == "missing"
    assert "without its manifest" in ended.reason
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    assert isinstance(steps.land_delivery(home, speed_on()), LandedBatch)
    assert [d.state for d in governance.latest_deliveries(home, DAY)] == ["received"]


def test_parts_and_hidden_files_are_no_delivery(home: Home) -> None:
    for name in (".speed.csv", "speed.csv.part", "speed.csv.tmp", "a.csv.manifest.json"):
        path = home.drop / f"econ_it/innovation_base/{DAY}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GOOD)
    (home.drop / f"econ_it/innovation_base/{DAY}/folder").mkdir()
    ended = steps.land_delivery(home, Delivery(BASES, "econ_it", DAY))
    assert isinstance(ended, Ended)
    assert (ended.state, "no file came" in ended.reason) == ("missing", True)


def test_link_that_leaves_the_drop_is_refused(home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(GOOD)
    file = deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    file.unlink()
    file.symlink_to(outside)
    ended = steps.land_delivery(home, speed_on())
    assert isinstance(ended, Ended)
    assert ended.state == "refused"
    assert "link that leaves the drop folder" in ended.reason
    assert "speed.csv" in ended.reason
    assert not (home.root / "raw").exists()


def test_folder_linked_out_of_the_drop_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "speed.csv").write_bytes(GOOD)
    folder = home.drop / "transport" / "link_speed"
    folder.mkdir(parents=True)
    (folder / str(DAY)).symlink_to(tmp_path / "elsewhere")
    ended = steps.land_delivery(home, speed_on())
    assert isinstance(ended, Ended)
    assert ended.state == "refused"


def test_date_in_the_future_is_refused(home: Home) -> None:
    day = utc_now().date() + timedelta(days=3)
    deliver(home.drop, f"transport/link_speed/{day}/speed.csv", GOOD)
    ended = steps.land_delivery(home, speed_on(day))
    assert isinstance(ended, Ended)
    assert ended.state == "refused"
    assert f"transport/link_speed {day}" in ended.reason
    assert "lies in the future" in ended.reason
    assert not (home.root / "raw").exists()
    assert [d.state for d in governance.latest_deliveries(home, day)] == ["refused"]


@pytest.mark.parametrize("mark", [None, "[]", '{"origin": "real"}', "{", '"simulated"'])
def test_real_data_at_l4_is_kept_sealed_and_says_it_is_real(home: Home, mark: str | None) -> None:
    secret = "11010519491231002X"
    header = ",".join(c.header for c in CASES.columns)
    content = f"{header}\n{secret},A01,2026-07-14,110101001\n".encode("gb18030")
    drop = home.root.parent / "drop"
    sent = deliver(drop, f"health/disease_case/{DAY}/cases.csv", content, is_simulated=False)
    if mark is not None:
        (drop / ".jingshu-sandbox.json").write_text(mark)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGSHU_DROP", str(drop))
        landed = steps.land_delivery(home, Delivery(CASES, "health", DAY))
    assert isinstance(landed, LandedBatch)
    assert landed.batch.origin == "real"
    assert secret.encode() in sent.read_bytes()
    assert not any(secret.encode() in p.read_bytes() for p in kept_files(home))


def test_real_data_lands(home: Home) -> None:
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD, is_simulated=False)
    landed = steps.land_delivery(home, speed_on())
    assert isinstance(landed, LandedBatch)
    assert landed.batch.origin == "real"


BODY = "某单位内部情况"
SECRETS: dict[str, tuple[str, bytes]] = {
    "name": (f"机密★{BODY}.csv", GOOD),
    "name_with_space": (f"绝密 ★1年{BODY}.csv", GOOD),
    "title_row": ("a.csv", f"秘密★5年 {BODY}\n{HEADER}\n{ROW}\n".encode()),
    "last_row": ("a.csv", GOOD + f"{BODY},密级：机密\n".encode()),
    "label_and_value_in_two_cells": ("a.csv", GOOD + f"密级：,秘密,{BODY}\n".encode()),
    "gb18030": ("a.csv", f"机密★{BODY}\n{HEADER}\n".encode("gb18030")),
    "utf16": ("a.csv", f"机密★{BODY}\n".encode("utf-16")),
    "utf16_big_endian": ("a.csv", f"机密★{BODY}\n".encode("utf-16-be")),
    "mixed_encodings": ("a.csv", f"绝密★{BODY}\n".encode() + "李四\n".encode("gb18030") + b"\xff"),
    "far_inside": ("a.csv", GOOD + f"{ROW}\n".encode() * 40_000 + f"机密★{BODY}\n".encode()),
    "across_chunks": (
        "a.csv",
        b"\n" * ((1 << 20) - 7) + f"机密★{BODY}\n".encode(),
    ),
    "workbook": ("a.csv", workbook(["基地"], [f"机密★{BODY}"])),
    "second_sheet": ("a.csv", workbook(["基地"], more={"说明": [[], ["密级", f"绝密★ {BODY}"]]})),
    "name_in_an_archive": ("a.csv", archive(f"机密★{BODY}.csv")),
}


@pytest.mark.parametrize(("name", "content"), SECRETS.values(), ids=SECRETS)
def test_marked_secret_is_refused_and_nothing_of_it_stored(
    home: Home, name: str, content: bytes
) -> None:
    is_bare = name != "a.csv"  # a marked name is refused before its manifest is waited for
    deliver(home.drop, f"econ_it/innovation_base/{DAY}/{name}", content, manifest=not is_bare)
    ended = steps.land_delivery(home, Delivery(BASES, "econ_it", DAY))
    assert isinstance(ended, Ended)
    assert ended.state == "refused"
    assert "econ_it/innovation_base 2026-07-15" in ended.reason
    assert BODY not in ended.reason
    assert [d.state for d in governance.latest_deliveries(home, DAY)] == ["refused"]
    assert not governance.latest_batches(home)
    assert not (home.root / "raw").exists()
    written = [BODY.encode(), BODY.encode("gb18030"), BODY.encode("utf-16-le")]
    for file in kept_files(home):
        assert not any(w in file.read_bytes() for w in written), file
        assert BODY not in str(file)
    kinds = [Leaf.parse(e).type for _, e in EvidenceLog(home).entries()]
    assert kinds == ["delivery", "refusal"]


NOT_SECRET = {
    "a_word": f"{HEADER}\n{ROW}\n商业秘密保护,机密性\n",
    "a_star": f"{HEADER}\n★★★,★\n",
    "a_level": f"{HEADER}\n密级：公开\n",
}


@pytest.mark.parametrize("text", NOT_SECRET.values(), ids=NOT_SECRET)
def test_ordinary_words_are_no_mark(tmp_path: Path, text: str) -> None:
    file = tmp_path / "保密局名单.csv"
    file.write_text(text)
    assert secret_mark(file) is None


def test_core_data_is_refused_unread(home: Home) -> None:
    grading = SPEED.grading
    assert grading is not None
    core = SPEED.model_copy(update={"grading": grading.model_copy(update={"gb43697": "core"})})
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    ended = steps.land_delivery(home, Delivery(core, "transport", DAY))
    assert isinstance(ended, Ended)
    assert (ended.state, "核心数据" in ended.reason) == ("refused", True)
    assert not (home.root / "raw").exists()


def test_bytes_of_another_date_are_a_duplicate(home: Home) -> None:
    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    first = steps.land_delivery(home, speed_on())
    assert isinstance(first, LandedBatch)
    later = DAY + timedelta(days=1)
    deliver(home.drop, f"transport/link_speed/{later}/speed.csv", GOOD)
    ended = steps.land_delivery(home, speed_on(later))
    assert isinstance(ended, Ended)
    assert (ended.state, ended.batch_id) == ("duplicate", first.batch_id)
    assert str(DAY) in ended.reason
    [state] = governance.latest_deliveries(home, later)
    assert (state.state, state.batch_id) == ("duplicate", first.batch_id)
    bronze = DeltaTable(str(home.table("bronze", "transport__link_speed")))
    assert bronze.to_pyarrow_table().num_rows == first.rows_landed


def test_snapshot_may_repeat_itself(home: Home) -> None:
    content = workbook(
        [c.header for c in BASES.columns], ["1", "某", "海淀区", "91110000802100433B"]
    )
    for day in (DAY, DAY + timedelta(days=1)):
        deliver(home.drop, f"econ_it/innovation_base/{day}/list.xlsx", content)
        landed = steps.land_delivery(home, Delivery(BASES, "econ_it", day))
        assert isinstance(landed, LandedBatch)
        assert landed.batch.revision == 1


def test_file_that_changes_while_it_is_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    file = deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    copy = shutil.copyfile

    def write_on_and_copy(source: Path, target: Path) -> Path:
        with file.open("ab") as handle:  # the provider is still writing
            handle.write(ROW.encode())
        return Path(copy(source, target))

    monkeypatch.setattr(shutil, "copyfile", write_on_and_copy)
    ended = steps.land_delivery(home, speed_on())
    assert isinstance(ended, Ended)
    assert ended.state == "missing"
    assert "changed while it was read" in ended.reason
    assert not list((home.root / "raw").rglob("speed.csv"))
    assert_nothing_half_written(home)
    monkeypatch.undo()

    deliver(home.drop, f"transport/link_speed/{DAY}/speed.csv", GOOD)
    assert isinstance(steps.land_delivery(home, speed_on()), LandedBatch)


def test_nothing_is_due_outside_the_cycle(home: Home) -> None:
    services = TREE.contract("civil.elder_service")
    first = steps.land_delivery(home, Delivery(services, "civil", DAY))
    assert isinstance(first, Ended)
    assert first.state == "missing"  # the initial load is owed on any day
