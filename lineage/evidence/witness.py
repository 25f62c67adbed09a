"""A witness: cosigns a log's checkpoint if it extends the one before (c2sp.org/tlog-witness)."""

from __future__ import annotations

import base64
import fcntl
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.durable import write_durably
from lineage.evidence.errors import NoteError
from lineage.evidence.hashing import EMPTY_ROOT, is_consistent
from lineage.evidence.note import MAX_NOTE_BYTES, decode_base64

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.evidence.cosignature import Cosigner
    from lineage.evidence.note import Verifier

#: A proof has at most 63 lines.
_MOST_LINES: Final = 63
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class Reply:
    """What a witness answers: an HTTP status, a body and its type."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Witness:
    """One witness: its key, its folder, and the logs whose keys it trusts, one an origin.

    ``directory`` keeps the newest checkpoint that it cosigned of each log.
    """

    cosigner: Cosigner
    directory: Path
    logs: tuple[Verifier, ...]

    def add_checkpoint(self, body: bytes, at_s: int) -> Reply:
        """Answer ``POST add-checkpoint``; what is cosigned is on the disk before the answer."""
        try:
            old, proof, note = _parse(body)
            origin = note.decode().partition("\n")[0]
        except (NoteError, UnicodeDecodeError):
            return Reply(400)
        log = next((log for log in self.logs if log.name == origin), None)
        if log is None:
            return Reply(404)
        try:
            head = Checkpoint.open(note, log)
        except NoteError:
            return Reply(403)
        if old > head.size:
            return Reply(400)
        with self._locked():
            return self._extend(log, head, (old, proof), at_s)

    def _extend(
        self, log: Verifier, head: Checkpoint, shown: tuple[int, list[bytes]], at_s: int
    ) -> Reply:
        seen = self.newest(log)
        size, root = (0, EMPTY_ROOT) if seen is None else (seen.size, seen.root)
        old, proof = shown
        if old != size:
            return Reply(409, f"{size}\n", "text/x.tlog.size")
        if not is_consistent(size, head.size, root, head.root, proof):
            return Reply(422)
        text = text_of(head.note)
        line = self.cosigner.cosign(text, at_s)
        path = self.file_of(log)
        write_durably(path, (head.note + line).encode(), self.directory / ".draft", mode=0o600)
        return Reply(200, line)

    def newest(self, log: Verifier) -> Checkpoint | None:
        """Return the newest checkpoint that was cosigned of a log; None where none was."""
        try:
            return Checkpoint.open(self.file_of(log).read_bytes(), log)
        except FileNotFoundError:
            return None

    def file_of(self, log: Verifier) -> Path:
        """Return where a log's newest checkpoint is kept: by its key, for origins are not one's."""
        return self.directory / f"{log.key_id.hex()}.checkpoint"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Look and keep as one step, whatever threads and processes answer."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def text_of(note: str) -> str:
    """Return the signed text of a note: all before its signature lines, with the last newline."""
    return note.rpartition("\n\n")[0] + "\n"


def lines_of(note: str) -> str:
    """Return the signature lines of a note."""
    return note.rpartition("\n\n")[2]


def request_of(old: int, proof: list[bytes], note: str) -> bytes:
    """Return the body of ``add-checkpoint``."""
    lines = [f"old {old}", *(base64.b64encode(digest).decode() for digest in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()


def _parse(body: bytes) -> tuple[int, list[bytes], bytes]:
    head, gap, note = body.partition(b"\n\n")
    lines = head.decode().split("\n")
    old = _OLD.fullmatch(lines[0])
    if not gap or old is None or len(lines) > 1 + _MOST_LINES or len(body) > MAX_NOTE_BYTES:
        raise NoteError(
            Words("它不是添加检查点的请求。", "It is no request to add a checkpoint."),
            Words("请参阅 c2sp.org/tlog-witness。", "Read c2sp.org/tlog-witness."),
        )
    what = Words("证明", "proof")
    return int(old[1]), [decode_base64(line, what) for line in lines[1:]], note
