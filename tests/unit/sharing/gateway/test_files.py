"""The file endpoint: what a signed URL opens, to whom, for how long, in which parts."""

from __future__ import annotations

import json
import socket
import time
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from contracts.errors import UsageError
from sharing.gateway.serving import GATEWAY
from sharing.gateway.signing import FileClaim
from sharing.gateway.urls import DEFAULT_LIFE_S, LEAST_LIFE_S, LIFE, MOST_LIFE_S
from sharing.grants import grants, recipients
from sharing.serving import build_server
from tests.support.sharing.served import TABLE, TABLE_URL, districts, serving, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    from sharing.control import Control
    from tests.support.sharing.served import Answer, Served


def claim_of(url: str) -> FileClaim:
    _, _, recipient, table, version, file_id = urlsplit(url).path.split("/")
    return FileClaim(recipient, table, int(version), file_id)


def is_refused(answer: Answer, status: int, code: str) -> bool:
    return (answer.status, answer.json()["errorCode"]) == (status, code)


def test_a_signed_url_opens_the_parquet_file(standing: Served) -> None:
    tables = [pq.read_table(BytesIO(standing.open_url(u).body)) for u in standing.file_urls()]
    assert sorted(row["street"] for t in tables for row in t.to_pylist()) == [
        "东华门", "建外", "景山"
    ]  # fmt: skip


def test_rule_7_ranges_are_206_and_head_states_the_size(standing: Served) -> None:
    url = standing.file_urls()[0]
    whole = standing.open_url(url)
    size = len(whole.body)
    head = standing.open_url(url, "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(size), b"")
    assert head.headers["accept-ranges"] == "bytes"
    for asked, part in {
        "bytes=0-3": whole.body[:4],
        "bytes=4-": whole.body[4:],
        "bytes=-8": whole.body[-8:],
        f"bytes=10-{size + 100}": whole.body[10:],
        f"bytes=-{size + 100}": whole.body,
    }.items():
        answer = standing.open_url(url, range=asked)
        assert (answer.status, answer.body) == (206, part)
        start = size - len(part) if asked != "bytes=0-3" else 0
        end = start + len(part) - 1
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{size}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=", "lines=1-2", "bytes=a-b", "bytes=--1"]
)
def test_a_range_that_is_not_one_gets_the_whole_file(standing: Served, asked: str) -> None:
    url = standing.file_urls()[0]
    answer = standing.open_url(url, range=asked)
    assert (answer.status, answer.body) == (200, standing.open_url(url).body)


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=5-4", "bytes=-0"])
def test_a_range_behind_the_end_is_416(standing: Served, asked: str) -> None:
    url = standing.file_urls()[0]
    answer = standing.open_url(url, range=asked)
    assert is_refused(answer, 416, "INVALID_PARAMETER_VALUE")
    size = standing.open_url(url, "HEAD").headers["content-length"]
    assert answer.headers["content-range"] == f"bytes */{size}"


def test_rule_7_sizes_in_answers_are_the_files_own(standing: Served) -> None:
    for line in standing.query().lines[2:]:
        parts = urlsplit(line["file"]["url"])
        answer = standing.open_url(f"{parts.path}?{parts.query}")
        assert len(answer.body) == line["file"]["size"]


def test_urls_live_an_hour_and_say_so(standing: Served) -> None:
    before = time.time()
    line = standing.query().lines[-1]["file"]
    expiry_s = int(parse_qs(urlsplit(line["url"]).query)["se"][0])
    claim = claim_of(line["url"])
    query = urlsplit(line["url"]).query
    assert line["expirationTimestamp"] == expiry_s * 1000
    assert standing.signer.check(claim, query, expiry_s - 1) == "good"
    assert standing.signer.check(claim, query, expiry_s) == "expired"
    assert standing.signer.check(claim, query, expiry_s - MOST_LIFE_S - 1) == "expired"
    assert before - 1 <= expiry_s - DEFAULT_LIFE_S <= time.time()


@pytest.mark.parametrize("life_s", [LEAST_LIFE_S, MOST_LIFE_S])
def test_how_long_urls_live_is_configuration(
    control: Control, monkeypatch: pytest.MonkeyPatch, life_s: int
) -> None:
    monkeypatch.setenv(LIFE, str(life_s))
    with serving(control) as served:
        end = served.query(
            delta_sharing_capabilities="responseformat=parquet;includeendstreamaction=true"
        ).lines[-1]["endStreamAction"]["minUrlExpirationTimestamp"]
        (url, *_) = served.file_urls()
        left_s = int(parse_qs(urlsplit(url).query)["se"][0]) - time.time()
        assert end / 1000 - time.time() == pytest.approx(life_s, abs=60)
        # Spark's client takes what ends within 15 minutes for URLs that live an hour.
        assert left_s == pytest.approx(life_s, abs=60)
        assert left_s > 900
        assert served.open_url(url).status == 200
        grants.revoke(served.control, "demo", actor="test")
        assert is_refused(served.open_url(url), 404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("life", ["0", "900", "1e3", "99999999999", "-1", "１２００", "86401"])
def test_a_life_that_clients_cannot_use_stops_the_gateway(
    control: Control, monkeypatch: pytest.MonkeyPatch, life: str
) -> None:
    monkeypatch.setenv(LIFE, life)
    with pytest.raises(UsageError, match=LIFE):
        build_server(GATEWAY, control, 1)


def test_an_expired_url_is_403(standing: Served) -> None:
    claim = claim_of(standing.file_urls()[0])
    answer = standing.open_url(standing.sign(claim, expires_in_s=-1))
    assert is_refused(answer, 403, "PERMISSION_DENIED")


def test_a_url_that_would_live_too_long_is_403(standing: Served) -> None:
    claim = claim_of(standing.file_urls()[0])
    assert standing.open_url(standing.sign(claim, expires_in_s=MOST_LIFE_S + 60)).status == 403


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/demo/", "/other/"),
        (f"/{TABLE}/", "/secret__plan/"),
        ("/1/", "/0/"),
        ("sp=r", "sp=w"),
        ("sp=r&", ""),
        ("sp=r&", "sp=r&sp=r&"),
        ("sp=r&", "sp=r&x=1&"),
        ("se=1", "se=2"),
        ("se=", "se=0"),
        ("se=", "se=%2B"),
        ("sig=", "sig=0"),
        ("&sig=", "&sig=&"),
        ("?", "?&&&&"),
    ],
)
def test_a_tampered_url_is_403(standing: Served, old: str, new: str) -> None:
    url = standing.file_urls()[0]
    assert old in url
    answer = standing.open_url(url.replace(old, new, 1))
    assert is_refused(answer, 403, "PERMISSION_DENIED")


