"""The released delta-sharing client reads what ``./jingshu share`` granted, from a real process."""

from __future__ import annotations

import datetime as dt
import json
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import delta_sharing
import pandas as pd
import pyarrow as pa
import pytest
from delta_sharing.protocol import Table
from deltalake import write_deltalake
from requests import HTTPError

from contracts.layout import ROOT, Home
from sharing.control import Control
from sharing.grants import grants, recipients
from tests.support.gateways import PATIENCE_S, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.gateways import Gateway

SHARED = "jingshu.city"
ROWS = 5
#: What the client asks for, as it spells it; ``either`` lets the server choose.
FORMATS = {"parquet": False, "delta": True, "either": None}
in_each_format = pytest.mark.parametrize("response_format", FORMATS)


def share(gateway: Gateway, *arguments: str) -> str:
    """Run ``./jingshu share`` as a process of its own."""
    command = [sys.executable, "-m", "cli", "share", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=gateway.environment, check=True, capture_output=True, text=True
    )
    return done.stdout


@dataclass(frozen=True)
class Granted:
    """A shared table of a test's own, and the profile file of the recipient it is granted to."""

    city: Gateway
    name: str
    profile: Path

    @property
    def url(self) -> str:
        return f"{self.profile}#{SHARED}.{self.name}"

    @property
    def folder(self) -> Path:
        return self.city.home.table("shared", self.name)

    def read(self, response_format: str = "either", **options: int) -> pd.DataFrame:
        frame: pd.DataFrame = delta_sharing.load_as_pandas(
            self.url, use_delta_format=FORMATS[response_format], **options
        )
        return frame


def readiness() -> pa.Table:
    """A table with each type a recipient meets, a null in every column, and partitions."""
    columns = {
        "district": (pa.string(), ["东城", "朝阳", "朝阳", None, "东城"]),
        "day": (pa.date32(), [dt.date(2026, 7, d) for d in (13, 14, 15, 16)] + [None]),
        "elders": (pa.int64(), [120, 30, None, 25, 77]),
        "supply_ratio": (pa.float64(), [0.5, None, 1.25, 2.0, 0.0]),
        "is_ready": (pa.bool_(), [True, False, None, True, True]),
        "phone": (pa.string(), ["138****0000", None, "", "139****1111", "电话"]),
        "checked_at": (
            pa.timestamp("us", "UTC"),
            [dt.datetime(2026, 7, 15, h, 30, tzinfo=dt.UTC) for h in range(4)] + [None],
        ),
    }
    schema = pa.schema(
        [
            pa.field(name, kind, metadata={"jingshu.level": "L2"})
            for name, (kind, _) in columns.items()
        ]
    )
    return pa.table({name: values for name, (_, values) in columns.items()}, schema=schema)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_city(tmp_path_factory.mktemp("city")) as made:
        yield made


@pytest.fixture
def granted(city: Gateway, tmp_path: Path) -> Granted:
    name = f"t{uuid.uuid4().hex[:8]}__demo"
    write_deltalake(city.home.table("shared", name), readiness(), partition_by=["district"])
    with pytest.MonkeyPatch.context() as patch, Control(city.home) as control:
        patch.setenv("JINGSHU_GATEWAY_PORT", city.environment["JINGSHU_GATEWAY_PORT"])
        patch.setenv("JINGSHU_CONTRACTS", city.environment["JINGSHU_CONTRACTS"])
        recipient = name.replace("__", "-")
        grants.grant(control, recipient, name, "端到端测试", actor="test")
        profile = tmp_path / "demo.share"
        recipients.write_profile(recipients.issue_profile(control, recipient), profile)
    return Granted(city, name, profile)


@contextmanager
def running_city(folder: Path) -> Iterator[Gateway]:
    """Serve an empty home beside an empty contracts tree."""
    home = Home(folder / "home")
    home.root.mkdir()
    (folder / "contracts").mkdir()
    with running_gateway(home, folder / "contracts") as gateway:
        yield gateway


def as_rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Compare frames as plain rows: both formats use their own pandas types for the same value."""

    def plain(value: object) -> object:
        if value is None or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
            return None
        return value.isoformat() if isinstance(value, dt.date) else value

    rows = [tuple(plain(v) for v in row) for row in frame.itertuples(index=False)]
    return sorted(rows, key=repr)


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Return the status and the text of the error that the client meets."""
    with pytest.raises(HTTPError) as refused:
        call()
    answer = refused.value.response
    assert answer is not None
    return answer.status_code, answer.text


