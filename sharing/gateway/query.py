"""What a reader asks of a table, parsed at the edge (protocol §§ Read Data, Read Change Data)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sharing.gateway.errors import invalid, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

#: The largest body (bytes).
BODY_BYTES = 1024 * 1024
_INT32_MAX: Final = 2**31 - 1
_INT64_DIGITS: Final = 18
#: Digits of the longest length that is looked at; a longer one is too large by itself.
_LENGTH_DIGITS: Final = 10
#: How deep a body may be nested: the protocol's own are three deep.
_DEEPEST: Final = 16
#: Where a table is read: one of these at most (protocol § Request Body).
_PLACES: Final = ("version", "timestamp", "startingVersion")


@dataclass(frozen=True)
class Moment:
    """A version, or a time (Unix ms); neither is the table as it is now."""

    version: int | None = None
    at_ms: int | None = None

    @property
    def is_now(self) -> bool:
        """Whether no history is asked for."""
        return self.version is None and self.at_ms is None


@dataclass(frozen=True)
class Paging:
    """How many files a page has, and where it begins."""

    max_files: int | None = None
    token: str | None = None


@dataclass(frozen=True)
class Query:
    """A query of a table at a moment, or of its data files from ``starting`` on."""

    limit: int | None
    sql_hints: tuple[str, ...]
    json_hint: str | None
    moment: Moment
    starting: int | None
    ending: int | None
    with_protocols: bool
    paging: Paging
    with_refresh: bool
    refresh_token: str | None
    #: What must be the same for every page.
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class ChangesQuery:
    """A query of a table's change data feed; both ends are inclusive, and versions or times."""

    starting: Moment
    ending: Moment
    with_metadata: bool
    with_protocols: bool
    paging: Paging
    parameters: Mapping[str, Any]


async def read_body(request: Request) -> bytes:
    """Read the body, and no more of it than ``BODY_BYTES``.

    Raises:
        ApiError: The body is larger (413).
    """
    too_large = malformed(f"The body is over {BODY_BYTES} bytes.", 413)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        digits = declared.lstrip("0")
        if len(digits) > _LENGTH_DIGITS or int(digits or 0) > BODY_BYTES:
            raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise too_large
    return bytes(body)


def parse_query(body: bytes) -> Query:
    """Parse a query body; an empty one is ``{}``, and fields that are not known are passed over.

    Raises:
        ApiError: The body is no JSON object, a field has the wrong type, or two contradict (400).
    """
    fields = _object(body)
    _one_of(fields, _PLACES)
    moment = Moment(_version(fields, "version"), _time(fields, "timestamp"))
    starting = _version(fields, "startingVersion")
    ending = _version(fields, "endingVersion")
    if starting is not None and ending is not None and ending < starting:
        raise invalid("startingVersion must be smaller than or equal to endingVersion.")
    query = Query(
        limit=_int32(fields, "limitHint"),
        sql_hints=_texts(fields, "predicateHints"),
        json_hint=_text(fields, "jsonPredicateHints"),
        moment=moment,
        starting=starting,
        ending=ending,
        with_protocols=fields.get("includeHistoricalProtocol") is True,
        paging=_paging(fields),
        with_refresh=fields.get("includeRefreshToken") is True,
        refresh_token=_text(fields, "refreshToken"),
        parameters=_without_pages(fields),
    )
    _check_refresh(query)
    return query


def parse_changes(parameters: Mapping[str, str]) -> ChangesQuery:
    """Parse the parameters of a query of changes.

    Raises:
        ApiError: There is no start, two of an end, or a parameter cannot be read (400).
    """
    for pair in (("startingVersion", "startingTimestamp"), ("endingVersion", "endingTimestamp")):
        _one_of(parameters, pair)
    starting = Moment(
        _version(parameters, "startingVersion"), _time(parameters, "startingTimestamp")
    )
    if starting.is_now:
        raise invalid("Name a startingVersion or a startingTimestamp.")
    ending = Moment(_version(parameters, "endingVersion"), _time(parameters, "endingTimestamp"))
    return ChangesQuery(
        starting,
        ending,
        with_metadata=parameters.get("includeHistoricalMetadata", "").lower() == "true",
        with_protocols=parameters.get("includeHistoricalProtocol", "").lower() == "true",
        paging=_paging(parameters),
        parameters=_without_pages(parameters),
    )


