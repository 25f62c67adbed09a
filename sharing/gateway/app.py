"""The routes of the Delta Sharing protocol over the shared tables of one home.

Source: delta-io/delta-sharing ``PROTOCOL.md``. Handlers are plain functions: Starlette runs them in
threads, where SQLite and delta-rs may block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from sharing.catalog import Catalog
from sharing.endpoint import PREFIX
from sharing.gateway.activation import activation_routes
from sharing.gateway.answers import json_answer
from sharing.gateway.capabilities import read_capabilities
from sharing.gateway.errors import ApiError, not_found, unsupported
from sharing.gateway.files import file_answer
from sharing.gateway.limits import HeadLimit
from sharing.gateway.paging import page
from sharing.gateway.query import bounded, parse_moment, parse_query, read_body
from sharing.gateway.rates import Rates
from sharing.gateway.reading import Reading
from sharing.gateway.record import HEALTH, Recorded
from sharing.gateway.rights import Rights
from sharing.gateway.signing import FILES, FileClaim, load_signer
from sharing.urls import urls_from_env

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from sharing.catalog import SharedTable
    from sharing.control import Control
    from sharing.gateway.rights import Opened

_SHARES = PREFIX + "/shares"
_TABLE = _SHARES + "/{share}/schemas/{schema}/tables/{table}"


def build_app(control: Control, base_url: str) -> ASGIApp:
    """Return the gateway; ``base_url`` is how recipients reach it, for the signed URLs."""
    handlers = _Handlers(
        Rights(
            control,
            Catalog(control),
            load_signer(control.home),
            base_url,
            Rates(),
            urls_from_env(),
        )
    )
    app = Starlette(
        routes=[
            Route(HEALTH, handlers.health),
            Route(FILES + "/{recipient}/{table}/{version}/{file_id}", handlers.file),
            *activation_routes(control),
            *_protocol_routes(handlers),
        ],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _http_error,
            Exception: _internal_error,
        },
    )
    app.router.redirect_slashes = False
    return Recorded(HeadLimit(app), control)


def _protocol_routes(handlers: _Handlers) -> list[Route]:
    return [
        Route(_SHARES, handlers.shares),
        Route(_SHARES + "/{share}", handlers.share),
        Route(_SHARES + "/{share}/schemas", handlers.schemas),
        Route(_SHARES + "/{share}/schemas/{schema}/tables", handlers.schema_tables),
        Route(_SHARES + "/{share}/all-tables", handlers.all_tables),
        Route(_TABLE, handlers.version, methods=["HEAD"]),
        Route(_TABLE + "/version", handlers.version),
        Route(_TABLE + "/metadata", handlers.metadata),
        Route(_TABLE + "/query", handlers.query, methods=["POST"]),
        Route(_TABLE + "/changes", handlers.changes),
        Route(_TABLE + "/queries/{query_id}", handlers.unsupported, methods=["POST"]),
        Route(_TABLE + "/temporary-table-credentials", handlers.unsupported, methods=["POST"]),
    ]


class _Handlers:
    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def health(self, _request: Request) -> Response:
        """Say that the server and its database answer."""
        return json_answer({"status": "ok", "schema": self._rights.control.revision()})

    def shares(self, request: Request) -> Response:
        """List the shares in which the recipient has a table."""
        tables = self._rights.tables(self._rights.recipient(request))
        names = sorted({t.share for t in tables})
        return _listing(request, "shares", [(n, {"name": n}) for n in names])

    def share(self, request: Request) -> Response:
        """Show a share in which the recipient has a table."""
        tables = self._tables_of_share(request)
        return json_answer({"share": {"name": tables[0].share}})

    def schemas(self, request: Request) -> Response:
        """List the schemas in which the recipient has a table."""
        tables = self._tables_of_share(request)
        names = sorted({t.schema for t in tables})
        items = [(n, {"name": n, "share": tables[0].share}) for n in names]
        return _listing(request, "schemas", items)

    def schema_tables(self, request: Request) -> Response:
        """List the recipient's tables of a schema."""
        schema = request.path_params["schema"].casefold()
        tables = [t for t in self._tables_of_share(request) if t.schema.casefold() == schema]
        if not tables:
            raise not_found()
        return _listing(request, f"tables:{tables[0].schema}", _table_items(tables))

    def all_tables(self, request: Request) -> Response:
        """List the recipient's tables of a share."""
        return _listing(request, "all-tables", _table_items(self._tables_of_share(request)))

    def version(self, request: Request) -> Response:
        """Answer with the table's version in the header."""
        reading = self._reading(request)
        return reading.version(parse_moment(request.query_params, time="startingTimestamp"))

    def metadata(self, request: Request) -> Response:
        """Answer with exactly two lines: protocol and metadata."""
        return self._reading(request).metadata(parse_moment(request.query_params))

    async def query(self, request: Request) -> Response:
        """Answer with protocol, metadata and one line a file, each with a signed URL."""
        # Who may not ask has no body read for them.
        opened = await run_in_threadpool(self._opened, request)
        body = await read_body(request)
        return await run_in_threadpool(self._query, request, opened, body)

    def changes(self, request: Request) -> Response:
        """Answer with the change data feed of a range of versions."""
        reading = self._reading(request)
        answer, request.state.trace.files = reading.changes(request.query_params)
        return answer

    def unsupported(self, request: Request) -> Response:
        """Refuse an operation, but only to who may know the table."""
        self._opened(request)
        raise unsupported("This operation is not supported here; query the table instead.")

    def file(self, request: Request) -> Response:
        """Serve a file by its signed URL."""
        parts = dict(request.path_params)
        version = bounded(parts.pop("version"))
        if version is None:
            raise not_found()
        claim = FileClaim(version=version, **parts)
        return file_answer(request, self._rights.signed_file(request, claim))

    def _query(self, request: Request, opened: Opened, body: bytes) -> Response:
        reading = Reading(self._rights, opened, read_capabilities(request.headers))
        answer, request.state.trace.files = reading.query(parse_query(body))
        return answer

    def _reading(self, request: Request) -> Reading:
        opened = self._opened(request)
        return Reading(self._rights, opened, read_capabilities(request.headers))

    def _opened(self, request: Request) -> Opened:
        names = (request.path_params[part] for part in ("share", "schema", "table"))
        return self._rights.open(request, *names)

    def _tables_of_share(self, request: Request) -> list[SharedTable]:
        tables = self._rights.tables(self._rights.recipient(request))
        share = request.path_params["share"].casefold()
        found = [t for t in tables if t.share.casefold() == share]
        if not found:
            raise not_found()
        return found


def _listing(request: Request, kind: str, items: list[tuple[str, dict[str, str]]]) -> Response:
    return json_answer(page(kind, items, request.query_params))


def _table_items(tables: list[SharedTable]) -> list[tuple[str, dict[str, str]]]:
    return [(t.key, {"name": t.name, "schema": t.schema, "share": t.share}) for t in tables]


def _api_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return error.response()


def _http_error(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses: no such path, or no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: not_found(), 405: ApiError(405, "UNSUPPORTED_OPERATION", "Method not allowed.")}
    answer = known.get(status, ApiError(status, "MALFORMED_REQUEST", "The request is malformed."))
    headers = error.headers if isinstance(error, HTTPException) else None
    return ApiError(answer.status, answer.code, answer.message, headers).response()


def _internal_error(_request: Request, _error: Exception) -> Response:
    """Say nothing about what broke; uvicorn logs it."""
    return ApiError(500, "INTERNAL_ERROR", "").response()
