"""What delta-rs does not tell of a Delta log: each commit's own actions, and deletion vectors.

Source: Delta protocol §§ Delta Log Entries, Checkpoints, Deletion Vectors, In-Commit Timestamps.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.words import Words
from sharing.tables.ceiling import NotServedError
from sharing.tables.storage import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sharing.tables.storage import Storage

Action = dict[str, Any]

_COMMIT: Final = re.compile(r"(\d{20})\.json")
_CHECKPOINT: Final = re.compile(r"(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet")
#: Z85's letters (ZeroMQ RFC 32) and, in their order, those of the standard library's base 85.
_Z85: Final = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
_B85: Final = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
)
_TO_B85: Final = str.maketrans(_Z85, _B85)
#: 16 bytes of a UUID in base 85.
_UUID_LETTERS: Final = 20
NEWER: Final = Words("请从更新的版本读起。", "Read from a newer version on.")


@dataclass(frozen=True)
class Commit:
    """One version's actions, in the order of its file; ``at_ms`` is when it came (Unix ms)."""

    version: int
    at_ms: int
    actions: tuple[Action, ...]

    def of(self, kind: str) -> Iterator[Action]:
        """Yield the actions of one kind, such as ``add`` or ``metaData``, without their name."""
        return (action[kind] for action in self.actions if kind in action)


def versions(root: Storage) -> range:
    """Return the versions whose commits are kept, to the newest, without a gap."""
    found = sorted(int(m[1]) for m in _names(root, _COMMIT))
    if not found:
        return range(0)
    first = next(
        (b for a, b in zip(found[-2::-1], found[:0:-1], strict=True) if b != a + 1), found[0]
    )
    return range(first, found[-1] + 1)


def commit_key(version: int) -> str:
    """Return where a version's commit lies below its table (Delta protocol § Delta Log Entries)."""
    return f"{LOG}/{version:020d}.json"


def commit(root: Storage, version: int) -> Commit:
    """Read one commit.

    Raises:
        NotServedError: It is not kept any more, or cannot be read.
    """
    try:
        text, modified_ms = root.read(commit_key(version))
        actions = tuple(json.loads(line) for line in text.splitlines() if line)
    except (OSError, ValueError) as broken:
        raise NotServedError(
            Words(
                f"版本 {version} 无法从表日志读出。",
                f"Version {version} cannot be read from the log.",
            ),
            NEWER,
        ) from broken
    info: Action = next((a["commitInfo"] for a in actions if "commitInfo" in a), {})
    return Commit(version, info.get("inCommitTimestamp") or modified_ms, actions)


def deletion_vectors(root: Storage, version: int) -> Mapping[str, Action]:
    """Return the deletion vector of each file that has one at ``version``, by the file's path.

    Raises:
        NotServedError: The log is kept in a form that is not read here (checkpoints of version 2).
    """
    checkpoint, found = _checkpoint(root, version)
    for each in range(checkpoint + 1, version + 1):
        made = commit(root, each)
        for gone in made.of("remove"):
            found.pop(gone["path"], None)
        for added in made.of("add"):
            if added.get("deletionVector"):
                found[added["path"]] = added["deletionVector"]
    return found


def vector_file(descriptor: Mapping[str, Any]) -> str | None:
    """Return where a vector lies, below its table or as an absolute URI; None: within the log."""
    kind, location = descriptor["storageType"], descriptor["pathOrInlineDv"]
    if kind != "u":
        return None if kind == "i" else str(location)
    prefix, letters = location[:-_UUID_LETTERS], location[-_UUID_LETTERS:]
    name = uuid.UUID(bytes=base64.b85decode(letters.translate(_TO_B85)))
    return f"{prefix}/deletion_vector_{name}.bin" if prefix else f"deletion_vector_{name}.bin"


def _checkpoint(root: Storage, version: int) -> tuple[int, dict[str, Action]]:
    """Return the newest whole checkpoint up to ``version``, or -1, and the vectors in it."""
    parts: dict[int, list[re.Match[str]]] = {}
    for match in _names(root, _CHECKPOINT):
        if int(match[1]) <= version:
            parts.setdefault(int(match[1]), []).append(match)
    whole = [v for v, names in parts.items() if len(names) == int(names[0][2] or 1)]
    newest = max(whole, default=-1)
    if newest < 0 and 0 not in versions(root):
        raise NotServedError(
            Words(
                "表日志从版本 0 之后开始，又没有这里能读的检查点。",
                "The log begins after version 0, without a checkpoint that is read here.",
            ),
            Words(
                "请写经典检查点（delta.checkpointPolicy = classic）。",
                "Write a classic checkpoint (delta.checkpointPolicy = classic).",
            ),
        )
    found: dict[str, Action] = {}
    for match in parts.get(newest, ()):
        file, _ = root.read(f"{LOG}/{match[0]}")
        adds = pq.read_table(pa.BufferReader(file), columns=["add"]).column("add")
        fields = adds.type
        if fields.get_field_index("deletionVector") < 0:
            continue
        for add in pa.chunked_array(adds).to_pylist():
            if add and add["deletionVector"]:
                found[add["path"]] = add["deletionVector"]
    return newest, found


def _names(root: Storage, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    for name in root.names(LOG):
        match = pattern.fullmatch(name)
        if match:
            yield match
