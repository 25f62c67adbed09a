"""Airflow's components for one home: SQLite, LocalExecutor, loopback, quick to recover.

The settings of the sections ``scheduler`` and ``database`` are those that were measured to bring a
killed part back within half a minute (docs/decisions/0002-airflow-by-partition.md).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from contracts.layout import ASSET_SCHEME, ROOT, Home, contracts_root
from contracts.words import Words
from infra.stack import processes
from infra.stack.assets import name_assets
from infra.stack.processes import LOOPBACK, Part, StackError
from lineage.naming import city_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Component = Literal["api-server", "dag-processor", "scheduler", "triggerer"]

#: The components in the order that brings the first task soonest.
COMPONENTS: tuple[Component, ...] = ("api-server", "dag-processor", "scheduler", "triggerer")
PREFERRED_PORT = 8790
USER = "admin"
#: ``JINGSHU_SCHEDULE``: ``cron`` lets the clock start runs, ``manual`` leaves that to whoever asks.
Schedule = Literal["cron", "manual"]

_ARGUMENTS: Mapping[Component, tuple[str, ...]] = {
    "api-server": ("--host", LOOPBACK, "--workers", "1"),
    "dag-processor": (),
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}
#: Tasks at a time: two cores, and Spark works for all of them.
_SLOTS = "3"
_MIGRATE_TIMEOUT_S = 300
_CONFIGURATION = "# Every setting comes from the environment: infra/stack/airflow.py\n"
_SHOWN_CHARS = 400


@dataclass(frozen=True)
class Airflow:
    """One home's Airflow: its API's port, the Spark of its tasks, and what starts its runs."""

    home: Home
    port: int
    spark_remote: str
    schedule: Schedule
    dags: Path = ROOT / "dags"

    @property
    def url(self) -> str:
        """The address of the web page and of the REST API."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def folder(self) -> Path:
        """``AIRFLOW_HOME``."""
        return folder(self.home)

    def begin(self, component: Component) -> Part:
        """Start one component without waiting for it."""
        arguments = _ARGUMENTS[component]
        port = 0
        if component == "api-server":
            port = self.port
            arguments = (*arguments, "--port", str(port))
        argv = [sys.executable, "-m", "airflow", component, *arguments]
        return processes.launch(self.home, component, argv, self.environment(), port=port)

    def environment(self) -> dict[str, str]:
        """Return the environment of every component and so of every task."""
        settings = {
            f"AIRFLOW__{section}__{name}".upper(): value
            for section, values in self._settings().items()
            for name, value in values.items()
        }
        inherited = {key: value for key, value in os.environ.items() if not _is_foreign(key)}
        ours = {
            "AIRFLOW_HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "infra" / "airflow")]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_REMOTE": self.spark_remote,
            "JINGSHU_HOME": str(self.home.root),
            "JINGSHU_CONTRACTS": str(contracts_root()),
            "JINGSHU_DROP": str(self.home.drop),
            "JINGSHU_SCHEDULE": self.schedule,
            # Tasks are kept from Airflow's database; the one that mends it asks for it by this.
            "JINGSHU_AIRFLOW_DATABASE": settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"],
            "SCARF_ANALYTICS": "false",
            "DO_NOT_TRACK": "1",
        }
        return inherited | settings | ours

    def _settings(self) -> dict[str, dict[str, str]]:
        keys = _secrets(self.home)
        database = self.folder / "airflow.db"
        events = self.home.lineage_events.parent / "airflow" / "events.ndjson"
        events.parent.mkdir(parents=True, exist_ok=True)
        return {
            "core": {
                "dags_folder": str(self.dags),
                "plugins_folder": str(ROOT / "infra" / "airflow" / "plugins"),
                "load_examples": "False",
                "executor": "LocalExecutor",
                "parallelism": _SLOTS,
                # The executor alone accepts more tasks than it has workers for.
                "default_pool_task_slot_count": _SLOTS,
                "hostname_callable": "socket.gethostname",
                "dags_are_paused_at_creation": "False",
                # What is nearest to the end goes first: dates complete instead of piling up.
                "default_task_weight_rule": "upstream",
                "execute_tasks_new_python_interpreter": "False",
                "execution_api_server_url": f"{self.url}/execution/",
                "fernet_key": keys["fernet_key"],
                "simple_auth_manager_users": f"{USER}:admin",
                "simple_auth_manager_passwords_file": str(passwords_file(self.home)),
                "min_serialized_dag_update_interval": "5",
            },
            "database": {
                "sql_alchemy_conn": f"sqlite:///{database}?timeout=60",
                "sql_alchemy_conn_async": f"sqlite+aiosqlite:///{database}?timeout=60",
                "check_migrations": "False",
            },
            "api": {
                "host": LOOPBACK,
                "port": str(self.port),
                "base_url": self.url,
                "workers": "1",
                "maximum_page_limit": "500",
                "secret_key": keys["secret_key"],
                "instance_name": "京枢 Jingshu",
                "expose_config": "False",
            },
            "api_auth": {"jwt_secret": keys["jwt_secret"]},
            "scheduler": {
                "scheduler_idle_sleep_time": "0.3",
                "job_heartbeat_sec": "3",
                "orphaned_tasks_check_interval": "15",
                # Also how long a queued task's token is good: shorter than a wait for a worker
                # would fail it. Tasks of a dead scheduler are found by the orphan check.
                "task_queued_timeout": "600",
                "scheduler_health_check_threshold": "15",
                "task_instance_heartbeat_timeout": "30",
                "task_instance_heartbeat_timeout_detection_interval": "5",
                "max_dagruns_to_create_per_loop": "50",
                # By the clock many dates wait for their delivery at once, and Airflow looks at
                # backfills last: with fewer than all in a round, none would be looked at.
                "max_dagruns_per_loop_to_schedule": "500" if self.schedule == "cron" else "50",
                "enable_health_check": "False",
            },
            "dag_processor": {
                "refresh_interval": "60",
                # A run's contracts stand still; reading a city's DAGs again and again does not.
                "min_file_process_interval": "60" if self.schedule == "cron" else "600",
                "parsing_processes": "1",
                "print_stats_interval": "0",
            },
            "logging": {
                "logging_level": "INFO",
                "colored_console_log": "False",
                # Airflow sets the modes of its logs itself, whatever the umask is.
                "file_task_handler_new_folder_permissions": "0o700",
                "file_task_handler_new_file_permissions": "0o600",
            },
            "workers": {"missing_dag_retry_delay": "5", "execution_api_timeout": "30"},
            "usage_data_collection": {"enabled": "False"},
            "openlineage": {
                "namespace": city_namespace(),
                "transport": json.dumps(
                    {"type": "file", "log_file_path": str(events), "append": True}
                ),
            },
        }


