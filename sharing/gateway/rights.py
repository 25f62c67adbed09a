"""Who is asking, and which tables are there for them: the one gate before every answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.words import Words
from sharing.gateway.errors import forbidden, not_found, unauthenticated
from sharing.gateway.rates import ASKED, FAILED, client_of
from sharing.gateway.signing import FileClaim
from sharing.grants.grants import granted_tables, open_grant_of
from sharing.grants.recipients import authenticate, is_within
from sharing.tables.ceiling import NotServedError
from sharing.tables.changes import find_changed
from sharing.tables.snapshot import read_past, read_snapshot
from sharing.tables.storage import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sharing.control import Control
    from sharing.gateway.rates import Rates
    from sharing.gateway.signing import Signer
    from sharing.gateway.urls import Urls
    from sharing.tables.datafile import DataFile, StoredFile
    from sharing.tables.names import Catalog, SharedTable
    from sharing.tables.snapshot import Snapshot

_LOG = logging.getLogger("jingshu.gateway")


@dataclass(frozen=True)
class Opened:
    """A granted table as it is now; ``history_from`` is the first version shared besides.

    ``networks`` are those that the recipient must come from; the empty string is any.
    """

    recipient: str
    table: SharedTable
    snapshot: Snapshot
    history_from: int | None
    networks: str


@dataclass(frozen=True)
class Rights:
    """Answers from the control database and the lake, anew for every request."""

    control: Control
    catalog: Catalog
    signer: Signer
    base_url: str
    rates: Rates
    urls: Urls

    def recipient(self, request: Request) -> str:
        """Return the recipient whose bearer token the request carries.

        Raises:
            ApiError: The token is missing, unknown, expired or used from elsewhere (401), or the
                recipient or the address asks too often (429).
        """
        address = _address(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = None
        if scheme.lower() == "bearer" and token.strip():
            name = authenticate(self.control, token.strip(), address=address)
        if name is None:
            self.rates.take(f"stranger {client_of(request.scope)}", FAILED)
            raise unauthenticated()
        request.state.trace.recipient = name
        self.rates.take(name, ASKED)
        return name

    def tables(self, recipient: str) -> tuple[SharedTable, ...]:
        """Return the tables that are granted to ``recipient``, fit to be served or not.

        None is opened for it: a listing asks ``is_served`` of what it shows.
        """
        return self.catalog.of_keys(granted_tables(self.control, recipient))

    def open(self, request: Request, share: str, schema: str, table: str) -> Opened:
        """Open a granted table as it is now.

        Raises:
            ApiError: 401; or 404, the same for what is unknown, ungranted or not fit to be served.
        """
        recipient = self.recipient(request)
        # Among what is granted alone: what is unknown and what is another's take the same way.
        keys = granted_tables(self.control, recipient)
        found = self.catalog.called(keys, share, schema, table)
        granted = None if found is None else open_grant_of(self.control, recipient, found)
        if found is None or granted is None:
            raise not_found()
        try:
            snapshot = read_snapshot(found.root, foreign=found.foreign)
        except NotServedError as reason:
            log_unserved(found, reason)
            raise not_found() from reason
        request.state.trace.version = snapshot.version
        return Opened(recipient, found, snapshot, granted.history_from, granted.networks)

    def signing(self, opened: Opened, expires_at_s: int) -> Callable[[StoredFile, int], str]:
        """Return what turns a file of a version into a URL for this recipient."""

        def url(file: StoredFile, version: int) -> str:
            if isinstance(file.root, Bucket) and self.urls.is_presigned and not opened.networks:
                # The store serves it, and knows neither grant nor network: it works until it ends.
                # Ours looks first, and then leads to the store for a few seconds.
                return file.root.sign(file.key, max(1, expires_at_s - int(time.time())))
            claim = FileClaim(opened.recipient, opened.table.key, version, file.id)
            return self.base_url + self.signer.sign(claim, expires_at_s)

        return url

    def url_expiry_s(self) -> int:
        """Return when a URL made now ends (Unix seconds)."""
        return int(time.time()) + self.urls.life_s

    def signed_file(self, request: Request, claim: FileClaim) -> StoredFile:
        """Return the file that a signed URL opens.

        The grant must still be open, and the table fit to be served both now and at the URL's
        version; the file is looked up among those that version names.

        Raises:
            ApiError: 403 for a URL that is forged, expired or another's; 404 for what is not there.
        """
        checked = self.signer.check(claim, request.url.query, time.time())
        if checked == "forged":
            self.rates.take(f"stranger {client_of(request.scope)}", FAILED)
        if checked != "good":
            raise forbidden(f"The URL is {checked}; query the table again.")
        if "authorization" in request.headers and self.recipient(request) != claim.recipient:
            raise forbidden("The URL was made for another recipient.")
        trace = request.state.trace
        trace.recipient = claim.recipient
        table = self.catalog.keyed(claim.table)
        granted = None if table is None else open_grant_of(self.control, claim.recipient, table)
        if table is None or granted is None:
            raise not_found()
        if not is_within(_address(request), granted.networks):
            raise forbidden("The URL was opened from a network that is not the recipient's.")
        file = _file(table, claim.version, claim.file_id)
        if file is None:
            raise not_found()
        trace.version, trace.files = claim.version, 1
        return file


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
    why = reason.words
    _LOG.warning("%s", Words(f"不予提供：{table}：{why.zh}", f"not served: {table}: {why.en}"))


def _file(table: SharedTable, version: int, file_id: str) -> StoredFile | None:
    """Find a file by which a version can be read: one of its own, or of its changes."""
    try:
        current = read_snapshot(table.root, foreign=table.foreign)
        at = current if current.version == version else read_past(current, version, table.foreign)
        return at.find(file_id) or find_changed(current, version, file_id)
    except NotServedError as reason:
        log_unserved(table, reason)
        return None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def is_served(table: SharedTable) -> bool:
    """Open a table to tell whether it is fit to be served now."""
    try:
        read_snapshot(table.root, foreign=table.foreign)
    except NotServedError as reason:
        log_unserved(table, reason)
        return False
    return True
