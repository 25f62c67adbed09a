"""What others hold of a log's head, as a dossier carries it: cosigned, timestamped, on a chain.

Witnesses' cosignatures lie in ``evidence/witnessed``, receipts of a chain in ``evidence/anchors``.
An RFC 3161 token over a checkpoint is kept by its operator as ``evidence/timestamps/NAME.tsr``
beside the very bytes that it stamps, ``NAME.checkpoint``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from lineage.evidence.anchor import Receipt, read_receipts
from lineage.evidence.anchored import local_memory
from lineage.evidence.errors import VERIFY, EvidenceError
from lineage.evidence.offline import verify_consistency
from lineage.evidence.tilecheck import Finding
from lineage.evidence.tiles import read_at_most
from lineage.evidence.verify_anchors import stamped
from lineage.evidence.witness import lines_of, text_of
from lineage.evidence.witnesses import pinned_witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.note import Verifier

TIMESTAMPS: Final = "timestamps"
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Held:
    """Files of a bundle by name, and the checkpoints (signed notes) that they are about."""

    files: dict[str, bytes]
    notes: tuple[str, ...]


def held_elsewhere(home: Home, verifier: Verifier) -> Held:
    """Return every cosignature, receipt and timestamp that a home has of its log's heads.

    Raises:
        EvidenceError: One cannot be read, or is not what it claims to be.
    """
    files: dict[str, bytes] = {}
    notes: list[str] = []
    for name, receipt in read_receipts(home.evidence):
        if not isinstance(receipt, Receipt):
            raise _refused(name)
        files[name] = read_at_most(home.evidence / name, _MOST_BYTES)
        notes.append(receipt.checkpoint)
    lines = []
    for witness in pinned_witnesses(home):
        for path in (witness.file_in(home), local_memory(home, verifier)):
            if not path.exists():
                continue
            note = _text(path)
            if witness.key.cosigned_at(text_of(note), lines_of(note)) is None:
                continue
            files[f"witnessed/{witness.key.key_id.hex()}.checkpoint"] = note.encode()
            notes.append(note)
            lines.append(witness.line())
            break
    if lines:
        files["witnesses"] = "".join(lines).encode()
    for path, token in timestamps(home.evidence):
        if isinstance(token, Finding):
            raise _refused(token.where)
        files[f"{TIMESTAMPS}/{path.stem}.tsr"] = token
        files[f"{TIMESTAMPS}/{path.name}"] = path.read_bytes()
        notes.append(_text(path))
    return Held(files, tuple(notes))


def timestamps(directory: Path) -> Iterator[tuple[Path, bytes | Finding]]:
    """Yield each stamped checkpoint of a log with its token, or why that is none."""
    for path in sorted((directory / TIMESTAMPS).glob("*.checkpoint")):
        name = f"{TIMESTAMPS}/{path.name}"
        try:
            token = read_at_most(path.with_suffix(".tsr"), _MOST_BYTES)
            stamped(token, read_at_most(path, _MOST_BYTES))
        except (OSError, ValueError, KeyError, IndexError) as error:
            problem = Words(
                f"不能接受其时间戳：{error}。", f"Its timestamp cannot be accepted: {error}."
            )
            yield path, Finding(name, problem)
            continue
        yield path, token


def verify_timestamps(directory: Path, verifier: Verifier) -> Iterator[Finding]:
    """Check that every timestamp is one, and that the log begins with the checkpoint it stamps."""
    for path, token in timestamps(directory):
        if isinstance(token, Finding):
            yield token
            continue
        where = f"{TIMESTAMPS}/{path.name}"
        for found in verify_consistency(_text(path), directory, verifier.encode()):
            problem = Words(
                f"日志与盖时间戳时不符：{found.problem.zh}",
                f"The log is not what was timestamped: {found.problem.en}",
            )
            yield Finding(where, problem)


def _text(path: Path) -> str:
    try:
        return read_at_most(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path.name) from error


def _refused(name: str) -> EvidenceError:
    return EvidenceError(Words(f"不能接受 {name}。", f"{name} cannot be accepted."), VERIFY)
