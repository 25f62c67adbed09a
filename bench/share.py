"""The gateway at size: rows through it against the same files read directly, by the same client.

The direct side is the released client with the gateway's own answer in its hands, in which each URL
is the file's path: only the way to the bytes differs.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import delta_sharing
import httpx
import numpy as np
import pyarrow as pa
from delta_sharing.delta_sharing import _parse_url
from delta_sharing.protocol import DeltaSharingProfile, Table
from delta_sharing.reader import DeltaSharingReader
from delta_sharing.rest_client import DataSharingRestClient
from deltalake import write_deltalake

from contracts.layout import ROOT, Home
from sharing import grants, recipients
from sharing.catalog import Catalog
from sharing.control import Control, utc_now
from sharing.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RUNS: Final = 5
_FILES: Final = 10
_ASKED: Final = 1_000
_EACH: Final = 5
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_LISTEN_S: Final = 60
BIG, SMALL = "big__x", "small__x"


@dataclass(frozen=True)
class Read:
    """One format: the medians of both ways, and how many times the direct one the gateway takes."""

    format: str
    through_s: float
    direct_s: float

    @property
    def ratio(self) -> float:
        """Gateway to direct."""
        return round(self.through_s / self.direct_s, 2)


@dataclass(frozen=True)
class ShareFigures:
    """Rows both ways; metadata requests among many tables; clients at once; the gateway's memory.

    Memory is the gateway's resident set after reading a tenth of the rows, and after all of them.
    """

    rows: int
    reads: tuple[Read, ...]
    tables: int
    metadata_p50_ms: float
    metadata_p99_ms: float
    clients: int
    client_requests: int
    client_errors: int
    client_p99_ms: float
    memory_small_bytes: int
    memory_big_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        reads = [{**asdict(r), "ratio": r.ratio} for r in self.reads]
        return {**asdict(self), "reads": reads}


def measure(
    folder: Path, rows: int, tables: int, clients: int, say: Callable[[str], None]
) -> ShareFigures:
    """Serve tables of ``rows`` and of a tenth of them among ``tables`` more, and read."""
    home = Home(folder / "home")
    (folder / "contracts").mkdir(parents=True)
    say(f"{rows:,} 行 rows, {tables:,} 张表 tables …")
    _write(home, BIG, rows)
    _write(home, SMALL, rows // 10)
    _spread(home, tables)
    with _serving(home, folder / "contracts") as gateway:
        say("逐行 rows through the gateway and directly …")
        _read(gateway, SMALL)
        small = gateway.resident_bytes()
        reads = tuple(_both_ways(gateway, kind) for kind in ("parquet", "delta"))
        big = gateway.resident_bytes()
        say("元数据 metadata among many tables …")
        asked = sorted(_metadata_ms(gateway, tables))
        say(f"{clients} 个客户端 clients at once …")
        times, errors = _at_once(gateway, clients)
    return ShareFigures(
        rows=rows,
        reads=reads,
        tables=tables,
        metadata_p50_ms=statistics.median(asked),
        metadata_p99_ms=asked[len(asked) * 99 // 100],
        clients=clients,
        client_requests=len(times),
        client_errors=errors,
        client_p99_ms=sorted(times)[len(times) * 99 // 100] if times else 0.0,
        memory_small_bytes=small,
        memory_big_bytes=big,
    )


@dataclass(frozen=True)
class Gateway:
    """A running gateway, and its recipient's profile."""

    home: Home
    process: int
    profile: Path
    token: str
    url: str

    def resident_bytes(self) -> int:
        """Return the process's resident set (proc(5), ``statm``)."""
        return int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * _PAGE

    def table(self, name: str) -> str:
        """Return a table's address for the released client."""
        return f"{self.profile}#jingshu.city.{name}"


