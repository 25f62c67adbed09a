"""Delivery to a real endpoint on loopback: at least once, in order, whatever it answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.main import main
from contracts.errors import UsageError
from contracts.layout import ROOT, Home
from lineage.acknowledged import Acknowledged
from lineage.endpoint import Address, Endpoint, answer
from lineage.errors import LineageError
from lineage.sender import Pace, Pass, Sender, replay, sole_sender
from tests.support.lineage.endpoint import (
    PATIENCE_S,
    Behaviour,
    LineageEndpoint,
    nobody,
    wait_until,
)
from tests.support.lineage.made import DAY
from tests.support.lineage.recording import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "a-secret-key"
BAD, BUSY, BROKEN = Behaviour(400), Behaviour(429, "0"), Behaviour(500)
CUT = Behaviour(cut=True)
PACE = Pace(attempts=3, first_wait_s=0.001, most_wait_s=0.01)


@contextmanager
def sender(
    home: Home,
    url: str,
    *,
    sleep: Callable[[float], bool] = lambda _: False,
    timeout_s: float = 30,
    pace: Pace = PACE,
) -> Iterator[Sender]:
    address = Address(f"{url}/api/v1/lineage", KEY)
    with (
        Acknowledged(home.lineage_delivery, address.name) as known,
        Endpoint(address, timeout_s) as endpoint,
    ):
        yield Sender(home, endpoint, known, pace=pace, sleep=sleep)


def send(home: Home, url: str, **how: Any) -> Pass:
    with sender(home, url, **how) as one:
        return one.send()


def arrived(endpoint: LineageEndpoint) -> list[tuple[str, str]]:
    """Return the events that the endpoint took, each at its first arrival."""
    return list(dict.fromkeys(got.name for got in endpoint.taken))


def test_every_event_arrives_once_oldest_first_as_it_lies_on_disk(home: Home) -> None:
    wanted = record(home, 5)
    with LineageEndpoint() as endpoint:
        assert send(home, endpoint.url) == Pass(10, (), 0)
        assert send(home, endpoint.url) == Pass(0, (), 0)
    assert [got.name for got in endpoint.got] == wanted
    on_disk = {x for f in home.lineage_events.glob("*.ndjson") for x in f.read_bytes().splitlines()}
    assert {got.body for got in endpoint.got} == on_disk
    assert {(got.path, got.authorization) for got in endpoint.got} == {
        ("/api/v1/lineage", f"Bearer {KEY}")
    }


def test_what_is_written_later_is_sent_later_and_each_endpoint_has_its_own_cursor(
    home: Home,
) -> None:
    with LineageEndpoint() as one, LineageEndpoint() as other:
        first = record(home, 1)
        send(home, one.url)
        second = record(home, 1, DAY + timedelta(days=1))
        send(home, one.url)
        send(home, other.url)
    assert [got.name for got in one.got] == [got.name for got in other.got] == first + second


@pytest.mark.parametrize("fault", [BROKEN, BUSY, CUT, Behaviour(408), Behaviour(503)])
def test_what_may_pass_is_tried_again_before_anything_else(home: Home, fault: Behaviour) -> None:
    wanted = record(home, 3)
    with LineageEndpoint(script=[Behaviour(), fault, fault]) as endpoint:
        done = send(home, endpoint.url)
    assert (done.delivered, done.waiting, done.problem) == (6, 0, "")
    assert [got.name for got in endpoint.got] == [wanted[0], *[wanted[1]] * 3, *wanted[2:]]
    assert arrived(endpoint) == wanted


@pytest.mark.parametrize("asked", ["0", "7", "in a while"])
def test_retry_after_is_honoured(home: Home, asked: str) -> None:
    record(home, 1)
    slept: list[float] = []
    pace = Pace(attempts=3, first_wait_s=1, most_wait_s=8)
    with LineageEndpoint(script=[Behaviour(429, asked)]) as endpoint:
        done = send(
            home,
            endpoint.url,
            pace=pace,
            sleep=lambda s: bool(slept.append(s)),  # type: ignore[func-returns-value]
        )
    assert done.delivered == 2
    [waited] = slept
    assert 0.5 <= waited <= 1 if asked == "in a while" else waited == float(asked)


def test_retry_after_may_be_a_moment() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    found = answer(503, {"retry-after": format_datetime(later, usegmt=True)}, "")
    assert found.retry_after_s is not None
    assert 3000 < found.retry_after_s <= 3600
    past = answer(429, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "")
    assert past.retry_after_s == 0


def test_who_asks_to_be_left_alone_for_long_is_left_alone(home: Home) -> None:
    record(home, 3)
    with LineageEndpoint(script=[Behaviour(429, "3600")]) as endpoint:
        done = send(home, endpoint.url)
        assert (done.delivered, done.waiting, done.retry_after_s) == (0, 6, 3600)
        assert len(endpoint.got) == 1


def test_a_refused_event_stands_aside_with_the_reason_and_blocks_nothing(home: Home) -> None:
    wanted = record(home, 3)
    bad = wanted[2]
    with LineageEndpoint(choose=_only(bad, BAD)) as endpoint:
        done = send(home, endpoint.url)
        assert (done.delivered, done.waiting) == (5, 0)
        [aside] = done.refused
        assert (aside.file, aside.position) == (f"{bad[0]}.ndjson", 0)
        assert (aside.status, aside.reason) == (400, "HTTP 400 told why")
        assert [got.name for got in endpoint.got] == wanted
        assert send(home, endpoint.url) == Pass(0, (), 0)
        with Acknowledged(home.lineage_delivery, f"{endpoint.url}/api/v1/lineage") as known:
            assert known.refused() == [aside]


def test_an_event_of_another_shape_is_refused_by_the_endpoint_itself(home: Home) -> None:
    wanted = record(home, 1)
    (home.lineage_events / "strange.ndjson").write_text('{"eventTime": "2020-01-01T00:00:00Z"}\n')
    with LineageEndpoint() as endpoint:
        done = send(home, endpoint.url)
    assert [aside.file for aside in done.refused] == ["strange.ndjson"]
    assert "needs" in done.refused[0].reason
    assert arrived(endpoint) == wanted


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405])
def test_what_is_wrong_with_address_or_key_costs_no_event(home: Home, status: int) -> None:
    wanted = record(home, 2)
    with LineageEndpoint(script=[Behaviour(status)]) as endpoint:
        done = send(home, endpoint.url)
        assert (done.delivered, done.refused, done.waiting) == (0, (), 4)
        assert f"HTTP {status}" in done.problem
        assert KEY not in done.problem
        assert len(endpoint.got) == 1
        assert send(home, endpoint.url).delivered == 4
    assert arrived(endpoint) == wanted


def test_an_event_that_breaks_the_endpoint_holds_back_its_own_run_only(home: Home) -> None:
    wanted = record(home, 4)
    with LineageEndpoint(choose=_only(wanted[2], BROKEN)) as endpoint:
        done = send(home, endpoint.url)
        assert (done.delivered, done.refused, done.waiting) == (6, (), 2)
        assert arrived(endpoint) == wanted[:2] + wanted[4:]
        endpoint.choose = lambda _: None
        assert send(home, endpoint.url).delivered == 2
    assert arrived(endpoint) == wanted[:2] + wanted[4:] + wanted[2:4]


def test_an_endpoint_that_takes_nothing_is_left_after_some_runs(home: Home) -> None:
    wanted = record(home, 9)
    with LineageEndpoint(choose=lambda _: BROKEN) as endpoint:
        assert send(home, endpoint.url).waiting == 18
    assert {got.name for got in endpoint.got} == {wanted[0], wanted[2], wanted[4]}


def test_a_silent_endpoint_is_not_waited_for(home: Home) -> None:
    wanted = record(home, 1)
    with LineageEndpoint(script=[Behaviour(hang=True)] * PACE.attempts) as endpoint:
        done = send(home, endpoint.url, timeout_s=0.05)
        assert (done.delivered, done.waiting) == (0, 2)
        assert "no answer within 0.05 s" in done.problem
        assert send(home, endpoint.url).delivered == 2
    assert arrived(endpoint) == wanted


def test_a_dead_endpoint_loses_nothing(home: Home) -> None:
    wanted = record(home, 2)
    with nobody() as url:
        done = send(home, url)
    assert (done.delivered, done.refused, done.waiting) == (0, (), 4)
    assert "nobody answers" in done.problem
    with LineageEndpoint(port=int(url.rpartition(":")[2])) as endpoint:
        assert send(home, endpoint.url).delivered == 4
    assert arrived(endpoint) == wanted


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([Behaviour(), BROKEN, BUSY, BAD, CUT]), max_size=14))
def test_whatever_is_answered_nothing_is_lost_and_runs_stay_in_order(
    script: list[Behaviour],
) -> None:
    with TemporaryDirectory() as folder, LineageEndpoint(script=list(script)) as endpoint:
        home = Home(Path(folder))
        wanted = record(home, 4)
        with sender(home, endpoint.url) as one:
            passes = [one.send() for _ in range(len(script) + 1)]
        assert passes[-1].waiting == 0
        refused = {
            (aside.file.removesuffix(".ndjson"), "COMPLETE" if aside.position else "START")
            for done in passes
            for aside in done.refused
        }
        assert refused | set(arrived(endpoint)) == set(wanted)
        for run_id in {run for run, _ in wanted}:
            offered = [got.kind for got in endpoint.got if got.run_id == run_id]
            assert offered == sorted(offered, reverse=True)  # START, then COMPLETE


def test_a_line_still_being_written_waits_and_a_damaged_one_stands_aside(home: Home) -> None:
    record(home, 1)
    whole = next(home.lineage_events.glob("*.ndjson")).read_bytes()
    odd = home.lineage_events / "odd.ndjson"
    odd.write_bytes(b"{broken\n\n" + whole[:-1])
    with LineageEndpoint() as endpoint, sender(home, endpoint.url) as one:
        done = one.send()
        assert [(a.file, a.position) for a in done.refused] == [("odd.ndjson", 0)]
        assert done.delivered == 4  # an empty line and the START count as done
        with odd.open("ab") as file:
            file.write(b"\n")
        assert one.send() == Pass(1, (), 0)
    assert [got.kind for got in endpoint.got][-1] == "COMPLETE"


def test_a_replay_sends_again_all_or_some_dates(home: Home) -> None:
    first = record(home, 2)
    second = record(home, 1, DAY + timedelta(days=1))
    with LineageEndpoint(choose=_only(first[3], BAD)) as endpoint:
        name = f"{endpoint.url}/api/v1/lineage"
        send(home, endpoint.url)
        with Acknowledged(home.lineage_delivery, name) as known:
            assert replay(home, known, DAY + timedelta(days=1)) == 1
            endpoint.got.clear()
            send(home, endpoint.url)
            assert [got.name for got in endpoint.got] == second
            endpoint.got.clear()
            endpoint.choose = lambda _: None
            assert replay(home, known, None, DAY) == 2
            assert known.refused() == []
            send(home, endpoint.url)
            assert [got.name for got in endpoint.got] == first
            assert replay(home, known) == 3
        endpoint.got.clear()
        send(home, endpoint.url)
    assert [got.name for got in endpoint.got] == first + second


def test_a_replay_reaches_a_sender_that_is_under_way(home: Home) -> None:
    """The replay comes between an event's answer and its acknowledgement."""
    wanted = record(home, 1)
    with LineageEndpoint() as endpoint:
        name = f"{endpoint.url}/api/v1/lineage"

        def replay_once(event: dict[str, Any]) -> None:
            if event["eventType"] == "COMPLETE" and len(endpoint.got) == 2:
                with Acknowledged(home.lineage_delivery, name) as other:
                    replay(home, other)

        endpoint.before_answer = replay_once
        with sender(home, endpoint.url) as one:
            one.send()
            one.send()
    assert [got.name for got in endpoint.got] == wanted * 2


