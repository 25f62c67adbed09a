from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cli.sandbox import sandbox
from contracts.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path))
    return CliRunner()


def test_make_then_truth(run: CliRunner) -> None:
    day = ["--date", "2026-07-15"]
    made = run.invoke(
        sandbox, ["make", *day, "--providers", "econ_it", "--fault", "econ_it/innovation_base=late"]
    )
    assert made.exit_code == 0, made.output
    assert "模拟数据" in made.output
    shown = run.invoke(sandbox, ["truth", *day, "--json"])
    truth = json.loads(shown.output)
    assert truth["origin"] == "simulated"
    assert truth["deliveries"]["econ_it/innovation_base"]["delivery_state"] == "late"
    assert truth["deliveries"]["econ_it/integration_pilot"]["batch_status"] == "published"


def test_clean_plants_nothing(run: CliRunner) -> None:
    made = run.invoke(
        sandbox, ["make", "--date", "2026-07-15", "--providers", "econ_it", "--clean", "--json"]
    )
    truth = json.loads(made.output)
    assert all(not d["faults"] for d in truth["deliveries"].values())


def test_an_unknown_fault_is_wrong_usage(run: CliRunner) -> None:
    made = run.invoke(sandbox, ["make", "--fault", "econ_it/innovation_base=lost"])
    assert isinstance(made.exception, UsageError)
    assert "no delivery fault" in str(made.exception)
