"""A frozen run: what one stage read, wrote and checked, before it becomes OpenLineage events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol
from uuid import NAMESPACE_URL, uuid5

from lineage.naming import PRODUCER

if TYPE_CHECKING:
    from datetime import date, datetime

    from contracts.constraint import Severity
    from contracts.model import Dimension, Level
    from lineage.columns import Graph

#: What a run may do to a table besides adding rows.
Change = Literal["CREATE", "OVERWRITE"]
_RUNS: Final = uuid5(NAMESPACE_URL, PRODUCER)


@dataclass(frozen=True)
class ColumnFact:
    """One column as readers of the catalogue see it."""

    name: str
    type: str
    description: str
    level: Level
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A table or an export, named as inside (``lineage.naming``)."""

    namespace: str
    name: str
    kind: Literal["TABLE", "FILE"]
    description: str
    columns: tuple[ColumnFact, ...]
    owners: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Read:
    """An input, and the version that was read."""

    dataset: Dataset
    version: str | None = None


class CheckFact(Protocol):
    """What lineage says about one check: counts only, never a message that may hold a value."""

    @property
    def rule_id(self) -> str:
        """The check's id in its contract."""

    @property
    def column(self) -> str | None:
        """The column it is on, if any."""

    @property
    def dimension(self) -> Dimension:
        """The dimension of GB/T 36344."""

    @property
    def severity(self) -> Severity:
        """How much a failure weighs."""

    @property
    def status(self) -> str:
        """Whether it passed, failed, broke, or cannot be executed."""

    @property
    def checked(self) -> int | None:
        """Rows looked at."""

    @property
    def failed(self) -> int | None:
        """Rows found bad."""

    @property
    def threshold(self) -> float | None:
        """The share of bad rows allowed, in percent."""


@dataclass(frozen=True)
class Audit:
    """What was checked on a table before the run made it visible, and in which version it is."""

    dataset: Dataset
    version: str | None
    checks: tuple[CheckFact, ...]


@dataclass(frozen=True)
class Written:
    """An output: its column graph, and version and rows where the run wrote any."""

    dataset: Dataset
    graph: Graph
    version: str | None = None
    rows: int | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Parent:
    """The run that started this one (Airflow's task); without a root it is its own."""

    run_id: str
    job_namespace: str
    job_name: str
    root_run_id: str | None = None
    root_job_namespace: str | None = None
    root_job_name: str | None = None


@dataclass(frozen=True)
class Source:
    """The contract that drove the run: its file below the contracts tree, version and owners."""

    contract_id: str
    version: str
    path: str
    owners: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CpuTime:
    """Where a process's CPU counter stood when a run began and ended, in milliseconds.

    ``process`` names one process of one host for good; runs that overlap on it share its time.
    """

    process: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Run:
    """One stage's run over one batch or business date. Times are aware, in any zone."""

    run_id: str
    stage: str
    table: str
    status: str
    business_date: date
    started_at: datetime
    ended_at: datetime
    engine: tuple[str, str]
    source: Source
    tags: tuple[tuple[str, str], ...]
    inputs: tuple[Read, ...]
    outputs: tuple[Written, ...]
    error: str | None = None
    sql: str | None = None
    parent: Parent | None = None
    audit: Audit | None = None
    cpu: tuple[CpuTime, ...] = ()

    @property
    def job(self) -> str:
        """The job's name, ``<stage>.<table>``."""
        return f"{self.stage}.{self.table}"


def run_id(*parts: str | None) -> str:
    """Return the run id that these facts always have (UUID version 5)."""
    return str(uuid5(_RUNS, ":".join(part or "-" for part in parts)))
