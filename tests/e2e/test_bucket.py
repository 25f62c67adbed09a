"""Tables in a bucket of a real S3 store, read by the released client from pre-signed URLs.

Marked ``full``: versitygw is built by Go; without it they fail, and say what is missing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import delta_sharing
import duckdb
import obstore
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from deltalake import write_deltalake
from obstore.store import S3Store

from contracts.layout import ROOT, Home
from contracts.words import Words
from infra.stack.gobuild import GoProgram
from infra.stack.processes import free_port, is_listening
from sharing.control import Control
from sharing.gateway.urls import BUCKETS, DEFAULT_LIFE_S
from sharing.grants import grants, recipients
from sharing.tables import foreign
from sharing.tables.ceiling import NotServedError
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Bucket, storage_of
from tests.support.gateways import PATIENCE_S, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from tests.support.gateways import Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.full]

VERSITYGW: Final = GoProgram(
    "versitygw",
    "github.com/versity/versitygw/cmd/versitygw",
    "v1.8.0",
    Words("存储桶测试", "A test of buckets"),
)
BUCKET: Final = "office"
TABLES: Final = Path(__file__).parents[1] / "support" / "sharing" / "delta"
#: What S3 allows in a key and a URL must escape.
AWKWARD: Final = "统计 局/a+b=c"
in_each_format = pytest.mark.parametrize("is_delta", [False, True], ids=["parquet", "delta"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an S3 store with one bucket; its address and keys are in the environment."""
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    (folder / "data" / BUCKET).mkdir(parents=True)
    endpoint = f"http://127.0.0.1:{port}"
    command = [str(VERSITYGW.path()), "--port", f"127.0.0.1:{port}", "posix", str(folder / "data")]
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("wb") as log:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "jingshu",
            "AWS_SECRET_ACCESS_KEY": "only-for-this-test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            BUCKETS: "presigned",
            "ROOT_ACCESS_KEY": "jingshu",
            "ROOT_SECRET_KEY": "only-for-this-test",
        }.items():
            patch.setenv(name, value)
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not is_listening(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield endpoint
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def city(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("city")
    home = Home(folder / "home")
    home.root.mkdir()
    (folder / "contracts").mkdir()
    with running_gateway(home, folder / "contracts") as gateway:
        yield gateway


@dataclass(frozen=True)
class Granted:
    """A table in the bucket, shared and granted, and the profile of its recipient."""

    city: Gateway
    control: Control
    table: str
    recipient: str
    profile: Path

    def read(self, *, is_delta: bool, **options: int) -> pd.DataFrame:
        url = f"{self.profile}#{self.table}"
        frame: pd.DataFrame = delta_sharing.load_as_pandas(
            url, use_delta_format=is_delta, **options
        )
        return frame

    def urls(self) -> list[str]:
        """Query as a client does; return the files' URLs."""
        profile = delta_sharing.protocol.DeltaSharingProfile.read_from_file(str(self.profile))
        share, schema, table = self.table.split(".")
        address = f"{profile.endpoint}/shares/{share}/schemas/{schema}/tables/{table}/query"
        answer = requests.post(
            address, json={}, headers={"Authorization": f"Bearer {profile.bearer_token}"}, timeout=9
        )
        answer.raise_for_status()
        lines = [json.loads(line) for line in answer.text.splitlines()]
        return [line["file"]["url"] for line in lines if "file" in line]


@pytest.fixture
def control(city: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    for name in ("JINGSHU_GATEWAY_PORT", "JINGSHU_CONTRACTS"):
        monkeypatch.setenv(name, city.environment[name])
    with Control(city.home) as opened:
        yield opened


@pytest.fixture
def granted(city: Gateway, control: Control, tmp_path: Path) -> Granted:
    return grant_table(city, control, tmp_path, "written", AWKWARD)


def grant_table(city: Gateway, control: Control, folder: Path, name: str, prefix: str) -> Granted:
    """Share ``s3://office/PREFIX``, where delta-rs writes two versions unless a table is there."""
    where = storage_of(f"s3://{BUCKET}/{prefix}")
    if not [*where.names("_delta_log")]:
        for street in ("长安 街", "前门"):
            data = pa.table({"street": [street] * 3, "elders": [1, 2, None]})
            write_deltalake(where.uri, data, mode="append", partition_by=["street"])
    schema = f"x{time.time_ns()}"
    foreign.add_table(control, where, "partner", schema, name, level="L2", actor="test")
    recipient, table = f"{name}-{schema}", f"partner.{schema}.{name}"
    grants.grant(
        control, recipient, table, "存储桶测试", grants.Reach(history_from=0), actor="test"
    )
    profile = folder / "demo.share"
    recipients.write_profile(recipients.issue_profile(control, recipient), profile)
    return Granted(city, control, table, recipient, profile)


def put(table: str, prefix: str) -> None:
    """Copy one of the tables that Spark wrote into the bucket."""
    store, root = S3Store(BUCKET, prefix=prefix), TABLES / table
    for file in sorted(p for p in root.rglob("*") if p.is_file()):
        obstore.put(store, str(file.relative_to(root)), file)


@in_each_format
def test_a_table_in_a_bucket_is_read_as_one_in_a_folder(
    granted: Granted, *, is_delta: bool
) -> None:
    now, before = granted.read(is_delta=is_delta), granted.read(is_delta=is_delta, version=0)
    assert (len(now), len(before)) == (6, 3)
    assert set(now["street"]) == {"长安 街", "前门"}
    assert now["elders"].isna().sum() == 2
    assert len(granted.read(is_delta=is_delta, limit=2)) == 2


def test_deletion_vectors_and_the_feed_come_from_the_bucket(
    city: Gateway, control: Control, tmp_path: Path
) -> None:
    for name in ("vectors", "changed", "mapped"):
        put(name, f"spark/{name}")
    vectors = grant_table(city, control, tmp_path, "vectors", "spark/vectors")
    assert sorted(vectors.read(is_delta=True)["id"]) == [1, 3, 5, 6, 7, 8, 9]
    mapped = grant_table(city, control, tmp_path, "mapped", "spark/mapped")
    assert sorted(mapped.read(is_delta=True)["road"]) == ["s0", "s1", "s2"]
    changed = grant_table(city, control, tmp_path, "changed", "spark/changed")
    url = f"{changed.profile}#{changed.table}"
    feed = delta_sharing.load_table_changes_as_pandas(url, starting_version=1, ending_version=5)
    assert sorted(feed[feed["_change_type"] == "delete"]["id"]) == [0, 1]


def test_urls_are_the_store_s_own_short_lived_and_read_one_file(
    granted: Granted, store: str
) -> None:
    for url in granted.urls():
        assert url.startswith(f"{store}/{BUCKET}/")
        said = parse_qs(urlsplit(url).query)
        assert 1 <= int(said["X-Amz-Expires"][0]) <= DEFAULT_LIFE_S
        assert requests.get(url, timeout=9, headers={"Range": "bytes=0-3"}).content == b"PAR1"
        for method in ("PUT", "DELETE"):
            assert requests.request(method, url, data=b"x", timeout=9).status_code == 403
        other = url.replace("part-", "../_delta_log/part-", 1)
        assert requests.get(other, timeout=9).status_code >= 400
    url = granted.urls()[0]
    assert pl.read_parquet(requests.get(url, timeout=9).content).height == 3
    assert "only-for-this-test" not in granted.city.log


def test_revoked_means_no_further_url_and_the_old_ones_end(granted: Granted) -> None:
    assert granted.urls()
    grants.revoke(granted.control, granted.recipient, granted.table, actor="test")
    with pytest.raises(requests.HTTPError, match="404"):
        granted.urls()
    where = storage_of(f"s3://{BUCKET}/{AWKWARD}")
    assert isinstance(where, Bucket)
    (file, *_) = read_snapshot(where, foreign="L2").files()
    url = where.sign(file.key, 1)
    assert requests.get(url, timeout=9).status_code == 200
    time.sleep(2.1)
    assert requests.get(url, timeout=9).status_code == 403


def revoke(granted: Granted) -> str:
    """Run ``./jingshu share revoke`` beside the gateway; return what it prints."""
    command = [sys.executable, "-m", "cli", "share", "revoke", granted.recipient, granted.table]
    done = subprocess.run(
        command, cwd=ROOT, env=granted.city.environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_revoke_says_how_long_the_store_s_own_urls_still_work(granted: Granted) -> None:
    (url, *_) = granted.urls()
    told = revoke(granted)
    assert "最多还能用 60 分钟" in told
    assert f"work for up to 60 minutes more: {granted.table}" in told
    assert requests.get(url, timeout=9).status_code == 200


@in_each_format
def test_by_default_a_revoked_table_s_urls_end_at_once(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_delta: bool
) -> None:
    monkeypatch.delenv(BUCKETS)
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (tmp_path / "contracts").mkdir()
    with running_gateway(home, tmp_path / "contracts") as gateway, Control(home) as control:
        for name in ("JINGSHU_GATEWAY_PORT", "JINGSHU_CONTRACTS"):
            monkeypatch.setenv(name, gateway.environment[name])
        granted = grant_table(gateway, control, tmp_path, "through", "through")
        assert len(granted.read(is_delta=is_delta)) == 6
        (url, *_) = granted.urls()
        assert not url.startswith(store)
        assert requests.get(url, timeout=9).content[:4] == b"PAR1"
        assert "minutes" not in revoke(granted)
        assert requests.get(url, timeout=9).status_code == 404


@in_each_format
def test_where_networks_count_the_gateway_looks_first(granted: Granted, *, is_delta: bool) -> None:
    recipients.set_networks(granted.control, granted.recipient, ["127.0.0.0/8"])
    (url, *_) = granted.urls()
    port = granted.city.environment["JINGSHU_GATEWAY_PORT"]
    assert urlsplit(url).port == int(port)
    moved = requests.get(url, timeout=9, allow_redirects=False)
    assert moved.status_code == 307
    assert int(parse_qs(urlsplit(moved.headers["Location"]).query)["X-Amz-Expires"][0]) <= 30
    assert requests.head(url, timeout=9, allow_redirects=True).status_code == 200
    assert len(granted.read(is_delta=is_delta)) == 6
    recipients.set_networks(granted.control, granted.recipient, ["192.0.2.0/24"])
    assert requests.get(url, timeout=9).status_code == 403


def test_a_file_that_is_gone_or_cut_is_not_served(
    city: Gateway, control: Control, tmp_path: Path
) -> None:
    granted = grant_table(city, control, tmp_path, "cut", "cut")
    bucket = S3Store(BUCKET, prefix="cut")
    data = [o["path"] for page in obstore.list(bucket) for o in page]
    first = next(path for path in data if path.endswith(".parquet"))
    obstore.put(bucket, first, b"PAR1 cut")
    # The gateway has not looked at it yet; whoever had would look at it no more.
    with pytest.raises(requests.HTTPError, match="404"):
        granted.urls()
    assert "the log says" in granted.city.log


@pytest.mark.parametrize(
    "path", ["../written/x.parquet", "s3://office/x.parquet", "a/../../x.parquet", "_delta_log/x"]
)
def test_a_log_that_names_a_file_elsewhere_is_refused(store: str, path: str) -> None:
    prefix = f"hostile/{abs(hash(path))}"
    where = storage_of(f"s3://{BUCKET}/{prefix}")
    write_deltalake(where.uri, pa.table({"a": [1]}))
    bucket = S3Store(BUCKET, prefix=prefix)
    commit = "_delta_log/00000000000000000000.json"
    text = bytes(obstore.get(bucket, commit).bytes()).decode()
    name = text.partition('"path":"')[2].partition('"')[0]
    obstore.put(bucket, commit, text.replace(name, path).encode())
    with pytest.raises(NotServedError, match="outside the table"):
        read_snapshot(where, foreign="L2").files()


def test_a_column_above_the_ceiling_or_hidden_stays_in_the_bucket(
    control: Control, store: str
) -> None:
    where = storage_of(f"s3://{BUCKET}/tagged")
    schema = pa.schema([pa.field("a", pa.int64(), metadata={"jingshu.level": "L3"})])
    write_deltalake(where.uri, pa.table({"a": [1]}, schema=schema))
    with pytest.raises(NotServedError, match="above L2"):
        foreign.add_table(control, where, "partner", "x", "tagged", level="L2", actor="test")
    put("dropped", "spark/dropped")
    dropped = storage_of(f"s3://{BUCKET}/spark/dropped")
    with pytest.raises(NotServedError, match="outside the schema"):
        foreign.add_table(control, dropped, "partner", "x", "dropped", level="L2", actor="test")


def test_a_long_footer_is_read_whole(store: str) -> None:
    names = [f"column_{n:05}" for n in range(2_000)]
    where = storage_of(f"s3://{BUCKET}/wide")
    write_deltalake(where.uri, pa.table({name: [1] for name in names}))
    (file,) = read_snapshot(where, foreign="L2").files()
    assert file.size_bytes > 64 << 10
    assert where.columns(file.key) == set(names)


@pytest.mark.parametrize(
    ("where", "variable"),
    [("s3://office/none", None), ("s3://nobody/x", None), ("s3://office/wide", "wrong")],
)
def test_what_is_not_there_or_not_ours_is_refused_in_words(
    city: Gateway, control: Control, monkeypatch: pytest.MonkeyPatch, where: str, variable: str
) -> None:
    from sharing.tables import storage

    if variable:
        storage._open.cache_clear()
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", variable)
    try:
        with pytest.raises(NotServedError):
            foreign.add_table(
                control, storage_of(where), "partner", "x", "none", level="L2", actor="test"
            )
    finally:
        storage._open.cache_clear()


def test_duckdb_reads_what_a_url_hands_out(granted: Granted, tmp_path: Path) -> None:
    for n, url in enumerate(granted.urls()):
        (tmp_path / f"{n}.parquet").write_bytes(requests.get(url, timeout=9).content)
    rows = duckdb.sql(f"SELECT count(*), sum(elders) FROM '{tmp_path}/*.parquet'").fetchall()
    assert rows == [(6, 6)]
    assert pq.read_schema(tmp_path / "0.parquet").names == ["elders"]
