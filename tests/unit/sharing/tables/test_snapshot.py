"""Snapshots: which files a version names, and which of them must not leave the house."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sharing.tables.ceiling import NotServedError
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Folder
from tests.support.sharing.served import TABLE, column, districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home


def edit_log(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the actions of version 0 in place."""
    log = folder / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        change(action)
    log.write_text("\n".join(json.dumps(a) for a in actions))


def test_a_version_names_its_own_files(home: Home) -> None:
    folder = home.table("shared", TABLE)
    newest, first = read_snapshot(Folder(folder)), read_snapshot(Folder(folder), 0)
    assert (newest.version, first.version) == (1, 0)
    assert {f.id for f in first.files()} < {f.id for f in newest.files()}
    for file in newest.files():
        assert (folder / file.key).is_file()
        assert file.size_bytes == (folder / file.key).stat().st_size
    assert sorted(f.rows or 0 for f in newest.files()) == [1, 2]


def test_no_table_or_version_or_a_broken_log_is_not_served(home: Home) -> None:
    folder = home.table("shared", TABLE)
    for place, version in ((home.root, None), (folder, 7), (folder, 10**30)):
        with pytest.raises(NotServedError):
            read_snapshot(Folder(place), version)
    (folder / "_delta_log" / f"{1:020}.json").write_text("{broken")
    with pytest.raises(NotServedError):
        read_snapshot(Folder(folder))


@pytest.mark.parametrize(
    "place",
    [
        "../stolen.parquet",
        "%2e%2e/stolen.parquet",
        "a/../../stolen.parquet",
        "_delta_log/stolen.parquet",
        "{root}/stolen.parquet",
        "file://{root}/stolen.parquet",
    ],
)
def test_a_log_that_names_a_file_outside_the_table_is_not_served(home: Home, place: str) -> None:
    folder = write_shared(home, "stolen__x", districts(("110101", "景山", 1)))
    stolen = folder.parent / "stolen.parquet"
    pq.write_table(districts(("110101", "景山", 1)), stolen)
    (folder / "_delta_log" / "stolen.parquet").write_bytes(stolen.read_bytes())

    def steal(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["path"] = place.replace("{root}", str(folder.parent))
            action["add"]["size"] = stolen.stat().st_size

    edit_log(folder, steal)
    with pytest.raises(NotServedError):
        read_snapshot(Folder(folder)).files()


def test_a_link_out_of_the_table_is_not_served(home: Home) -> None:
    folder = write_shared(home, "linked__x", districts(("110101", "景山", 1)))
    (file,) = folder.glob("*.parquet")
    file.rename(folder.parent / "elsewhere.parquet")
    file.symlink_to(folder.parent / "elsewhere.parquet")
    with pytest.raises(NotServedError, match="outside the table"):
        read_snapshot(Folder(folder)).files()


def test_rule_15_a_column_that_only_the_schema_hides_is_not_served(home: Home) -> None:
    folder = write_shared(home, "hidden__x", districts(("110101", "景山", 1)))

    def hide_elders(action: dict[str, Any]) -> None:
        if "metaData" in action:
            schema = json.loads(action["metaData"]["schemaString"])
            schema["fields"] = schema["fields"][:2]
            action["metaData"]["schemaString"] = json.dumps(schema)

    edit_log(folder, hide_elders)
    snapshot = read_snapshot(Folder(folder))
    assert "elders" not in snapshot.schema_json
    with pytest.raises(NotServedError, match="outside the schema: elders"):
        snapshot.files()


def test_a_file_that_is_no_parquet_is_not_served(home: Home) -> None:
    folder = write_shared(home, "broken__x", districts(("110101", "景山", 1)))
    (file,) = folder.glob("*.parquet")
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(NotServedError, match="no Parquet file"):
        read_snapshot(Folder(folder)).files()


def partitioned(home: Home, kind: pa.DataType, values: list[Any]) -> list[str | None]:
    schema = pa.schema([column("p", kind, "L1"), column("v", pa.int64(), "L1")])
    rows = [{"p": value, "v": i} for i, value in enumerate(values)]
    folder = write_shared(
        home, f"by__{kind}".replace(" ", "").replace("[", "-").replace("]", ""),
        pa.Table.from_pylist(rows, schema=schema), partition_by=["p"],
    )  # fmt: skip
    found = {}
    for file in read_snapshot(Folder(folder)).files():
        (row,) = pq.ParquetFile(folder / file.key).read().column("v").to_pylist()
        found[row] = file.partition["p"]
    return [found[i] for i in range(len(values))]


@pytest.mark.parametrize(
    ("kind", "values", "written"),
    [
        (pa.string(), ["东 城/区=%", "a", None], ["东 城/区=%", "a", None]),
        (pa.int32(), [-5, None], ["-5", None]),
        (pa.bool_(), [True, False], ["true", "false"]),
        (pa.date32(), [dt.date(2026, 7, 15)], ["2026-07-15"]),
        (pa.decimal128(9, 2), [Decimal("1.50")], ["1.50"]),
        (
            pa.timestamp("us", "UTC"),
            [dt.datetime(2026, 7, 15, 1, 2, 3, tzinfo=dt.UTC)],
            ["2026-07-15 01:02:03"],
        ),
    ],
    ids=str,
)
def test_partition_values_are_written_as_the_protocol_says(
    home: Home, kind: pa.DataType, values: list[Any], written: list[str | None]
) -> None:
    assert partitioned(home, kind, values) == written


def test_statistics_leave_out_what_json_or_truncation_would_bend(home: Home) -> None:
    schema = pa.schema(
        [
            column("at", pa.timestamp("us", "UTC"), "L1"),
            column("day", pa.date32(), "L1"),
            column("share", pa.float64(), "L1"),
        ]
    )
    row = {
        "at": dt.datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=dt.UTC),
        "day": dt.date(2026, 1, 1),
        "share": 0.5,
    }
    folder = write_shared(home, "stats__x", pa.Table.from_pylist([row], schema=schema))
    (file,) = read_snapshot(Folder(folder)).files()
    assert json.loads(file.stats) == {
        "numRecords": 1,
        "minValues": {"day": "2026-01-01", "share": 0.5},
        "maxValues": {"day": "2026-01-01", "share": 0.5},
        "nullCount": {"at": 0, "day": 0, "share": 0},
    }