def test_a_url_without_a_query_is_403(standing: Served) -> None:
    assert standing.open_url(standing.file_urls()[0].split("?")[0]).status == 403


def test_a_url_with_another_recipients_token_is_403(served: Served) -> None:
    recipients.create_recipient(served.control, "other", "test")
    token = recipients.issue_profile(served.control, "other").token
    url = served.file_urls()[0]
    assert served.get(url, token=token).status == 403
    assert served.get(url, token="unknown").status == 401
    assert served.get(url).status == 200


def test_a_signed_claim_of_an_ungranted_recipient_is_404(served: Served) -> None:
    recipients.create_recipient(served.control, "other", "test")
    claim = claim_of(served.file_urls()[0])
    foreign = FileClaim("other", claim.table, claim.version, claim.file_id)
    answer = served.open_url(served.sign(foreign))
    assert is_refused(answer, 404, "RESOURCE_DOES_NOT_EXIST")


def test_a_url_is_404_once_its_grant_is_revoked(served: Served) -> None:
    url = served.file_urls()[0]
    grants.revoke(served.control, "demo", actor="test")
    assert is_refused(served.open_url(url), 404, "RESOURCE_DOES_NOT_EXIST")


def test_a_url_of_an_older_version_is_good_until_it_expires(served: Served) -> None:
    urls = served.file_urls()
    write_shared(served.home, TABLE, districts(("110108", "中关村", 9)), mode="overwrite")
    assert [served.open_url(u).status for u in urls] == [200, 200]
    assert served.query().headers["delta-table-version"] == "2"


def test_a_url_is_404_once_the_table_may_not_be_shared(served: Served) -> None:
    urls = served.file_urls()
    raised = districts(("110108", "中关村", 9), level="L3")
    write_shared(served.home, TABLE, raised, mode="overwrite", schema_mode="overwrite")
    assert [served.open_url(u).status for u in urls] == [404, 404]


def test_only_files_of_the_named_version_are_served(served: Served) -> None:
    first, second = (claim_of(u) for u in served.file_urls())
    of_version_0 = [
        served.open_url(served.sign(FileClaim("demo", TABLE, 0, c.file_id))).status
        for c in (first, second)
    ]
    assert sorted(of_version_0) == [200, 404]
    for version in (2, 10**30):
        claim = FileClaim("demo", TABLE, version, first.file_id)
        assert served.open_url(served.sign(claim)).status == 404


@pytest.mark.parametrize(
    "file_id",
    [
        "../../../../control.db",
        "..%2f..%2fcontrol.db",
        "%2e%2e/%2e%2e/keys/gateway-url.key",
        "_delta_log/00000000000000000000.json",
        "/etc/passwd",
        "",
    ],
)
def test_a_path_in_a_url_leads_nowhere_even_if_it_is_signed(standing: Served, file_id: str) -> None:
    url = standing.sign(FileClaim("demo", TABLE, 1, file_id))
    with socket.create_connection(("127.0.0.1", standing.port), timeout=30) as raw:
        raw.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert answer.split(b" ")[1] in (b"403", b"404")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["errorCode"]


def test_a_file_that_changed_on_disk_is_not_served(served: Served) -> None:
    url = served.file_urls()[0]
    for file in served.home.table("shared", TABLE).glob("*.parquet"):
        file.write_bytes(file.read_bytes() + b" ")
    assert served.open_url(url).status == 404
    assert served.get(TABLE_URL + "/metadata").status == 404


def test_a_file_that_is_gone_is_404(served: Served) -> None:
    url = served.file_urls()[0]
    for file in served.home.table("shared", TABLE).glob("*.parquet"):
        file.unlink()
    assert served.open_url(url).status == 404


def test_polars_and_duckdb_read_what_is_handed_out(standing: Served, tmp_path: Path) -> None:
    lines = standing.query().lines[2:]
    frame = pl.concat([pl.scan_parquet(line["file"]["url"]) for line in lines]).collect()
    assert sorted(frame["district"]) == ["110101", "110101", "110105"]
    for line in lines:
        path = line["file"]["url"].split(str(standing.port), 1)[1]
        (tmp_path / f"{line['file']['id']}.parquet").write_bytes(standing.open_url(path).body)
    read = duckdb.sql(f"SELECT sum(elders) FROM read_parquet('{tmp_path}/*.parquet')")
    assert read.fetchall() == [(frame["elders"].sum(),)] == [(150,)]
