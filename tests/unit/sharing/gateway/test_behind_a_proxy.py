"""The gateway and the pages behind a real nginx with TLS, by the configuration in the docs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from contracts.layout import ROOT
from contracts.moment import utc_now
from infra.stack.processes import free_port, is_listening
from portal.web.serving import PORTAL
from sharing.control import Control
from sharing.gateway.rates import FAILED
from sharing.grants import recipients
from sharing.serving import build_server
from tests.support.sharing.served import TABLE, TABLE_URL, Answer, home_with_a_table, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import uvicorn

    from tests.support.sharing.served import Served

DOC: Final = ROOT / "docs" / "how-to" / "behind-a-proxy.md"
#: What nginx connects from, and the only peer whose word is believed.
PROXY: Final = "127.0.0.9"
#: Clients: one within the recipient's network, one without.
OFFICE, ELSEWHERE = "127.1.0.7", "127.0.0.2"
PATIENCE_S: Final = 60


@dataclass(frozen=True)
class Proxied:
    """A gateway and the pages, each behind nginx on a port of ``localhost``."""

    served: Served
    gateway_port: int
    pages_port: int
    certificate: Path
    profile: Path

    def send(
        self,
        path: str,
        *,
        come_from: str = OFFICE,
        method: str = "GET",
        body: bytes | None = None,
        port: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        connection = HTTPSConnection(
            "localhost",
            port or self.gateway_port,
            timeout=PATIENCE_S,
            context=trusting,
            source_address=(come_from, 0),
        )
        with closing(connection):
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )

    def version(self, come_from: str, **headers: str) -> int:
        sent = {"Authorization": f"Bearer {self.served.token}"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        return self.send(f"{TABLE_URL}/version", come_from=come_from, headers=sent).status


def configuration(folder: Path, ports: Mapping[str, int]) -> Path:
    """Write what the docs say, on free ports and with a certificate made here."""
    found = re.search(r"```nginx\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    assert found is not None
    text, first, second = found[1], "listen 443 ssl;", "listen 443 ssl;"
    text = text.replace("server 127.0.0.1:8791;", f"server 127.0.0.1:{ports['gateway']};")
    text = text.replace("server 127.0.0.1:8792;", f"server 127.0.0.1:{ports['pages']};")
    text = text.replace(first, f"listen 127.0.0.1:{ports['share']} ssl;", 1)
    text = text.replace(second, f"listen 127.0.0.1:{ports['office']} ssl;", 1)
    text = re.sub(r"(share|office)\.example\.cn", "localhost", text)
    text = re.sub(r"/etc/ssl/jingshu/\w+", str(folder / "own"), text)
    kept = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log;\nevents {{ worker_connections 512; }}\n"
        f"http {{\naccess_log off;\nproxy_bind {PROXY};\n{kept}{text}\n}}\n"
    )
    file = folder / "nginx.conf"
    file.write_text(whole, "utf-8")
    return file


def make_certificate(folder: Path) -> Path:
    asked = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    named = "-addext subjectAltName=DNS:localhost -keyout own.key -out own.pem"
    command = ["openssl", *asked.split(), *named.split()]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder / "own.pem"


@contextmanager
def nginx(folder: Path, ports: Mapping[str, int]) -> Iterator[None]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "Debian's nginx-light is needed"
    log, file = folder / "error.log", configuration(folder, ports)
    process = subprocess.Popen([program, "-p", str(folder), "-e", str(log), "-c", str(file)])
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not is_listening(ports["share"]):
            assert process.poll() is None, log.read_text() if log.exists() else "nginx ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(server: uvicorn.Server, listening: socket.socket) -> Iterator[None]:
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxy")
    certificate = make_certificate(folder)
    share, office = free_port(), free_port()
    with pytest.MonkeyPatch.context() as operator, socket.socket() as for_pages:
        operator.setenv("JINGSHU_GATEWAY_URL", f"https://localhost:{share}")
        operator.setenv("JINGSHU_WEB_URL", f"https://localhost:{office}")
        operator.setenv("JINGSHU_TRUSTED_PROXIES", f"{PROXY}/32")
        for_pages.bind(("127.0.0.1", 0))
        for_pages.listen()
        pages_port = for_pages.getsockname()[1]
        with Control(home_with_a_table(folder)) as control, serving(control) as served:
            profile = folder / "demo.share"
            recipients.write_profile(
                recipients.Profile(
                    recipients.issue_profile(control, "demo").endpoint,
                    served.token,
                    utc_now() + recipients.TOKEN_LIFE,
                ),
                profile,
            )
            ports = {"gateway": served.port, "pages": pages_port, "share": share, "office": office}
            with (
                running(build_server(PORTAL, control, pages_port), for_pages),
                nginx(folder, ports),
            ):
                yield Proxied(served, share, office, certificate, profile)


def test_a_recipient_reads_a_table_through_tls(proxied: Proxied) -> None:
    reading = (
        "import sys, delta_sharing\n"
        "print(sorted(delta_sharing.load_as_pandas(sys.argv[1])['district']))\n"
    )
    trusting = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(proxied.certificate))
    told = subprocess.run(
        [sys.executable, "-c", reading, f"{proxied.profile}#jingshu.city.{TABLE}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **trusting},
    )
    assert told.stdout.strip() == "['110101', '110101', '110105']", told.stderr


def test_networks_go_by_the_client_s_address_behind_the_proxy(proxied: Proxied) -> None:
    recipients.set_networks(proxied.served.control, "demo", ["127.1.0.0/16"])
    try:
        assert proxied.version(OFFICE) == 200
        assert proxied.version(ELSEWHERE) == 401
        # The client's own word stands further left than what nginx adds.
        assert proxied.version(ELSEWHERE, X_Forwarded_For=OFFICE) == 401
        assert proxied.version(ELSEWHERE, X_Forwarded_For=f"{OFFICE}, {PROXY}") == 401
        assert proxied.version(OFFICE, X_Forwarded_For=ELSEWHERE) == 200
        signed = proxied.send(
            f"{TABLE_URL}/query",
            method="POST",
            body=b"{}",
            headers={"Authorization": f"Bearer {proxied.served.token}"},
        ).lines[-1]["file"]["url"]
        parts = urlsplit(signed)
        assert (parts.scheme, parts.netloc) == ("https", f"localhost:{proxied.gateway_port}")
        path = f"{parts.path}?{parts.query}"
        opened = {a: proxied.send(path, come_from=a).status for a in (OFFICE, ELSEWHERE)}
        assert opened == {OFFICE: 200, ELSEWHERE: 403}
    finally:
        recipients.set_networks(proxied.served.control, "demo", [])


def test_who_is_no_trusted_proxy_is_not_believed(proxied: Proxied) -> None:
    """A peer that comes to the gateway itself, past nginx, is who it is, whatever it says."""
    served = proxied.served
    recipients.set_networks(served.control, "demo", ["127.1.0.0/16"])
    try:
        path = f"{TABLE_URL}/version"
        for said in (OFFICE, f"{OFFICE}, {PROXY}", PROXY):
            assert served.get(path, X_Forwarded_For=said, Forwarded=f"for={OFFICE}").status == 401
    finally:
        recipients.set_networks(served.control, "demo", [])


def test_the_right_most_address_that_is_no_proxy_s_counts(proxied: Proxied) -> None:
    """As an outer proxy's chain arrives: the nearest address that is not trusted is the client."""
    recipients.set_networks(proxied.served.control, "demo", ["127.1.0.0/16"])
    path, token = f"{TABLE_URL}/version", f"Bearer {proxied.served.token}"
    try:
        for chain, status in (
            (f"{ELSEWHERE}, {OFFICE}, {PROXY}", 200),
            (f"{OFFICE}, {ELSEWHERE}, {PROXY}", 401),
            (f"{OFFICE}, nonsense, {PROXY}", 401),
            (f"::ffff:{OFFICE}", 200),
            (f"{OFFICE}:4711", 200),
        ):
            sent = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            sent += f"X-Forwarded-For: {chain}\r\nConnection: close\r\n\r\n"
            with socket.create_connection(
                ("127.0.0.1", proxied.served.port), PATIENCE_S, source_address=(PROXY, 0)
            ) as inner:
                inner.sendall(sent.encode())
                assert inner.recv(1000).startswith(f"HTTP/1.1 {status} ".encode()), chain
    finally:
        recipients.set_networks(proxied.served.control, "demo", [])


