"""Play deliveries' waits, each on a clock of its own, and print what happened as JSON.

Run by the tests in a process of its own, for Airflow spoils the process that imports it, and takes
seconds to import: so each line of standard input is a scenario that is played in a fork. It says
``now`` (RFC 3339), ``files`` (seconds after it → name in the drop), whether the trigger
``needs_manifest``, the ``run_type``, and the ``environment`` in force.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import TaskDeferred

import contracts.moment
import dags.landing
import dags.waiting
import jobs.steps
from contracts.layout import Home
from contracts.loading import load_tree
from dags.landing import Land
from jobs.record import governance

DAY = "2026-07-15"
told: dict[str, Any] = {"deferrals": 0, "sleeps": []}


def next_scenario() -> dict[str, Any]:
    """Return each scenario in a fork; the one that reads them only says which fork failed."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return dict(json.loads(line))
        if status := os.waitpid(child, 0)[1]:
            sys.stdout.write(f'{{"failed": {status}}}\n')
            sys.stdout.flush()
    os._exit(0)


scenario = next_scenario()
os.environ.update(scenario["environment"])
clock = datetime.fromisoformat(scenario["now"])
began = clock
home, [feed] = Home.from_env(), [f for f in load_tree().feeds() if f.provider == "health"]


def now() -> datetime:
    return clock


async def sleep(seconds: float) -> None:
    global clock  # noqa: PLW0603
    told["sleeps"].append(seconds)
    clock += timedelta(seconds=seconds)
    deliver()


def deliver() -> None:
    for after, name in scenario["files"].items():
        file = home.drop / "health" / "case" / DAY / name
        if clock >= began + timedelta(seconds=float(after)) and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("编号\nA1\nA2\n", "utf-8")
            os.utime(file, (clock.timestamp(), clock.timestamp()))


async def first(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload
    return None


for module in (contracts.moment, dags.waiting, jobs.steps):
    vars(module)["utc_now"] = now
vars(asyncio)["sleep"] = sleep
vars(dags.landing).update(announce_lineage_parent=lambda: None, business_date=lambda: DAY)
home.drop.mkdir(parents=True, exist_ok=True)
(home.drop / ".jingshu-sandbox.json").write_text('{"origin": "simulated"}')
deliver()
task = Land(task_id="land", feed=feed)
context = {"dag_run": SimpleNamespace(run_type=scenario["run_type"])}
method = "execute"
resumed_with: dict[str, Any] = {}
while True:
    try:
        landed = getattr(task, method)(context, **resumed_with)
        break
    except TaskDeferred as deferred:
        told["deferrals"] += 1
        told["state_while_waiting"] = governance.latest_deliveries(home)[0].state
        path, kwargs = deferred.trigger.serialize()
        kwargs = json.loads(json.dumps(kwargs))  # through the database
        kwargs["needs_manifest"] |= scenario["needs_manifest"]
        module_name, _, name = path.rpartition(".")
        told["event"] = asyncio.run(first(getattr(import_module(module_name), name)(**kwargs)))
        method, resumed_with = deferred.method_name, {"event": told["event"]}
told["landed"] = json.loads(landed)
told["ended_at"] = clock.isoformat()
told["rows"] = [r.state for r in governance.latest_deliveries(home)]
sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
sys.stdout.flush()
os._exit(0)  # the engines' threads may abort an orderly exit
