"""What the parts are told: loopback only, all state below the home, secrets kept private."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from contracts.errors import JingshuError
from infra.stack import airflow, spark
from infra.stack.airflow import Airflow
from infra.stack.exclusive import exclusive
from infra.stack.standing import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home


@pytest.fixture
def environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "True")
    monkeypatch.setenv("AIRFLOW_VAR_SOMEBODY", "else")
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere:1")
    return Airflow(home, 8790, "sc://127.0.0.1:15002", "manual").environment()


def test_every_address_of_spark_is_loopback(home: Home, jars: Path) -> None:
    told = spark.settings(home, 15002)
    addresses = [key for key in told if key.endswith((".host", "ddress"))]
    assert len(addresses) == 3
    assert {told[key] for key in addresses} == {"127.0.0.1"}
    assert told["spark.ui.enabled"] == "false"


def test_spark_writes_below_the_home_only(home: Home, jars: Path) -> None:
    told = spark.settings(home, 15002)
    for key in ("spark.local.dir", "spark.sql.warehouse.dir"):
        assert told[key].startswith(str(home.run))


def test_missing_jars_are_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for named in ("", str(tmp_path)):
        monkeypatch.setenv("JINGSHU_JARS", named)
        with pytest.raises(JingshuError, match=r"No Delta jars.*\./jingshu"):
            spark.delta_jars()


def test_every_address_of_airflow_is_loopback(environment: dict[str, str]) -> None:
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith(
        "http://127.0.0.1:8790"
    )
    assert environment["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"


def test_settings_of_another_airflow_or_spark_do_not_leak_in(environment: dict[str, str]) -> None:
    assert environment["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert "AIRFLOW_VAR_SOMEBODY" not in environment
    assert environment["SPARK_REMOTE"] == "sc://127.0.0.1:15002"


def test_tasks_find_the_same_home_contracts_and_drop(
    home: Home, environment: dict[str, str]
) -> None:
    assert environment["JINGSHU_HOME"] == str(home.root)
    assert environment["JINGSHU_DROP"] == str(home.drop)
    assert environment["JINGSHU_SCHEDULE"] == "manual"


def test_secrets_are_made_once_and_read_by_nobody_else(home: Home) -> None:
    first = airflow.password(home)
    assert airflow.password(home) == first
    assert json.loads(airflow.passwords_file(home).read_text()) == {airflow.USER: first}
    for name in ("passwords.json", "secrets.json"):
        mode = stat.S_IMODE((airflow.folder(home) / name).stat().st_mode)
        assert mode == 0o600, name


def test_two_homes_have_different_secrets(home: Home, tmp_path: Path) -> None:
    other = type(home)(tmp_path / "other")
    assert airflow.password(home) != airflow.password(other)


def test_one_command_at_a_time_drives_a_home(home: Home) -> None:
    with (
        exclusive(home, "run"),
        pytest.raises(JingshuError, match=r"Another command \(run\)"),
        exclusive(home, "down"),
    ):
        pass
    with exclusive(home, "down"):
        pass


def test_a_command_that_joins_a_stack_compares_what_it_was_started_with(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    airflow.folder(home).mkdir(parents=True)
    assert Settings.last(home) is None
    Settings.now(home, "cron").write(home)
    assert Settings.last(home) == Settings.now(home, "cron")
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path))
    assert Settings.last(home) != Settings.now(home, "cron")


def test_a_stack_of_a_moved_home_was_started_with_the_same(home: Home, tmp_path: Path) -> None:
    airflow.folder(home).mkdir(parents=True)
    Settings.now(home, "cron").write(home)
    moved = type(home)(home.root.rename(tmp_path / "moved"))
    assert Settings.last(moved) == Settings.now(moved, "cron")


@pytest.fixture
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / "delta-spark_4.2_2.13-4.4.0.jar").touch()
    monkeypatch.setenv("JINGSHU_JARS", str(folder))
    assert os.environ["JINGSHU_JARS"]
    return folder
