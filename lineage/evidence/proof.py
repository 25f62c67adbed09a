"""Proofs that need no network: one leaf, its path and a checkpoint (c2sp.org/tlog-proof@v1)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from contracts.words import Words
from lineage.evidence.errors import NoteError
from lineage.evidence.note import decode_base64

_HEADER = "c2sp.org/tlog-proof@v1"
_CONSISTENCY = "jingshu tlog-consistency@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_HASH_BYTES = 32
_ASK = Words(
    "请用 `./jingshu evidence prove` 重新生成证明。",
    "Make the proof again with `./jingshu evidence prove`.",
)


@dataclass(frozen=True)
class Proof:
    """One ``.tlog-proof`` file. ``extra`` is the canonical leaf and proves nothing by itself."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str  # the signed note, verbatim
    extra: bytes | None = None

    def encode(self) -> str:
        """Return the file's text."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(base64.b64encode(digest).decode() for digest in self.path)
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof's text; nothing in it is trusted yet.

        Raises:
            NoteError: It is not of the specified form.
        """
        head, gap, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines[0] != _HEADER:
            problem = Words(f"该文件不是 {_HEADER}。", f"The file is no {_HEADER}.")
            raise NoteError(problem, _ASK)
        rest = lines[1:]
        extra = None
        if rest and rest[0].startswith("extra "):
            what = Words("证明的 extra 行", "proof's extra line")
            extra = decode_base64(rest.pop(0).removeprefix("extra "), what)
        index = _INDEX.fullmatch(rest[0]) if rest else None
        if index is None:
            raise NoteError(Words("证明没有 index 行。", "The proof has no index line."), _ASK)
        what = Words("证明的路径", "proof's path")
        path = tuple(decode_base64(line, what) for line in rest[1:])
        if any(len(digest) != _HASH_BYTES for digest in path):
            problem = Words(
                "证明路径中有哈希不是 32 字节。", "A hash of the proof's path is not 32 bytes."
            )
            raise NoteError(problem, _ASK)
        return cls(int(index[1]), path, checkpoint, extra)


@dataclass(frozen=True)
class Consistency:
    """The proof that an older checkpoint's tree is the beginning of a newer one's."""

    path: tuple[bytes, ...]
    older: str  # the older checkpoint's signed note, verbatim

    def encode(self) -> str:
        """Return it as text, in the manner of a ``.tlog-proof``."""
        lines = [_CONSISTENCY, *(base64.b64encode(digest).decode() for digest in self.path)]
        return "\n".join(lines) + "\n\n" + self.older
