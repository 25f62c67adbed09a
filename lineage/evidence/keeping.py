"""Where a log's files lie: its public folder, its private key and its second checkpoint."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.durable import Pending, clear_drafts, sync_directory, write_durably
from lineage.evidence.errors import RESTORE, EvidenceError, EvidenceRollbackError, NoteError
from lineage.evidence.hashing import EMPTY_ROOT
from lineage.evidence.note import Signer, Verifier
from lineage.evidence.tiles import TileStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home

_NO_CHECKPOINT: Final = Words("日志的检查点已不存在", "The log's checkpoint is gone")
_NO_KEY: Final = Words("日志的私钥已不存在", "The log's private key is gone")
_NO_VKEY: Final = Words("log.vkey 已不存在", "log.vkey is gone")


@dataclass(frozen=True)
class Keeping:
    """The places of one log below a :class:`Home`."""

    directory: Path
    keys: Path

    @classmethod
    def of(cls, home: Home) -> Keeping:
        """Return the places of a home's evidence log."""
        return cls(home.evidence, home.keys)

    @property
    def store(self) -> TileStore:
        """The tiles and bundles."""
        return TileStore(self.directory)

    @property
    def checkpoint(self) -> Path:
        """The newest head that the log shows."""
        return self.directory / "checkpoint"

    @property
    def vkey(self) -> Path:
        """The public key: vkey text and a newline."""
        return self.directory / "log.vkey"

    @property
    def private_key(self) -> Path:
        """The private key, mode 0600."""
        return self.keys / "evidence.key"

    @property
    def guard(self) -> Path:
        """A copy of the newest checkpoint, kept apart so that a cut-back log is noticed."""
        return self.keys / "evidence.checkpoint"

    @property
    def index(self) -> Path:
        """The cache of facts; no part of the log."""
        return self.directory / ".index.sqlite"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the log for this thread alone; the system lets go when its process dies."""
        self.directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def verifier(self) -> Verifier:
        """Read ``log.vkey``.

        Raises:
            NoteError: It is not exactly one vkey and a newline.
            FileNotFoundError: There is no log yet.
        """
        text = _decode(self.vkey)
        if not text.endswith("\n"):
            raise NoteError(_unended("log.vkey"), RESTORE)
        return Verifier.parse(text.removesuffix("\n"))

    def signer(self) -> Signer:
        """Read the private key.

        Raises:
            NoteError: It is malformed.
            FileNotFoundError: There is none.
        """
        text = _decode(self.private_key)
        if not text.endswith("\n"):
            raise NoteError(_unended("evidence.key"), RESTORE)
        return Signer.parse(text.removesuffix("\n"))

    def open_for_signing(self, origin: str) -> tuple[Signer, Checkpoint, Checkpoint]:
        """Return the key, the log's checkpoint and the guard's; make all three on the first call.

        The caller holds the lock. A start that was killed half-way is taken up where it stopped.

        Raises:
            EvidenceError: The key is lost, not this log's, or the log is gone.
        """
        clear_drafts(self._key_scratch)  # a draft may hold a key
        signer = self._signer_or_new(origin)
        if not self.checkpoint.exists():
            self._refuse_if_any(self.guard, _NO_CHECKPOINT)
            if self.store.exists():
                raise _gone(_NO_CHECKPOINT, "tile/")
            empty = Checkpoint.sign(signer, 0, EMPTY_ROOT)
            write_durably(self.checkpoint, empty.note.encode(), self.store.scratch)
        shown = Checkpoint.open(self.checkpoint.read_bytes(), signer.verifier)
        if not self.guard.exists():
            if shown.size:
                name, folder = self.guard.name, self.keys.name
                problem = Words(f"{folder}/ 中已没有 {name}。", f"{name} is gone from {folder}/.")
                raise EvidenceRollbackError(problem)
            self.keep_guard(shown)
        return signer, shown, Checkpoint.open(self.guard.read_bytes(), signer.verifier)

    def show(self, head: Checkpoint, pending: Pending) -> None:
        """Make ``head`` the log's checkpoint, once all that ``pending`` holds is on the disk.

        The guard's name is not synced: a power cut may bring back the older one, which the next
        append replaces; the data of both is safe before either is named.
        """
        shown = pending.draft(head.note.encode(), self.store.scratch)
        guard = pending.draft(head.note.encode(), self._key_scratch, 0o600)
        pending.sync()
        shown.replace(self.checkpoint)
        sync_directory(self.directory)
        guard.replace(self.guard)

    def keep_guard(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint in the second place."""
        write_durably(self.guard, checkpoint.note.encode(), self._key_scratch, mode=0o600)

    @property
    def _key_scratch(self) -> Path:
        return self.keys / ".draft"

    def _signer_or_new(self, origin: str) -> Signer:
        if not self.private_key.exists():
            for trace in (self.vkey, self.checkpoint, self.guard):
                self._refuse_if_any(trace, _NO_KEY)
            self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.keys.chmod(0o700)
            text = Signer.generate(origin).encode() + "\n"
            write_durably(self.private_key, text.encode(), self._key_scratch, mode=0o600)
        signer = self.signer()
        if signer.name != origin:
            raise EvidenceError(
                Words(
                    f"日志的私钥为 {signer.name} 签名，而非为 {origin}。",
                    f"The log's key signs for {signer.name}, not for {origin}.",
                ),
                Words(
                    f"请以来源名 {signer.name} 打开日志。",
                    f"Open the log with the origin {signer.name}.",
                ),
            )
        if not self.vkey.exists():
            self._refuse_if_any(self.checkpoint, _NO_VKEY)
            text = signer.verifier.encode() + "\n"
            write_durably(self.vkey, text.encode(), self.store.scratch)
        if self.verifier() != signer.verifier:
            raise EvidenceError(
                Words(
                    "log.vkey 不是日志私钥对应的公钥。",
                    "log.vkey is not the public half of the log's private key.",
                ),
                Words("请从同一份备份恢复两者。", "Restore the two from the same backup."),
            )
        return signer

    def _refuse_if_any(self, trace: Path, lost: Words) -> None:
        if trace.exists():
            raise _gone(lost, trace.name)


def _gone(lost: Words, trace: str) -> EvidenceRollbackError:
    return EvidenceRollbackError(
        Words(f"{lost.zh}，但 {trace} 还在。", f"{lost.en}, but {trace} is there.")
    )


def _unended(name: str) -> Words:
    return Words(f"{name} 未以换行符结尾。", f"{name} does not end in a newline.")


def _decode(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        problem = Words(f"{path.name} 不是 UTF-8。", f"{path.name} is not UTF-8.")
        raise NoteError(problem, RESTORE) from error
