"""What the gateway refuses, as the protocol words it: ``{"errorCode", "message"}``.

Messages never repeat what was asked for: an ungranted table and an unknown one answer alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sharing.gateway.answers import json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response


class ApiError(Exception):
    """An answer that is an error; its text is for the client."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code, message, headers)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> Response:
        """Write the error as JSON."""
        body = {"errorCode": self.code, "message": self.message}
        return json_answer(body, status=self.status, headers=self.headers)


def unauthenticated() -> ApiError:
    """Refuse a missing, unknown or expired token (RFC 6750 § 3)."""
    return ApiError(
        401,
        "UNAUTHENTICATED",
        "The bearer token is missing, unknown or expired.",
        {"WWW-Authenticate": "Bearer"},
    )


def forbidden(message: str) -> ApiError:
    """Refuse a signed URL that is not, or no longer, good."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_found() -> ApiError:
    """Return the one answer to what is not there and to what is not granted."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", "The requested resource does not exist.")


def invalid(message: str) -> ApiError:
    """Refuse a parameter that cannot be meant."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def malformed(message: str, status: int = 400) -> ApiError:
    """Refuse a request whose body or form cannot be read."""
    return ApiError(status, "MALFORMED_REQUEST", message)


def too_many(wait_s: int) -> ApiError:
    """Refuse one request too many of the same client; it may try again."""
    headers = {"Retry-After": str(wait_s)}
    return ApiError(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests.", headers)


def busy(status: int) -> ApiError:
    """Refuse a request while too many run: the client's own (429), or in all (503).

    The connection ends with it, so that it keeps nobody out.
    """
    code = {429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE"}[status]
    headers = {"Retry-After": "1", "Connection": "close"}
    return ApiError(status, code, "Too many requests run at the same time.", headers)


def unsupported(message: str) -> ApiError:
    """Refuse something the protocol knows and this server does not offer."""
    return ApiError(400, "UNSUPPORTED_OPERATION", message)
