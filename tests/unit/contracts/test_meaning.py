"""How a contract is read: schedules, units, defaults, and errors that survive a process border."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest

from contracts.delivery import Delivery
from contracts.document import ContractError
from contracts.errors import JingshuError, UsageError
from contracts.layout import Home, contracts_root
from contracts.loading import load_tree
from contracts.model import Cycle, Load, Schedule, max_level
from contracts.words import Words
from tests.support.small import Node, column, custom, properties, set_custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract


def read(root: Path, contract: Node) -> Contract:
    return load_tree(write(root, contract)).contract("town.visit")


SLAS: dict[str, tuple[Node, Schedule]] = {
    "weekly_by_days": ({"frequency": (7, "d")}, Schedule(cycle="weekly")),
    "weekly": ({"frequency": (1, "week")}, Schedule(cycle="weekly")),
    "monthly": ({"frequency": (1, "m")}, Schedule(cycle="monthly")),
    "quarterly": ({"frequency": (3, "months")}, Schedule(cycle="quarterly")),
    "yearly": ({"frequency": (1, "yr")}, Schedule(cycle="yearly")),
    "latency_days": ({"latency": (2, "days")}, Schedule(latency_h=48)),
    "latency_hours_unsaid": ({"latency": (3, None)}, Schedule(latency_h=3)),
    "latency_minutes": ({"latency": (90, "min")}, Schedule(latency_h=1.5)),
    "retention_years": ({"retention": (3, "y")}, Schedule(retention_d=1098)),
    "retention_days": ({"retention": (365, "d")}, Schedule(retention_d=365)),
    "clock": ({"timeOfAvailability": ("05:30+08:00", None)}, Schedule(available_at=time(5, 30))),
    "clock_without_zone": (
        {"timeOfAvailability": ("05:30", None)},
        Schedule(available_at=time(5, 30)),
    ),
    "other_property": ({"generalAvailability": ("2026-01-01", None)}, Schedule()),
}


@pytest.mark.parametrize(("said", "meant"), SLAS.values(), ids=SLAS)
def test_service_levels(tmp_path: Path, said: Node, meant: Schedule) -> None:
    items = [{"property": k, "value": v} | ({"unit": u} if u else {}) for k, (v, u) in said.items()]
    assert read(tmp_path, source(slaProperties=items)).schedule == meant


def test_due_is_city_time_of_the_next_day() -> None:
    schedule = Schedule(available_at=time(2, 0), latency_h=6)
    assert schedule.due_at(date(2026, 7, 15)) == datetime(2026, 7, 16, 0, 0, tzinfo=UTC)


DUE: dict[Cycle, tuple[date, ...]] = {
    "daily": tuple(date(2026, 1, d) for d in range(1, 32)),
    "weekly": tuple(date(2026, 1, d) for d in (5, 12, 19, 26)),
    "monthly": (date(2026, 1, 1),),
    "quarterly": (date(2026, 1, 1),),
    "yearly": (date(2026, 1, 1),),
    "adhoc": (),
}


@pytest.mark.parametrize("cycle", DUE)
def test_days_on_which_a_delivery_is_due(cycle: Cycle) -> None:
    days = [date(2026, 1, d) for d in range(1, 32)]
    assert tuple(d for d in days if Schedule(cycle=cycle).is_due(d)) == DUE[cycle]


@pytest.mark.parametrize(
    ("cycle", "months"), [("monthly", range(1, 13)), ("quarterly", (1, 4, 7, 10)), ("yearly", (1,))]
)
def test_months_in_which_a_delivery_is_due(cycle: Cycle, months: tuple[int, ...]) -> None:
    schedule = Schedule(cycle=cycle)
    assert [m for m in range(1, 13) if schedule.is_due(date(2026, m, 1))] == list(months)
    assert not any(schedule.is_due(date(2026, m, 2)) for m in range(1, 13))


def test_period_of_a_load() -> None:
    assert Load(period="day").period_of(date(2026, 7, 15)) == "2026-07-15"
    assert Load(period="month").period_of(date(2026, 7, 15)) == "2026-07"


def test_untagged_column_counts_as_l3(tmp_path: Path) -> None:
    contract = source(customProperties=[])
    properties(contract).append({"name": "note", "logicalType": "string"})
    read_back = read(tmp_path, contract)
    note = read_back.column("note")
    assert (note.level, note.effective_level, read_back.level) == (None, "L3", "L3")
    assert (note.header, note.business_name, note.required) == ("note", "note", False)


def test_highest_level_wins() -> None:
    assert max_level(("L1", "L4", "L2")) == "L4"
    assert max_level(()) == "L3"


def test_key_stands_in_its_declared_order(tmp_path: Path) -> None:
    contract = source()
    properties(contract)[0]["primaryKeyPosition"] = 2
    properties(contract).append(
        column("day", "date", required=True, primaryKey=True, primaryKeyPosition=1)
        | {"logicalTypeOptions": {"format": "yyyyMMdd"}}
    )
    assert [c.name for c in read(tmp_path, contract).key] == ["day", "visit_id"]


def test_numbers_in_an_enum_are_text(tmp_path: Path) -> None:
    contract = source()
    properties(contract).append(column("kind", customProperties=custom(enum=[1, "二", 2.5])))
    assert read(tmp_path, contract).column("kind").enum == ("1", "二", "2.5")


def test_expectation_may_be_written_as_text(tmp_path: Path) -> None:
    contract = source()
    contract["schema"][0]["quality"] = [
        {
            "id": "q",
            "type": "custom",
            "engine": "greatExpectations",
            "implementation": "type: expect_column_to_exist\nkwargs: {column: guests}",
        }
    ]
    [quality] = read(tmp_path, contract).quality
    assert (quality.expectation, quality.kwargs) == ("expect_column_to_exist", {"column": "guests"})


def test_dimensions_of_the_standard_become_the_national_ones(tmp_path: Path) -> None:
    contract = source()
    contract["schema"][0]["quality"] = [
        {"id": "a", "metric": "rowCount", "mustBeGreaterThan": 0, "dimension": "coverage"},
        {"id": "b", "metric": "rowCount", "mustBeBetween": [1, 9], "dimension": "uniqueness"},
    ]
    first, second = read(tmp_path, contract).quality
    assert (first.dimension, first.comparison, first.bound) == (
        "completeness",
        "mustBeGreaterThan",
        0,
    )
    assert (second.dimension, second.bound) == ("accuracy", (1.0, 9.0))


def test_han_classes_are_a_right_pattern(tmp_path: Path) -> None:
    contract = source()
    properties(contract).append(column("zh", logicalTypeOptions={"pattern": "^\\p{IsHan}{2,4}$"}))
    assert read(tmp_path, contract).column("zh").options.pattern == "^\\p{IsHan}{2,4}$"


def test_draft_has_no_feed_and_deprecated_still_has(tmp_path: Path) -> None:
    for status, feeds in (("draft", 0), ("active", 1), ("deprecated", 1), ("retired", 0)):
        tree = load_tree(write(tmp_path, source(status=status)))
        assert len(list(tree.feeds())) == feeds, status


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    import os

    first = read(tmp_path, source())
    changed = write(tmp_path, source(version="1.1.0")) / "visit.odcs.yaml"
    os.utime(changed, (1, 1))
    assert load_tree(tmp_path).contract("town.visit").version != first.version


def test_names_that_are_not_there(tmp_path: Path) -> None:
    tree = load_tree(write(tmp_path, source()))
    with pytest.raises(UsageError, match=r"no contract 'town.moon'.*It holds: town.visit"):
        tree.contract("town.moon")
    contract = tree.contract("town.visit")
    with pytest.raises(KeyError, match=r"town\.visit has no column moon"):
        contract.column("moon")
    with pytest.raises(KeyError, match="no server for provider zoo"):
        contract.server("zoo")
    with pytest.raises(TypeError, match="is a source contract"):
        _ = contract.product_plan
    with pytest.raises(UsageError, match="no contracts folder"):
        load_tree(tmp_path / "nowhere")
    assert tree.provider("zoo").kind == "external"


def test_delivery_says_its_name(tmp_path: Path) -> None:
    delivery = Delivery(read(tmp_path, source()), "museum", date(2026, 7, 1))
    assert delivery.name == "museum/visit 2026-07-01"
    assert delivery.table == "museum__visit"


def test_home_and_tree_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "c"))
    assert Home.from_env().root == tmp_path / "h"
    assert contracts_root() == tmp_path / "c"
    assert Home.from_env().drop == tmp_path / "h" / "sandbox" / "drop"
    monkeypatch.setenv("JINGSHU_DROP", str(tmp_path / "d"))
    assert Home.from_env().drop == tmp_path / "d"


def every_error() -> list[type[JingshuError]]:
    for package in ("contracts", "lineage", "jobs", "sharing"):
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            if not found.name.endswith(("__main__", "migrations.env")) and "._" not in found.name:
                importlib.import_module(found.name)
    kinds, todo = [], [JingshuError]
    while todo:
        kind = todo.pop()
        kinds.append(kind)
        todo += kind.__subclasses__()
    return sorted(set(kinds), key=lambda k: k.__qualname__)


@pytest.mark.parametrize("kind", every_error(), ids=lambda k: k.__qualname__)
def test_every_error_crosses_a_process_border(kind: type[JingshuError], tmp_path: Path) -> None:
    import inspect

    made: dict[str, Any] = {
        "file": tmp_path / "x.odcs.yaml",
        "line": 3,
        "place": ("a", 1),
        "problem": Words("它不对。", "It is wrong."),
        "remedy": Words("请更正。", "Mend it."),
        "state": "refused",
        "batch_id": "b",
        "status": 400,
        "code": "BAD",
    }
    names = [n for n in inspect.signature(kind.__init__).parameters if n != "self"]
    error = kind(*(made.get(n, f"{n} text.") for n in names if n not in ("args", "kwargs")))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert isinstance(error, Exception)


def test_contract_error_names_file_line_and_place(tmp_path: Path) -> None:
    told = (Words("不对", "is wrong"), Words("请更正。", "Mend it."))
    error = ContractError(tmp_path / "x.yaml", 7, ("schema", 0), *told)
    assert error.words == Words(
        "x.yaml:7（schema.0）：不对 请更正。", "x.yaml:7 (schema.0): is wrong Mend it."
    )
    assert ContractError(tmp_path / "x.yaml", None, (), *told).words == Words(
        "x.yaml（顶层）：不对 请更正。", "x.yaml (top level): is wrong Mend it."
    )


def test_custom_values_of_a_server(tmp_path: Path) -> None:
    contract = source()
    set_custom(
        contract["servers"][0], "export", {"delimiter": "\t", "footer": "^合计", "sheet": "一"}
    )
    export = read(tmp_path, contract).server("museum").export
    assert (export.delimiter, export.footer, export.sheet) == ("\t", "^合计", "一")
    assert (export.encoding, export.header_row, export.manifest) == ("auto", 1, "optional")
