"""The routes of the Delta Sharing protocol over the shared tables of one home.

Source: delta-io/delta-sharing ``PROTOCOL.md``. Handlers are plain functions: Starlette runs them in
threads, where SQLite and delta-rs may block.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from sharing.endpoint import PREFIX
from sharing.gateway.activation import activation_routes
from sharing.gateway.answers import json_answer
from sharing.gateway.capabilities import read_capabilities
from sharing.gateway.errors import ApiError, busy, not_found, unsupported
from sharing.gateway.files import file_answer
from sharing.gateway.health import HEALTH, Health
from sharing.gateway.limits import HeadLimit, RunningLimit
from sharing.gateway.paging import page
from sharing.gateway.query import bounded, parse_moment, parse_query, read_body
from sharing.gateway.rates import Rates
from sharing.gateway.reading import Reading
from sharing.gateway.record import Recorded
from sharing.gateway.rights import Rights, is_served
from sharing.gateway.signing import FILES, FileClaim, load_signer
from sharing.gateway.urls import urls_from_env
from sharing.tables.names import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from sharing.control import Control
    from sharing.gateway.rights import Opened
    from sharing.tables.names import SharedTable

_SHARES = PREFIX + "/shares"
_TABLE = _SHARES + "/{share}/schemas/{schema}/tables/{table}"


def build_app(control: Control, base_url: str) -> ASGIApp:
    """Return the gateway; ``base_url`` is how recipients reach it, for the signed URLs."""
    rates = Rates()
    handlers = _Handlers(
        Rights(
            control, Catalog(control), load_signer(control.home), base_url, rates, urls_from_env()
        )
    )
    app = Starlette(
        routes=[
            Route(HEALTH, Health(control).answer),
            Route(FILES + "/{recipient}/{table}/{version}/{file_id}", handlers.file),
            *activation_routes(control, rates),
            *_protocol_routes(handlers),
        ],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _http_error,
            Exception: _internal_error,
        },
    )
    app.router.redirect_slashes = False
    # What is refused for the load touches no data, so it stands before the record of requests.
    recorded = Recorded(HeadLimit(app), control)
    return RunningLimit(recorded, lambda status: busy(status).response(), free=HEALTH)


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

    def shares(self, request: Request) -> Response:
        """List the shares in which the recipient has a table."""
        tables = self._rights.tables(self._rights.recipient(request))
        groups = _groups(tables, lambda t: t.share)
        items = [(name, {"name": name}) for name in groups]
        return _listing(request, "shares", items, lambda name: any(map(is_served, groups[name])))

    def share(self, request: Request) -> Response:
        """Show a share in which the recipient has a table."""
        tables = self._tables_of_share(request)
        return json_answer({"share": {"name": tables[0].share}})

    def schemas(self, request: Request) -> Response:
        """List the schemas in which the recipient has a table."""
        tables = self._tables_of_share(request)
        groups = _groups(tables, lambda t: t.schema)
        items = [(name, {"name": name, "share": tables[0].share}) for name in groups]
        return _listing(request, "schemas", items, lambda name: any(map(is_served, groups[name])))

    def schema_tables(self, request: Request) -> Response:
        """List the recipient's tables of a schema."""
        schema = request.path_params["schema"].casefold()
        tables = [t for t in self._tables_of_share(request) if t.schema.casefold() == schema]
        return _tables_listing(request, tables, f"tables:{schema}")

    def all_tables(self, request: Request) -> Response:
        """List the recipient's tables of a share."""
        return _tables_listing(request, self._tables_of_share(request), "all-tables")

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
        return _with_one_served([t for t in tables if t.share.casefold() == share])


def _groups(
    tables: Iterable[SharedTable], name_of: Callable[[SharedTable], str]
) -> dict[str, list[SharedTable]]:
    ordered = sorted(tables, key=name_of)
    return {name: list(group) for name, group in groupby(ordered, key=name_of)}


def _with_one_served(tables: list[SharedTable]) -> list[SharedTable]:
    """Return tables of which one at least is fit to be served; 404 where none is."""
    if not any(map(is_served, tables)):
        raise not_found()
    return tables


def _tables_listing(request: Request, tables: list[SharedTable], kind: str) -> Response:
    by_key = {table.key: table for table in _with_one_served(tables)}
    items = [(t.key, {"name": t.name, "schema": t.schema, "share": t.share}) for t in tables]
    return _listing(request, kind, items, lambda key: is_served(by_key[key]))


def _listing(
    request: Request,
    kind: str,
    items: list[tuple[str, dict[str, str]]],
    is_shown: Callable[[str], bool],
) -> Response:
    return json_answer(page(kind, items, request.query_params, is_shown))


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


def _internal_error(request: Request, _error: Exception) -> Response:
    """Say nothing about what broke but by which name to ask for it; uvicorn logs it."""
    message = f"The request failed here; ask for it by its id {request.state.trace.request_id}."
    return ApiError(500, "INTERNAL_ERROR", message).response()
