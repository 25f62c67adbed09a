"""A read goes on while the table moves under it: VACUUM, a new version, a new token, an old URL."""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable

from sharing.gateway.urls import DEFAULT_LIFE_S
from sharing.grants import grants, recipients
from tests.support.sharing.served import TABLE, TABLE_URL, column, districts, write_shared

if TYPE_CHECKING:
    import pytest

    from tests.support.sharing.served import Served

LARGE = "large__x"


def overwrite(served: Served) -> DeltaTable:
    write_shared(served.home, TABLE, districts(("110108", "海淀", 1)), mode="overwrite")
    return DeltaTable(served.home.table("shared", TABLE))


def test_a_new_version_leaves_signed_urls_good(served: Served) -> None:
    urls = served.file_urls()
    overwrite(served)
    assert [served.open_url(url).status for url in urls] == [200, 200]
    assert served.query().headers["delta-table-version"] == "2"


def test_vacuum_keeps_what_was_current_within_its_retention(served: Served) -> None:
    urls = served.file_urls()
    overwrite(served).vacuum(dry_run=False)
    assert [served.open_url(url).status for url in urls] == [200, 200]


def test_a_vacuum_that_keeps_nothing_ends_old_urls_and_no_new_read(served: Served) -> None:
    urls = served.file_urls()
    table = overwrite(served)
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert [served.open_url(url).status for url in urls] == [404, 404]
    assert [served.open_url(url).status for url in served.file_urls()] == [200]


def test_a_file_that_is_being_read_is_read_to_its_end(served: Served) -> None:
    noise = pa.array(np.random.default_rng(1).integers(0, 1 << 60, 4_000_000))
    data = pa.table([noise], schema=pa.schema([column("n", pa.int64(), "L1")]))
    folder = write_shared(served.home, LARGE, data)
    grants.grant(served.control, "demo", LARGE, "演示", actor="test")
    line = served.query(table=TABLE_URL.replace(TABLE, LARGE)).lines[2]["file"]
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as reading:
        reading.request("GET", line["url"].split(str(served.port), 1)[1])
        answer = reading.getresponse()
        read = answer.read(1000)
        for file in folder.rglob("*.parquet"):
            file.unlink()
        assert len(read) + len(answer.read()) == line["size"] > 10_000_000


def test_a_new_token_leaves_the_old_one_its_grace(served: Served) -> None:
    token = recipients.issue_profile(served.control, "demo").token
    assert [served.get(TABLE_URL + "/version", token=t).status for t in ("demo", token)] == [
        200,
        200,
    ]


def test_an_expired_url_is_had_anew_for_the_same_version(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = served.query({"includeRefreshToken": True})
    token = first.lines[-1]["endStreamAction"]["refreshToken"]
    urls = [line["file"]["url"].split(str(served.port), 1)[1] for line in first.lines[2:-1]]
    overwrite(served)
    now = time.time() + DEFAULT_LIFE_S + 1
    monkeypatch.setattr("sharing.gateway.rights.time.time", lambda: now)
    assert [served.open_url(url).status for url in urls] == [403, 403]
    again = served.query({"includeRefreshToken": True, "refreshToken": token})
    assert again.headers["delta-table-version"] == "1"
    fresh = [line["file"]["url"].split(str(served.port), 1)[1] for line in again.lines[2:-1]]
    assert [served.open_url(url).status for url in fresh] == [200, 200]