def test_a_second_sender_to_the_same_endpoint_is_refused(home: Home) -> None:
    one, other = Address("http://a/api"), Address("http://b/api")
    with sole_sender(home, one):
        with pytest.raises(LineageError, match="already"), sole_sender(home, one):
            pass
        with sole_sender(home, other):
            pass
    with sole_sender(home, one):
        pass


def test_a_damaged_cursor_is_named(home: Home) -> None:
    home.lineage_delivery.parent.mkdir(parents=True)
    home.lineage_delivery.write_bytes(b"no database at all" * 100)
    with pytest.raises(LineageError, match=r"delivery\.db.*sent again"):
        Acknowledged(home.lineage_delivery, "http://a")


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({"OPENLINEAGE_URL": "http://m:5000"}, None, "http://m:5000/api/v1/lineage"),
        ({"OPENLINEAGE_URL": "http://m:5000/"}, "http://n/x/", "http://n/x/api/v1/lineage"),
        ({"OPENLINEAGE_URL": "http://m/api/v1/lineage"}, None, "http://m/api/v1/lineage"),
        (
            {"OPENLINEAGE_URL": "https://m", "OPENLINEAGE_ENDPOINT": "/o/l"},
            None,
            "https://m/o/l",
        ),
    ],
)
def test_the_address_is_read_as_the_standard_client_reads_it(
    environment: dict[str, str],
    url: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("URL", "ENDPOINT", "API_KEY"):
        monkeypatch.delenv(f"OPENLINEAGE_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Address.from_env(url) == Address(expected)


def test_an_address_shows_neither_key_nor_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://user:word@m:5000")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", KEY)
    address = Address.from_env()
    assert address.api_key == KEY
    assert KEY not in repr(address)
    assert address.name == "http://m:5000/api/v1/lineage"


@pytest.mark.parametrize("url", ["", "marquez:5000", "ftp://m", "http://", "http://m:port"])
def test_what_is_no_address_is_a_usage_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    with pytest.raises(UsageError, match="OPENLINEAGE_URL"):
        Address.from_env()


# -- the command, as a process of its own ---------------------------------------------------------


@contextmanager
def process(home: Home, url: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "cli", "lineage", "send", *options],
        cwd=ROOT,
        env={
            **os.environ,
            "JINGSHU_HOME": str(home.root),
            "OPENLINEAGE_URL": url,
            "OPENLINEAGE_API_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def finished(home: Home, url: str, *options: str) -> tuple[int, str]:
    with process(home, url, *options) as started:
        out, _ = started.communicate(timeout=PATIENCE_S)
        return started.returncode, out


@pytest.mark.parametrize("at", [1, 4])
def test_a_sender_that_is_killed_sends_again_and_loses_nothing(home: Home, at: int) -> None:
    """SIGKILL comes after the endpoint took an event and before the answer."""
    wanted = record(home, 2)
    with LineageEndpoint() as endpoint:
        with process(home, endpoint.url) as first:
            endpoint.before_answer = lambda _: first.kill() if len(endpoint.got) == at else None
            assert first.wait(PATIENCE_S) == -signal.SIGKILL
            endpoint.before_answer = lambda _: None
        code, out = finished(home, endpoint.url)
        assert code == 0, out
    assert [got.name for got in endpoint.got] == wanted[:at] + wanted[at - 1 :]


def test_an_endpoint_that_dies_in_the_middle_gets_the_rest_when_it_is_back(
    home: Home, tmp_path: Path
) -> None:
    wanted = record(home, 12)
    log, port = tmp_path / "taken.ndjson", _free_port()
    log.touch()
    url = f"http://127.0.0.1:{port}"
    with _endpoint_process(port, log) as first, process(home, url) as sending:
        wait_until(lambda: log.read_bytes().count(b"\n") >= 5, "five events")
        first.kill()
        first.wait()
        out, _ = sending.communicate(timeout=PATIENCE_S)
        assert sending.returncode == 1, out
        assert "waiting" in out
    with _endpoint_process(port, log):
        code, out = finished(home, url)
        assert code == 0, out
    events = [json.loads(line) for line in log.read_bytes().splitlines()]
    names = [(event["run"]["runId"], event["eventType"]) for event in events]
    assert list(dict.fromkeys(names)) == wanted
    assert len(names) <= len(wanted) + 1  # one may have been taken and not answered


def test_a_watching_sender_sends_what_comes_and_what_is_left_when_stopped(home: Home) -> None:
    wanted = record(home, 1)
    with LineageEndpoint() as endpoint, process(home, endpoint.url, "--watch") as watching:
        wait_until(lambda: len(endpoint.got) == 2, "the first run")
        wanted += record(home, 1, DAY + timedelta(days=1))
        wait_until(lambda: len(endpoint.got) == 4, "the run that came later")
        wanted += record(home, 1, DAY + timedelta(days=2))
        watching.send_signal(signal.SIGTERM)
        out, _ = watching.communicate(timeout=PATIENCE_S)
        assert watching.returncode == 0, out
        assert KEY not in out
    assert [got.name for got in endpoint.got] == wanted


def test_a_watching_sender_ends_though_nobody_answers_it(home: Home) -> None:
    record(home, 1)
    with (
        LineageEndpoint(choose=lambda _: Behaviour(hang=True)) as endpoint,
        process(home, endpoint.url, "--watch") as watching,
    ):
        wait_until(lambda: len(endpoint.got) == 1, "a request")
        watching.send_signal(signal.SIGTERM)
        out, _ = watching.communicate(timeout=PATIENCE_S)
        assert watching.returncode == 0, out


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", "send", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_the_command_tells_what_it_did(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    wanted = record(home, 2)
    with LineageEndpoint(choose=_only(wanted[1], BAD)) as endpoint:
        code, out, _ = call(capsys, "--url", endpoint.url, "--json")
        assert code == 1
        found = json.loads(out)
        assert (found["delivered"], found["waiting"], found["problem"]) == (3, 0, "")
        assert [a["reason"] for a in found["set_aside"]] == ["HTTP 400 told why"]
        endpoint.choose = lambda _: None
        code, out, err = call(capsys, "--url", endpoint.url, "--replay", "--from", "2026-07-15")
        assert (code, "delivered 4" in out, "2 次运行" in err) == (0, True, True)


@pytest.mark.parametrize("options", [["--from", "2026-07-15"], ["--watch", "--json"], []])
def test_what_cannot_be_meant_is_a_usage_error(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)
    assert call(capsys, *options)[0] == 2


def _only(name: tuple[str, str], does: Behaviour) -> Callable[[dict[str, Any]], Behaviour | None]:
    return lambda event: does if (event["run"]["runId"], event["eventType"]) == name else None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _endpoint_process(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.lineage.endpoint", str(port), str(log)]
    started = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until(lambda: _is_listening(port), "the endpoint")
        yield started
    finally:
        started.kill()
        started.wait()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
