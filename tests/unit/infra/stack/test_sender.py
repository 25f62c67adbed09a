"""The stack's lineage sender: there only when somebody wants the events, and missed by nobody."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from contracts.delivery import Delivery
from infra.stack.airflow import Airflow
from infra.stack.stack import Stack
from infra.stack.standing import SENDER
from jobs import steps
from jobs.stages import LandedBatch
from lineage import outbox
from tests.support.days import deliver
from tests.support.lineage.endpoint import PATIENCE_S, LineageEndpoint, nobody, wait_until
from tests.support.lineage.made import DAY
from tests.support.lineage.recording import record
from tests.support.shop import shop_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from infra.stack.processes import Part


class Said(list[str]):
    """What the stack told the person."""


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def stack(home: Home, said: Said) -> Iterator[Stack]:
    made = Stack(home, "manual", said.append)
    yield made
    made.stop()


def begin(stack: Stack, monkeypatch: pytest.MonkeyPatch, url: str) -> Part:
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    assert SENDER in stack._wanted()
    part = stack._parts[SENDER] = stack._begin(SENDER)
    return part


@pytest.mark.parametrize("environment", [{}, {"OPENLINEAGE_DISABLED": "true"}])
def test_without_an_endpoint_there_is_no_sender(
    stack: Stack, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)
    if environment:
        monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert SENDER not in stack._wanted()


def test_the_sender_sends_and_ends_with_the_stack(
    stack: Stack, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = record(home, 1)
    with LineageEndpoint() as endpoint:
        part = begin(stack, monkeypatch, endpoint.url)
        wait_until(lambda: len(endpoint.got) == 2, "the first run")
        wanted += record(home, 2)[2:]
        stack.stop()
        assert not psutil.pid_exists(part.pid)
    assert [got.name for got in endpoint.got] == wanted


def test_a_dead_endpoint_neither_kills_the_sender_nor_holds_up_the_end(
    stack: Stack, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(home, 1)
    with nobody() as url:
        part = begin(stack, monkeypatch, url)
        wait_until(lambda: "nobody answers" in _log(part), "the sender's words")
        stack.mend()
        assert stack._parts[SENDER] == part
        stack.stop()
    assert not psutil.pid_exists(part.pid)


def test_a_killed_sender_is_started_again(
    stack: Stack, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = record(home, 1)
    with LineageEndpoint() as endpoint:
        first = begin(stack, monkeypatch, endpoint.url)
        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: not first.is_alive(), "its end")
        stack.mend()
        assert stack._parts[SENDER].pid != first.pid
        wait_until(lambda: {got.name for got in endpoint.got} == set(wanted), "the events")


def test_a_sender_that_cannot_work_is_given_up_and_the_stack_goes_on(
    stack: Stack, home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(stack, monkeypatch, "no address at all")
    deadline = time.monotonic() + PATIENCE_S
    while SENDER in stack._parts:
        stack.mend()  # raises where a part that is needed keeps dying
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert any("given up" in line for line in said)


def test_airflow_writes_its_events_to_disk_whatever_endpoint_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "a-secret-key")
    told = Airflow(home, 8790, "sc://127.0.0.1:15002", "manual").environment()
    assert not [name for name in told if name.startswith("OPENLINEAGE_")]
    assert '"type": "file"' in told["AIRFLOW__OPENLINEAGE__TRANSPORT"]
    assert "a-secret-key" not in told.values()


def test_a_stage_that_records_opens_no_socket(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery is pulled, landed and recorded with every socket of the process blocked."""
    tree = shop_tree(tmp_path / "contracts")
    deliver(home.drop, f"shop/sale/{DAY}/sale.csv", b"CODE,QTY,BUYER,GONE\na,1,b,\n")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")

    class Blocked(socket.socket):
        def __init__(self, *_: object, **__: object) -> None:
            raise AssertionError("a job opened a socket")

    monkeypatch.setattr(socket, "socket", Blocked)
    with pytest.raises(AssertionError, match="opened a socket"):
        socket.create_connection(("127.0.0.1", 1))
    landed = steps.land_delivery(home, Delivery(tree.contract("shop.sale"), "shop", DAY))
    assert isinstance(landed, LandedBatch), landed
    assert [e["eventType"] for e in outbox.read(home)] == ["START", "COMPLETE"]


def _log(part: Part) -> str:
    with open(part.log, encoding="utf-8") as file:  # noqa: PTH123  (a name, not a path)
        return file.read()
