"""The gateway at size: rows through it against the same files read directly, by the same client.

The direct sides are the released client with the gateway's own answer in its hands, in which each
URL is that of a plain file server, or the file's path: only the way to the bytes differs.
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
from datetime import date
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
from contracts.moment import utc_now
from contracts.words import text
from infra.stack.tied import tied
from sharing import owed
from sharing.control import Control, Grant
from sharing.grants import grants, recipients
from sharing.tables.names import Catalog
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_RUNS: Final = 5
_FILES: Final = 10
_ASKED: Final = 1_000
_EACH: Final = 5
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_LISTEN_S: Final = 60
BIG, SMALL = "big__x", "small__x"
FORMATS: Final = ("parquet", "delta")


@dataclass(frozen=True)
class Read:
    """One format: medians through the gateway, from a plain file server, and from the disk."""

    format: str
    through_s: float
    plain_s: float
    disk_s: float

    @property
    def ratio(self) -> float:
        """Gateway to plain file server."""
        return round(self.through_s / self.plain_s, 2)

    @property
    def ratio_to_disk(self) -> float:
        """Gateway to disk, without any HTTP."""
        return round(self.through_s / self.disk_s, 2)


@dataclass(frozen=True)
class ShareFigures:
    """Rows each way; metadata requests among many tables; clients at once; the gateway's memory.

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
        reads = [
            {**asdict(r), "ratio": r.ratio, "ratio_to_disk": r.ratio_to_disk} for r in self.reads
        ]
        return {**asdict(self), "reads": reads}


