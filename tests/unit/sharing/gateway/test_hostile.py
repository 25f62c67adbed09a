"""Hostile input on every route: it is refused in the protocol's JSON, and nothing breaks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from starlette.routing import Route

from sharing.gateway.activation import ACTIVATE
from sharing.gateway.app import build_app
from sharing.gateway.health import HEALTH
from sharing.gateway.query import parse_query
from sharing.gateway.signing import FileClaim
from tests.support.sharing.served import TABLE, TABLE_URL

if TYPE_CHECKING:
    from tests.support.sharing.served import Answer, Served

#: A path's parts that are good, so that each is tried alone.
GOOD: Final = {
    "share": "jingshu",
    "schema": "city",
    "table": TABLE,
    "recipient": "demo",
    "version": "1",
    "file_id": "0" * 32,
    "query_id": "x",
}
DIGITS: Final = "9" * 5000
#: 200 characters that are 600 bytes: too long for a folder's name, and not for a table's.
WIDE: Final = "%E5%8C%BA" * 200
PARTS: Final = [DIGITS, "-1", "1e999", "%D9%A3", "%00", "%ff%fe", "..%2f..", WIDE, "%0d%0aX:%20y"]
NUMBERS: Final = [DIGITS, "-1", "1e999", "NaN", "9223372036854775808", "%D9%A3", "%00", "1_0", ""]
TIMES: Final = [
    DIGITS,
    "NaN",
    "%00",
    "0001-01-01T00:00:00%2B23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-02-30T00:00:00Z",
    f"2026-07-15T01:02:03.{DIGITS}Z",
]
BY_NUMBER: Final = ("version", "startingVersion", "endingVersion", "maxFiles", "maxResults")
BY_TIME: Final = ("timestamp", "startingTimestamp", "endingTimestamp")
HISTORY: Final = "startingVersion=0&"


def routes(served: Served) -> list[tuple[str, str]]:
    """Return the gateway's own routes, a method and a path each."""
    app: Any = build_app(served.control, "http://127.0.0.1")
    while not hasattr(app, "routes"):
        app = app._app
    found = [r for r in app.routes if isinstance(r, Route) and r.path != HEALTH]
    return [(m, r.path) for r in found for m in sorted((r.methods or set()) - {"HEAD"}) or ["HEAD"]]


def filled(path: str, **odd: str) -> str:
    """Fill a route's parameters, with what is good but for ``odd``."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: {**GOOD, **odd}[m[1]], path)


def is_refused(answer: Answer) -> bool:
    """Say whether it is the protocol's error, on one line; a HEAD has no body."""
    if not 400 <= answer.status < 500 or answer.status == 429:
        return False
    return not answer.body or sorted(json.loads(answer.body)) == ["errorCode", "message"]


def test_every_part_of_every_path_is_read_within_bounds(served: Served) -> None:
    tried = 0
    for method, path in routes(served):
        for name in re.findall(r"\{(\w+)", path):
            for odd in PARTS:
                if name == "query_id":
                    continue  # whatever it is, there is no such operation
                url = filled(path, **{name: odd})
                answer = served.send(method, url, body=b"{}" if method == "POST" else None)
                assert is_refused(answer), (method, url[:200], answer.status)
                tried += 1
    assert tried > 200


@pytest.mark.parametrize("place", ["/version", "/metadata", "/changes", ""])
def test_every_number_and_time_of_a_query_is_read_within_bounds(
    standing: Served, place: str
) -> None:
    url = TABLE_URL + place if place else TABLE_URL.split("/schemas")[0] + "/all-tables"
    for names, odds in ((BY_NUMBER, NUMBERS), (BY_TIME, TIMES)):
        for name in names:
            for odd in odds:
                answer = standing.get(f"{url}?{name}={odd}")
                ignored = not place and name != "maxResults"
                assert (
                    answer.status == 200 if ignored or answer.status < 400 else is_refused(answer)
                ), (name, odd[:40], answer.status)


def body(field: str, value: str) -> bytes:
    return f'{{"{field}": {value}}}'.encode()


@pytest.mark.parametrize(
    "value",
    [DIGITS, "-1", "1e999", "NaN", "-Infinity", "true", "[]", "{}", '"\\ud800"', f'"{DIGITS}"'],
)
def test_every_field_of_a_body_is_read_within_bounds(standing: Served, value: str) -> None:
    fields = [*BY_NUMBER[:4], "timestamp", "limitHint", "pageToken", "refreshToken"]
    for field in fields:
        answer = standing.send("POST", TABLE_URL + "/query", body=body(field, value))
        assert is_refused(answer), (field, value[:20], answer.status)
    for field in ("predicateHints", "jsonPredicateHints"):
        for given in (value, f"[{value}]", json.dumps(value)):
            answer = standing.send("POST", TABLE_URL + "/query", body=body(field, given))
            assert answer.status == 200 or is_refused(answer), (field, given[:20], answer.status)


@pytest.mark.parametrize("depth", [50, 990, 100_000])
@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_what_is_nested_deep_breaks_no_stack(standing: Served, depth: int, pair: str) -> None:
    opening = "[" if pair == "[]" else '{"x": '
    nest = opening * depth + "1" + pair[1] * depth
    asked = [
        f'{{"maxFiles": 1, "x": {nest}}}',
        f'{{"includeRefreshToken": true, "x": {nest}}}',
        f'{{"jsonPredicateHints": {json.dumps(nest)}}}',
        f'{{"predicateHints": [{json.dumps("(" * depth + "1" + ")" * depth)}]}}',
        f'{{"predicateHints": [{json.dumps("NOT " * depth + "true")}]}}',
    ]
    for text in asked:
        answer = standing.send("POST", TABLE_URL + "/query", body=text.encode())
        assert answer.status == 200 or is_refused(answer), (text[:60], answer.status)


def test_headers_are_read_within_bounds(standing: Served) -> None:
    for name, value in {
        "Content-Length": DIGITS,
        "Range": f"bytes={DIGITS}-",
        "delta-sharing-capabilities": f"responseformat={DIGITS}",
        "fileidhash": DIGITS,
        "Authorization": f"Bearer {DIGITS}",
    }.items():
        answer = standing.send("POST", TABLE_URL + "/query", headers={name: value})
        assert answer.status == 200 or 400 <= answer.status < 500, (name, answer.status)
    claim = FileClaim("demo", TABLE, 1, "0" * 64)
    url = standing.sign(claim)
    for odd in (f"se={DIGITS}", "se=1e999", "se=NaN", "se=%00", "se=-1", "sig=%ff", "x=1"):
        answer = standing.open_url(re.sub(rf"\b{odd.partition('=')[0]}=[^&]*|$", odd, url, count=1))
        assert is_refused(answer), odd
    for key in (DIGITS, "%00", "%ff", "%ud800"):
        assert standing.get(f"{ACTIVATE}?key={key}").status == 404


def test_a_body_is_no_deeper_than_the_protocol_s(standing: Served) -> None:
    assert parse_query(b'{"x": {"y": [{"z": 1}]}}').limit is None
    nest = "[" * 100 + "]" * 100
    answer = standing.send("POST", TABLE_URL + "/query", body=f'{{"x": {nest}}}'.encode())
    assert (answer.status, answer.json()["errorCode"]) == (400, "MALFORMED_REQUEST")
