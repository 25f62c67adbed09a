"""A real gateway process on a free loopback port, for tests that read as a recipient does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from infra.stack.tied import tied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home

#: How long a process may take to start or stop on a busy machine.
PATIENCE_S = 60


@dataclass(frozen=True)
class Gateway:
    """A running gateway, and the environment that commands beside it need."""

    home: Home
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.home.root / "gateway.log").read_text()


@contextmanager
def running_gateway(home: Home, contracts: Path, port: int | None = None) -> Iterator[Gateway]:
    """Serve a home's shared tables, with the names that a contracts tree gives them."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    environment = {
        **os.environ,
        "JINGSHU_HOME": str(home.root),
        "JINGSHU_CONTRACTS": str(contracts),
        "JINGSHU_GATEWAY_PORT": str(port),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("JINGSHU_CONTROL_URL", None)
    command = tied([sys.executable, "-m", "sharing.gateway", "--port", str(port)])
    with (home.root / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(port, process)
            yield Gateway(home, environment, process)
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the gateway does not listen")
