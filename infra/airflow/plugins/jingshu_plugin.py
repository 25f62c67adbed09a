"""What Airflow loads of ours besides DAGs: the notes of runs, and the city's time on its pages."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from dags import notes
from infra.airflow.city_time import CityTime


class JingshuPlugin(AirflowPlugin):
    """Registers both with every component; each uses what concerns it."""

    name = "jingshu"
    listeners: list[Any] = [notes]  # noqa: RUF012 - as the base class has it
    fastapi_root_middlewares: list[Any] = [  # noqa: RUF012
        {"middleware": CityTime, "args": [], "kwargs": {}, "name": "city time"}
    ]
