"""A day's outcome: the governance tables' newest rows beside Airflow's, failures named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.stack.outcome import read_outcome
from infra.stack.plan import Node, Step
from infra.stack.rest import DagRun, TaskRun
from jobs.record import governance
from jobs.record.governance import BatchRow, DeliveryRow, PublicationRow

if TYPE_CHECKING:
    from contracts.layout import Home

DAY = date(2026, 7, 15)
NOW = datetime(2026, 7, 16, 1, tzinfo=UTC)


def delivery(
    provider: str, state: str, batch_id: str | None = None, reason: str = ""
) -> DeliveryRow:
    return DeliveryRow.model_validate(
        {
            "recorded_at": NOW,
            "provider": provider,
            "dataset": "case",
            "contract_id": "health.case",
            "contract_version": "1.0.0",
            "business_date": DAY,
            "state": state,
            "batch_id": batch_id,
            "reason": reason,
            "due_at": NOW,
            "received_at": None,
        }
    )


def batch(provider: str, batch_id: str, status: str, minute: int, **counts: Any) -> BatchRow:
    rows = {"rows_landed": 0, "rows_published": 0, "rows_quarantined": 0, "rows_duplicate": 0}
    return BatchRow.model_validate(
        {
            "recorded_at": NOW + timedelta(minutes=minute),
            "provider": provider,
            "dataset": "case",
            "batch_id": batch_id,
            "business_date": DAY,
            "contract_id": "health.case",
            "contract_version": "1.0.0",
            "revision": 1,
            "origin": "simulated",
            "status": status,
            "reason": "",
            "file_name": "case.csv",
            "silver_version": None,
            "started_at": NOW,
            "finished_at": NOW,
            **rows,
            **counts,
        }
    )


def step(dag_id: str, *tasks: tuple[str, str], state: str = "success") -> Step:
    run = DagRun.model_validate(
        {
            "dag_id": dag_id,
            "dag_run_id": "r",
            "partition_key": str(DAY),
            "state": state,
            "queued_at": NOW,
            "end_date": NOW,
        }
    )
    done = [
        TaskRun(
            dag_id=dag_id,
            dag_run_id="r",
            task_id=name,
            state=told,
            try_number=3,
            start_date=NOW,
            end_date=NOW + timedelta(seconds=4),
        )
        for name, told in tasks
    ]
    return Step(Node(dag_id, "ingest"), run, tuple(done))


def test_the_newest_row_of_the_deliverys_own_batch_counts(home: Home) -> None:
    governance.append(home, "d", [delivery("a", "received", "b1"), delivery("b", "late", "b2")])
    governance.append(home, "b1", [batch("a", "b1", "landed", 0, rows_landed=7)])
    governance.append(home, "b2", [batch("b", "b2", "held", 0, rows_landed=5)])
    counts = {"rows_landed": 7, "rows_published": 4, "rows_quarantined": 2, "rows_duplicate": 1}
    governance.append(home, "b3", [batch("a", "b1", "published", 1, **counts)])
    governance.append(home, "b4", [batch("a", "b0", "superseded", 2, rows_landed=99)])
    steps = [step("ingest__a__case", ("land", "success")), step("ingest__b__case")]
    first, second = read_outcome(home, DAY, steps, 1.0).deliveries
    assert (first.state, first.seconds) == ("published", 4.0)
    assert {name: getattr(first, name) for name in counts} == counts
    assert (second.state, second.rows_landed, second.rows_published) == ("held", 5, 0)


def test_a_delivery_without_a_batch_keeps_its_state_and_reason(home: Home) -> None:
    governance.append(home, "d", [delivery("a", "missing", reason="no file came")])
    [line] = read_outcome(home, DAY, [step("ingest__a__case")], 1.0).deliveries
    assert (line.state, line.reason, line.rows_landed) == ("missing", "no file came", 0)


def test_only_what_was_run_is_reported(home: Home) -> None:
    governance.append(home, "d", [delivery("a", "missing"), delivery("b", "missing")])
    outcome = read_outcome(home, DAY, [step("ingest__b__case")], 1.0)
    assert [line.provider for line in outcome.deliveries] == ["b"]


def test_held_is_an_outcome_and_a_failed_task_is_a_failure(home: Home) -> None:
    governance.append(home, "d", [delivery("a", "received", "b1")])
    governance.append(home, "b", [batch("a", "b1", "held", 0)])
    assert read_outcome(home, DAY, [step("ingest__a__case")], 1.0).is_complete
    broken = step("ingest__a__case", ("land", "failed"), ("publish", "success"))
    outcome = read_outcome(home, DAY, [broken], 1.0)
    assert [f.en for f in outcome.failures] == ["ingest__a__case.land: failed after 3 tries"]
    assert outcome.to_dict()["failures"] == [f.en for f in outcome.failures]
    assert not outcome.is_complete


def test_what_was_not_run_because_of_a_failure_is_a_failure_too(home: Home) -> None:
    blocked = Step(Node("share__p", "share"), None, (), is_blocked=True)
    lost = step("ingest__a__case", state="failed")
    outcome = read_outcome(home, DAY, [blocked, lost], 1.0)
    assert [str(failure) for failure in outcome.failures] == [
        "share__p：未运行，其前置步骤失败 share__p: not run, what it follows failed",
        "ingest__a__case：运行失败 ingest__a__case: the run failed",
    ]


def test_publications_of_the_date_are_listed(home: Home) -> None:
    row = PublicationRow.model_validate(
        {
            "recorded_at": NOW,
            "kind": "product",
            "table_name": "overview",
            "business_date": DAY,
            "status": "waiting",
            "version": None,
            "rows": 0,
            "rows_suppressed": 0,
            "inputs": "{}",
            "origin": "simulated",
            "reason": "an input is missing",
        }
    )
    governance.append(home, "p", [row])
    [line] = read_outcome(home, DAY, [], 1.0).publications
    assert (line.kind, line.table, line.status) == ("product", "overview", "waiting")
