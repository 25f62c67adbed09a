from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.layout import Home
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.evidence.leaf import JsonScalar


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def log(home: Home) -> EvidenceLog:
    return EvidenceLog(home)


@pytest.fixture
def leaf() -> Callable[[int], Leaf]:
    def make(number: int) -> Leaf:
        facts: dict[str, JsonScalar] = {
            "sha256": f"{number:064x}",
            "rows": number,
            "contract": "civil.elder_service",
        }
        return Leaf("landing", f"20261122-{number:012x}", facts, "2026-11-22T00:30:00Z")

    return make
