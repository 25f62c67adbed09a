"""What Airflow's components do first: the scheduler imports what tasks need, before it forks.

Every task is a fork of a worker, which is a fork of the scheduler: what is imported here is shared
by all of them, instead of being imported again (Great Expectations alone takes seconds a task).
The other components skip it: they run no tasks. No connection or session is opened here.

The API server collects garbage on a clock of its own. CPython 3.11 died in it when an allocation
set the collector off amid its C code: in three days of four on the first request from a task, when
routes are copied deeply (cadwyn), and once minutes later. A thread that holds the GIL between two
instructions meets no object that is half made. The stack makes the first request itself
(``AirflowApi.warm``), before tasks do.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import threading
import time

from contracts.private import private_process

__all__: list[str] = []  # Airflow takes every public name it finds here as a setting

_NEEDED_BY_TASKS = (
    "jobs.entry",
    "pyspark.sql.connect.session",
    "deltalake",
    "great_expectations",
)

_COLLECT_EVERY_S = 60.0

private_process()  # components and tasks, whoever starts them


def _collect_forever() -> None:
    while True:
        time.sleep(_COLLECT_EVERY_S)
        gc.collect()


if "api-server" in sys.argv:
    gc.disable()
    threading.Thread(target=_collect_forever, name="collector", daemon=True).start()

if "scheduler" in sys.argv:
    for _name in _NEEDED_BY_TASKS:
        with contextlib.suppress(ImportError):
            importlib.import_module(_name)
    # The contracts, read once: a task's parse then finds them in the cache.
    with contextlib.suppress(Exception):
        importlib.import_module("contracts.loading").load_tree()
