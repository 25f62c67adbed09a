"""Which of a table's features and settings go to a recipient, who gets actions and never the log.

Source: Delta protocol §§ Table Features, Valid Feature Names in Table Features. A feature that must
be known to read has to stand in both lists; the released clients refuse a protocol that has it in
one (delta-kernel-rs) or a setting without its feature (Delta Spark: ``delta.enableRowTracking``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VECTORS: Final = "deletionVectors"
_MAPPING: Final = "columnMapping"
_FEED: Final = "changeDataFeed"
#: Reader features of the log alone: how it is checkpointed and cleaned.
_OF_THE_LOG: Final = frozenset({"v2Checkpoint", "vacuumProtocolCheck"})
#: The settings of Delta's own by which files are read; all others are of writers and of the log.
_OF_READING: Final = (
    "delta.columnMapping.",
    "delta.enableDeletionVectors",
    "delta.enableChangeDataFeed",
    "delta.enableTypeWidening",
    "delta.enableVariantShredding",
)
#: From these versions on a table names its features; before, its versions imply them.
NAMES_READERS: Final = 3
NAMES_WRITERS: Final = 7
#: The reader version that implies column mapping, whether or not it is switched on.
_MAPS: Final = 2


def reader_features(
    version: int, named: Iterable[str] | None, settings: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the features that a recipient must know to read a table of this reader version."""
    if version >= NAMES_READERS:
        return tuple(sorted(set(named or ()) - _OF_THE_LOG))
    return (_MAPPING,) if settings.get("delta.columnMapping.mode", "none") != "none" else ()


def writer_features(
    version: int, named: Iterable[str] | None, readers: Iterable[str]
) -> tuple[str, ...]:
    """Return those of a table's named writer features that matter to a recipient.

    They are the reader features, and the change data feed: clients look for it before they ask.
    """
    wanted = {*readers, _FEED}
    if version == _MAPS:
        wanted.add(_MAPPING)
    return tuple(sorted(set(named or ()) & wanted))


def reading_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that go out: people's own, and Delta's by which files are read."""
    return {
        key: value
        for key, value in sorted(settings.items())
        if not key.startswith("delta.") or key.startswith(_OF_READING)
    }
