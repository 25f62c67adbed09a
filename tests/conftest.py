"""What all tests share: one Spark server, and one city that ran its first days."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from contracts.layout import ROOT, Home
from contracts.loading import load_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.tree import Tree
    from infra.sandbox.truth import DayTruth

os.environ.setdefault("JINGSHU_JARS", str(Path(sys.prefix) / "jars"))
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["JINGSHU_LANG"] = "both"  # whatever the locale: click's texts are chosen at import
for name in ("JINGSHU_HOME", "JINGSHU_CONTRACTS", "JINGSHU_DROP"):
    os.environ.pop(name, None)

#: What tests that belong together name, by their lot; one worker runs a lot, and they begin in
#: this order. Days through the real Airflow wait more than they work; two lots share a Spark
#: server in their worker, one its city's first days; the last shares the exports of a first day.
LOTS: Final = {
    "days": re.compile(r"mark\.e2e"),
    "city": re.compile(r": City\b"),
    "spark": re.compile(r"spark_remote|mark\.spark"),
    "exports": re.compile(r": Made\b"),
}
#: First days: the initial load, then days with every kind of delivery fault.
DAYS = (date(2026, 7, 15), date(2026, 7, 16), date(2026, 7, 17), date(2026, 7, 18))
TREE = load_tree(ROOT / "contracts")
#: The providers of the product, two districts, and lists in the layouts of real exports.
THREAD = frozenset(
    ("civil", "econ_it", "emergency", "health", "transport", "dongcheng", "chaoyang")
)


class Lots(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives each of pytest's workers (``-n``) whole lots of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return _lot(nodeid.partition("::")[0])


@cache
def _lot(module: str) -> str:
    """Return a test module's lot, which one worker runs: one of ``LOTS``, or the module's own."""
    text = (ROOT / module).read_text("utf-8")
    return next((lot for lot, sign in LOTS.items() if sign.search(text)), module)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lots:
    """Make the scheduler of the workers: pytest-xdist's groups are lost on pytest 9.2."""
    return Lots(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long lots."""
    order = list(LOTS)

    def place(item: pytest.Item) -> int:
        lot = _lot(item.path.relative_to(ROOT).as_posix())
        return order.index(lot) if lot in LOTS else len(order)

    items.sort(key=place)


@dataclass(frozen=True)
class City:
    """A lake after ``DAYS``, and the truth of each day."""

    home: Home
    tree: Tree
    truths: Mapping[date, DayTruth]


@pytest.fixture(scope="session")
def spark_remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Spark Connect server for the session; ``SPARK_REMOTE`` names one that is running."""
    if os.environ.get("SPARK_REMOTE"):
        yield os.environ["SPARK_REMOTE"]
        return
    from infra.stack import spark
    from jobs.spark.session import close

    server = spark.start(Home(tmp_path_factory.mktemp("spark")))
    os.environ["SPARK_REMOTE"] = server.remote
    try:
        yield server.remote
    finally:
        close()
        server.stop()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, spark_remote: str) -> City:
    """``DAYS`` of the providers of ``THREAD``, through every stage, without Airflow."""
    from infra.sandbox.city import generate_day
    from tests.support.days import run_day

    home = Home(tmp_path_factory.mktemp("city"))
    truths = {}
    for day in DAYS:
        truths[day] = generate_day(home, day, providers=set(THREAD))
        run_day(home, TREE, day, THREAD)
    return City(home, TREE, truths)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty state folder."""
    return Home(tmp_path / "home")
