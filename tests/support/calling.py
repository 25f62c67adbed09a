"""How commands are called in this process, and what they said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that it printed."""
        return json.loads(self.out)


class Jingshu(Protocol):
    """Calls a command; ``home`` and ``contracts`` choose where, else an empty home."""

    def __call__(
        self, *arguments: object, home: Path | None = None, contracts: Path | None = None
    ) -> Said: ...
