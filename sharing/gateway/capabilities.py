"""The ``delta-sharing-capabilities`` and ``fileidhash`` headers (protocol §§ of these names)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sharing.gateway.errors import invalid

if TYPE_CHECKING:
    from starlette.datastructures import Headers

CAPABILITIES = "delta-sharing-capabilities"
FILE_ID_HASH = "fileidhash"
ResponseFormat = Literal["parquet", "delta"]


@dataclass(frozen=True)
class Capabilities:
    """What the client can read and asked for, and what we answer to it."""

    response_format: ResponseFormat
    end_stream: bool
    is_stated: bool
    file_id_hash: str | None

    def headers(self, *, with_end_stream: bool) -> dict[str, str]:
        """Answer in lower case, for the Python client compares letters.

        A request without the header gets none back; the end-of-stream action is announced only
        where it will be sent.
        """
        answer = {} if self.file_id_hash is None else {FILE_ID_HASH: self.file_id_hash}
        if self.is_stated:
            parts = [f"responseformat={self.response_format}"]
            if with_end_stream and self.end_stream:
                parts.append("includeendstreamaction=true")
            answer[CAPABILITIES] = ";".join(parts)
        return answer


def read_capabilities(headers: Headers) -> Capabilities:
    """Read both headers; keys and values count without regard to case.

    Where a client reads both formats it gets ``parquet``: our tables have no reader features.

    Raises:
        ApiError: No known format is asked for, or the file id scheme is unknown.
    """
    stated = headers.get(CAPABILITIES)
    wanted: dict[str, list[str]] = {}
    for part in (stated or "").lower().split(";"):
        key, _, values = part.partition("=")
        wanted[key.strip()] = [v.strip() for v in values.split(",") if v.strip()]
    formats = wanted.get("responseformat") or ["parquet"]
    chosen: ResponseFormat
    if "parquet" in formats:
        chosen = "parquet"
    elif "delta" in formats:
        chosen = "delta"
    else:
        raise invalid("responseformat must be parquet or delta.")
    scheme = headers.get(FILE_ID_HASH)
    if scheme is not None and scheme.lower() not in ("parquet", "delta"):
        raise invalid("fileidhash must be parquet or delta.")
    return Capabilities(
        response_format=chosen,
        end_stream=wanted.get("includeendstreamaction") == ["true"],
        is_stated=stated is not None,
        file_id_hash=None if scheme is None else scheme.lower(),
    )
