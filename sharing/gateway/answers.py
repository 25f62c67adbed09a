"""The two shapes of an answer: one line of JSON, or JSON lines with the table's version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION_HEADER = "Delta-Table-Version"
_NO_STORE = {"Cache-Control": "no-store"}


def one_line(value: Any) -> str:
    """Write a value as JSON without a line break (clients read the first line only)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with one JSON object on one line."""
    return Response(
        one_line(value),
        status,
        {**_NO_STORE, **(headers or {})},
        media_type="application/json; charset=utf-8",
    )


def version_answer(version: int) -> Response:
    """Answer with nothing but the table's version, in its header."""
    return Response(b"", 200, {**_NO_STORE, VERSION_HEADER: str(version)})


def lines_answer(
    lines: Iterable[Mapping[str, Any]], version: int, headers: Mapping[str, str]
) -> Response:
    """Answer with JSON lines and no blank line after the last."""
    return Response(
        "\n".join(one_line(line) for line in lines),
        200,
        {**_NO_STORE, VERSION_HEADER: str(version), **headers},
        media_type="application/x-ndjson; charset=utf-8",
    )