def measure(
    folder: Path, rows: int, tables: int, clients: int, say: Callable[[str], None]
) -> ShareFigures:
    """Serve tables of ``rows`` and of a tenth of them among ``tables`` more, and read."""
    home = Home(folder / "home")
    (folder / "contracts").mkdir(parents=True)
    say(text(f"{rows:,} 行，{tables:,} 张表……", f"{rows:,} rows, {tables:,} tables …"))
    _write(home, BIG, rows)
    _write(home, SMALL, rows // 10)
    _spread(home, tables)
    with _serving(home, folder / "contracts") as gateway:
        say(text("经网关与直接读取各行……", "rows through the gateway and directly …"))
        _read(gateway, SMALL)
        small = gateway.resident_bytes()
        with _plainly(home.table("shared", BIG)) as plain_port:
            reads = tuple(_three_ways(gateway, kind, plain_port) for kind in FORMATS)
        big = gateway.resident_bytes()
        say(text("众多表中的元数据……", "metadata among many tables …"))
        asked = sorted(_metadata_ms(gateway, tables))
        say(text(f"{clients} 个客户端同时读取……", f"{clients} clients at once …"))
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


class _Elsewhere(DataSharingRestClient):  # type: ignore[misc]  # the client has no types
    """The client's own connection, whose answers name the files at another place."""

    def __init__(self, gateway: Gateway, places: Mapping[str, str]) -> None:
        super().__init__(DeltaSharingProfile.read_from_file(str(gateway.profile)))
        self.answers: dict[str, Any] = {}
        self._places = places

    def list_files_in_table(self, table: Table, **asked: Any) -> Any:
        """Answer as the gateway did the first time, with another URL for each file."""
        if table.name not in self.answers:
            answer = super().list_files_in_table(table, **asked)
            self.answers[table.name] = replace(
                answer,
                add_files=[replace(f, url=self._place(f.url)) for f in answer.add_files],
                lines=[self._line(line) for line in answer.lines],
            )
        answer = self.answers[table.name]
        return replace(answer, lines=list(answer.lines))

    def _line(self, line: str) -> str:
        parsed = json.loads(line)
        if "file" in parsed and "deltaSingleAction" in parsed["file"]:
            add = parsed["file"]["deltaSingleAction"]["add"]
            add["path"] = self._place(add["path"])
        return json.dumps(parsed)

    def _place(self, url: str) -> str:
        return self._places[urlsplit(url).path.rsplit("/", 1)[1]]


def _three_ways(gateway: Gateway, kind: str, plain_port: int) -> Read:
    is_delta = kind == "delta"
    folder = gateway.home.table("shared", BIG)
    files = {f.id: folder / f.key for f in read_snapshot(Folder(folder)).files()}
    # A URL whose query has a key that the kernel knows; else it looks on the disk.
    plain = {i: f"http://127.0.0.1:{plain_port}/{p.name}?sp=r" for i, p in files.items()}
    disk = {i: p.as_uri() if is_delta else str(p) for i, p in files.items()}
    sides = {
        "through": lambda: _read(gateway, BIG, is_delta=is_delta),
        "plain": _reader(gateway, plain, is_delta=is_delta).to_pandas,
        "disk": _reader(gateway, disk, is_delta=is_delta).to_pandas,
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for attempt in range(_RUNS + 1):  # the first fills the page cache
        for name, read in sides.items():
            seconds = _timed_s(read)
            if attempt:
                times[name].append(seconds)
    medians = {name: statistics.median(found) for name, found in times.items()}
    return Read(kind, medians["through"], medians["plain"], medians["disk"])


def _reader(gateway: Gateway, places: Mapping[str, str], *, is_delta: bool) -> DeltaSharingReader:
    _, share, schema, table = _parse_url(gateway.table(BIG))
    return DeltaSharingReader(
        Table(table, share, schema), _Elsewhere(gateway, places), use_delta_format=is_delta
    )


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
    """Write rows as shared tables have them: codes, a name, a masked number, a day, counts."""
    dice = np.random.default_rng(rows)
    each = rows // _FILES
    streets = pa.array([f"1101{n:05}" for n in range(330)])
    names = pa.array([f"第{n}街道办事处" for n in range(330)])
    for day in range(_FILES):
        street = pa.array(dice.integers(0, 330, each))
        data = pa.table(
            {
                "street_code": streets.take(street),
                "street_name": names.take(street),
                "phone": pa.array([f"138****{n:04}" for n in dice.integers(0, 10_000, each)]),
                "business_date": pa.array([date(2026, 7, day + 1)] * each),
                "elders": pa.array(dice.integers(20, 5000, each)),
                "kilometres": pa.array(dice.random(each)),
            }
        )
        tagged = pa.schema([f.with_metadata({"jingshu.level": "L1"}) for f in data.schema])
        write_deltalake(home.table("shared", name), data.cast(tagged), mode="append")


def _spread(home: Home, tables: int) -> None:
    """Make many small tables: copies of one."""
    _write(home, "t00000__x", 100)
    first = home.table("shared", "t00000__x")
    for number in range(1, tables):
        shutil.copytree(first, home.table("shared", f"t{number:05}__x"))


@contextmanager
def _serving(home: Home, contracts: Path) -> Iterator[Gateway]:
    port = _free_port()
    settings = {
        "JINGSHU_HOME": str(home.root),
        "JINGSHU_CONTRACTS": str(contracts),
        "JINGSHU_GATEWAY_PORT": str(port),
    }
    profile = home.root / "bench.share"
    with _environment(settings):
        with Control(home) as control:
            recipients.create_recipient(control, "bench", "bench")
            with control.write() as session:
                for table in Catalog(control).tables():
                    wanted = grants.Wanted("bench", table, "bench")
                    grants.open_grant(session, wanted, "bench", utc_now())
            owed.settle(control, Grant)
            issued = recipients.issue_profile(control, "bench")
            recipients.write_profile(issued, profile)
        log = home.root / "gateway.log"
        with _process(["sharing.gateway", "--port", str(port)], port, log) as pid:
            yield Gateway(home, pid, profile, issued.token, issued.endpoint)


@contextmanager
def _plainly(folder: Path) -> Iterator[int]:
    port = _free_port()
    log = folder.parent.parent / "plain.log"
    with _process(["bench.plain_files", str(port), str(folder)], port, log):
        yield port


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    previous = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _process(module: list[str], port: int, log: Path) -> Iterator[int]:
    """Run a module that listens on a port; yield its process id."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            tied([sys.executable, "-m", *module]),
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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
