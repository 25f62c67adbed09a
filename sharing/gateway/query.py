"""The body of a table query, parsed at the edge (protocol § Read Data from a Table)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sharing.gateway.errors import invalid, malformed, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

#: The largest body (bytes).
BODY_BYTES = 1024 * 1024
_INT32_MAX = 2**31 - 1
_HISTORY = ("version", "timestamp", "startingVersion", "startingTimestamp")
_HISTORY_ENDS = ("endingVersion", "endingTimestamp")


@dataclass(frozen=True)
class Query:
    """What of a query counts here: the rows the client will read, where that is safe to use."""

    limit: int | None


async def read_body(request: Request) -> bytes:
    """Read the body, and no more of it than ``BODY_BYTES``.

    Raises:
        ApiError: The body is larger (413).
    """
    too_large = malformed(f"The body is over {BODY_BYTES} bytes.", 413)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > BODY_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise too_large
    return bytes(body)


def parse_query(body: bytes) -> Query:
    """Parse a query body; an empty one is ``{}``, and fields that are not known are passed over.

    Hints are best effort, so predicates are checked for their form and not applied. A limit beside
    predicates is not applied either: the client filters first, and would get too few rows.

    Raises:
        ApiError: The body is no JSON object, a field has the wrong type, or history is asked for.
    """
    try:
        fields = json.loads(body.decode("utf-8")) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise malformed("The body must be a JSON object in UTF-8.") from error
    if not isinstance(fields, dict):
        raise malformed("The body must be a JSON object.")
    refuse_history(fields)
    limit = fields.get("limitHint")
    if limit is not None and not (type(limit) is int and 0 <= limit <= _INT32_MAX):
        raise invalid("limitHint must be a number from 0 to 2147483647.")
    hints = fields.get("predicateHints")
    if hints is not None and not _is_list_of_text(hints):
        raise invalid("predicateHints must be a list of strings.")
    json_hints = fields.get("jsonPredicateHints")
    if not isinstance(json_hints, str | None):
        raise invalid("jsonPredicateHints must be a string.")
    return Query(limit=None if hints or json_hints else limit)


def refuse_history(fields: Mapping[str, Any]) -> None:
    """Refuse every way to name another version than the current: history is not shared.

    Raises:
        ApiError: A version or time is named, or two at once, which the protocol forbids.
    """
    named = [f for f in _HISTORY if fields.get(f) is not None]
    if {"version", "timestamp"} <= set(named) or {"startingVersion", "startingTimestamp"} <= set(
        named
    ):
        raise invalid("Name a version or a timestamp, not both.")
    if named or any(fields.get(f) is not None for f in _HISTORY_ENDS):
        raise unsupported("The history of this table is not shared; read its current version.")


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
