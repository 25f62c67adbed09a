"""One day through the real stack, run once for every module that looks at what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from contracts.layout import Home
from tests.support.commands import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY: Final = "2026-07-15"
#: Those whose data the product is made of, a district, and one list that is held on the first day.
PROVIDERS: Final = "civil,dongcheng,econ_it,emergency,health"


@pytest.fixture(scope="session")
def day_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of the first day."""
    return Home(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def first_day(day_home: Home) -> Iterator[Running]:
    """``./jingshu run`` of the first day, ended."""
    arguments = ("run", "--date", DAY, "--providers", PROVIDERS, "--json")
    with Running(day_home, *arguments) as command:
        assert command.finish() == 0, command.log
        yield command
