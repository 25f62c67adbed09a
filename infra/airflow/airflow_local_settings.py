"""What Airflow's components do first: the scheduler imports what tasks need, before it forks.

Every task is a fork of a worker, which is a fork of the scheduler: what is imported here is shared
by all of them, instead of being imported again (Great Expectations alone takes seconds a task).
The other components skip it: they run no tasks. No connection or session is opened here.

The API server begins without the garbage collector. On its first request from a task it copies its
routes deeply (cadwyn), and CPython 3.11 died there in three days of four, collecting objects that
are half copied. The stack makes that request itself (``AirflowApi.warm``), well within the pause.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import threading

__all__: list[str] = []  # Airflow takes every public name it finds here as a setting

_NEEDED_BY_TASKS = (
    "jobs.entry",
    "pyspark.sql.connect.session",
    "deltalake",
    "great_expectations",
)

_PAUSE_S = 60.0

if "api-server" in sys.argv:
    gc.disable()
    _timer = threading.Timer(_PAUSE_S, gc.enable)
    _timer.daemon = True
    _timer.start()

if "scheduler" in sys.argv:
    for _name in _NEEDED_BY_TASKS:
        with contextlib.suppress(ImportError):
            importlib.import_module(_name)
    # The contracts, read once: a task's parse then finds them in the cache.
    with contextlib.suppress(Exception):
        importlib.import_module("contracts.tree").load_tree()
