"""CPU seconds of a run, read from the processes that did the work: its own, and Spark's server.

A process's counter is read when a run begins and when its event is written. Both readings go into
the event, not their difference: runs that shared a process at the same time share what it used
(``sharing.rights.clock``).
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import psutil

from jobs.spark import session
from lineage.evidence.machine import boot_id, started_ticks
from lineage.runs import CpuTime

if TYPE_CHECKING:
    from datetime import date

#: Runs under way in this process: stage, table and date, to the processes and their readings.
_begun: dict[tuple[str, str, date], tuple[tuple[psutil.Process, int], ...]] = {}


def begin(stage: str, *tables: str, business_date: date, is_on_spark: bool) -> None:
    """Read the counters once, at the start of runs that begin together.

    What was read for such a run before is forgotten. Where Spark's server is on another machine
    nothing is read, now or when the run goes on without Spark: it is measured by the clock.
    """
    server = session.server_process() if is_on_spark else None
    readings: tuple[tuple[psutil.Process, int], ...] = ()
    if server is not None or not is_on_spark:
        processes = (psutil.Process(), server) if server else (psutil.Process(),)
        readings = tuple((p, _cpu_ms(p)) for p in processes)
    _begun.update({(stage, table, business_date): readings for table in tables})


def is_begun(stage: str, table: str, business_date: date) -> bool:
    """Tell whether such a run is under way in this process."""
    return (stage, table, business_date) in _begun


def read(stage: str, table: str, business_date: date) -> tuple[CpuTime, ...]:
    """Return the CPU time of a run that ends now: of each process, if it was begun here."""
    begun = _begun.pop((stage, table, business_date), ())
    try:
        return tuple(CpuTime(_name(p), start, _cpu_ms(p)) for p, start in begun)
    except psutil.NoSuchProcess:  # the server ended: its counter went with it
        return ()


def _cpu_ms(process: psutil.Process) -> int:
    """Return the CPU time of a process and its children, living ones and ended, in milliseconds."""
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return round(total * 1000)


def _name(process: psutil.Process) -> str:
    """Name a process as no other was ever named: host, boot, process id, start."""
    return f"{socket.gethostname()}/{boot_id()}/{process.pid}/{started_ticks(process)}"
