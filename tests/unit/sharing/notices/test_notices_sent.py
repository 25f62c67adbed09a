"""Sending notices to a real SMTP server and a real webhook receiver on the loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cli.main import jingshu
from contracts.errors import UsageError
from contracts.words import Words
from sharing.notices import outbox
from sharing.notices.addresses import Book
from sharing.notices.deliver import Drained, NotSentError, Sender, body_of, drain, mail_of, sign
from sharing.notices.notice import Notice
from sharing.notices.outbox import Claimed
from tests.support.sharing.posting import Post, closed_port, posting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sharing.control import Control

AT = datetime(2026, 7, 16, 3, tzinfo=UTC)
KEY = b"k" * 32
MAIL = "data@health.example.cn"


@dataclass
class Hook:
    """A webhook receiver: what it was sent, and what it answers."""

    url: str = ""
    status: int = 200
    location: str = ""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def hooking(hook: Hook) -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.taken.append((dict(self.headers), body))
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        hook.url = f"http://127.0.0.1:{server.server_port}"
        yield hook
        server.shutdown()
        thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooking(Hook()) as running:
        yield running


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def smtp_port(post: Post) -> Iterator[int]:
    with posting(post) as port:
        yield port


def a_book(smtp_port: int, hook_url: str = "", **smtp: Any) -> Book:
    settings = {"host": "127.0.0.1", "port": smtp_port, "sender": "jingshu@example.cn"}
    to: list[dict[str, str]] = [{"body": "health", "email": MAIL}]
    if hook_url:
        to.append({"body": "demo", "webhook": f"{hook_url}/in", "secret_file": "demo"})
    return Book.model_validate(
        {
            "smtp": settings | {"starttls": False} | smtp,
            "webhooks": {"allow": [hook_url] if hook_url else []},
            "to": to,
        }
    )


def queue(control: Control, book: Book, *bodies: str) -> None:
    found = [
        Notice("late", f"{n}", body, "", "迟交 late: health/x", f"正文 text {n}\n")
        for n, body in enumerate(bodies)
    ]
    outbox.put(control, found, AT)
    outbox.address(control, book, AT)


def test_a_subject_is_sent_whole_in_chinese_and_then_in_english() -> None:
    subject = Words("迟交：health/x", "late: health/x")
    claimed = Claimed(1, "", "k", "late", subject.stored(), "正文\n\ntext\n", AT, "email", MAIL)
    told = str(make_header(decode_header(mail_of(claimed, MAIL)["Subject"])))
    assert told == f"[京枢 Jingshu] {subject.zh} {subject.en}"
    assert json.loads(body_of(claimed))["subject"] == f"{subject.zh} {subject.en}"


def test_why_nothing_arrived_is_kept_whole_in_each_language(
    control: Control, smtp_port: int
) -> None:
    queue(control, a_book(smtp_port), "health")
    assert send(control, Book.model_validate({})) == Drained(dead=1)
    why = Words.read(outbox.list_notices(control)[0].reason)
    assert why.zh == "该地址已不在 notices.toml 里。"
    assert why.en == "The address is no longer in notices.toml."


def send(control: Control, book: Book, at: datetime = AT, **options: Any) -> Drained:
    return drain(control, Sender(control.home, book, **options), clock=lambda: at)


@pytest.fixture(autouse=True)
def key(control: Control) -> Path:
    control.home.keys.mkdir(parents=True, exist_ok=True)
    path = control.home.keys / "demo"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


def test_a_mail_arrives_once(control: Control, post: Post, smtp_port: int) -> None:
    book = a_book(smtp_port)
    queue(control, book, "health")
    assert send(control, book) == Drained(sent=1)
    assert send(control, book) == Drained()
    ((to, message),) = post.taken
    assert to == [MAIL]
    assert str(make_header(decode_header(message["Subject"]))).endswith("迟交 late: health/x")
    assert message.get_payload(decode=True).decode() == "正文 text 0\r\n"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_webhook_is_signed(control: Control, hook: Hook) -> None:
    book = a_book(9, hook.url)
    queue(control, book, "demo")
    assert send(control, book) == Drained(sent=1)
    ((headers, body),) = hook.taken
    stamp = headers["Jingshu-Timestamp"]
    assert int(stamp) == int(AT.timestamp())
    expected = hmac.new(KEY, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Jingshu-Signature"] == f"v1={expected}"
    assert json.loads(body)["id"] == headers["Jingshu-Notice"]
    assert sign(KEY, stamp, body + b" ") != headers["Jingshu-Signature"]


def test_a_crash_between_sending_and_marking_sends_again_under_the_same_id(
    control: Control, post: Post, smtp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = a_book(smtp_port)
    queue(control, book, "health")
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "mark_sent", _crash)
        with pytest.raises(KeyboardInterrupt):
            send(control, book)
    assert send(control, book) == Drained(), "its claim still holds"
    assert send(control, book, AT + outbox.LEASE) == Drained(sent=1)
    first, second = post.ids
    assert first == second


def _crash(*_: object) -> bool:
    raise KeyboardInterrupt


def test_two_drains_at_once_send_each_once(control: Control, post: Post, smtp_port: int) -> None:
    book = a_book(smtp_port)
    queue(control, book, *["health"] * 12)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: send(control, book), range(2)))
    assert sum(d.sent for d in done) == 12
    assert len(set(post.ids)) == len(post.ids) == 12


@pytest.mark.parametrize(
    ("answer", "refuse", "expected"),
    [
        ("451 later", "", Drained(failed=1)),
        ("554 no", "", Drained(failed=1)),
        ("250 OK", "450 busy", Drained(failed=1)),
        ("250 OK", "550 no such user", Drained(dead=1)),
    ],
)
def test_what_the_mail_server_answers(
    control: Control, post: Post, smtp_port: int, answer: str, refuse: str, expected: Drained
) -> None:
    book = a_book(smtp_port)
    queue(control, book, "health")
    post.answer, post.refuse_address = answer, refuse
    assert send(control, book) == expected
    post.answer, post.refuse_address = "250 OK", ""
    again = send(control, book, AT + timedelta(minutes=2))
    assert again.sent == (1 if expected.failed else 0)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Drained(sent=1)), (204, Drained(sent=1)), (302, Drained(failed=1)),
     (400, Drained(failed=1)), (410, Drained(dead=1)), (429, Drained(failed=1)),
     (500, Drained(failed=1))],
)  # fmt: skip
def test_what_the_webhook_answers(
    control: Control, hook: Hook, status: int, expected: Drained
) -> None:
    book = a_book(9, hook.url)
    queue(control, book, "demo")
    hook.status = status
    assert send(control, book) == expected


def test_a_redirect_is_not_followed(control: Control, hook: Hook) -> None:
    with hooking(Hook()) as elsewhere:
        hook.status, hook.location = 307, f"{elsewhere.url}/in"
        book = a_book(9, hook.url)
        queue(control, book, "demo")
        send(control, book)
        assert (len(hook.taken), elsewhere.taken) == (1, [])


def test_an_endpoint_that_is_down_is_tried_once_and_others_go_on(
    control: Control, hook: Hook
) -> None:
    book = a_book(closed_port(), hook.url)
    queue(control, book, *["health"] * 20, "demo")
    assert send(control, book) == Drained(sent=1, failed=1)
    assert send(control, book) == Drained()
    states = [n.state for n in outbox.list_notices(control)]
    assert (states.count("sent"), states.count("waiting")) == (1, 20)


@pytest.fixture
def trickle() -> Iterator[int]:
    """A peer that never ends its first line."""
    stop = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def run() -> None:
            peer, _ = listening.accept()
            with peer:
                while not stop.wait(0.05):
                    try:
                        peer.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=run)
        thread.start()
        yield listening.getsockname()[1]
        stop.set()
        thread.join()


@pytest.mark.parametrize("via", ["health", "demo"])
def test_a_peer_that_trickles_is_left(control: Control, trickle: int, via: str) -> None:
    book = a_book(trickle, f"http://127.0.0.1:{trickle}")
    queue(control, book, via)
    assert send(control, book, sending_s=0.3) == Drained(failed=1)
    (found,) = outbox.list_notices(control)
    assert "No end" in found.reason


def test_without_tls_nothing_goes_where_tls_is_asked_for(
    control: Control, post: Post, smtp_port: int
) -> None:
    book = a_book(smtp_port, starttls=True)
    queue(control, book, "health")
    assert send(control, book) == Drained(failed=1)
    assert post.taken == []


def test_an_address_that_left_the_book_is_given_up(control: Control, hook: Hook) -> None:
    book = a_book(9, hook.url)
    queue(control, book, "demo")
    assert send(control, Book(smtp=book.smtp)) == Drained(dead=1)
    assert hook.taken == []


def test_a_webhook_without_its_secret_is_not_called(
    control: Control, hook: Hook, key: Path
) -> None:
    key.unlink()
    book = a_book(9, hook.url)
    queue(control, book, "demo")
    assert send(control, book) == Drained(failed=1)
    assert hook.taken == []


def test_the_command_line(
    control: Control, post: Post, smtp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    (control.home.root / "notices.toml").write_text(
        f'[smtp]\nhost = "127.0.0.1"\nport = {smtp_port}\nsender = "j@example.cn"\n'
        f'starttls = false\n[[to]]\nbody = "health"\nemail = "{MAIL}"\n',
        encoding="utf-8",
    )

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(jingshu, ["share", "notices", *arguments], standalone_mode=False)

    outbox.put(control, [Notice("late", "f", "health", "", "迟交 late", "正文\n")], AT)
    assert json.loads(run("collect", "--json").output) == {"new": 0}
    sent = run("send", "--json")
    assert (json.loads(sent.output), sent.return_value) == ({"sent": 1, "failed": 0, "dead": 0}, 0)
    (listed,) = json.loads(run("list", "--json").output)["notices"]
    assert (listed["state"], listed["subject"]) == ("sent", "迟交 late")
    assert "sent" in run("list").output
    assert run("test", MAIL).exit_code == 0
    assert len(post.taken) == 2
    assert isinstance(run("test", "other@example.cn").exception, UsageError)
    post.refuse_address = "550 no"
    assert isinstance(run("test", MAIL).exception, NotSentError)
    outbox.put(control, [Notice("late", "g", "health", "", "迟交 late", "正文\n")], AT)
    assert run("send").return_value == 1
