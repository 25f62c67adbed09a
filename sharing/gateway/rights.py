"""Who is asking, and which tables are there for them: the one gate before every answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sharing.ceiling import NotServedError
from sharing.changes import files_of as files_of_commit
from sharing.deltalog import commit
from sharing.gateway.errors import forbidden, not_found, unauthenticated
from sharing.gateway.rates import ASKED, FAILED
from sharing.gateway.signing import URL_LIFE_S, FileClaim
from sharing.grants import open_tables
from sharing.recipients import authenticate, may_come_from
from sharing.snapshot import read_past, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from sharing.catalog import Catalog, SharedTable
    from sharing.control import Control
    from sharing.datafile import DataFile, StoredFile
    from sharing.gateway.rates import Rates
    from sharing.gateway.signing import Signer
    from sharing.snapshot import Snapshot

_LOG = logging.getLogger("jingshu.gateway")


@dataclass(frozen=True)
class Opened:
    """A granted table as it is now; ``history_from`` is the first version shared besides."""

    recipient: str
    table: SharedTable
    snapshot: Snapshot
    history_from: int | None


@dataclass(frozen=True)
class Rights:
    """Answers from the control database and the lake, anew for every request."""

    control: Control
    catalog: Catalog
    signer: Signer
    base_url: str
    rates: Rates

    def recipient(self, request: Request) -> str:
        """Return the recipient whose bearer token the request carries.

        Raises:
            ApiError: The token is missing, unknown, expired or used from elsewhere (401), or the
                recipient or the address asks too often (429).
        """
        address = request.client.host if request.client else ""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = None
        if scheme.lower() == "bearer" and token.strip():
            name = authenticate(self.control, token.strip(), address=address)
        if name is None:
            self.rates.take(f"stranger {address}", FAILED)
            raise unauthenticated()
        request.state.trace.recipient = name
        self.rates.take(name, ASKED)
        return name

    def tables(self, recipient: str) -> list[SharedTable]:
        """Return the tables that are granted to ``recipient`` and fit to be served."""
        granted = open_tables(self.control, recipient)
        found = [t for t in self.catalog.tables() if t.key in granted]
        return [t for t in found if _is_served(t)]

    def open(self, request: Request, share: str, schema: str, table: str) -> Opened:
        """Open a granted table as it is now.

        Raises:
            ApiError: 401; or 404, the same for what is unknown, ungranted or not fit to be served.
        """
        recipient = self.recipient(request)
        granted = open_tables(self.control, recipient)
        found = self.catalog.named(share, schema, table)
        if found is None or found.key not in granted:
            raise not_found()
        try:
            snapshot = read_snapshot(found.path, foreign=found.foreign)
        except NotServedError as reason:
            log_unserved(found, reason)
            raise not_found() from reason
        request.state.trace.version = snapshot.version
        return Opened(recipient, found, snapshot, granted[found.key])

    def signing(self, opened: Opened, expires_at_s: int) -> Callable[[StoredFile, int], str]:
        """Return what turns a file of a version into a URL for this recipient."""

        def url(file: StoredFile, version: int) -> str:
            claim = FileClaim(opened.recipient, opened.table.key, version, file.id)
            return self.base_url + self.signer.sign(claim, expires_at_s)

        return url

    def signed_file(self, request: Request, claim: FileClaim) -> StoredFile:
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
        address = request.client.host if request.client else ""
        if not may_come_from(self.control, claim.recipient, address):
            raise forbidden("The URL was opened from a network that is not the recipient's.")
        trace = request.state.trace
        trace.recipient = claim.recipient
        if claim.table not in open_tables(self.control, claim.recipient):
            raise not_found()
        table = self.catalog.keyed(claim.table)
        if table is not None:
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
        log_unserved(table, reason)
        raise not_found() from reason


def log_unserved(table: SharedTable, reason: NotServedError) -> None:
    """Note why a table is not served; whoever asked is not told."""
    _LOG.warning("not served: %s: %s", table, reason)


def _files(table: SharedTable, version: int) -> Iterator[StoredFile]:
    """Yield every file by which a version can be read: its own, and those of its changes."""
    try:
        current = read_snapshot(table.path, foreign=table.foreign)
        at = current if current.version == version else read_past(current, version, table.foreign)
        for file in at.files():
            yield from _parts(file)
        made = commit(current.root, version)
        for is_feed in (False, True):
            for changed in files_of_commit(current, made, is_feed=is_feed):
                yield from _parts(changed.file)
    except NotServedError as reason:
        log_unserved(table, reason)


def _parts(file: DataFile) -> Iterator[StoredFile]:
    yield file
    if file.vector is not None:
        yield file.vector


def _is_served(table: SharedTable) -> bool:
    try:
        read_snapshot(table.path, foreign=table.foreign)
    except NotServedError as reason:
        log_unserved(table, reason)
        return False
    return True
