"""A home with shared tables, and a real gateway on a free port of the loopback."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
from delta_sharing.protocol import DeltaSharingProfile
from deltalake import write_deltalake

from contracts.layout import Home
from sharing.gateway.serving import GATEWAY
from sharing.gateway.signing import FileClaim, Signer, load_signer
from sharing.grants import grants, recipients
from sharing.serving import build_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sharing.control import Control


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
        server = build_server(GATEWAY, control, port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(control.home, control, port, token, load_signer(control.home))
        finally:
            server.should_exit = True
            thread.join()


def client_of(served: Served, url: str) -> str:
    """Write a profile of the gateway's and return a table's address for the released client."""
    profile = served.home.root / "demo.share"
    profile.write_text(
        json.dumps(
            {
                "shareCredentialsVersion": 1,
                "endpoint": f"http://127.0.0.1:{served.port}/delta-sharing",
                "bearerToken": served.token,
            }
        )
    )
    assert DeltaSharingProfile.read_from_file(str(profile)).bearer_token == served.token
    _, share, _, schema, _, table = url.split("/")[2:]
    return f"{profile}#{share}.{schema}.{table}"
