"""Import what tasks need before the scheduler forks its workers.

Every task is a fork of a worker, which is a fork of the scheduler: what is imported here is shared
by all of them, instead of being imported again (Great Expectations alone takes seconds a task).
The other components skip it: they run no tasks. No connection, thread or session is opened here.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

__all__: list[str] = []  # Airflow takes every public name it finds here as a setting

_NEEDED_BY_TASKS = (
    "jobs.entry",
    "pyspark.sql.connect.session",
    "deltalake",
    "great_expectations",
)

if "scheduler" in sys.argv:
    for _name in _NEEDED_BY_TASKS:
        with contextlib.suppress(ImportError):
            importlib.import_module(_name)
    # The contracts, read once: a task's parse then finds them in the cache.
    with contextlib.suppress(Exception):
        importlib.import_module("contracts.tree").load_tree()
