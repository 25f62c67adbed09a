"""Lineage events to an endpoint on loopback: how many a second, and what a dead one costs a job."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contracts.delivery import Delivery
from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from infra.stack.tied import tied
from lineage import outbox, stages
from lineage.acknowledged import Acknowledged
from lineage.endpoint import Address, Endpoint
from lineage.sender import Sender
from lineage.stages import Made, Occasion

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY: Final = date(2026, 7, 15)
_BEGAN: Final = datetime(2026, 7, 16, 1, tzinfo=UTC)
_DEAD: Final = "http://127.0.0.1:9"


@dataclass(frozen=True)
class DeliveryFigures:
    """What delivery came to. ``recording_*`` are seconds to write the same runs to disk."""

    events: int
    bytes_an_event: int
    delivered_per_s: float
    recording_s: float
    recording_beside_a_dead_endpoint_s: float

    @property
    def dead_ratio(self) -> float:
        """What a dead endpoint and its sender make of a job's own writing; 1 is nothing."""
        return round(self.recording_beside_a_dead_endpoint_s / self.recording_s, 2)


def measure(runs: int = 300) -> DeliveryFigures:
    """Record runs with and without a dead endpoint beside, then deliver them to a live one."""
    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as folder:
        _record(Home(Path(folder) / "warm"), 50)
        plain, home = Home(Path(folder) / "plain"), Home(Path(folder) / "home")
        recording_s = _record(plain, runs)
        with _sender_to_nobody(home):
            beside_s = _record(home, runs)
        size = sum(file.stat().st_size for file in plain.lineage_events.glob("*.ndjson"))
        with _endpoint() as url:
            address = Address(url)
            with Acknowledged(plain.lineage_delivery, url) as known, Endpoint(address) as endpoint:
                began = time.perf_counter()
                done = Sender(plain, endpoint, known).send()
                took_s = time.perf_counter() - began
    if done.waiting or done.refused:
        raise RuntimeError(done.problem)
    return DeliveryFigures(
        events=done.delivered,
        bytes_an_event=size // done.delivered,
        delivered_per_s=round(done.delivered / took_s),
        recording_s=round(recording_s, 2),
        recording_beside_a_dead_endpoint_s=round(beside_s, 2),
    )


def _record(home: Home, runs: int) -> float:
    """Write what landings write to the outbox; return the seconds it took."""
    feeds = list(load_tree().feeds())
    began = time.perf_counter()
    for n in range(runs):
        feed = feeds[n % len(feeds)]
        run = stages.land_run(
            Delivery(feed.contract, feed.provider, _DAY),
            Occasion(
                "landed",
                started_at=_BEGAN + timedelta(seconds=n),
                ended_at=_BEGAN + timedelta(seconds=n + 1),
                origin="simulated",
            ),
            batch_id=f"{_DAY:%Y%m%d}-{n}",
            file_name="export.csv",
            made=Made(n, n),
        )
        outbox.write(home, run)
    return time.perf_counter() - began


@contextmanager
def _sender_to_nobody(home: Home) -> Iterator[None]:
    """Keep the stack's sender running against a port where nobody listens."""
    sender = subprocess.Popen(
        tied([sys.executable, "-m", "cli", "lineage", "send", "--watch", "--url", _DEAD]),
        cwd=ROOT,
        env={**os.environ, "JINGSHU_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if sender.stdout is not None:
            sender.stdout.readline()  # it says where it sends to, once it is under way
        yield
    finally:
        sender.kill()
        sender.communicate()


class _Takes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1/lineage"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
