"""What tests of jobs share: a shop's lake, and two days of its sales."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.selling import HEAD, SECRET, Lake, shop

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home


@pytest.fixture
def lake(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "contracts"))
    return Lake(home, shop(tmp_path / "contracts"))


@pytest.fixture
def sold(lake: Lake) -> tuple[str, str]:
    """Two days of sales; the second was held and released."""
    first = lake.publish(
        "sale", 1, [HEAD, f"东,A1,2026-07-01,{SECRET}", f"西,A1,2026-07-01,{SECRET}"]
    )
    second = lake.release("sale", 2, [HEAD, "东,B,2026-07-02,", f'东,"A=1,b",,{SECRET}', "东,A1,,"])
    return first, second
