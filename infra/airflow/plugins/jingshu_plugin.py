"""What Airflow loads of ours besides DAGs: the notes of runs."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from dags import notes


class JingshuPlugin(AirflowPlugin):
    """Notes on runs that ended."""

    name = "jingshu"
    listeners: ClassVar[list[Any]] = [notes]
