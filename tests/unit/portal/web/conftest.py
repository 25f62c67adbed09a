"""What tests of the pages share: the town, its database, and one that stands for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT, Home
from sharing.control import Control
from tests.support.sharing.served import SETTINGS
from tests.support.town import Town, a_home, open_town

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    for name in ("JINGSHU_CONTROL_URL", *SETTINGS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with Control(a_home(Home(tmp_path_factory.mktemp("town")))) as opened:
        yield opened


@pytest.fixture
def town(control: Control) -> Town:
    return open_town(control)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The same town for all tests of a module: they leave its accounts as they are."""
    with Control(a_home(Home(tmp_path_factory.mktemp("standing")))) as opened:
        yield open_town(opened)
