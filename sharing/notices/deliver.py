"""Sends what the outbox holds, by SMTP and webhook, within bounded time.

A webhook is signed: ``Jingshu-Signature: v1=<hex>`` is HMAC-SHA256 of ``<timestamp>.<body>`` with
the address's secret, ``Jingshu-Timestamp`` is in seconds since 1970. ``Jingshu-Notice`` and the
mail's Message-ID are the notice's own id, the same each time it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, Literal

import httpx

from contracts.errors import JingshuError, UsageError
from contracts.moment import utc_now
from contracts.words import Words
from sharing.notices import outbox
from sharing.notices.addresses import origin, read_secret
from sharing.notices.notice import both
from sharing.notices.outbox import Claimed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from contracts.layout import Home
    from sharing.control import Control
    from sharing.notices.addresses import Book, Smtp, To

#: How long one step of a conversation may take, and one sending altogether.
STEP_S: Final = 5.0
SENDING_S: Final = 20.0
#: How long a drain goes on taking new ones.
DRAIN_S: Final = 60.0
_GONE: Final = 410
_PERMANENT: Final = range(500, 600)
_LATER: Final = Words("稍后重试。", "It is tried again later.")
_CORRECT: Final = Words("请改正。", "Correct it.")


class NotSentError(JingshuError, OSError):
    """A sending that failed.

    ``about`` says whether the endpoint is down, or only this message failed, or it always will.
    """

    def __init__(self, problem: Words, about: Literal["endpoint", "message", "final"]) -> None:
        super().__init__(problem, _CORRECT if about == "final" else _LATER)
        self.about = about


@dataclass(frozen=True)
class Drained:
    """What one drain did."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


