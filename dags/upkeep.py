"""The DAG ``upkeep``: what has to happen now and then while the clock runs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import timedelta
from typing import Final

from airflow.sdk import DAG, CronTriggerTimetable, task

from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words
from dags.running import is_clock_driven, is_wanted

_LOG: Final = logging.getLogger(__name__)
DAG_ID: Final = "upkeep"
_EVERY_MIN: Final = 10
#: How long a round takes new notices to send (s).
_SENDING_S: Final = 60.0

_NAME: Final = Words(
    "日常维护：发送通知、联署、补触发", "Upkeep: send notices, cosign, start what waits"
)
_ABOUT: Final = Words(
    "发送通知、交见证者联署、补触发产品。",
    "Send notices, have the log cosigned, start products that wait for ever.",
)
_DOC: Final = Words(
    """### 日常维护

- `notify`：收集通知并发送到 `notices.toml` 中的地址。
- `witness`：把存证日志的最新检查点交给见证者联署。
- `heal`：合并同一业务日期的重复待触发记录（apache/airflow#71070），使产品能够启动。
""",
    """
### Upkeep

- `notify`: collects notices and sends them to the addresses in `notices.toml`.
- `witness`: hands the evidence log's newest checkpoint to its witnesses.
- `heal`: joins double pending runs of one date (apache/airflow#71070), so that products start.
""",
)


def upkeep_dag() -> DAG:
    """Return the DAG; a round that fails is made up for by the next one."""
    with DAG(
        dag_id=DAG_ID,
        dag_display_name=f"{_NAME} · {DAG_ID}",
        description=str(_ABOUT),
        doc_md=f"{_DOC.zh}{_DOC.en}",
        schedule=CronTriggerTimetable(f"*/{_EVERY_MIN} * * * *", timezone=str(CITY_TZ)),
        catchup=False,
        max_active_runs=1,
        tags={"upkeep"},
        default_args={"owner": "jingshu", "execution_timeout": timedelta(minutes=_EVERY_MIN)},
    ) as dag:

        @task
        def notify() -> str:
            """Collect notices of what happened, and send what is due."""
            from sharing.notices.rounds import collect_and_send

            told = str(collect_and_send(Home.from_env(), _SENDING_S))
            _LOG.info("%s", Words(f"通知：{told}", f"notices: {told}"))
            return told

        @task
        def heal() -> str:
            """Join pending runs of one key; in a process that may open Airflow's database."""
            result = subprocess.run(
                [sys.executable, "-m", "infra.stack.partitions"],
                env={
                    **os.environ,
                    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": os.environ["JINGSHU_AIRFLOW_DATABASE"],
                },
                capture_output=True,
                text=True,
                check=True,
            )
            return result.stdout.strip().splitlines()[-1]

        @task
        def witness() -> str:
            """Hand the evidence log's newest checkpoint to every witness; fail if one is away."""
            from lineage.evidence.witnesses import hand_over_all

            found = list(hand_over_all(Home.from_env()))
            if away := next((f for _, f in found if isinstance(f, Exception)), None):
                raise away
            told = ", ".join(f"{witness.name}: {size:,}" for witness, size in found)
            return told or str(Words("没有配置见证者", "no witness is configured"))

        notify()
        heal()
        witness()
    return dag


if is_clock_driven() and is_wanted(DAG_ID):
    globals()[DAG_ID] = upkeep_dag()
