"""Versions, changes and tables of others: what the released client reads, and what is refused.

The tables are Spark's own (``tests/support/sharing/delta/make.py``), so their features are the real
ones. The assertions follow the reference server's suite (delta-sharing
``DeltaSharingServiceSuite``).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import delta_sharing
import pytest

from contracts.errors import UsageError
from contracts.layout import ROOT
from sharing.grants import grants
from sharing.tables import foreign
from sharing.tables.ceiling import NotServedError
from sharing.tables.storage import Folder
from tests.support.sharing.served import TABLE_URL, client_of, districts, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sharing.served import Answer, Served

TABLES: Final = ROOT / "tests" / "support" / "sharing" / "delta"
NOON: Final = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)
CHANGED = "/delta-sharing/shares/partner/schemas/x/tables/changed"
VECTORS = "/delta-sharing/shares/partner/schemas/x/tables/vectors"
MAPPED = "/delta-sharing/shares/partner/schemas/x/tables/mapped"
FORMATS = pytest.mark.parametrize(
    "as_delta", [{"use_delta_format": False}, {"use_delta_format": True}], ids=["parquet", "delta"]
)
AS_DELTA = {"delta_sharing_capabilities": "responseformat=delta"}
#: id and street of each version of ``changed``, as its statements say.
FIRST = {(n, f"s{n}") for n in range(6)}
STATES: Final = {
    1: FIRST,
    2: FIRST | {(7, "s7")},
    3: FIRST - {(3, "s3")} | {(7, "s7"), (3, "moved")},
    4: {(2, "s2"), (4, "s4"), (5, "s5"), (7, "s7"), (3, "moved")},
    7: {(2, "s2"), (4, "s4"), (5, "s5"), (7, "s7"), (3, "moved"), (9, "s9")},
}


def at(version: int) -> str:
    """The time of a version: a minute after the one before, from noon on."""
    return (NOON + dt.timedelta(minutes=version)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_copy(folder: Path, name: str) -> Path:
    """Copy a table, with a time of its own for every version: a checkout gives all the same."""
    copied = folder / name
    shutil.copytree(TABLES / name, copied)
    for commit in (copied / "_delta_log").glob("*.json"):
        moment = (NOON + dt.timedelta(minutes=int(commit.stem))).timestamp()
        os.utime(commit, (moment, moment))
    return copied


@pytest.fixture
def partner(served: Served, tmp_path: Path) -> Served:
    """A gateway that shares Spark's tables with ``demo``, their history from version 1 on."""
    for name in ("changed", "vectors", "mapped"):
        foreign.add_table(
            served.control,
            Folder(a_copy(tmp_path, name)),
            "partner",
            "x",
            name,
            level="L2",
            actor="test",
        )
        grants.grant(
            served.control,
            "demo",
            f"partner.x.{name}",
            "演示",
            grants.Reach(history_from=1),
            actor="test",
        )
    return served


def pairs(frame: Any) -> set[tuple[int, str]]:
    return {(int(r.id), str(r.street)) for r in frame.itertuples()}


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["errorCode"]


@FORMATS
@pytest.mark.parametrize("version", [1, 2, 3, 4, 7, None])
def test_the_client_travels_in_time(
    partner: Served, as_delta: dict[str, bool], version: int | None
) -> None:
    url = client_of(partner, CHANGED)
    frame = delta_sharing.load_as_pandas(url, version=version, **as_delta)
    assert pairs(frame) == STATES[7 if version is None else version]


def test_a_time_names_the_version_that_was_current_then(partner: Served) -> None:
    answer = partner.query({"timestamp": at(3)}, table=CHANGED)
    assert answer.headers["delta-table-version"] == "3"
    assert {line["file"]["version"] for line in answer.lines[2:]} == {3}
    late = dt.datetime.fromisoformat(at(4)) - dt.timedelta(seconds=1)
    metadata = partner.get(f"{CHANGED}/metadata?timestamp={late:%Y-%m-%dT%H:%M:%S}Z")
    assert metadata.headers["delta-table-version"] == "3"
    first = partner.get(f"{CHANGED}/version?startingTimestamp={late:%Y-%m-%dT%H:%M:%S}Z")
    assert first.headers["delta-table-version"] == "4"


