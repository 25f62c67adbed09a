"""Who is asking, and which tables are there for them: the one gate before every answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sharing.ceiling import NotServedError
from sharing.gateway.errors import forbidden, not_found, unauthenticated
from sharing.gateway.signing import URL_LIFE_S, FileClaim
from sharing.grants import granted_tables
from sharing.recipients import authenticate
from sharing.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sharing.catalog import Catalog, SharedTable
    from sharing.control import Control
    from sharing.gateway.signing import Signer
    from sharing.snapshot import DataFile, Snapshot

_LOG = logging.getLogger("jingshu.gateway")


@dataclass(frozen=True)
class Rights:
    """Answers from the control database and the lake, anew for every request."""

    control: Control
    catalog: Catalog
    signer: Signer
    base_url: str

    def recipient(self, request: Request) -> str:
        """Return the recipient whose bearer token the request carries.

        Raises:
            ApiError: The token is missing, unknown or expired (401).
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = None
        if scheme.lower() == "bearer" and token.strip():
            name = authenticate(self.control, token.strip())
        if name is None:
            raise unauthenticated()
        request.state.trace.recipient = name
        return name

    def tables(self, recipient: str) -> list[SharedTable]:
        """Return the tables that are granted to ``recipient`` and fit to be served."""
        granted = granted_tables(self.control, recipient)
        found = [t for t in self.catalog.tables() if t.name in granted]
        return [t for t in found if _is_served(t)]

    def snapshot(
        self, request: Request, share: str, schema: str, table: str
    ) -> tuple[SharedTable, Snapshot]:
        """Open a granted table as it is now.

        Raises:
            ApiError: 401; or 404, the same for what is unknown, ungranted or not fit to be served.
        """
        granted = granted_tables(self.control, self.recipient(request))
        for found in self.catalog.tables():
            if found.name in granted and found.is_called(share, schema, table):
                try:
                    snapshot = read_snapshot(found.path)
                except NotServedError as reason:
                    _log_unserved(found, reason)
                    break
                request.state.trace.version = snapshot.version
                return found, snapshot
        raise not_found()

    def signing(
        self, recipient: str, table: SharedTable, version: int, expires_at_s: int
    ) -> Callable[[DataFile], str]:
        """Return what turns a file of this version into a URL for this recipient."""

        def url(file: DataFile) -> str:
            claim = FileClaim(recipient, table.name, version, file.id)
            return self.base_url + self.signer.sign(claim, expires_at_s)

        return url

    def signed_file(self, request: Request, claim: FileClaim) -> DataFile:
        """Return the file that a signed URL opens.

        The grant must still be open, and the table fit to be served both now and at the URL's
        version; the file is looked up among those that version names.

        Raises:
            ApiError: 403 for a URL that is forged, expired or another's; 404 for what is not there.
        """
        checked = self.signer.check(claim, request.url.query, time.time())
        if checked != "good":
            raise forbidden(f"The URL is {checked}; query the table again.")
        if "authorization" in request.headers and self.recipient(request) != claim.recipient:
            raise forbidden("The URL was made for another recipient.")
        trace = request.state.trace
        trace.recipient = claim.recipient
        if claim.table not in granted_tables(self.control, claim.recipient):
            raise not_found()
        for table in self.catalog.tables():
            if table.name == claim.table:
                for file in _files(table, claim.version):
                    if file.id == claim.file_id:
                        trace.version, trace.files = claim.version, 1
                        return file
        raise not_found()


def url_expiry_s() -> int:
    """Return when a URL made now ends (Unix seconds)."""
    return int(time.time()) + URL_LIFE_S


def files_of(table: SharedTable, snapshot: Snapshot) -> tuple[DataFile, ...]:
    """Return the snapshot's files.

    Raises:
        ApiError: A file must not leave the house (404).
    """
    try:
        return snapshot.files()
    except NotServedError as reason:
        _log_unserved(table, reason)
        raise not_found() from reason


def _files(table: SharedTable, version: int) -> tuple[DataFile, ...]:
    try:
        current = read_snapshot(table.path)
        at = current if current.version == version else read_snapshot(table.path, version)
        return at.files()
    except NotServedError as reason:
        _log_unserved(table, reason)
        return ()


def _is_served(table: SharedTable) -> bool:
    try:
        read_snapshot(table.path)
    except NotServedError as reason:
        _log_unserved(table, reason)
        return False
    return True


def _log_unserved(table: SharedTable, reason: NotServedError) -> None:
    _LOG.warning("not served: %s: %s", table, reason)
