"""A chain that is kept in memory, as an anchor; the real one runs in tests/e2e."""

from __future__ import annotations

import hashlib

from contracts.words import Words
from lineage.evidence.block import Block
from lineage.evidence.errors import ChainError


class Chain:
    """A chain without nodes: a list of texts, each at its height."""

    def __init__(self, name: str = "test-chain") -> None:
        self.name = name
        self.texts: list[str] = []

    def save(self, key: str, value: str) -> int:
        text = f"{key}={value}"
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1

    def read(self, height: int) -> Block:
        if not 0 < height <= len(self.texts):
            raise ChainError(Words(f"没有高度 {height}。", f"There is no height {height}."))
        text = self.texts[height - 1].encode()
        digest = hashlib.sha256(text).hexdigest().upper()
        return Block(
            chain_id=self.name,
            height=height,
            time="2026-11-22T00:00:00Z",
            block_hash=digest,
            validators_hash="00" * 32,
            txs=(text,),
        )

    def newest(self, key: str) -> str | None:
        values = [text.partition("=")[2] for text in self.texts if text.startswith(f"{key}=")]
        return values[-1] if values else None
