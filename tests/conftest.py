"""What all tests share: one Spark server, and one city that ran its first days."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT, Home
from contracts.tree import Tree, load_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.sandbox.truth import DayTruth

os.environ.setdefault("JINGSHU_JARS", str(Path(sys.prefix) / "jars"))
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["GX_ANALYTICS_ENABLED"] = "false"
for name in ("JINGSHU_HOME", "JINGSHU_CONTRACTS", "JINGSHU_DROP"):
    os.environ.pop(name, None)

#: First days: the initial load, then days with every kind of delivery fault.
DAYS = (date(2026, 7, 15), date(2026, 7, 16), date(2026, 7, 17), date(2026, 7, 18))
TREE = load_tree(ROOT / "contracts")
#: The providers of the product, two districts, and lists in the layouts of real exports.
THREAD = frozenset(
    ("civil", "econ_it", "emergency", "health", "transport", "dongcheng", "chaoyang")
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what one of pytest's workers (``-n``) takes whole, the longest first.

    Airflow's tests are one lot: they own ports and watch processes. So are the modules that share
    the session's Spark and its city. Every other module is a lot of its own.
    """
    lots: dict[Path, str] = {}
    for item in items:
        lots[item.path] = max(lots.get(item.path, ""), _lot(item))
    order = {"stack": 0, "spark": 1}
    items.sort(key=lambda item: order.get(lots[item.path], 2))
    for item in items:
        lot = lots[item.path] or item.path.relative_to(ROOT).as_posix()
        item.add_marker(pytest.mark.xdist_group(lot))


def _lot(item: pytest.Item) -> str:
    if item.get_closest_marker("e2e"):
        return "stack"
    shared = {"spark_remote", "city"} & set(getattr(item, "fixturenames", ()))
    return "spark" if shared or item.get_closest_marker("spark") else ""


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
    from jobs.spark import close

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
    from tests.days import run_day

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
