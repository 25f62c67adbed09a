"""Where a table's files lie: which addresses are taken, and that no name leads out of a table."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from sharing.tables.ceiling import NotServedError
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Bucket, Folder, OutsideError, storage_of


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example.org")
    return Bucket("office", "t")


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("some/folder", Folder(Path("some/folder"))),
        ("/a/b", Folder(Path("/a/b"))),
        ("s3://office/a/b", Bucket("office", "a/b")),
        ("s3://office/a/b/", Bucket("office", "a/b")),
        ("s3://my.office-1/表 1", Bucket("my.office-1", "表 1")),
    ],
)
def test_addresses_are_read_and_written_alike(text: str, storage: Folder | Bucket) -> None:
    assert storage_of(text) == storage
    assert storage_of(storage.address) == storage


@pytest.mark.parametrize(
    "text",
    [
        "s3://office",
        "s3://office/",
        "s3://office/../x",
        "s3://office/a//b",
        "s3://Office/a",
        "s3://a/b",
        "s3://user:word@office/a",
        "https://store.example.org/office/a",
        "file:///etc",
        "s3a://office/a",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        storage_of(text)


HOSTILE = ["../x", "a/../../x", "_delta_log/x", "s3://office/x", "/etc/passwd", "a//b", "./x", ""]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_a_bucket_s_prefix(bucket: Bucket, name: str) -> None:
    with pytest.raises(OutsideError):
        bucket.locate(name)


@given(name=st.text(alphabet="ab./_:%é ", max_size=20))
def test_what_is_located_in_a_bucket_is_a_plain_path(name: str) -> None:
    try:
        key = Bucket("office", "t").locate(name)
    except OutsideError:
        return
    assert {"", ".", ".."}.isdisjoint(key.split("/"))


def test_a_store_that_is_down_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        with pytest.raises(NotServedError, match="s3://down/t cannot be reached") as refused:
            read_snapshot(Bucket("down", "t"), foreign="L2")
    assert "max_retries: 2" in str(refused.value.__cause__)
    assert "onnect" in str(refused.value.__cause__)  # it was asked: no fault of the request's own


def test_a_signed_url_reads_one_object_for_so_long(bucket: Bucket) -> None:
    url = urlsplit(bucket.sign("d=1/a b.parquet", 300))
    said = parse_qs(url.query)
    assert url.netloc == "store.example.org"
    assert url.path == "/office/t/d%3D1/a%20b.parquet"
    assert said["X-Amz-Expires"] == ["300"]
    assert (
        said["X-Amz-Signature"]
        != parse_qs(urlsplit(bucket.sign("other", 300)).query)["X-Amz-Signature"]
    )
