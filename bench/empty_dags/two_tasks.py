"""What Airflow alone costs: as many DAGs as the city has deliveries, two tasks each, no work."""

from __future__ import annotations

import os

from airflow.sdk import DAG, PartitionedAtRuntime, task


def empty_dag(number: int) -> DAG:
    """Return a DAG of two tasks that do nothing, one after the other."""
    with DAG(f"empty__{number:03d}", schedule=PartitionedAtRuntime(), catchup=False) as dag:

        @task
        def first() -> None:
            """Do nothing."""

        @task
        def second() -> None:
            """Do nothing after it."""

        first() >> second()
    return dag


for _number in range(int(os.environ["JINGSHU_BENCH_DAGS"])):
    globals()[f"empty_{_number}"] = empty_dag(_number)