def test_rates_go_by_the_client_s_address_behind_the_proxy(proxied: Proxied) -> None:
    wrong = {"Authorization": "Bearer jst_wrong"}
    path = f"{TABLE_URL}/version"

    def refused(said: int) -> int:
        # Another invented address each time makes no difference.
        told = {**wrong, "X-Forwarded-For": f"10.0.{said % 250}.1"}
        return proxied.send(path, come_from="127.0.0.66", headers=told).status

    statuses = [refused(n) for n in range(FAILED.burst + 100)]
    assert set(statuses) == {401, 429}
    assert proxied.send(path, come_from=ELSEWHERE, headers=wrong).status == 401
    assert proxied.version(OFFICE) == 200


def test_pages_come_by_tls_with_cookies_for_tls_alone(proxied: Proxied) -> None:
    page = proxied.send("/login", port=proxied.pages_port)
    assert page.status == 200
    assert page.headers["set-cookie"].startswith("__Host-jingshu_before=")
    assert "Secure" in page.headers["set-cookie"]
    assert "max-age" in page.headers["strict-transport-security"]
    rebound = proxied.send("/login", port=proxied.pages_port, headers={"Host": "evil.example"})
    assert rebound.status == 421


def test_what_nginx_refuses_itself_is_the_protocol_s_json(proxied: Proxied) -> None:
    large = proxied.send(f"{TABLE_URL}/query", method="POST", body=b" " * (1024 * 1024 + 1))
    assert (large.status, large.json()["errorCode"]) == (413, "MALFORMED_REQUEST")
    assert proxied.send("/healthz").status == 404
    assert proxied.served.get("/healthz", token=None).status == 200
