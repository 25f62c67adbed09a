from __future__ import annotations

import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from infra.stack.airflow import PREFERRED_PORT
from portal.serve import HOST, PORT, PortInUseError, make_server
from portal.web import serving as web
from sharing.endpoint import DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    site = tmp_path / "site"
    (site / "empty").mkdir(parents=True)
    (site / "index.html").write_text("<p>日报</p>", encoding="utf-8")
    (site / ".hidden").write_text("secret", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("secret", encoding="utf-8")
    with make_server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def get(port: int, path: str, host: str = HOST) -> tuple[int, str, dict[str, str]]:
    connection = HTTPConnection(HOST, port)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body, dict(response.getheaders())


def test_no_two_servers_want_one_port() -> None:
    ports = [PORT, PREFERRED_PORT, DEFAULT_PORT, web.DEFAULT_PORT]
    assert len(set(ports)) == len(ports)


def test_the_page_comes_with_headers_that_keep_it_to_itself(port: int) -> None:
    status, body, headers = get(port, "/")
    assert (status, body) == (200, "<p>日报</p>")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/.hidden", "/%2ehidden", "/../outside.txt", "/%2e%2e/outside.txt", "/empty/", "/none"]
)
def test_nothing_but_pages_is_served(port: int, path: str) -> None:
    status, body, _ = get(port, path)
    assert status == 404
    assert "secret" not in body


def test_a_rebound_host_name_is_refused(port: int) -> None:
    assert get(port, "/", host="evil.example")[0] == 403
    assert get(port, "/", host="localhost")[0] == 200


def test_a_taken_port_is_an_error_with_a_remedy(port: int, tmp_path: Path) -> None:
    with pytest.raises(PortInUseError, match="--port"):
        make_server(tmp_path, port)