def test_a_version_s_metadata_is_that_version_s(partner: Served) -> None:
    then, now = (partner.get(f"{CHANGED}/metadata{q}") for q in ("?version=5", ""))
    columns = [json.loads(a.lines[1]["metaData"]["schemaString"])["fields"] for a in (then, now)]
    assert [len(c) for c in columns] == [3, 4]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("query", {"version": 0}),
        ("query", {"version": 8}),
        ("query", {"startingVersion": 0}),
        ("query", {"startingVersion": 2, "endingVersion": 10}),
        ("query", {"timestamp": "2000-01-01T00:00:00-08:00"}),
        ("query", {"timestamp": "9999-01-01T00:00:00-08:00"}),
        ("query", {"timestamp": at(0)}),
        ("changes", "startingVersion=0"),
        ("changes", "startingVersion=8"),
        ("changes", "startingVersion=2&endingVersion=1"),
        ("changes", "startingVersion=1&startingTimestamp=2026-07-10T12:00:00Z"),
        ("changes", "startingVersion=1&endingVersion=3&endingTimestamp=soon"),
        ("changes", "startingTimestamp=2026-07-10"),
        ("changes", "startingTimestamp=9999-01-01T00:00:00Z"),
        ("changes", "endingVersion=3"),
        ("changes", "startingVersion=1&maxFiles=-1"),
        ("changes", "startingVersion=1&maxFiles=many"),
        ("metadata", "version=-1"),
        ("metadata", "version=1&timestamp=2026-07-10T12:00:00Z"),
    ],
)
def test_rule_10_what_no_history_holds_is_400(partner: Served, asked: str, code: Any) -> None:
    answer = (
        partner.query(code, table=CHANGED)
        if asked == "query"
        else partner.get(f"{CHANGED}/{asked}?{code}")
    )
    assert refused(answer) == (400, "INVALID_PARAMETER_VALUE")


FEED: Final = {
    *((1, "insert", *row) for row in FIRST),
    (2, "insert", 7, "s7"),
    (3, "update_preimage", 3, "s3"),
    (3, "update_postimage", 3, "moved"),
    (4, "delete", 0, "s0"),
    (4, "delete", 1, "s1"),
    (7, "insert", 9, "s9"),
}


@pytest.mark.parametrize(
    ("last", "as_delta"),
    # The client's kernel reads no range in which the schema changes.
    [(7, False), (5, False), (5, True)],
)
def test_the_client_reads_the_change_data_feed(
    partner: Served,
    last: int,
    as_delta: bool,  # noqa: FBT001 - a test's parameter
) -> None:
    frame = delta_sharing.load_table_changes_as_pandas(
        client_of(partner, CHANGED),
        starting_version=1,
        ending_version=last,
        use_delta_format=as_delta,
    )
    found = {
        (int(r["_commit_version"]), r["_change_type"], int(r["id"]), r["street"])
        for r in frame.to_dict("records")
    }
    assert found == {row for row in FEED if row[0] <= last}


@FORMATS
def test_the_feed_of_times_is_that_of_their_versions(
    partner: Served, as_delta: dict[str, bool]
) -> None:
    frame = delta_sharing.load_table_changes_as_pandas(
        client_of(partner, CHANGED),
        starting_timestamp=at(3),
        ending_timestamp=at(4),
        **as_delta,
    )
    assert {int(v) for v in frame["_commit_version"]} == {3, 4}


def test_the_feed_tells_of_moved_metadata_where_asked(partner: Served) -> None:
    plain = partner.get(f"{CHANGED}/changes?startingVersion=5")
    told = partner.get(f"{CHANGED}/changes?startingVersion=5&includeHistoricalMetadata=true")
    assert [next(iter(line)) for line in plain.lines] == ["protocol", "metaData", "add"]
    assert [line["metaData"]["version"] for line in told.lines if "metaData" in line] == [5, 6]
    assert plain.headers["delta-table-version"] == "5"


