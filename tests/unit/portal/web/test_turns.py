"""Logins take turns: guessing is slowed before anything is hashed, and no page waits for it."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from argon2 import PasswordHasher
from starlette.testclient import TestClient

from portal.web import turns
from portal.web.app import build_web
from sharing.accounts.passwords import Passwords
from sharing.endpoint import web_serving
from sharing.gateway import limits
from sharing.gateway.rates import Rate
from sharing.serving import server_of
from tests.support.town import FROM_OURS, OWN, URL, Browser, Clock, Town

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from sharing.control import Control

#: How long a test waits for what must come (s).
LONG_S = 60


class Watched(Passwords):
    """Checks passwords one at a time as told, and says how many were at work together."""

    def __init__(self, *, is_open: bool = True) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.checked = self.most = self._now = 0
        self._lock, self.go_on = threading.Lock(), threading.Event()
        if is_open:
            self.go_on.set()

    def is_right(self, password: str, kept: str | None) -> bool:
        with self._lock:
            self.checked += 1
            self._now += 1
            self.most = max(self.most, self._now)
        self.go_on.wait(LONG_S)
        with self._lock:
            self._now -= 1
        return super().is_right(password, kept)


@contextmanager
def served(control: Control, passwords: Passwords) -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        app = build_web(control, f"http://127.0.0.1:{port}", passwords=passwords)
        server = server_of(app, web_serving(port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join()


def send(
    port: int, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str]]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=LONG_S)) as connection:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        told = {k.lower(): v for k, v in answer.getheaders()}
        return answer.status, answer.read().decode(), told


def test_sixty_logins_at_once_hold_no_other_page(control: Control) -> None:
    passwords = Watched(is_open=False)
    with served(control, passwords) as port, ThreadPoolExecutor(60) as pool:
        _, page, headers = send(port, "GET", "/login")
        token = page.split('name="csrf" value="')[1].split('"')[0]
        cookie = headers["set-cookie"].split(";")[0]
        kind = {"content-type": "application/x-www-form-urlencoded", "cookie": cookie, **FROM_OURS}

        def log_in(n: int) -> int:
            sent = urlencode({"csrf": token, "name": f"person{n}", "password": "wrong"})
            return send(port, "POST", "/login", sent, kind)[0]

        try:
            tried = [pool.submit(log_in, n) for n in range(60)]
            turned_away = 60 - turns.AT_ONCE - turns.MOST_WAITING
            first = as_completed(tried, timeout=LONG_S)
            assert {next(first).result() for _ in range(turned_away)} == {429}
            assert send(port, "GET", "/login")[0] == 200
            assert send(port, "GET", "/style.css")[0] == 200
        finally:
            passwords.go_on.set()
        statuses = [one.result() for one in tried]
    assert statuses.count(403) == turns.AT_ONCE + turns.MOST_WAITING
    assert passwords.most <= turns.AT_ONCE


def a_town(control: Control, passwords: Passwords) -> Town:
    clock = Clock()
    return Town(control, clock, build_web(control, URL, passwords=passwords, now=clock))


def test_an_account_is_tried_so_often_and_no_more_is_hashed(control: Control) -> None:
    passwords = Watched()
    town = a_town(control, passwords)
    town.account("li", "health", "steward")
    answers = [town.browser().log_in(name, "wrong") for name in ["nobody"] * 40]
    statuses = [answer.status_code for answer in answers]
    burst = turns.OF_ACCOUNT.burst
    assert statuses[:burst] == [403] * burst
    assert set(statuses[burst:]) >= {429}
    assert passwords.checked == statuses.count(403)
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "登录尝试过于频繁" in answers[-1].text
    assert town.browser().log_in("li").status_code == 303


def test_one_address_tries_so_many_accounts(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "OF_ADDRESS", Rate(per_s=1e-6, burst=5))
    passwords = Watched()
    town = a_town(control, passwords)
    tried = [town.browser().log_in(f"person{n}", "wrong").status_code for n in range(10)]
    assert tried == [403] * 5 + [429] * 5
    assert passwords.checked == 5
    elsewhere: Any = TestClient(town.app, URL, follow_redirects=False, client=("10.0.0.7", 1))
    assert Browser(elsewhere).log_in("person0", OWN).status_code == 403


def test_too_many_requests_at_once_are_turned_away_in_words(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_RUNNING_OF_ONE", 0)
    answer = town.browser().get("/login")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "请求过多" in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
