"""Parts of the stack as real processes: started, recorded, found again, stopped to the last one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.stack import processes, standing
from infra.stack.processes import Ledger, Part, StackError
from infra.stack.standing import GATEWAY, WEB, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.layout import Home

#: A leader with a child in a process group of its own; both say when they are ready, both are deaf
#: to SIGTERM.
DEAF_FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setpgid(0, 0)
    open(sys.argv[1] + ".child", "w").close()
    time.sleep(600)
open(sys.argv[1], "w").close()
time.sleep(600)
"""
LISTENER = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    time.sleep(600)
"""


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def python(home: Home, name: str, program: str, *arguments: str, port: int = 0) -> Part:
    argv = [sys.executable, "-c", program, *arguments]
    return processes.launch(home, name, argv, os.environ, port=port)


@pytest.fixture
def family(home: Home, tmp_path: Path) -> Iterator[Part]:
    mark = tmp_path / "ready"
    part = python(home, "family", DEAF_FAMILY, str(mark))
    until(lambda: mark.exists() and Path(f"{mark}.child").exists())
    yield part
    processes.stop(home, [part], grace_s=0.1)


def test_a_part_leads_a_session_of_its_own(family: Part) -> None:
    assert os.getsid(family.pid) == family.pid != os.getsid(0)
    assert len(family.members()) == 2


def test_stop_ends_every_process_of_the_session_even_the_deaf(home: Home, family: Part) -> None:
    members = family.members()
    processes.stop(home, [family], grace_s=0.2)
    assert family.members() == []
    assert not any(is_running(pid) for pid in members)
    assert Ledger(home).parts() == []


def test_what_outlives_a_killed_leader_is_found_from_the_ledger(home: Home, family: Part) -> None:
    os.kill(family.pid, signal.SIGKILL)
    until(lambda: not family.is_alive())
    [left] = Ledger(home).parts()
    assert len(left.members()) == 1
    processes.stop(home, [left], grace_s=0.2)
    assert left.members() == []


@pytest.mark.parametrize(
    "change", [{"started": 1}, {"boot": "another"}], ids=["reused", "rebooted"]
)
def test_a_process_that_only_shares_the_number_is_left_alone(
    home: Home, family: Part, change: dict[str, object]
) -> None:
    stranger = replace(family, **change)  # type: ignore[arg-type]
    assert not stranger.is_alive()
    processes.stop(home, [stranger], grace_s=0.1)
    assert len(family.members()) == 2


def test_a_dead_part_says_its_last_words_and_where_to_read_on(home: Home) -> None:
    part = python(home, "brief", "print('no such table'); raise SystemExit(3)")
    until(lambda: not part.is_alive())
    with pytest.raises(StackError, match=r"brief stopped by itself.*no such table.*brief\.log"):
        processes.require_alive(part)


def test_waiting_for_a_part_that_dies_fails_at_once(home: Home) -> None:
    part = python(home, "brief", "raise SystemExit('bad')", port=processes.free_port())
    with pytest.raises(StackError, match="bad"):
        processes.wait_listening(part, timeout_s=60)


def test_waiting_ends_when_the_port_answers(home: Home) -> None:
    port = processes.free_port()
    part = python(home, "listener", LISTENER, str(port), port=port)
    try:
        processes.wait_listening(part, timeout_s=20)
        assert processes.is_listening(port)
    finally:
        processes.stop(home, [part])
    assert not processes.is_listening(port)


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.5"])
def test_a_part_that_listens_elsewhere_than_on_the_loopback_is_waited_for_there() -> None:
    with socket.create_server(("127.0.0.5", 0)) as bound:
        port = bound.getsockname()[1]
        assert processes.is_listening(port, "127.0.0.5")
        assert not processes.is_listening(port)


def test_status_tells_the_public_addresses(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_GATEWAY_URL", "https://share.city")
    monkeypatch.delenv("JINGSHU_WEB_URL", raising=False)
    parts = [
        python(home, name, "import time; time.sleep(600)", port=processes.free_port())
        for name in (GATEWAY, WEB)
    ]
    try:
        told = {part.name: part.address for part in status(home)}
    finally:
        processes.stop(home, parts)
    assert told[GATEWAY] == "https://share.city/delta-sharing"
    assert told[WEB] == f"http://127.0.0.1:{parts[1].port}"


def test_a_silent_part_is_given_up(home: Home) -> None:
    part = python(home, "silent", "import time; time.sleep(600)", port=processes.free_port())
    with pytest.raises(StackError, match="did not answer"):
        processes.wait_listening(part, timeout_s=0.2)
    processes.stop(home, [part])


def test_a_taken_port_is_an_error_with_a_remedy(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"Port {port} for gateway is taken.*jingshu down"):
            processes.launch(home, "gateway", ["true"], {}, port=port)
        assert processes.free_port(port) != port
    assert processes.free_port(port) == port


def test_a_program_that_is_not_there_is_an_error_with_a_remedy(home: Home) -> None:
    with pytest.raises(StackError, match=r"could not be started.*\./jingshu"):
        processes.launch(home, "ghost", ["/nonexistent/program"], {})
    assert Ledger(home).parts() == []


def test_the_ledger_keeps_the_order_and_finds_the_living(home: Home, family: Part) -> None:
    ledger = Ledger(home)
    gone = replace(family, name="gone", pid=2**22 + 1)
    ledger.record(gone)
    assert [part.name for part in ledger.parts()] == ["family", "gone"]
    ledger.forget([gone])
    assert ledger.parts() == [family]


UNDISTURBED = """
import os, signal, sys
from infra.stack.processes import undisturbed
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
try:
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        print("finished", flush=True)
except KeyboardInterrupt:
    print("then interrupted", flush=True)
"""


def test_signals_wait_until_a_part_is_recorded() -> None:
    result = subprocess.run(
        [sys.executable, "-c", UNDISTURBED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split("\n")[:2] == ["finished", "then interrupted"]


def test_a_copied_home_does_not_own_the_processes_of_the_first(
    home: Home, family: Part, tmp_path: Path
) -> None:
    copy = type(home)(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    assert Ledger(copy).parts() == []
    assert standing.down(copy) == []
    assert len(family.members()) == 2
    assert Ledger(home).find("family") == family


def test_a_home_that_is_renamed_keeps_its_processes(
    home: Home, family: Part, tmp_path: Path
) -> None:
    renamed = type(home)(home.root.rename(tmp_path / "renamed"))
    assert standing.down(renamed) == [family]
    assert family.members() == []


def test_the_ledger_of_the_version_before_is_read(home: Home, family: Part) -> None:
    ledger = Ledger(home)
    ledger.path.write_text(json.dumps([asdict(family)]), "utf-8")
    assert ledger.parts() == [family]
