"""Checkpoints anchored on a chain (区块链存证): a log that forked or was rolled back meets them.

A receipt says where on which chain a signed checkpoint stands. Receipts are public files beside the
log, ``anchors/<size>-<chain id>.json``; all that they say is recomputed when they are verified,
from the checkpoint in them and from the chain's blocks.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.words import Words
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.digests import digest_bytes
from lineage.evidence.durable import write_durably
from lineage.evidence.errors import ChainError, EvidenceError, NoteError
from lineage.evidence.offline import verify_consistency
from lineage.evidence.tilecheck import Finding
from lineage.evidence.tiles import read_at_most

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.evidence.block import Block
    from lineage.evidence.note import Verifier

_MOST_BYTES: Final = 1 << 20
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
_NO_TEXT: Final = Words("它不是文本。", "It is no text.")


class Anchor(Protocol):
    """A chain that keeps short texts for good, by height. Its answers are checked, not believed."""

    def save(self, key: str, value: str) -> int:
        """Put a text on the chain and return the height of its block; once is enough.

        Raises:
            ChainError: The chain did not take it, or did not answer.
        """

    def read(self, height: int) -> Block:
        """Return the block of a height.

        Raises:
            ChainError: There is none, or too few validators signed it.
        """

    def newest(self, key: str) -> str | None:
        """Return the last text that was saved under ``key``, as one node says."""


class Receipt(BaseModel):
    """Where a checkpoint stands on a chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chain: str = "cometbft"
    chain_id: str
    height: int
    time: str
    block_hash: str
    validators_hash: str
    tx_hash: str
    size: int
    root: str  # hex
    sha256: str  # of the checkpoint
    sm3: str
    checkpoint: str  # the signed note, verbatim

    @classmethod
    def of(cls, head: Checkpoint, block: Block) -> Receipt:
        """Return the receipt of a checkpoint that stands in ``block``."""
        digest = digest_bytes(head.note.encode())
        return cls(
            chain_id=block.chain_id,
            height=block.height,
            time=block.time,
            block_hash=block.block_hash,
            validators_hash=block.validators_hash,
            tx_hash=sha256(transaction(head)).hexdigest().upper(),
            size=head.size,
            root=head.root.hex(),
            sha256=digest.sha256,
            sm3=digest.sm3,
            checkpoint=head.note,
        )

    @property
    def file_name(self) -> str:
        """The receipt's name below ``anchors/``."""
        return f"{self.size:012}-{self.chain_id}.json"


def key_of(origin: str) -> str:
    """Return the key under which a log's checkpoints are saved."""
    return quote(origin, safe="/")  # the built-in application splits at `=` and `:`


def transaction(head: Checkpoint) -> bytes:
    """Return the bytes that go to the chain: the whole signed checkpoint, in hex, under its log."""
    return f"{key_of(head.origin)}={head.note.encode().hex()}".encode()


def anchor_checkpoint(directory: Path, verifier: Verifier, chain: Anchor) -> Receipt:
    """Put a log's checkpoint on a chain, read it back by height, and keep the receipt.

    Doing it again is harmless: the same checkpoint stands on the chain once.

    Raises:
        ChainError: The chain did not take it, or what was read back is something else.
        NoteError: The checkpoint is not signed by the log's key.
    """
    head = Checkpoint.open((directory / "checkpoint").read_bytes(), verifier)
    height = chain.save(key_of(head.origin), head.note.encode().hex())
    block = chain.read(height)
    if transaction(head) not in block.txs:
        raise ChainError(
            Words(
                f"高度 {height} 的区块中没有该检查点。",
                f"The block of height {height} does not hold the checkpoint.",
            )
        )
    if not _PLAIN.fullmatch(block.chain_id):
        problem = Words(
            f"{block.chain_id!r} 不能作为回执的名称。",
            f"{block.chain_id!r} cannot name a receipt.",
        )
        raise ChainError(problem)
    receipt = Receipt.of(head, block)
    path = directory / "anchors" / receipt.file_name
    text = receipt.model_dump_json(indent=1) + "\n"
    write_durably(path, text.encode(), directory / ".draft")
    return receipt