class Sender:
    """Sends to the addresses of a book; ``tls`` are the authorities that are trusted."""

    def __init__(
        self,
        home: Home,
        book: Book,
        tls: ssl.SSLContext | None = None,
        sending_s: float = SENDING_S,
    ) -> None:
        self._sending_s = sending_s
        self._home = home
        self._book = book
        self._tls = tls

    def send(self, claimed: Claimed, at: datetime) -> None:
        """Send one; NotSentError where it failed, within SENDING_S."""
        entry = self._book.find(claimed.address)
        if entry is None:
            raise NotSentError(
                Words(
                    "该地址已不在 notices.toml 里。", "The address is no longer in notices.toml."
                ),
                "final",
            )
        way: Callable[[To, Claimed, datetime], None] = (
            self._mail if entry.via == "email" else self._call
        )
        try:
            _within(self._sending_s, lambda: way(entry, claimed, at))
        except UsageError as error:
            raise NotSentError(error.words, "message") from error

    def behind(self, address: str) -> list[str]:
        """Return every address that is reached the same way as this one."""
        entry = self._book.find(address)
        if entry is None or entry.webhook is not None:
            return [address]
        return [e.address for e in self._book.to if e.email is not None]

    def _mail(self, entry: To, claimed: Claimed, _at: datetime) -> None:
        smtp = self._book.smtp
        if smtp is None:
            raise NotSentError(
                Words("notices.toml 没有写邮件服务器。", "notices.toml names no mail server."),
                "final",
            )
        message = mail_of(claimed, smtp.sender)
        try:
            with smtplib.SMTP(smtp.host, smtp.port, timeout=STEP_S) as server:
                self._enter(server, smtp)
                server.send_message(message, smtp.sender, [entry.address])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            about: Literal["final", "message"] = "final" if code in _PERMANENT else "message"
            raise NotSentError(
                Words(
                    f"邮件服务器拒收该地址：{code}。",
                    f"The mail server refused the address: {code}.",
                ),
                about,
            ) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise NotSentError(
                Words(
                    f"邮件服务器应答 {error.smtp_code}。",
                    f"The mail server answered {error.smtp_code}.",
                ),
                "message",
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            kind = _name(error)
            raise NotSentError(
                Words(f"邮件服务器出错：{kind.zh}。", f"The mail server failed: {kind.en}."),
                "endpoint",
            ) from error

    def _enter(self, server: smtplib.SMTP, smtp: Smtp) -> None:
        if smtp.starttls:
            server.starttls(context=self._tls or ssl.create_default_context())
        if smtp.username is not None and smtp.password_file is not None:
            password = read_secret(self._home, smtp.password_file, shortest_bytes=1)
            server.login(smtp.username, password.decode())

    def _call(self, entry: To, claimed: Claimed, at: datetime) -> None:
        url, secret_file = entry.webhook or "", entry.secret_file or ""
        allowed = {origin(o) for o in self._book.webhooks.allow}
        if origin(url) not in allowed:
            raise NotSentError(
                Words("该地址不在 webhooks.allow 里。", "The address is not in webhooks.allow."),
                "final",
            )
        body = body_of(claimed)
        stamp = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "jingshu",
            "Jingshu-Notice": claimed.key,
            "Jingshu-Timestamp": stamp,
            "Jingshu-Signature": sign(read_secret(self._home, secret_file), stamp, body),
        }
        try:
            # Neither proxies of the environment nor redirects lead elsewhere; the answer's body
            # is not read.
            with (
                httpx.Client(
                    timeout=STEP_S,
                    follow_redirects=False,
                    trust_env=False,
                    verify=self._tls or url.startswith("https:"),
                ) as client,
                client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kind = _name(error)
            raise NotSentError(
                Words(f"webhook 出错：{kind.zh}。", f"The webhook failed: {kind.en}."),
                "endpoint",
            ) from error
        if not httpx.codes.is_success(status):
            about: Literal["final", "endpoint"] = "final" if status == _GONE else "endpoint"
            raise NotSentError(
                Words(f"webhook 应答 {status}。", f"The webhook answered {status}."), about
            )


def drain(
    control: Control,
    sender: Sender,
    *,
    budget_s: float = DRAIN_S,
    clock: Callable[[], datetime] = utc_now,
) -> Drained:
    """Send what is due until nothing is, or the time is up; an endpoint that is down waits."""
    ends = time.monotonic() + budget_s
    sent = failed = dead = 0
    while time.monotonic() < ends and (claimed := outbox.claim(control, clock())) is not None:
        try:
            sender.send(claimed, clock())
        except NotSentError as error:
            at = clock()
            is_dead = outbox.mark_failed(
                control, claimed, at, error.problem.stored(), is_final=error.about == "final"
            )
            dead, failed = dead + is_dead, failed + (not is_dead)
            if error.about == "endpoint":
                _leave_alone(control, sender, claimed, at)
        else:
            sent += outbox.mark_sent(control, claimed, clock())
    return Drained(sent, failed, dead)


def mail_of(claimed: Claimed, sender: str) -> EmailMessage:
    """Return the mail: the same each time it is sent."""
    message = EmailMessage()
    # One line, whatever it holds: EmailMessage refuses a break, and a notice must not be lost.
    message["Subject"] = "[京枢 Jingshu] " + " ".join(str(Words.read(claimed.subject)).split())
    message["From"] = sender
    message["To"] = claimed.address
    message["Date"] = format_datetime(claimed.made_at)
    message["Message-ID"] = f"<{claimed.key}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(claimed.text)
    return message


def body_of(claimed: Claimed) -> bytes:
    """Return the webhook's body, the same each time."""
    return json.dumps(
        {
            "id": claimed.key,
            "kind": claimed.kind,
            "subject": str(Words.read(claimed.subject)),
            "text": claimed.text,
            "at": claimed.made_at.isoformat(),
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()


def a_test(entry: To, at: datetime) -> Claimed:
    """Return a message that says nothing but that it arrived; the outbox does not know it."""
    return Claimed(
        id=0,
        claim="",
        key=secrets.token_hex(32),
        kind="test",
        subject=Words("试发", "test").stored(),
        text=both(Words("这是一条试发的通知。", "This is a test of notices.")),
        made_at=at,
        via=entry.via,
        address=entry.address,
    )


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the value of ``Jingshu-Signature``."""
    signed = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def _within(limit_s: float, call: Callable[[], None]) -> None:
    """Run a call for so long; a peer that answers a byte at a time keeps each of its steps in time.

    The thread that is left behind ends with its peer or with this process, whichever is first.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            raised.append(error)

    thread = threading.Thread(target=run, name="notice", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise NotSentError(
            Words(f"{limit_s:.0f} 秒内未结束。", f"No end after {limit_s:.0f} s."), "endpoint"
        )
    if raised:
        raise raised[0]


def _leave_alone(control: Control, sender: Sender, claimed: Claimed, at: datetime) -> None:
    """Open the circuit: of a mail server for every mail, of a webhook for its address."""
    until = at + outbox.pause_after(1)
    for address in sender.behind(claimed.address):
        outbox.postpone(control, address, at, until)


def _name(error: BaseException) -> Words:
    """Return what kind of failure it was; its words may hold what a peer chose to say."""
    if isinstance(error, smtplib.SMTPResponseException):
        name = f"{type(error).__name__} {error.smtp_code}"
    elif isinstance(error, socket.gaierror):
        return Words("没有这个主机", "unknown host")
    else:
        name = type(error).__name__
    return Words(name, name)
