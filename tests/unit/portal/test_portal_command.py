from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cli.main import jingshu

if TYPE_CHECKING:
    from contracts.layout import Home

    from .conftest import City


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))


def test_build_writes_the_page_and_names_it(city: City, home: Home) -> None:
    city.deliver("received", "published", day=date(2026, 7, 14))
    city.deliver("received", "published")
    city.save(home)
    done = CliRunner().invoke(jingshu, ["portal", "build", "--date", "2026-07-14", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == {"page": str(home.site / "2026-07-14.html")}
    for day, name in (("2026-07-14", "2026-07-14.html"), ("2026-07-15", "index.html")):
        assert f"CDO daily · {day}" in (home.site / "en" / name).read_text("utf-8")
        assert f"首席数据官日报 · {day}" in (home.site / name).read_text("utf-8")


def test_a_date_that_is_none_is_wrong_usage() -> None:
    assert CliRunner().invoke(jingshu, ["portal", "build", "--date", "15.07."]).exit_code == 2


@pytest.mark.parametrize("command", [[], ["build"], ["serve"]])
def test_help_has_an_example(command: list[str]) -> None:
    done = CliRunner().invoke(jingshu, ["portal", *command, "--help"])
    assert done.exit_code == 0
    assert "./jingshu portal" in done.output
