"""What Airflow loads of ours besides DAGs: the notes of runs, and the city's time on its pages."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from dags import notes
from infra.airflow.city_time import CityTime


class JingshuPlugin(AirflowPlugin):
    """Registers both with every component; each uses what concerns it."""

    name = "jingshu"
    listeners: ClassVar[list[Any]] = [notes]
    fastapi_root_middlewares: ClassVar[list[Any]] = [
        {"middleware": CityTime, "args": [], "kwargs": {}, "name": "city time"}
    ]
