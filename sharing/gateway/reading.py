"""What a recipient gets of a table: a version, a page of its files, or what changed.

Source: Delta Sharing protocol §§ Query Table Version, Query Table Metadata, Read Data from a Table,
Read Change Data Feed from a Table. History is told from the version that the grant names on, and
never shows a column that is not shared today.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from sharing.gateway import hints, tokens
from sharing.gateway.actions import Sizes, Writer, limit_files
from sharing.gateway.affordable import affordable
from sharing.gateway.answers import lines_answer, version_answer
from sharing.gateway.errors import invalid, unsupported
from sharing.gateway.query import Moment, parse_changes
from sharing.gateway.rights import files_of, log_unserved
from sharing.tables.ceiling import NotServedError
from sharing.tables.changes import FEED, NoFeedError, read_changes
from sharing.tables.deltalog import commit, versions
from sharing.tables.snapshot import read_past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from starlette.responses import Response

    from sharing.gateway.actions import Line
    from sharing.gateway.capabilities import Capabilities
    from sharing.gateway.query import Paging, Query
    from sharing.gateway.rights import Opened, Rights
    from sharing.tables.changes import Changes
    from sharing.tables.snapshot import Snapshot

_NO_HISTORY: Final = "The history of this table is not shared; read its current version."


@dataclass(frozen=True)
class Entry:
    """A line that may be on a page; a page is so many files long, whatever else is between."""

    line: Callable[[], Line]
    is_file: bool = True


@dataclass(frozen=True)
class Reading:
    """One recipient's reading of one table, in the format that its client can read."""

    rights: Rights
    opened: Opened
    asked: Capabilities

    def version(self, starting: Moment) -> Response:
        """Answer with a version alone: today's, or the first from a time on."""
        if starting.is_now:
            return version_answer(self.opened.snapshot.version)
        return version_answer(self._version(starting, from_then_on=True))

    def metadata(self, moment: Moment) -> Response:
        """Answer with exactly two lines: protocol and metadata."""
        snapshot = self._at(moment)
        writer = self._writer([snapshot])
        sizes = Sizes.of(files_of(self.opened.table, snapshot))
        return self._answer(writer, writer.head(snapshot, sizes), snapshot.version)

    def query(self, query: Query) -> tuple[Response, int]:
        """Answer with a version's files, or those added and removed since one; and their number."""
        if query.starting is not None:
            return self._since(query)
        snapshot = self._pinned(query)
        every = files_of(self.opened.table, snapshot)
        sql, json_hint = affordable(query.sql_hints, query.json_hint, len(every))
        files = hints.kept(every, snapshot, sql, json_hint)
        if not (query.sql_hints or query.json_hint):
            # With hints, looked at or not, the client filters first, and would get too few rows.
            files = limit_files(files, query.limit)
        writer = self._writer([snapshot])
        is_past = not query.moment.is_now
        entries = [
            Entry(partial(writer.file, file, snapshot.version, is_past=is_past)) for file in files
        ]
        head = writer.head(snapshot, Sizes.of(every))
        refresh = self._token("refresh", snapshot.version, 0, {}) if query.with_refresh else None
        return self._page(
            writer, head, entries, snapshot.version, query.paging, query.parameters, refresh
        )

    def changes(self, parameters: Mapping[str, str]) -> tuple[Response, int]:
        """Answer with the change data feed of a range of versions; and its number of files."""
        if self.opened.history_from is None:
            raise unsupported(_NO_HISTORY)
        query = parse_changes(parameters)
        if self.opened.snapshot.configuration.get(FEED) != "true":
            raise unsupported("This table has no change data feed; query its versions instead.")
        first = self._version(query.starting, from_then_on=True)
        last = self._last(query.ending)
        if first > last:
            raise invalid(
                f"The range from {first} to {last} was invalid: it ends before it starts."
            )
        changes = self._read(range(first, last + 1), is_feed=True)
        newest = self.opened.snapshot
        writer = self._writer([*changes.tables.values(), newest])
        head_at = changes.tables[first] if query.with_metadata else newest
        head = [
            writer.protocol(head_at, first if query.with_protocols else None),
            writer.metadata(head_at, version=head_at.version),
        ]
        moved = (query.with_metadata, query.with_protocols)
        entries = list(_told(changes, writer, first, moved))
        return self._page(writer, head, entries, first, query.paging, query.parameters)

    def _since(self, query: Query) -> tuple[Response, int]:
        """Answer a streaming query: the files of every version from ``startingVersion`` on."""
        first = self._version(Moment(version=query.starting))
        newest = self.opened.snapshot.version
        last = newest if query.ending is None else query.ending
        if last > newest:
            raise invalid("End version cannot be greater than the latest version.")
        changes = self._read(range(first, last + 1), is_feed=False)
        head_at = changes.tables[first]
        writer = self._writer([*changes.tables.values()])
        head = [
            writer.protocol(head_at, first if query.with_protocols else None),
            writer.metadata(head_at, version=first),
        ]
        entries = list(_told(changes, writer, first, (True, query.with_protocols)))
        return self._page(writer, head, entries, first, query.paging, query.parameters)

    def _pinned(self, query: Query) -> Snapshot:
        """Return the version that a page or a refresh goes on with, or the one asked for."""
        if query.refresh_token:
            place = self._place("refresh", query.refresh_token)
            return self._past(place.version)
        if query.paging.token:
            return self._past(self._place("page", query.paging.token).version)
        return self._at(query.moment)

    def _at(self, moment: Moment) -> Snapshot:
        return self.opened.snapshot if moment.is_now else self._past(self._version(moment))

    def _past(self, version: int) -> Snapshot:
        """Open a version; what is kept no more, or shows too much, is refused in few words."""
        if version == self.opened.snapshot.version:
            return self.opened.snapshot
        table = self.opened.table
        try:
            return read_past(self.opened.snapshot, version, table.foreign)
        except NotServedError as reason:
            log_unserved(table, reason)
            raise invalid(f"Cannot load table version {version}.") from reason

    def _read(self, asked: range, *, is_feed: bool) -> Changes:
        table = self.opened.table
        try:
            return read_changes(self.opened.snapshot, asked, is_feed=is_feed, foreign=table.foreign)
        except NoFeedError as none:
            raise unsupported(f"Change data was not recorded: {none.problem.en}") from none
        except NotServedError as reason:
            log_unserved(table, reason)
            raise invalid(f"Cannot load table versions {asked[0]} to {asked[-1]}.") from reason

    def _version(self, moment: Moment, *, from_then_on: bool = False) -> int:
        """Return the version a moment names, where its history is shared.

        A time names the version that was current then, or with ``from_then_on`` the next one.
        """
        shared = self.opened.history_from
        if shared is None:
            raise unsupported(_NO_HISTORY)
        kept, newest = versions(self.opened.snapshot.root), self.opened.snapshot.version
        version = moment.version
        if moment.at_ms is not None:
            version = self._at_time(kept, moment.at_ms, from_then_on=from_then_on)
        if version is None or version > newest:
            raise invalid(f"Cannot load table version {version}: the latest version is {newest}.")
        if version < shared:
            raise invalid(f"You can only query table data since version {shared}.")
        return version

    def _at_time(self, kept: range, at_ms: int, *, from_then_on: bool) -> int:
        root = self.opened.snapshot.root
        times = {v: commit(root, v).at_ms for v in kept}
        if from_then_on:
            later = [v for v, at in times.items() if at >= at_ms]
            if later:
                return later[0]
            raise invalid("The provided timestamp is after the latest available version.")
        until = [v for v, at in times.items() if at <= at_ms]
        if not until:
            raise invalid("The provided timestamp is before the earliest available version.")
        if until[-1] == kept[-1] and times[kept[-1]] < at_ms:
            raise invalid("The provided timestamp is after the latest available version.")
        return until[-1]

    def _last(self, ending: Moment) -> int:
        newest = self.opened.snapshot.version
        if ending.version is not None:
            return min(ending.version, newest)
        if ending.at_ms is None:
            return newest
        root = self.opened.snapshot.root
        until = [v for v in versions(root) if commit(root, v).at_ms <= ending.at_ms]
        if not until:
            raise invalid("The provided timestamp is before the earliest available version.")
        return until[-1]

    def _writer(self, tables: Sequence[Snapshot]) -> Writer:
        """Return a writer in a format that will do for every version told of."""
        needed = {feature for table in tables for feature in table.features}
        ends = self.rights.url_expiry_s()
        return Writer(
            self.asked.format_for(needed),
            self.rights.signing(self.opened, ends),
            ends * 1000,
            self.asked.file_id_hash,
        )

    def _page(
        self,
        writer: Writer,
        head: list[Line],
        entries: Sequence[Entry],
        version: int,
        paging: Paging,
        parameters: Mapping[str, object],
        refresh: str | None = None,
    ) -> tuple[Response, int]:
        """Answer with one page of entries; the first, or the one that a token names."""
        begin = 0
        if paging.token:
            place = self._place("page", paging.token)
            if place.asked != tokens.digest_of(parameters):
                raise invalid("Query parameter mismatch detected for the next page query.")
            begin = place.after
        end = _end_of_page(entries, begin, paging.max_files)
        page = entries[begin:end]
        lines = [*head, *(entry.line() for entry in page)]
        following = self._token("page", version, end, parameters) if end < len(entries) else None
        is_paged = paging.max_files is not None or paging.token is not None
        if self.asked.end_stream or is_paged or refresh:
            lines.append(writer.end_of_stream(page=following, refresh=refresh))
        files = sum(entry.is_file for entry in page)
        return self._answer(writer, lines, version, with_end_stream=True), files

    def _answer(
        self, writer: Writer, lines: list[Line], version: int, *, with_end_stream: bool = False
    ) -> Response:
        headers = self.asked.headers(writer.format, with_end_stream=with_end_stream)
        return lines_answer(lines, version, headers)

    def _token(
        self, use: tokens.Use, version: int, after: int, parameters: Mapping[str, object]
    ) -> str:
        life = tokens.PAGE_LIFE_S
        if use == "refresh":
            life = self.rights.urls.life_s + tokens.REFRESH_GRACE_S
        place = tokens.Place(
            use=use,
            recipient=self.opened.recipient,
            table=self.opened.table.key,
            version=version,
            asked=tokens.digest_of(parameters),
            after=after,
            ends_at_s=int(time.time()) + life,
        )
        return tokens.seal(self.rights.signer, place)

    def _place(self, use: tokens.Use, token: str) -> tokens.Place:
        place = tokens.unseal(self.rights.signer, use, token, time.time())
        if (place.recipient, place.table) != (self.opened.recipient, self.opened.table.key):
            raise invalid(f"The table in the {use} token does not match the table being queried.")
        return place


def _told(
    changes: Changes, writer: Writer, first: int, moved: tuple[bool, bool]
) -> Iterator[Entry]:
    """Yield the files of a range, with the metadata and protocol of each version that moved them.

    ``moved`` is whether to tell of metadata, and of protocols (in the delta format alone).
    """
    with_metadata, with_protocols = moved
    by_version = {
        v: [c for c in changes.files if c.version == v] for v in {c.version for c in changes.files}
    }
    for version in sorted({*by_version, *changes.tables}):
        table = changes.tables.get(version)
        if table is not None and version != first:
            if with_protocols and writer.format == "delta":
                yield Entry(partial(writer.protocol, table, version), is_file=False)
            if with_metadata:
                yield Entry(partial(writer.metadata, table, version=version), is_file=False)
        for changed in by_version.get(version, ()):
            yield Entry(partial(writer.change, changed))


def _end_of_page(entries: Sequence[Entry], begin: int, most: int | None) -> int:
    if most is None:
        return len(entries)
    files = 0
    for index in range(begin, len(entries)):
        if entries[index].is_file:
            if files == most:
                return index
            files += 1
    return len(entries)