def migrate(airflow: Airflow) -> None:
    """Create or migrate Airflow's database, if this Airflow has not done so already.

    Raises:
        StackError: the migration failed.
    """
    done = airflow.folder / "migrated"
    state = f"{version('apache-airflow-core')} {ASSET_SCHEME}"
    airflow.folder.mkdir(parents=True, exist_ok=True)
    # Where there is none, Airflow writes one with the folders of today, and reads it ever after.
    (airflow.folder / "airflow.cfg").write_text(_CONFIGURATION, "ascii")
    if done.exists() and done.read_text("ascii") == state:
        return
    argv = [sys.executable, "-m", "airflow", "db", "migrate"]
    result = subprocess.run(
        argv,
        env=airflow.environment(),
        cwd=airflow.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_MIGRATE_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        said = result.stderr.strip()[-_SHOWN_CHARS:]
        raise StackError(
            Words(
                f"Airflow 的数据库未能就绪：{said}", f"Airflow's database was not prepared: {said}"
            ),
            Words(
                f"请删除文件夹 {airflow.folder}（其中只有运行历史），再次运行。",
                f"Remove the folder {airflow.folder} (it holds run history only) and run again.",
            ),
        )
    name_assets(airflow.folder / "airflow.db")
    done.write_text(state, "ascii")


def folder(home: Home) -> Path:
    """Return this home's ``AIRFLOW_HOME``."""
    return home.run / "airflow"


def passwords_file(home: Home) -> Path:
    """Return the file (mode 0600) with the password of the web page's user."""
    return folder(home) / "passwords.json"


def password(home: Home) -> str:
    """Return the password of the user `USER`, made on first use."""
    return _secrets(home)["password"]


def _secrets(home: Home) -> dict[str, str]:
    """Return Airflow's keys and password; made once, readable by this user only."""
    place = folder(home) / "secrets.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600)
    with place.open("a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if known := file.read():
            return dict(json.loads(known))
        made = {
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii"),
            "secret_key": secrets.token_hex(32),
            "jwt_secret": secrets.token_hex(32),
            "password": secrets.token_urlsafe(15),
        }
        passwords_file(home).touch(mode=0o600)
        passwords_file(home).write_text(json.dumps({USER: made["password"]}), "ascii")
        json.dump(made, file)
        return made


def _is_foreign(key: str) -> bool:
    """Tell whether a variable would carry another Airflow's or Spark's settings into ours."""
    return key.startswith(("AIRFLOW_", "SPARK_", "OPENLINEAGE_"))