def test_a_stream_gets_what_each_version_adds_and_removes(partner: Served) -> None:
    answer = partner.query({"startingVersion": 3}, table=CHANGED)
    kinds = [(next(iter(line)), next(iter(line.values())).get("version")) for line in answer.lines]
    # Version 5 rewrites a file without a change of rows, so a stream does not hear of it.
    assert kinds == [
        ("protocol", None), ("metaData", 3), ("remove", 3), ("add", 3),
        ("remove", 4), ("add", 4), ("remove", 4), ("add", 4),
        ("metaData", 6), ("add", 7),
    ] or sorted(kinds, key=str) == sorted([
        ("protocol", None), ("metaData", 3), ("remove", 3), ("add", 3),
        ("remove", 4), ("remove", 4), ("add", 4), ("add", 4),
        ("metaData", 6), ("add", 7),
    ], key=str)  # fmt: skip
    assert [n for _, n in kinds[1:]] == sorted(n for _, n in kinds[1:])
    assert answer.headers["delta-table-version"] == "3"


@pytest.mark.parametrize("headers", [{}, AS_DELTA], ids=["parquet", "delta"])
@pytest.mark.parametrize(
    "body", [{}, {"version": 2}, {"startingVersion": 1}, {"predicateHints": ["id < 6"]}]
)
def test_pages_make_the_whole_and_repeat_their_head(
    partner: Served, headers: dict[str, str], body: dict[str, Any]
) -> None:
    whole = partner.query(body, table=CHANGED, **headers).lines
    asked, seen, heads = {**body, "maxFiles": 1}, [], set()
    while True:
        answer = partner.query(asked, table=CHANGED, **headers)
        head, lines, end = answer.text.split("\n")[:2], answer.lines[2:-1], answer.lines[-1]
        heads.add(tuple(head))
        seen += lines
        assert sum("metaData" not in line for line in lines) <= 1
        assert end["endStreamAction"]["minUrlExpirationTimestamp"]
        token = end["endStreamAction"].get("nextPageToken")
        if token is None:
            break
        asked["pageToken"] = token
    assert len(heads) == 1
    assert [_named(line) for line in seen] == [_named(line) for line in whole[2:]]


def _named(line: dict[str, Any]) -> tuple[str, Any]:
    ((kind, said),) = line.items()
    return kind, said.get("id", said.get("version"))


def test_a_page_goes_on_with_the_version_it_began_with(partner: Served) -> None:
    asked = {"maxFiles": 1}
    first = partner.query(asked)
    write_shared(partner.home, "heat__districts", districts(("110108", "海淀", 1)), mode="append")
    token = first.lines[-1]["endStreamAction"]["nextPageToken"]
    second = partner.query({**asked, "pageToken": token})
    assert second.headers["delta-table-version"] == first.headers["delta-table-version"] == "1"
    url = second.lines[2]["file"]["url"].split(str(partner.port))[1]
    assert partner.open_url(url).status == 200


def test_tokens_are_for_one_query_of_one_table(partner: Served) -> None:
    token = partner.query({"maxFiles": 1}).lines[-1]["endStreamAction"]["nextPageToken"]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"pageToken": token}, CHANGED),
        ({"pageToken": token, "limitHint": 123}, TABLE_URL),
        ({"pageToken": token[:-4] + "AAAA"}, TABLE_URL),
        ({"refreshToken": token}, TABLE_URL),
    ]
    for body, table in wrong:
        assert refused(partner.query(body, table=table)) == (400, "INVALID_PARAMETER_VALUE")


def test_a_refresh_gives_the_same_files_of_a_table_that_moved_on(partner: Served) -> None:
    first = partner.query({"includeRefreshToken": True})
    token = first.lines[-1]["endStreamAction"]["refreshToken"]
    write_shared(partner.home, "heat__districts", districts(("110108", "海淀", 1)), mode="append")
    again = partner.query({"includeRefreshToken": True, "refreshToken": token})
    assert again.text.split("\n")[:2] == first.text.split("\n")[:2]
    assert [line["file"]["id"] for line in again.lines[2:-1]] == [
        line["file"]["id"] for line in first.lines[2:-1]
    ]
    assert again.lines[-1]["endStreamAction"]["refreshToken"]


def test_history_is_shared_from_the_version_of_the_grant(served: Served) -> None:
    grants.grant(
        served.control,
        "demo",
        "heat__districts",
        "演示",
        grants.Reach(history_from=-1),
        actor="test",
    )
    assert served.query({"version": 1}).status == 200
    assert refused(served.query({"version": 0})) == (400, "INVALID_PARAMETER_VALUE")
    write_shared(served.home, "heat__districts", districts(("110108", "海淀", 1)), mode="append")
    assert served.query({"version": 1}).headers["delta-table-version"] == "1"
    assert len(served.query({"startingVersion": 2}).lines) == 3
    grants.grant(served.control, "demo", "heat__districts", "演示", actor="test")
    assert refused(served.query({"version": 1})) == (400, "UNSUPPORTED_OPERATION")