def test_the_client_lists_what_is_granted(granted: Granted) -> None:
    client = delta_sharing.SharingClient(str(granted.profile))
    table = Table(name=granted.name, share="jingshu", schema="city")
    assert [s.name for s in client.list_shares()] == ["jingshu"]
    assert [s.name for s in client.list_schemas(client.list_shares()[0])] == ["city"]
    assert client.list_tables(client.list_schemas(client.list_shares()[0])[0]) == [table]
    assert client.list_all_tables() == [table]


@in_each_format
def test_the_client_reads_every_row_in_each_format(granted: Granted, response_format: str) -> None:
    frame = granted.read(response_format)
    expected = readiness().to_pandas(date_as_object=True)
    assert list(frame.columns) == list(expected.columns)
    assert as_rows(frame) == as_rows(expected)


@in_each_format
@pytest.mark.parametrize("limit", [0, 1, 3, 100])
# Where there is nothing to read, the client forgets to remove its temporary folder.
@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_the_client_reads_as_many_rows_as_it_asked_for(
    granted: Granted, response_format: str, limit: int
) -> None:
    frame = granted.read(response_format, limit=limit)
    assert len(frame) == min(limit, ROWS)
    assert list(frame.columns) == readiness().schema.names


@in_each_format
@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_the_client_reads_an_empty_table(granted: Granted, response_format: str) -> None:
    write_deltalake(granted.folder, readiness().slice(0, 0), mode="overwrite")
    frame = granted.read(response_format)
    assert (len(frame), list(frame.columns)) == (0, readiness().schema.names)


def test_the_client_sees_versions_and_metadata(granted: Granted) -> None:
    assert delta_sharing.get_table_version(granted.url) == 0
    write_deltalake(granted.folder, readiness(), mode="append")
    assert delta_sharing.get_table_version(granted.url) == 1
    assert len(granted.read()) == 2 * ROWS
    metadata = delta_sharing.get_table_metadata(granted.url)
    assert metadata.partition_columns == ["district"]
    assert "jingshu.level" in str(metadata.schema_string)


def test_a_recipient_reads_only_what_is_theirs(granted: Granted, city: Gateway) -> None:
    write_deltalake(city.home.table("shared", "other__x"), readiness(), mode="overwrite")
    tables = [Granted(city, name, granted.profile) for name in ("other__x", "unknown__x")]
    answers = [refusal(table.read) for table in tables]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_changes_are_refused_cleanly(granted: Granted) -> None:
    status, text = refusal(
        lambda: delta_sharing.load_table_changes_as_pandas(granted.url, starting_version=0)
    )
    assert (status, "UNSUPPORTED_OPERATION" in text) == (400, True)


def test_the_command_line_grants_revokes_and_rotates(city: Gateway, tmp_path: Path) -> None:
    name, old, new = "heat__demo", tmp_path / "old.share", tmp_path / "new.share"
    write_deltalake(city.home.table("shared", name), readiness())
    share(city, "grant", "demo", name, "--purpose", "端到端测试")
    share(city, "profile", "demo", "--out", str(old))
    table = Granted(city, name, old)
    assert len(table.read()) == ROWS

    share(city, "profile", "demo", "--no-grace", "--out", str(new))
    assert refusal(delta_sharing.SharingClient(str(old)).list_shares)[0] == 401
    table = Granted(city, name, new)
    assert len(table.read()) == ROWS

    share(city, "revoke", "demo", name)
    assert [refusal(partial(table.read, f))[0] for f in FORMATS] == [404] * len(FORMATS)
    assert delta_sharing.SharingClient(str(new)).list_all_tables() == []
    for profile in (old, new):
        assert json.loads(profile.read_text())["bearerToken"] not in city.log


def test_the_log_names_requests_and_no_secret(granted: Granted) -> None:
    granted.read()
    table = f"/delta-sharing/shares/jingshu/schemas/city/tables/{granted.name}"
    assert f"{granted.name.replace('__', '-')} POST {table}/query 200" in granted.city.log
    assert "sig=" not in granted.city.log
    assert json.loads(granted.profile.read_text())["bearerToken"] not in granted.city.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_stops_the_gateway(tmp_path: Path, number: signal.Signals) -> None:
    with running_city(tmp_path) as made:
        made.process.send_signal(number)
        made.process.wait(timeout=PATIENCE_S)
        assert "Traceback" not in made.log
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(
                ("127.0.0.1", int(made.environment["JINGSHU_GATEWAY_PORT"])), timeout=1
            )
