"""A real mail server on the loopback, and what it took."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Post:
    """A mail server that keeps what it takes, or answers with an error."""

    answer: str = "250 OK"
    refuse_address: str = ""
    taken: list[Any] = field(default_factory=list)

    async def handle_RCPT(self, _s: Any, _n: Any, envelope: Any, to: str, _o: Any) -> str:  # noqa: N802
        if self.refuse_address:
            return self.refuse_address
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _s: Any, _n: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return self.answer

    @property
    def ids(self) -> list[str]:
        return [message["Message-ID"] for _, message in self.taken]


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def posting(post: Post) -> Iterator[int]:
    """Run the server; yield its port."""
    port = closed_port()
    server = Controller(post, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield port
    finally:
        server.stop()