def test_history_shows_no_column_that_is_not_shared_any_more(served: Served) -> None:
    grants.grant(
        served.control,
        "demo",
        "heat__districts",
        "演示",
        grants.Reach(history_from=0),
        actor="test",
    )
    narrower = districts(("110101", "景山", 1)).drop_columns(["elders"])
    write_shared(
        served.home, "heat__districts", narrower, mode="overwrite", schema_mode="overwrite"
    )
    assert served.query({"version": 2}).status == 200
    assert refused(served.query({"version": 1})) == (400, "INVALID_PARAMETER_VALUE")
    assert refused(served.query({"startingVersion": 1})) == (400, "INVALID_PARAMETER_VALUE")


def test_deleted_rows_stay_deleted_for_who_reads_vectors(partner: Served) -> None:
    url = client_of(partner, VECTORS)
    frame = delta_sharing.load_as_pandas(url, use_delta_format=True)
    assert {int(n) for n in frame["id"]} == {1, 3, 5, 6, 7, 8, 9}
    chosen = delta_sharing.load_as_pandas(url)
    assert {int(n) for n in chosen["id"]} == {1, 3, 5, 6, 7, 8, 9}
    asked = "responseformat=delta,parquet;readerfeatures=deletionvectors"
    answer = partner.query(table=VECTORS, delta_sharing_capabilities=asked)
    assert answer.headers["delta-sharing-capabilities"] == "responseformat=delta"
    adds = [line["file"]["deltaSingleAction"]["add"] for line in answer.lines[2:]]
    (vector,) = [add["deletionVector"] for add in adds if "deletionVector" in add]
    assert (vector["storageType"], vector["cardinality"], vector["offset"]) == ("p", 3, 1)
    assert partner.open_url(vector["pathOrInlineDv"].split(str(partner.port))[1]).status == 200
    assert [json.loads(a["stats"]).get("tightBounds") for a in adds if "deletionVector" in a] == [
        False
    ]


def test_a_limit_counts_the_rows_that_are_left(partner: Served) -> None:
    asked = "responseformat=delta;readerfeatures=deletionvectors"
    lines = partner.query({"limitHint": 3}, table=VECTORS, delta_sharing_capabilities=asked).lines
    rows = 0
    for line in lines[2:-1]:
        add = line["file"]["deltaSingleAction"]["add"]
        gone = add.get("deletionVector", {}).get("cardinality", 0)
        rows += json.loads(add["stats"])["numRecords"] - gone
    assert rows < 3


@pytest.mark.parametrize("table", [VECTORS, MAPPED])
@pytest.mark.parametrize(
    "asked",
    [
        "responseformat=delta",
        "responseformat=parquet;readerfeatures=deletionvectors,columnmapping",
        "responseformat=delta;readerfeatures=timestampntz",
    ],
)
def test_rule_3_a_client_that_lacks_a_feature_is_refused(
    partner: Served, table: str, asked: str
) -> None:
    for answer in (
        partner.query(table=table, delta_sharing_capabilities=asked),
        partner.get(table + "/metadata", delta_sharing_capabilities=asked),
    ):
        assert refused(answer) == (400, "UNSUPPORTED_OPERATION")
        assert "Unsupported Delta Table Properties" in answer.json()["message"]


def test_mapped_columns_are_read_by_their_names(partner: Served) -> None:
    frame = delta_sharing.load_as_pandas(client_of(partner, MAPPED), use_delta_format=True)
    assert sorted(frame.columns) == ["day", "id", "road", "secret"]
    assert {(int(r.id), r.road, str(r.day)) for r in frame.itertuples()} == {
        (n, f"s{n}", "2026-07-01") for n in range(3)
    }


def test_a_dropped_column_is_still_in_the_files_so_the_table_is_not_shared(
    served: Served, tmp_path: Path
) -> None:
    folder = a_copy(tmp_path, "dropped")
    with pytest.raises(NotServedError, match="outside the schema"):
        foreign.add_table(
            served.control, Folder(folder), "partner", "x", "d", level="L1", actor="test"
        )


