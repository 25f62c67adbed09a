"""From a frozen run to its OpenLineage events: START, then COMPLETE or FAIL.

Source: OpenLineage 2-0-2. The last event repeats everything, since some readers see only that one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from openlineage.client import event_v2
from openlineage.client.generated import (
    error_message_run,
    job_type_job,
    nominal_time_run,
    ownership_job,
    processing_engine_run,
    source_code_location_job,
    sql_job,
    tags_run,
)

from lineage import facets
from lineage.columns import NAMESPACE
from lineage.naming import PRODUCER, outside
from lineage.runs import Read, run_id

if TYPE_CHECKING:
    from openlineage.client.generated.base import (
        DatasetFacet,
        JobFacet,
        OutputDatasetFacet,
        RunFacet,
    )

    from lineage.runs import Audit, Dataset, Run, Written


_SOURCE: Final = "JINGSHU"


def events(run: Run, city: str = NAMESPACE) -> tuple[event_v2.RunEvent, ...]:
    """Return the run's START and its last event, COMPLETE or FAIL; before them those of its audit.

    ``city`` is the namespace of its jobs and data sets. OpenLineage has assertions on inputs only,
    so the audit is a run of its own that reads the audited table, as dbt's and Great Expectations'
    are; it completes even where the batch is held.
    """
    audit = () if run.audit is None else _audited(run, run.audit, city)
    return (*audit, *_own(run, city))


def _own(run: Run, city: str) -> tuple[event_v2.RunEvent, event_v2.RunEvent]:
    last = event_v2.RunState.COMPLETE if run.error is None else event_v2.RunState.FAIL
    inputs = [_named(r.dataset, city) for r in run.inputs]
    outputs = [_named(w.dataset, city) for w in run.outputs]
    start = event_v2.RunEvent(
        eventType=event_v2.RunState.START,
        eventTime=facets.instant(run.started_at),
        run=event_v2.Run(run.run_id, _run_facets(run)),
        job=event_v2.Job(city, run.job, _job_facets(run)),
        inputs=[event_v2.InputDataset(*name) for name in inputs],
        outputs=[event_v2.OutputDataset(*name) for name in outputs],
        producer=PRODUCER,
    )
    end = event_v2.RunEvent(
        eventType=last,
        eventTime=facets.instant(run.ended_at),
        run=event_v2.Run(run.run_id, _run_facets(run) | _cpu(run) | _error(run)),
        job=event_v2.Job(city, run.job, _job_facets(run)),
        inputs=[_input(r, city) for r in run.inputs],
        outputs=[_output(w, city) for w in run.outputs],
        producer=PRODUCER,
    )
    return start, end


def _audited(run: Run, audit: Audit, city: str) -> tuple[event_v2.RunEvent, event_v2.RunEvent]:
    whole = replace(
        run,
        run_id=run_id("audit", run.run_id),
        stage="audit",
        inputs=(Read(audit.dataset, audit.version),),
        outputs=(),
        error=None,
        audit=None,
        cpu=(),
    )
    start, end = _own(whole, city)
    for audited in end.inputs or ():
        audited.inputFacets = {"dataQualityAssertions": facets.assertions(audit.checks)}
    return start, end


def _named(dataset: Dataset, city: str) -> tuple[str, str]:
    return outside(city, dataset.namespace, dataset.name)


def ndjson(run: Run, city: str = NAMESPACE) -> bytes:
    """Return the run's events as canonical lines: the same run, the same bytes.

    What is no text (a file name in another encoding) becomes ``?``: JSON is UTF-8.
    """
    lines = (
        json.dumps(facets.plain(event), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for event in events(run, city)
    )
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _run_facets(run: Run) -> dict[str, RunFacet]:
    start, end = facets.city_day(run.business_date)
    name, version = run.engine
    found: dict[str, RunFacet] = {
        "nominalTime": nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=start, nominalEndTime=end, producer=PRODUCER
        ),
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            version=version, name=name, producer=PRODUCER
        ),
        "tags": tags_run.TagsRunFacet(
            tags=[
                tags_run.TagsRunFacetFields(key=key, value=value, source=_SOURCE)
                for key, value in run.tags
            ],
            producer=PRODUCER,
        ),
    }
    if run.parent is not None:
        found["parent"] = facets.parent(run.parent)
    return found


def _cpu(run: Run) -> dict[str, RunFacet]:
    return {facets.CPU: facets.cpu(run.cpu)} if run.cpu else {}


def _error(run: Run) -> dict[str, RunFacet]:
    if run.error is None:
        return {}
    return {
        "errorMessage": error_message_run.ErrorMessageRunFacet(
            message=f"{run.status}: {run.error}", programmingLanguage="PYTHON", producer=PRODUCER
        )
    }


def _job_facets(run: Run) -> dict[str, JobFacet]:
    source = run.source
    found: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH",
            integration=_SOURCE,
            jobType=run.stage.upper(),
            producer=PRODUCER,
        ),
        "sourceCodeLocation": source_code_location_job.SourceCodeLocationJobFacet(
            type="git",
            url=f"urn:jingshu:contract:{source.contract_id}:{source.version}",
            path=source.path,
            tag=f"{source.contract_id}@{source.version}",
            producer=PRODUCER,
        ),
    }
    if source.owners:
        found["ownership"] = ownership_job.OwnershipJobFacet(
            owners=[ownership_job.Owner(name=name, type=kind) for name, kind in source.owners],
            producer=PRODUCER,
        )
    if run.sql is not None:
        found["sql"] = sql_job.SQLJobFacet(query=run.sql, dialect="spark", producer=PRODUCER)
    return found


def _input(read: Read, city: str) -> event_v2.InputDataset:
    own: dict[str, DatasetFacet] = facets.described(read.dataset, city)
    if read.version is not None:
        own["version"] = facets.version(read.version)
    return event_v2.InputDataset(*_named(read.dataset, city), inputFacets={}, facets=own)


def _output(write: Written, city: str) -> event_v2.OutputDataset:
    own: dict[str, DatasetFacet] = facets.described(write.dataset, city)
    own["columnLineage"] = facets.column_lineage(write.graph, city)
    counted: dict[str, OutputDatasetFacet] = {}
    if write.version is not None:
        own["version"] = facets.version(write.version)
    if write.change is not None:
        own["lifecycleStateChange"] = facets.change(write.change)
    if write.rows is not None:
        own["dataQualityMetrics"] = facets.row_count(write.rows)
        counted["outputStatistics"] = facets.written(write.rows)
    return event_v2.OutputDataset(*_named(write.dataset, city), outputFacets=counted, facets=own)
