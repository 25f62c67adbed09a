"""The ``delta-sharing-capabilities`` and ``fileidhash`` headers (protocol §§ of these names)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sharing.gateway.errors import invalid, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import Headers

CAPABILITIES = "delta-sharing-capabilities"
FILE_ID_HASH = "fileidhash"
ResponseFormat = Literal["parquet", "delta"]


@dataclass(frozen=True)
class Capabilities:
    """What the client can read and asked for: formats in no order, features in lower case."""

    formats: frozenset[str]
    features: frozenset[str]
    end_stream: bool
    is_stated: bool
    file_id_hash: str | None

    def format_for(self, needed: Iterable[str]) -> ResponseFormat:
        """Return the format for a table with these reader features: parquet where it will do.

        Raises:
            ApiError: The table needs the delta format or a feature that the client lacks (400).
        """
        wanted = sorted(needed)
        if not wanted:
            return "parquet" if "parquet" in self.formats else "delta"
        missing = [f for f in wanted if f.casefold() not in self.features]
        if missing or "delta" not in self.formats:
            raise unsupported(
                "Unsupported Delta Table Properties: the table needs responseformat=delta and "
                f"readerfeatures={','.join(wanted)}."
            )
        return "delta"

    def headers(self, response_format: ResponseFormat, *, with_end_stream: bool) -> dict[str, str]:
        """Answer in lower case, for the Python client compares letters.

        A request without the header gets none back; the end-of-stream action is announced only
        where it was asked for and will be sent.
        """
        answer = {} if self.file_id_hash is None else {FILE_ID_HASH: self.file_id_hash}
        if self.is_stated:
            parts = [f"responseformat={response_format}"]
            if with_end_stream and self.end_stream:
                parts.append("includeendstreamaction=true")
            answer[CAPABILITIES] = ";".join(parts)
        return answer


def read_capabilities(headers: Headers) -> Capabilities:
    """Read both headers; keys and values count without regard to case.

    Raises:
        ApiError: No known format is asked for, or the file id scheme is unknown.
    """
    stated = headers.get(CAPABILITIES)
    wanted: dict[str, list[str]] = {}
    for part in (stated or "").lower().split(";"):
        key, _, values = part.partition("=")
        wanted[key.strip()] = [v.strip() for v in values.split(",") if v.strip()]
    formats = frozenset(wanted.get("responseformat") or ["parquet"]) & {"parquet", "delta"}
    if not formats:
        raise invalid("responseformat must be parquet or delta.")
    scheme = headers.get(FILE_ID_HASH)
    if scheme is not None and scheme.lower() not in ("parquet", "delta"):
        raise invalid("fileidhash must be parquet or delta.")
    return Capabilities(
        formats=formats,
        features=frozenset(wanted.get("readerfeatures", ())),
        end_stream=wanted.get("includeendstreamaction") == ["true"],
        is_stated=stated is not None,
        file_id_hash=None if scheme is None else scheme.lower(),
    )
