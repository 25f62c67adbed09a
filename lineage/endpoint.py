"""An OpenLineage endpoint: where it is, and what its answer to one event means.

Source: OpenLineage API 1-0-0 (``POST /api/v1/lineage``, one event a request); RFC 9110, §10.2.3
(Retry-After). The variables are those of openlineage-python, whose own transport is not used: it
cannot send the bytes as they lie on disk, nor say what became of one event.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal, Self

import httpx

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ``refused`` is about this event, ``down`` about the endpoint; ``later`` could be either.
Kind = Literal["delivered", "refused", "later", "down"]

_PATH: Final = "api/v1/lineage"
#: How long an endpoint may stay silent; the default of openlineage-python.
TIMEOUT_S: Final = 5.0
_SHOWN_CHARS: Final = 300
_BUSY: Final = frozenset({408, 425, 429})
_NOTHING: Final = Words("", "")
#: Answers to the address or the key, not to the event: every other event would get them as well.
_NOT_OURS: Final = frozenset({401, 402, 403, 404, 405, 407, 421})


@dataclass(frozen=True)
class Address:
    """Where events go; ``url`` is the whole address, the key is shown to nobody else."""

    url: str
    api_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, url: str | None = None) -> Address:
        """Read ``OPENLINEAGE_URL``, ``_ENDPOINT`` and ``_API_KEY``; ``url`` is asked for instead.

        Raises UsageError where there is none, or what there is is no address.
        """
        base = (url or os.environ.get("OPENLINEAGE_URL") or "").strip().rstrip("/")
        path = os.environ.get("OPENLINEAGE_ENDPOINT", _PATH).strip("/")
        if not base:
            raise UsageError(
                Words("没有指明 OpenLineage 接收端。", "No OpenLineage endpoint is named."),
                Words(
                    "请设置 OPENLINEAGE_URL，或给出 --url URL。",
                    "Set OPENLINEAGE_URL, or give --url URL.",
                ),
            )
        try:
            parsed = httpx.URL(base if base.endswith(f"/{path}") else f"{base}/{path}")
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise UsageError(
                Words("OPENLINEAGE_URL 不是地址。", "OPENLINEAGE_URL is no address."),
                Words(
                    "请写作 http://host:port 或 https://host。",
                    "Write it as http://host:port or https://host.",
                ),
            )
        return cls(str(parsed), os.environ.get("OPENLINEAGE_API_KEY") or None)

    @property
    def name(self) -> str:
        """The address as it may be shown and stored: without user, password and query."""
        return str(httpx.URL(self.url).copy_with(username=None, password=None, query=None))


@dataclass(frozen=True)
class Answer:
    """What became of one event; ``retry_after_s`` is how long the endpoint asked to be left."""

    kind: Kind
    reason: Words = _NOTHING
    status: int | None = None
    retry_after_s: float | None = None


class Endpoint:
    """A connection to one address; closed as a context manager."""

    def __init__(self, address: Address, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        headers = {"Content-Type": "application/json", "User-Agent": "jingshu"}
        if address.api_key:
            headers["Authorization"] = f"Bearer {address.api_key}"
        # Certificates are read where they are needed only: it takes longer than a day's sending.
        is_tls = address.url.startswith("https:")
        self._client = httpx.Client(headers=headers, timeout=timeout_s, verify=is_tls)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, event: bytes) -> Answer:
        """Send one event and say what became of it; never raises for what a network does."""
        try:
            response = self._client.post(self.address.url, content=event)
        except httpx.ConnectError as error:
            why = _told(error)
            return Answer("down", Words(f"无人应答（{why}）", f"nobody answers ({why})"))
        except httpx.TimeoutException:
            limit = f"{self._client.timeout.read:g}"
            reason = Words(f"{limit} 秒内没有答复", f"no answer within {limit} s")
            return Answer("later", reason)
        except httpx.HTTPError as error:
            why = _told(error)
            return Answer("later", Words(f"连接中断（{why}）", f"the connection broke ({why})"))
        return answer(response.status_code, response.headers, response.text)


def answer(status: int, headers: Mapping[str, str], text: str) -> Answer:
    """Return what a response means. Pure but for a Retry-After that names a moment."""
    if 200 <= status < 300:  # noqa: PLR2004  (RFC 9110, §15.3)
        return Answer("delivered", status=status)
    said = f"HTTP {status} {' '.join(text.split())[:_SHOWN_CHARS]}".strip()
    reason = Words(said, said)
    wait_s = _retry_after_s(headers.get("retry-after"))
    if status in _BUSY or status >= 500:  # noqa: PLR2004  (RFC 9110, §15.6)
        return Answer("later", reason, status, wait_s)
    if status in _NOT_OURS or status < 400:  # noqa: PLR2004  (redirects are not followed)
        return Answer("down", reason, status, wait_s)
    return Answer("refused", reason, status)


def _retry_after_s(value: str | None) -> float | None:
    """Read seconds or an HTTP date; what is neither is as if it were not there."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    with suppress(ValueError):
        moment = parsedate_to_datetime(value)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (zoned - datetime.now(UTC)).total_seconds())
    return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN_CHARS]}".rstrip(": ")
