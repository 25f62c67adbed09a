"""A key provider of somebody else: what ``JINGSHU_KEY_PROVIDER`` can name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.seal.keys import Key


@dataclass(frozen=True)
class Elsewhere:
    """One key for every name."""

    root: str

    @property
    def reference(self) -> str:
        return f"tests.support.elsewhere:provider:{self.root}"

    def newest(self, name: str) -> Key:
        return self.version(name, 1)

    def version(self, name: str, number: int) -> Key:
        return Key(name, number, datetime(2026, 7, 15, tzinfo=UTC), b"elsewhere".ljust(32, b"\0"))


def provider(root: str) -> Elsewhere:
    return Elsewhere(root)