class _Local(DataSharingRestClient):  # type: ignore[misc]  # the client has no types
    """The client's own connection, whose answers name the files where they lie."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(DeltaSharingProfile.read_from_file(str(gateway.profile)))
        self.answers: dict[str, Any] = {}
        self._places = _places(gateway.home)

    def list_files_in_table(self, table: Table, **asked: Any) -> Any:
        """Answer as the gateway did the first time, with a path for each URL."""
        known = f"{table.name} {self._session.headers.get('delta-sharing-capabilities')}"
        if known not in self.answers:
            answer = super().list_files_in_table(table, **asked)
            self.answers[known] = replace(
                answer,
                add_files=[replace(f, url=str(self._place(f.url))) for f in answer.add_files],
                lines=[self._line(line) for line in answer.lines],
            )
        answer = self.answers[known]
        return replace(answer, lines=list(answer.lines))

    def _line(self, line: str) -> str:
        said = json.loads(line)
        if "file" in said and "deltaSingleAction" in said["file"]:
            add = said["file"]["deltaSingleAction"]["add"]
            add["path"] = self._place(add["path"]).as_uri()
        return json.dumps(said)

    def _place(self, url: str) -> Path:
        return self._places[urlsplit(url).path.rsplit("/", 1)[1]]


def _places(home: Home) -> dict[str, Path]:
    return {
        file.id: file.path
        for name in (BIG, SMALL)
        for file in read_snapshot(home.table("shared", name)).files()
    }


def _both_ways(gateway: Gateway, kind: str) -> Read:
    _, share, schema, table = _parse_url(gateway.table(BIG))
    local = _Local(gateway)
    reader = DeltaSharingReader(
        Table(table, share, schema), local, use_delta_format=kind == "delta"
    )
    reader.to_pandas()  # the answer is fetched and the files are in the page cache
    through, direct = [], []
    for _ in range(_RUNS):
        through.append(_timed_s(lambda: _read(gateway, BIG, is_delta=kind == "delta")))
        direct.append(_timed_s(reader.to_pandas))
    return Read(kind, statistics.median(through), statistics.median(direct))


def _read(gateway: Gateway, name: str, *, is_delta: bool = False) -> None:
    delta_sharing.load_as_pandas(gateway.table(name), use_delta_format=is_delta)


def _metadata_ms(gateway: Gateway, tables: int) -> Iterator[float]:
    with httpx.Client(headers={"Authorization": f"Bearer {gateway.token}"}) as client:
        for number in range(_ASKED):
            table = f"jingshu/schemas/city/tables/t{number % tables:05}__x"
            get = partial(client.get, f"{gateway.url}/shares/{table}/metadata")
            yield _timed_s(lambda: get().raise_for_status()) * 1e3  # noqa: B023 - called at once
            if number % 40 == 0:
                time.sleep(1)  # a recipient has 50 requests a second in the long run


def _at_once(gateway: Gateway, clients: int) -> tuple[list[float], int]:
    """Let every client read a table of many a few times; return the times (ms) and the errors."""

    def read(number: int) -> tuple[list[float], int]:
        path = f"{gateway.url}/shares/jingshu/schemas/city/tables/t{number:05}__x/query"
        times, errors = [], 0
        with httpx.Client(timeout=60) as client:
            for _ in range(_EACH):
                before = time.perf_counter()
                answer = client.post(
                    path, json={}, headers={"Authorization": f"Bearer {gateway.token}"}
                )
                urls = [json.loads(x)["file"]["url"] for x in answer.text.split("\n")[2:]]
                fetched = [client.get(url) for url in urls]
                errors += any(a.is_error for a in (answer, *fetched)) or not urls
                times.append((time.perf_counter() - before) * 1e3)
        return times, errors

    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(read, range(clients)))
    return [t for times, _ in found for t in times], sum(errors for _, errors in found)


def _write(home: Home, name: str, rows: int) -> None:
    dice = np.random.default_rng(rows)
    each = rows // _FILES
    columns = {"level": "jingshu.level"}
    for _ in range(_FILES):
        data = pa.table(
            {
                "id": pa.array(dice.integers(0, 1 << 40, each)),
                "street": pa.array(dice.integers(0, 330, each)).cast(pa.string()),
                "amount": pa.array(dice.random(each)),
                "n": pa.array(dice.integers(0, 1000, each)),
            }
        )
        tagged = pa.schema([f.with_metadata({columns["level"]: "L1"}) for f in data.schema])
        write_deltalake(home.table("shared", name), data.cast(tagged), mode="append")


def _spread(home: Home, tables: int) -> None:
    """Make many small tables: copies of one."""
    _write(home, "t00000__x", 100)
    first = home.table("shared", "t00000__x")
    for number in range(1, tables):
        shutil.copytree(first, home.table("shared", f"t{number:05}__x"))


@contextmanager
def _serving(home: Home, contracts: Path) -> Iterator[Gateway]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "JINGSHU_HOME": str(home.root),
        "JINGSHU_CONTRACTS": str(contracts),
        "JINGSHU_GATEWAY_PORT": str(port),
    }
    profile = home.root / "bench.share"
    previous = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with Control(home) as control:
            recipients.create_recipient(control, "bench", "bench")
            with control.write() as session:
                for table in Catalog(control).tables():
                    grants.open_grant(
                        session, "bench", table, "bench", until_at=None, actor="bench", at=utc_now()
                    )
            grants.settle(control)
            issued = recipients.issue_profile(control, "bench")
            recipients.write_profile(issued, profile)
        with (home.root / "gateway.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sharing.gateway", "--port", str(port)],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_for(port)
            yield Gateway(home, process.pid, profile, issued.token, issued.endpoint)
        finally:
            process.terminate()
            process.wait()
    finally:
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _wait_for(port: int) -> None:
    until = time.monotonic() + _LISTEN_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the gateway does not listen")


def _timed_s(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
