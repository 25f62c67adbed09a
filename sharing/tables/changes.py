"""What changed in a table between two versions: data files, or its change data feed.

Source: Delta protocol §§ Change Data Files, Add File and Remove File; a version whose commit names
change data files says its changes by them alone, any other by the files it adds and removes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.tables.datafile import find_among
from sharing.tables.deltalog import commit
from sharing.tables.snapshot import read_past

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model import Level
    from sharing.tables.datafile import DataFile, StoredFile
    from sharing.tables.deltalog import Action, Commit
    from sharing.tables.snapshot import Snapshot

Kind = Literal["add", "remove", "cdc"]
FEED: Final = "delta.enableChangeDataFeed"


class NoFeedError(JingshuError, LookupError):
    """A version without a change data feed."""


@dataclass(frozen=True)
class ChangedFile:
    """A file by which a version says what it changed; ``at_ms`` is the version's time (Unix ms)."""

    kind: Kind
    file: DataFile
    version: int
    at_ms: int


@dataclass(frozen=True)
class Changes:
    """The files of a range of versions, and the table as it was at ``first`` and where it moved."""

    files: tuple[ChangedFile, ...]
    tables: Mapping[int, Snapshot]


def read_changes(
    current: Snapshot, asked: range, *, is_feed: bool, foreign: Level | None
) -> Changes:
    """Read the versions of ``asked``, of which there is one at least.

    Raises:
        NotServedError: A version or a file is not kept, or shows what is not shared any more.
        NoFeedError: A change data feed is asked for, and a version has none.
    """
    files: list[ChangedFile] = []
    tables: dict[int, Snapshot] = {}
    for version in asked:
        made = commit(current.root, version)
        if not tables or any(made.of("metaData")) or any(made.of("protocol")):
            tables[version] = read_past(current, version, foreign)
            if is_feed and tables[version].configuration.get(FEED) != "true":
                raise NoFeedError(
                    Words(
                        f"版本 {version} 没有变更数据流。",
                        f"Version {version} has no change data feed.",
                    ),
                    Words("请改为查询各版本。", "Query the versions instead."),
                )
        files += files_of(current, made, is_feed=is_feed)
    return Changes(tuple(files), tables)


def files_of(current: Snapshot, made: Commit, *, is_feed: bool) -> Iterator[ChangedFile]:
    """Yield the files by which a commit says its changes.

    Raises:
        NotServedError: A file is not kept, or must not leave the house.
    """
    read = current.table_files.read
    for kind, action in _actions(made, is_feed=is_feed):
        yield ChangedFile(kind, read(action), made.version, made.at_ms)


def find_changed(current: Snapshot, version: int, file_id: str) -> StoredFile | None:
    """Return the file with this id by which a version says its changes, or ``None``."""
    made = commit(current.root, version)
    for kind in ("cdc", "remove", "add"):
        found = find_among(current.table_files, made.of(kind), file_id)
        if found is not None:
            return found
    return None


def _actions(made: Commit, *, is_feed: bool) -> Iterator[tuple[Kind, Action]]:
    feed = list(made.of("cdc")) if is_feed else []
    if feed:
        yield from (("cdc", action) for action in feed)
        return
    kinds: tuple[Literal["remove", "add"], ...] = ("remove", "add")
    for kind in kinds:
        yield from ((kind, action) for action in made.of(kind) if action.get("dataChange"))
