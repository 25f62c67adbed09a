"""Values above L2 leave by no side door: planted in every column, through every check and failure.

L4 lies in sealed bytes only. L3 lies in the raw files and as cells of its own column inside the
lake, and in nothing else: no statistic, no log, no message, no page.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import traceback
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.logger import PySparkLogger

from contracts.layout import Home
from contracts.loading import load_tree
from contracts.moment import utc_now
from jobs import entry, trial
from jobs.operations import backfill, decisions
from jobs.record import governance, intents
from jobs.tables import quarantine, silver
from jobs.verify import verify
from portal.site import build_site
from sharing.control import Control
from sharing.notices.collect import collect
from tests.support.days import deliver
from tests.support.dying import die
from tests.support.small import column, custom, product, properties, set_custom, source, write
from tests.support.spills import Planted, spills

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contracts.tree import Tree
    from tests.support.dying import Crash

pytestmark = pytest.mark.spark

DAY = date(2026, 7, 15)
#: The columns above L2 of two feeds: one whose bytes are kept in clear, one whose bytes are sealed.
#: Every cell holds its column's mark, and nothing else does.
PLANTED = {
    "visit": (
        Planted("name", "L3", "Zqvname"),
        Planted("note", "L3", "Zqvnote"),
        Planted("income", "L3", "7319044"),
    ),
    "care": (
        Planted("name", "L3", "Zqcname"),
        Planted("phone", "L4", "Zqcphone"),
        Planted("income", "L4", "8426157"),
    ),
}
ALL = [one for feed in PLANTED.values() for one in feed]
ROWS = 40
#: On these days a task is killed: when its rows are in bronze, and when they are staged.
KILLED: dict[int, tuple[Crash, str]] = {
    20: (("jobs.land.run", "append_once", 1, "pass"), "entry.land(*sys.stdin.read().split())"),
    21: (
        ("jobs.audit.run", "audit", 1, "os._exit(9)"),
        "entry.refine(entry.land(*sys.stdin.read().split()))",
    ),
}
#: Loggers of PySpark that hand nothing on to the root.
QUOTING = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")


def _expectation(name: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "id": f"gx_{name.removeprefix('expect_')}_{len(kwargs)}",
        "type": "custom",
        "engine": "greatExpectations",
        "severity": "warning",
        "implementation": {"type": name, "kwargs": kwargs},
    }


def _sql(name: str, query: str) -> dict[str, Any]:
    return {"id": name, "type": "sql", "severity": "warning", "query": query, "mustBe": 0}


def _checks(text: str) -> list[dict[str, Any]]:
    """Every kind of check over a column of text and over ``income``; most fail or cannot be run."""
    either = {"column_A": text, "column_B": "name"}
    return [
        _sql("counted", f"SELECT COUNT(*) FROM {{object}} WHERE {text} IS NOT NULL"),
        _sql("greatest", "SELECT MAX(income) FROM {object}"),
        _sql("no_number", f"SELECT MAX({text}) FROM {{object}}"),
        _sql("uncastable", f"SELECT SUM(CAST({text} AS BIGINT)) FROM {{object}}"),
        *(
            {"id": m, "metric": m, "arguments": a, "severity": "warning", "mustBe": 1}
            for m, a in {
                "duplicateValues": {"properties": [text]},
                "nullValues": {"property": text},
                "invalidValues": {"property": text, "validValues": ["x"]},
            }.items()
        ),
        _expectation("expect_column_max_to_be_between", column="income", max_value=1),
        _expectation("expect_column_quantile_values_to_be_between", column="income",
                     quantile_ranges={"quantiles": [0.1, 0.9], "value_ranges": [[0, 1], [0, 1]]}),
        _expectation("expect_column_mean_to_be_between", column=text, max_value=1),
        _expectation("expect_column_most_common_value_to_be_in_set", column=text, value_set=["x"]),
        _expectation("expect_column_distinct_values_to_be_in_set", column=text, value_set=["x"]),
        _expectation("expect_column_values_to_be_in_set", column=text, value_set=["x"],
                     result_format={"result_format": "COMPLETE"}),
        _expectation("expect_column_pair_values_to_be_equal", **either),
        _expectation("expect_multicolumn_sum_to_equal", column_list=["income", "guests"],
                     sum_total=1),
        _expectation("expect_column_values_to_be_between", column="guests", max_value=1,
                     row_condition=f'col("{text}").notnull()'),
        _expectation("unexpected_rows_expectation",
                     unexpected_rows_query=f"SELECT * FROM {{batch}} WHERE {text} IS NOT NULL"),
    ]  # fmt: skip


def _feed(name: str, text: str) -> dict[str, Any]:
    made = source(id=f"town.{name}", name=name)
    made["servers"][0]["path"] = f"{{drop}}/museum/{name}/{{date}}/*"
    made["schema"][0]["name"] = name
    made["schema"][0]["quality"] = _checks(text)
    for one in PLANTED[name]:
        kind = "integer" if one.column == "income" else "string"
        made_column = column(one.column, kind, classification=one.level)
        if one.column == "note":
            del made_column["classification"]  # untagged counts as L3
        if kind == "string":
            made_column["logicalTypeOptions"] = {"pattern": "^Zq.*[0-8]$"}  # each tenth is bad
            shape = "expect_column_value_lengths_to_be_between"
            made_column["quality"] = [
                _expectation(shape, min_value=2, max_value=3) | {"id": f"length_of_{one.column}"}
            ]
        properties(made).append(made_column)
    level = max(one.level for one in PLANTED[name])
    set_custom(made, "grading", {"gb43697": "general", "level": level})
    return made


def _product(name: str, level: str, kind: str = "integer") -> dict[str, Any]:
    made = product(id=f"town.{name}", name=name)
    made["schema"][0] |= {
        "name": name,
        "properties": [column("guests", kind, classification=level)],
    }
    policies = [{"name": "open", "columns": {"guests": {"mask": "keep"}}}] if level == "L1" else []
    plan = {"inputs": ["town.visit"], "sql": f"{name}.sql", "k": 20, "policies": policies}
    made["customProperties"] = custom(product=plan)
    return made


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("doors-tree")
    quiet, failing = _product("quiet", "L1"), _product("failing", "L3")
    write(root, _feed("visit", "note"), _feed("care", "phone"), quiet, failing)
    (root / "quiet.sql").write_text("SELECT guests FROM museum__visit", "utf-8")
    cast = "SELECT CAST(name AS BIGINT) AS guests FROM museum__visit"
    (root / "failing.sql").write_text(cast, "utf-8")
    return load_tree(root)


def _lines(feed: str, *, is_bad: bool = False) -> list[str]:
    """Rows of a feed: each tenth breaks a row rule, one stands there twice, two are shifted."""
    rows = [
        [str(n), str(-1 if is_bad else n % 3), *(f"{one.mark}{n:03}" for one in PLANTED[feed])]
        for n in range(ROWS)
    ]
    shifted = ["x", *rows[1]], rows[1][2:]
    return [",".join(row) for row in [*rows, rows[0], *shifted]]


def _header(feed: str) -> str:
    return ",".join(["VISIT_ID", "GUESTS", *(one.column.upper() for one in PLANTED[feed])])


def _files(feed: str) -> dict[int, list[str]]:
    """What a feed delivers by day: good enough, too bad, no header, a secret, open quotes."""
    header = _header(feed)
    return {
        15: [header, *_lines(feed)],
        16: [header, *_lines(feed, is_bad=True)],
        17: _lines(feed),
        18: [header, *_lines(feed), "密级：机密"],
        19: [header, *_lines(feed), f'"{PLANTED[feed][0].mark}"x' + "," * 4],
        **{number: [header, *_lines(feed)[:number]] for number in KILLED},
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, tree: Tree, spark_remote: str) -> Iterator[Home]:
    """A home that every check and every failure left something in, and all that was logged."""
    root = tmp_path_factory.mktemp("doors")
    home, drop, temporary = Home(root / "home"), root / "drop", root / "home" / "temporary"
    for folder in (home.run / "logs", temporary):
        folder.mkdir(parents=True)
    handler = logging.FileHandler(home.run / "logs" / "python.log", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGSHU_DROP", str(drop))
        patch.setenv("JINGSHU_HOME", str(home.root))
        patch.setenv("JINGSHU_CONTRACTS", str(tree.root))
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.setenv("TMPDIR", str(temporary))
        loggers = [logging.getLogger(), *map(PySparkLogger.getLogger, QUOTING)]
        for logger in loggers:
            logger.addHandler(handler)
        try:
            _everything(home, tree, drop)
        finally:
            for logger in loggers:
                logger.removeHandler(handler)
            handler.close()
        yield home


def _everything(home: Home, tree: Tree, drop: Path) -> None:
    for feed in PLANTED:
        for number, lines in _files(feed).items():
            content = "\n".join([*lines, ""]).encode()
            where = f"museum/{feed}/{DAY.replace(day=number)}/{feed}.csv"
            deliver(drop, where, content, is_simulated=False)
    for feed in PLANTED:
        contract = f"town.{feed}"
        for number in sorted(_files(feed).keys() - KILLED.keys()):
            _as_a_task(home, _ingest, contract, f"2026-07-{number}")
        [held] = (b for b in governance.latest_batches(home) if b.status == "held")
        decisions.release(home, tree, held.batch_id, actor="cdo", reason="agreed")
        given = trial.given(tree, drop / f"museum/{feed}/2026-07-15/{feed}.csv", contract)
        (home.run / "logs" / f"try-{feed}.log").write_text(repr(trial.try_file(given)), "utf-8")
        shutil.rmtree(home.table("silver", f"museum__{feed}"))
        plan = backfill.make_plan(tree, contract, DAY, DAY.replace(day=16))
        list(backfill.from_raw(home, tree, backfill.kept_for(home, plan)))
    for task in (entry.build, entry.share):
        _as_a_task(home, task, "town.quiet", "2026-07-15")
    _as_a_task(home, entry.build, "town.failing", "2026-07-15")
    for number, (crash, code) in KILLED.items():
        said = die(home, tree, crash, code, f"town.care museum 2026-07-{number}")
        (home.run / "logs" / f"killed-{number}.log").write_text(said, "utf-8")
    build_site(home)
    with Control(home) as control:
        collect(control, utc_now())


def _ingest(contract: str, day: str) -> str:
    return entry.publish(entry.refine(entry.land(contract, "museum", day)))


def _as_a_task(home: Home, task: Callable[[str, str], str], name: str, day: str) -> None:
    """Run a stage as Airflow does, which keeps what is returned, and tracebacks."""
    with (home.run / "logs" / "tasks.log").open("a", encoding="utf-8") as log:
        try:
            log.write(task(name, day))
        except Exception:  # noqa: BLE001  (whatever a task raises is logged)
            log.write(traceback.format_exc())


def test_the_lake_has_been_through_all_of_it(lake: Home, tree: Tree) -> None:
    checks = governance.read(lake, governance.CheckRow)
    for feed in PLANTED:
        batches = [b for b in governance.latest_batches(lake) if b.dataset == feed]
        states = {b.business_date.day: b.status for b in batches}
        ended = {15: "published", 16: "published", 17: "rejected", 19: "rejected"}
        assert states == (ended | {21: "landed"} if feed == "care" else ended)
        assert quarantine.of_batches(lake, f"museum__{feed}").num_rows > 0  # type: ignore[union-attr]
        mine = [c for c in checks if c.batch_id in {b.batch_id for b in batches}]
        assert {c.status for c in mine if c.engine == "great_expectations"} >= {"failed", "error"}
        assert {c.status for c in mine if c.engine == "spark"} >= {"failed", "error"}
    assert "refused" in {d.state for d in governance.latest_deliveries(lake, DAY.replace(day=18))}
    log = (lake.run / "logs" / "tasks.log").read_text("utf-8")
    assert "StageFailedError" in log
    assert "CAST_INVALID_INPUT" in log
    report = verify(lake, tree)
    assert report.broken == []
    assert report.recovering, "of what was killed"
    [cut] = intents.open_intents(lake)
    assert cut.name.startswith("land:20260720-")
    [staged] = (b for b in governance.latest_batches(lake) if b.status == "landed")
    assert (silver.stage_path(lake, staged.table, staged.batch_id) / "_SUCCESS").exists()


def test_the_search_finds_what_is_there_to_find(lake: Home) -> None:
    found = spills(lake.root.parent / "drop", ALL)
    assert {line.rpartition(": ")[2] for line in found} == {
        f"{one.column} ({one.level})" for one in ALL
    }


def test_no_value_leaves_by_a_side_door(lake: Home) -> None:
    assert spills(lake.root, ALL) == []


def test_no_value_is_in_what_spark_left(lake: Home, tmp_path_factory: Any) -> None:
    servers = [p for p in tmp_path_factory.getbasetemp().glob("spark*") if p.is_dir()]
    assert [line for server in servers for line in spills(server, ALL)] == []