def parse_moment(parameters: Mapping[str, str], *, time: str = "timestamp") -> Moment:
    """Parse the moment of a metadata or version request; ``time`` is its parameter's name.

    Raises:
        ApiError: Both a version and a time are named, or one cannot be read (400).
    """
    _one_of(parameters, ("version", time))
    return Moment(_version(parameters, "version"), _time(parameters, time))


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body.decode("utf-8")) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise malformed("The body must be a JSON object in UTF-8.") from error
    if not isinstance(fields, dict):
        raise malformed("The body must be a JSON object.")
    level: list[Any] = [fields]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise malformed(f"The body is nested deeper than {_DEEPEST} levels.")
    return fields


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def bounded(text: str) -> int | None:
    """Read a number from 0 on of a path or a query; ``None``: it is none, or over 18 digits.

    Python refuses to read thousands of digits, and takes long for hundreds.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= _INT64_DIGITS
    return int(text) if is_number else None


def _one_of(fields: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if sum(fields.get(name) is not None for name in names) > 1:
        raise invalid(f"Please only provide one of: {', '.join(names)}.")


def _version(fields: Mapping[str, Any], name: str) -> int | None:
    """Read a version: a number, or its digits, as JSON's 64-bit numbers are often written."""
    value = fields.get(name)
    if value is None:
        return None
    text = str(value) if type(value) is int else value
    digits = text[1:] if isinstance(text, str) and text.startswith("-") else text
    if not (isinstance(digits, str) and digits.isascii() and digits.isdigit()):
        raise invalid(f"{name} must be a number.")
    if text.startswith("-"):
        raise invalid(f"{name} cannot be negative.")
    if len(digits) > _INT64_DIGITS:
        raise invalid(f"{name} is too large.")
    return int(digits)


def _time(fields: Mapping[str, Any], name: str) -> int | None:
    """Read a time with its zone (protocol § Timestamp Format) as Unix milliseconds."""
    value = fields.get(name)
    if value is None:
        return None
    # A plus that was not percent-encoded arrives as a space.
    moment = _moment(str(value).replace(" ", "+"))
    if moment is None:
        raise invalid(f"{name} must be a time such as 2026-11-26T08:00:00Z.")
    return int(moment.timestamp() * 1000)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None and "T" in text else None
    except (ValueError, OverflowError):
        return None


def _int32(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and not (type(value) is int and 0 <= value <= _INT32_MAX):
        raise invalid(f"{name} must be a number from 0 to 2147483647.")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if not isinstance(value, str | None):
        raise invalid(f"{name} must be a string.")
    return value or None


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        raise invalid(f"{name} must be a list of strings.")
    return tuple(value)


def _paging(fields: Mapping[str, Any]) -> Paging:
    most = fields.get("maxFiles")
    text = str(most) if type(most) is int else most
    if text is None:
        return Paging(None, _text(fields, "pageToken"))
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004 - digits of the longest int32
        raise invalid("maxFiles must be a positive number.")
    if not 0 < int(text) <= _INT32_MAX:
        raise invalid("maxFiles must be a number from 1 to 2147483647.")
    return Paging(int(text), _text(fields, "pageToken"))


def _without_pages(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if k not in ("maxFiles", "pageToken")}


def _check_refresh(query: Query) -> None:
    if not (query.with_refresh or query.refresh_token):
        return
    if not query.moment.is_now or query.starting is not None:
        raise invalid("A refresh token cannot be used when querying a specific version.")
    if query.paging.token:
        raise invalid("A refresh token must be used in the first page request.")