def read_receipts(directory: Path) -> Iterator[tuple[str, Receipt | Finding]]:
    """Yield the name of every receipt of a log, and what it says or why it cannot be read."""
    for path in sorted((directory / "anchors").glob("*.json")):
        name = f"anchors/{path.name}"
        try:
            yield name, Receipt.model_validate_json(read_at_most(path, _MOST_BYTES))
        except (OSError, ValidationError):
            yield name, Finding(name, Words("它不是回执。", "It is no receipt."))


def verify_receipts(directory: Path, verifier: Verifier) -> Iterator[Finding]:
    """Check offline that every receipt fits its checkpoint, and that the log begins with it."""
    for name, receipt in read_receipts(directory):
        if isinstance(receipt, Finding):
            yield receipt
            continue
        try:
            head = Checkpoint.open(receipt.checkpoint.encode(), verifier)
        except (NoteError, UnicodeEncodeError) as error:
            why = error.problem if isinstance(error, NoteError) else _NO_TEXT
            problem = Words(
                f"不能接受其检查点：{why.zh}", f"Its checkpoint cannot be accepted: {why.en}"
            )
            yield Finding(name, problem)
            continue
        if receipt != _recomputed(receipt, head) or name != f"anchors/{receipt.file_name}":
            problem = Words(
                "被改动过：与由其检查点算出的不符。",
                "It was changed: it is not what its checkpoint gives.",
            )
            yield Finding(name, problem)
        for found in verify_consistency(receipt.checkpoint, directory, verifier.encode()):
            problem = Words(
                f"日志与锚定时不符：{found.problem.zh}",
                f"The log is not what was anchored: {found.problem.en}",
            )
            yield Finding(name, problem)


def verify_on_chain(directory: Path, verifier: Verifier, chain: Anchor) -> Iterator[Finding]:
    """Check that the chain still holds what every receipt says, and nothing newer than the log.

    A log that was set back together with its receipts and its guard is found by the second.
    """
    origin = verifier.name
    for name, receipt in read_receipts(directory):
        if isinstance(receipt, Finding):
            continue  # named by verify_receipts
        try:
            head = Checkpoint.open(receipt.checkpoint.encode(), verifier)
            block = chain.read(receipt.height)
        except (EvidenceError, UnicodeEncodeError) as error:
            yield Finding(name, error.problem if isinstance(error, EvidenceError) else _NO_TEXT)
            continue
        origin = head.origin
        if transaction(head) not in block.txs:
            problem = Words(
                f"高度 {receipt.height} 的区块中没有它。",
                f"The block of height {receipt.height} does not hold it.",
            )
            yield Finding(name, problem)
        elif receipt != Receipt.of(head, block):
            problem = Words(
                f"链上高度 {receipt.height} 所记与之不同。",
                f"The chain says otherwise of height {receipt.height}.",
            )
            yield Finding(name, problem)
    yield from _newest(directory, verifier, chain, origin)


def _newest(directory: Path, verifier: Verifier, chain: Anchor, origin: str) -> Iterator[Finding]:
    try:
        value = chain.newest(key_of(origin))
        note = None if value is None else bytes.fromhex(value).decode()
    except (ChainError, ValueError) as error:
        unreadable = Words("链上最新的文本不是检查点。", "Its newest text is no checkpoint.")
        yield Finding("chain", error.problem if isinstance(error, ChainError) else unreadable)
        return
    if note is not None:
        for found in verify_consistency(note, directory, verifier.encode()):
            problem = Words(
                f"链上最新的检查点与之不符：{found.problem.zh}",
                f"The chain's newest checkpoint disagrees: {found.problem.en}",
            )
            yield Finding(found.where, problem)


def _recomputed(receipt: Receipt, head: Checkpoint) -> Receipt:
    """Return the receipt as its checkpoint gives it; what only the chain knows stays as it is."""
    digest = digest_bytes(head.note.encode())
    given = {
        "chain": "cometbft",
        "tx_hash": sha256(transaction(head)).hexdigest().upper(),
        "size": head.size,
        "root": head.root.hex(),
        "sha256": digest.sha256,
        "sm3": digest.sm3,
    }
    return receipt.model_copy(update=given)
