"""Checkpoints: the signed head of the log at one size (c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.words import Words
from lineage.evidence.errors import NoteError
from lineage.evidence.note import ASK, decode_base64, open_note

if TYPE_CHECKING:
    from lineage.evidence.note import Signer, Verifier

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ROOT_BYTES = 32
_LINES = 3


@dataclass(frozen=True)
class Checkpoint:
    """What the log's key signed: at ``size`` leaves the root was ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes
    note: str  # the whole signed note, as stored

    @classmethod
    def sign(cls, signer: Signer, size: int, root: bytes) -> Checkpoint:
        """Sign a head under the signer's name, which is the origin line as well."""
        text = f"{signer.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        return cls(signer.name, size, root, signer.sign(text))

    @classmethod
    def open(cls, raw: bytes, verifier: Verifier, origin: str | None = None) -> Checkpoint:
        """Read a checkpoint that ``verifier``'s key signed for ``origin`` (its name without it).

        Raises:
            NoteError: It is malformed, of another origin, or not signed by this key.
        """
        lines = open_note(raw, verifier).removesuffix("\n").split("\n")
        if len(lines) < _LINES or "" in lines:
            problem = Words("检查点不足三行。", "The checkpoint does not have three lines.")
            raise NoteError(problem, ASK)
        found, size, root_text = lines[:_LINES]
        origin = verifier.name if origin is None else origin
        if found != origin:
            problem = Words(
                f"检查点属于 {found}，而非 {origin}。",
                f"The checkpoint is of {found}, not of {origin}.",
            )
            raise NoteError(problem, ASK)
        if not _SIZE.fullmatch(size):
            problem = Words(
                "检查点的条数不是十进制数。", "The checkpoint's size is not a decimal number."
            )
            raise NoteError(problem, ASK)
        root = decode_base64(root_text, Words("检查点的树根", "checkpoint's root"))
        if len(root) != _ROOT_BYTES:
            problem = Words("检查点的树根不是 32 字节。", "The checkpoint's root is not 32 bytes.")
            raise NoteError(problem, ASK)
        return cls(origin, int(size), root, raw.decode())
