from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.layout import Home
from infra.sandbox.city import generate_day
from tests.support.exports import FIRST, Made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True, scope="session")
def _own_drop_folder() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JINGSHU_DROP", raising=False)
        patch.delenv("JINGSHU_CONTRACTS", raising=False)
        yield


@pytest.fixture(scope="session")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Made:
    home = Home(tmp_path_factory.mktemp("city"))
    return Made(home, generate_day(home, FIRST))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
