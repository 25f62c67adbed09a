"""A small made-up city for lineage: two sources, two districts, one product, written in types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from contracts.constraint import Options, Severity
from contracts.model import (
    Column,
    Contract,
    Dimension,
    Export,
    Grading,
    Level,
    Load,
    Lowering,
    Member,
    Server,
)
from contracts.product import Policy, Product, Release
from lineage.columns import table_field
from lineage.trace import View

DAY = date(2026, 7, 15)
STARTED = datetime(2026, 7, 16, 1, 0, tzinfo=UTC)
ENDED = datetime(2026, 7, 16, 1, 0, 3, 250_000, tzinfo=UTC)
TIMES: Any = {"origin": "simulated", "started_at": STARTED, "ended_at": ENDED}
SQL = """\
WITH visits AS (
  SELECT street_code, COUNT(person_id) AS persons
  FROM health__visit
  WHERE visited_on = DATE '{business_date}'
  GROUP BY street_code
)
SELECT
  case_id.street_code,
  CASE WHEN visits.persons >= {k} THEN visits.persons END AS persons,
  MAX(case_id.lon) AS lon
FROM district__case AS case_id
LEFT JOIN visits ON visits.street_code = case_id.street_code
GROUP BY case_id.street_code, visits.persons
"""


def column(
    name: str,
    header: str,
    level: Level | None,
    *,
    key: int | None = None,
    lowering: Lowering | None = None,
) -> Column:
    kind = "date" if name.endswith("_on") else "string"
    return Column.model_validate(
        {
            "name": name,
            "header": header,
            "business_name": header,
            "description": f"{header}的说明",
            "type": kind,
            "physical_type": kind,
            "level": level,
            "key_position": key,
            "options": Options(format="yyyy-MM-dd" if kind == "date" else None),
            "lowering": lowering,
        }
    )


APPROVED = Lowering(
    function="aggregate_k",
    approval="DG-1",
    approved_by="cdo.health",
    approved_on=date(2026, 6, 30),
    reason="按街道计数",
)
VISIT = Contract(
    id="health.visit",
    name="就诊",
    version="1.2.0",
    status="active",
    domain="health",
    dataset="visit",
    title="就诊记录",
    purpose="监测",
    tags=("医疗健康",),
    owner="市卫生健康委员会",
    members=(Member(username="cdo.health", role="首席数据官"),),
    grading=Grading(gb43697="general", level="L4", personal_information=True),
    servers=(Server(provider="health", path="health/visit/{date}/*", format="csv"),),
    load=Load(mode="replace_period"),
    columns=(
        column("person_id", "证件号码", "L4", key=1),
        column("visited_on", "就诊日期", "L3", key=2),
        column("street_code", "街道代码", "L2"),
        column("note", "备注", None),
    ),
    source="bureaus/health/visit.odcs.yaml",
)
CASE = Contract(
    id="district.case",
    name="案件",
    version="2.0.0",
    status="active",
    domain="district",
    dataset="case",
    title="网格案件",
    servers=(
        Server(provider="east", path="east/case/{date}/*", format="csv"),
        Server(
            provider="west",
            path="west/case/{date}/*",
            format="csv",
            export=Export(aliases={"案件编码": "case_id"}),
        ),
    ),
    columns=(
        column("case_id", "案件编号", "L2", key=1),
        column("street_code", "街道代码", "L1"),
        column("lon", "经度", "L2"),
    ),
    source="districts/case.odcs.yaml",
)
POLICY = Policy(
    name="demo",
    columns={
        "street_code": Release(mask="keep"),
        "persons": Release(mask="keep"),
        "lon": Release.model_validate({"mask": "round_coordinate", "to": 0.01}),
    },
    rows="street_code LIKE '1101%'",
)
PRODUCT = Contract(
    id="health.load",
    name="就诊负荷",
    version="1.0.0",
    status="active",
    domain="health",
    dataset="load",
    title="街道就诊负荷",
    columns=(
        column("street_code", "街道代码", "L2", key=1),
        column("persons", "就诊人数", "L2", lowering=APPROVED),
        column("lon", "经度", "L2"),
    ),
    product=Product(
        inputs=("health.visit", "district.case"), sql="load.sql", k=20, policies=(POLICY,)
    ),
    source="products/load.odcs.yaml",
)


@dataclass(frozen=True)
class Check:
    rule_id: str
    column: str | None
    dimension: Dimension
    severity: Severity
    status: str
    checked: int | None
    failed: int | None
    threshold: float | None


CHECKS = (
    Check("person_id.rule", "person_id", "conformity", "error", "passed", 100, 1, 2.0),
    Check("volume", None, "completeness", "warning", "failed", 100, 100, None),
    Check("doctor_signed", None, "accuracy", "info", "not_executable", None, None, None),
)

VIEWS = {
    "t": View({c: (table_field("silver", "t", c),) for c in ("id", "a", "b", "c")}, ("id",)),
    "u": View({c: (table_field("silver", "u", c),) for c in ("id", "x")}, ("id",)),
    "w": View(
        {c: (table_field("silver", "w1", c), table_field("silver", "w2", c)) for c in ("id", "x")},
        ("id",),
    ),
}
