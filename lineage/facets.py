"""OpenLineage facets from our own facts: one small function a facet.

The official generated classes (openlineage-python) give names, fields and schema URLs; the producer
is named on each facet, because the client's global one belongs to Airflow's provider.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import attr
from openlineage.client.generated import (
    catalog_dataset,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    parent_run,
    schema_dataset,
    tags_dataset,
)
from openlineage.client.generated.base import RunFacet
from openlineage.client.generated.tags_dataset import TagsDatasetFacetFields

from contracts.model import CITY_TZ
from contracts.words import Words
from lineage.columns import NAMESPACE, highest
from lineage.errors import LineageError
from lineage.naming import PRODUCER, outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from openlineage.client.generated.base import DatasetFacet

    from lineage.columns import Graph, Input
    from lineage.runs import CheckFact, CpuTime, Dataset, Parent

_SOURCE: Final = "JINGSHU"
_SEVERITY: Final[Mapping[str, str]] = {"error": "error", "warning": "warn", "info": "info"}


#: The name of our own facet of a run; foreign readers pass over it.
CPU: Final = "jingshu_cpu"


@attr.define
class CpuRunFacet(RunFacet):
    """The CPU counters of a run's processes, in milliseconds."""

    processes: list[dict[str, str | int]]


def instant(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC; LineageError where it has no zone."""
    if moment.tzinfo is None:
        raise LineageError(
            Words("运行的时间没有时区。", "A time of a run has no zone."),
            Words("请传入 UTC 时间。", "Pass datetimes in UTC."),
        )
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def city_day(day: date) -> tuple[str, str]:
    """Return the start and the end of a business day, in city time."""
    start = datetime.combine(day, time(), CITY_TZ)
    return start.isoformat(), (start + timedelta(days=1)).isoformat()


def described(dataset: Dataset, city: str) -> dict[str, DatasetFacet]:
    """Return what is true of a data set whichever run touches it: schema, tags, owners, catalog."""
    facets: dict[str, DatasetFacet] = {
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[
                schema_dataset.SchemaDatasetFacetFields(
                    name=c.name,
                    type=c.type,
                    description=c.description or None,
                    ordinal_position=place,
                    fields=None,
                )
                for place, c in enumerate(dataset.columns, 1)
            ],
            producer=PRODUCER,
        ),
        "documentation": documentation_dataset.DocumentationDatasetFacet(
            description=dataset.description, producer=PRODUCER
        ),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(
            datasetType=dataset.kind, producer=PRODUCER
        ),
        "ownership": ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=name, type=role) for name, role in dataset.owners],
            producer=PRODUCER,
        ),
        "tags": _tags(dataset),
    }
    if dataset.namespace == NAMESPACE and dataset.kind == "TABLE":
        facets["catalog"] = catalog_dataset.CatalogDatasetFacet(
            framework="delta",
            type="filesystem",
            name=city,
            source=NAMESPACE,
            catalogProperties=None,
            producer=PRODUCER,
        )
    return facets


def _tags(dataset: Dataset) -> tags_dataset.TagsDatasetFacet:
    """Tag a data set and its columns; each key ends with the value.

    DataHub shows keys only, and a column's as if it were the data set's own: so the key says the
    value, and a column's level has another name than the data set's.
    """

    def tag(key: str, value: str, column: str | None = None) -> TagsDatasetFacetFields:
        return TagsDatasetFacetFields(f"{key}.{value}", value, _SOURCE, column)

    tags = [tag("jingshu.level", highest(c.level for c in dataset.columns))]
    tags += [tag(key, value) for key, value in dataset.tags]
    for column in dataset.columns:
        tags.append(tag("jingshu.column_level", column.level, column.name))
        tags += [tag("jingshu.column_tag", value, column.name) for value in column.tags]
    return tags_dataset.TagsDatasetFacet(tags=tags, producer=PRODUCER)


def version(number: str) -> dataset_version_dataset.DatasetVersionDatasetFacet:
    """Name the version that was read or written: a Delta version, or a batch."""
    return dataset_version_dataset.DatasetVersionDatasetFacet(
        datasetVersion=number, producer=PRODUCER
    )


def change(kind: str) -> lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet:
    """Say that the table was created, or rows of it replaced or taken back."""
    return lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
        lifecycleStateChange=lifecycle_state_change_dataset.LifecycleStateChange(kind),
        producer=PRODUCER,
    )


def column_lineage(graph: Graph, city: str) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Write a column graph as the facet; row-deciding inputs go into its ``dataset`` list."""
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            name: column_lineage_dataset.Fields(inputFields=_input_fields(inputs, city))
            for name, inputs in graph.columns.items()
        },
        dataset=_input_fields(graph.dataset, city),
        producer=PRODUCER,
    )


def _input_fields(inputs: Sequence[Input], city: str) -> list[column_lineage_dataset.InputField]:
    return [
        column_lineage_dataset.InputField(
            *outside(city, field.namespace, field.dataset),
            field=field.column,
            transformations=[
                column_lineage_dataset.Transformation(
                    type=i.type,
                    subtype=i.subtype,
                    description=i.description,
                    masking=i.masking,
                )
                for i in same
            ],
        )
        for field, same in groupby(sorted(inputs), key=lambda i: i.field)
    ]


def row_count(rows: int) -> data_quality_metrics_dataset.DataQualityMetricsDatasetFacet:
    """Say how many rows were evaluated; column metrics could show values and are left empty."""
    return data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
        rowCount=rows, columnMetrics={}, producer=PRODUCER
    )


def written(rows: int) -> output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet:
    """Say how many rows the run wrote."""
    return output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows, producer=PRODUCER
    )


def assertions(
    checks: Iterable[CheckFact],
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """Write check results; one that could not run is no success, and its status says which."""
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=check.rule_id,
                success=check.status == "passed",
                column=check.column,
                severity=_SEVERITY[check.severity],
                name=check.rule_id if check.column is None else f"{check.rule_id}:{check.column}",
                expected=None if check.threshold is None else f"<= {check.threshold:g} % bad",
                actual=_counted(check),
                params={"status": check.status, "dimension": check.dimension},
            )
            for check in checks
        ],
        producer=PRODUCER,
    )


def _counted(check: CheckFact) -> str | None:
    if check.failed is None or check.checked is None:
        return None
    return f"{check.failed} of {check.checked} bad"


def parent(caller: Parent) -> parent_run.ParentRunFacet:
    """Name the run that started this one, and the root of them all."""
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=caller.run_id, facets=None),
        job=parent_run.Job(namespace=caller.job_namespace, name=caller.job_name, facets=None),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=caller.root_run_id or caller.run_id, facets=None),
            job=parent_run.RootJob(
                namespace=caller.root_job_namespace or caller.job_namespace,
                name=caller.root_job_name or caller.job_name,
                facets=None,
            ),
        ),
        producer=PRODUCER,
    )


def cpu(times: Iterable[CpuTime]) -> RunFacet:
    """Say what processes a run used, and where their CPU counters stood before and after it."""
    return CpuRunFacet(processes=[asdict(time) for time in times], producer=PRODUCER)


def plain(event: Any) -> Any:
    """Return an event as JSON's own types, without empty fields the schemas do not ask for."""
    from openlineage.client.serde import Serde

    return Serde.to_dict(event)