def test_untagged_columns_need_a_person_s_word(served: Served, tmp_path: Path) -> None:
    folder = a_copy(tmp_path, "changed")
    with pytest.raises(NotServedError, match="above L2"):
        foreign.add_table(
            served.control, Folder(folder), "partner", "x", "t", level=None, actor="test"
        )
    foreign.add_table(served.control, Folder(folder), "partner", "x", "t", level="L1", actor="test")
    with pytest.raises(UsageError, match="shared already"):
        foreign.add_table(
            served.control, Folder(folder), "PARTNER", "X", "T", level="L1", actor="test"
        )


@pytest.mark.parametrize(
    ("share", "schema", "table"),
    [
        ("jingshu", "x", "t"),
        ("JingShu", "x", "t"),
        ("a b", "x", "t"),
        ("a", "x.y", "t"),
        ("a", "x", ""),
    ],
)
def test_names_that_cannot_be_are_refused(
    served: Served, tmp_path: Path, share: str, schema: str, table: str
) -> None:
    with pytest.raises(UsageError):
        foreign.add_table(
            served.control,
            Folder(a_copy(tmp_path, "changed")),
            share,
            schema,
            table,
            level="L1",
            actor="t",
        )


def test_a_table_of_this_lake_is_shared_by_a_policy_alone(served: Served, tmp_path: Path) -> None:
    inside = write_shared(served.home, "secret__x", districts(("110101", "景山", 1), level="L4"))
    link = tmp_path / "link"
    link.symlink_to(inside)
    for folder in (inside, link, served.home.root, served.home.root.parent):
        with pytest.raises(UsageError, match="belongs to this city"):
            foreign.add_table(
                served.control, Folder(folder), "p", "x", "t", level="L1", actor="test"
            )


def test_a_removed_table_is_404_and_can_be_added_again(partner: Served, tmp_path: Path) -> None:
    assert partner.get(CHANGED + "/version").status == 200
    foreign.remove_table(partner.control, "partner.x.changed", actor="test")
    assert partner.get(CHANGED + "/version").status == 404
    listed = partner.get("/delta-sharing/shares/partner/all-tables").json()["items"]
    assert [t["name"] for t in listed] == ["mapped", "vectors"]
    foreign.add_table(
        partner.control,
        Folder(tmp_path / "changed"),
        "partner",
        "x",
        "changed",
        level="L2",
        actor="test",
    )
    assert partner.get(CHANGED + "/version").status == 200
    with pytest.raises(UsageError, match="of this city"):
        foreign.remove_table(partner.control, "heat__districts", actor="test")


def test_two_shares_may_call_a_table_the_same(partner: Served, tmp_path: Path) -> None:
    folder = a_copy(tmp_path / "other", "changed")
    foreign.add_table(
        partner.control, Folder(folder), "elsewhere", "x", "changed", level="L2", actor="test"
    )
    other = CHANGED.replace("partner", "elsewhere")
    assert partner.get(other + "/version").status == 404
    grants.grant(partner.control, "demo", "elsewhere.x.changed", "演示", actor="test")
    assert partner.get(other + "/version").status == 200
    assert refused(partner.query({"version": 2}, table=other)) == (400, "UNSUPPORTED_OPERATION")
    grants.revoke(partner.control, "demo", "partner.x.changed", actor="test")
    assert [partner.get(t + "/version").status for t in (CHANGED, other)] == [404, 200]


def test_a_vacuumed_version_is_refused_in_words(partner: Served, tmp_path: Path) -> None:
    then = partner.query({"version": 1}, table=CHANGED).lines[2:]
    for file in (tmp_path / "changed").rglob("*.parquet"):
        if file.stat().st_size in {line["file"]["size"] for line in then}:
            file.unlink()
    assert partner.query({"version": 1}, table=CHANGED).status == 404
    assert partner.get(f"{CHANGED}/changes?startingVersion=1").status == 400
    assert partner.query(table=CHANGED).status in (200, 404)


def test_a_link_in_place_of_the_folder_opens_nothing_of_this_lake(
    partner: Served, tmp_path: Path
) -> None:
    inside = write_shared(partner.home, "secret__x", districts(("110101", "景山", 1)))
    shutil.rmtree(tmp_path / "changed")
    (tmp_path / "changed").symlink_to(inside)
    assert partner.get(CHANGED + "/version").status == 404
