"""The application as a server and as a command."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from click.testing import CliRunner

from cli.main import jingshu
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from portal.web.serving import PORTAL
from sharing import owed
from sharing.serving import build_server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.town import Town


def test_it_answers_on_its_own_address_after_writing_what_evidence_is_owed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(owed, "settle", lambda *_: None)
        ask_id = town.asked("draft")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        server = build_server(PORTAL, town.control, port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("GET", "/login")
                answer = connection.getresponse()
                assert answer.status == 200
                assert "登录" in answer.read().decode()
                assert answer.getheader("server") is None
        finally:
            server.should_exit = True
            thread.join()
    leaves = {Leaf.parse(entry).key for _, entry in EvidenceLog(town.control.home).entries()}
    assert f"request:{ask_id}#0" in leaves


def test_the_command_says_how_to_begin() -> None:
    done = CliRunner().invoke(jingshu, ["portal", "web", "--help"])
    assert done.exit_code == 0
    assert "./jingshu portal web --port 8792" in done.output
    assert CliRunner().invoke(jingshu, ["portal", "web", "--port", "0"]).exit_code == 2


def test_a_wrong_setting_ends_the_program_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path))
    monkeypatch.setenv("JINGSHU_WEB_PORT", "x")
    done = subprocess.run(
        [sys.executable, "-m", "portal.web"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "JINGSHU_WEB_PORT" in done.stderr
