"""The typed, frozen reading of a data contract.

Source: Open Data Contract Standard (ODCS) v3.1, with this project's ``customProperties``
(``docs/decisions/0001-one-thread.md``). Nothing here does I/O; ``contracts.reading`` builds these.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from contracts.constraint import Options, Reference, Severity, TableReference
from contracts.errors import BadValueError
from contracts.frozen import Frozen
from contracts.pattern import LinePattern
from contracts.product import Product, Release
from contracts.vocabulary import Gb43697, LoweringFunction, PersonalKind, QuasiIdentifier
from contracts.words import Words

CITY_TZ = ZoneInfo("Asia/Shanghai")
#: The ``format`` of a date column that holds a spreadsheet's day numbers.
EXCEL_SERIAL = "excel-serial"

Level = Literal["L1", "L2", "L3", "L4"]
LEVELS: tuple[Level, ...] = ("L1", "L2", "L3", "L4")
#: An untagged column counts as this (design §2, invariant 5).
UNTAGGED: Level = "L3"
#: Columns of this level are stored as text that only their bureau's key opens.
SEALED_LEVEL: Level = "L4"
#: Nothing above this level is put into a shared table.
SHARE_CEILING: Level = "L2"

LogicalType = Literal["string", "integer", "number", "date", "timestamp", "boolean"]
#: GB/T 36344-2018, six dimensions; ODCS calls two of its parts ``coverage`` and ``uniqueness``.
Dimension = Literal[
    "conformity", "completeness", "accuracy", "consistency", "timeliness", "accessibility"
]
Status = Literal["draft", "active", "deprecated", "retired"]
LoadMode = Literal["append", "replace_period", "merge_key", "full_snapshot"]
#: What a provider's file is, as ODCS ``servers[].format`` says it.
Format = Literal["csv", "xlsx", "xls", "jsonl", "xml", "parquet"]
Cycle = Literal["daily", "weekly", "monthly", "quarterly", "yearly", "adhoc"]

_GBT36344 = {"coverage": "completeness", "uniqueness": "accuracy"}
DimensionIn = Annotated[Dimension, BeforeValidator(lambda d: _GBT36344.get(d, d))]


def max_level(levels: list[Level] | tuple[Level, ...]) -> Level:
    """Return the highest level, 就高从严; of nothing, the untagged level."""
    return max(levels, default=UNTAGGED)


class Load(Frozen):
    """How a delivery changes its table (design §2, periods and revisions)."""

    class DeleteMarker(Frozen):
        """The column whose value says that the row is withdrawn at the source."""

        column: str
        values: tuple[str, ...] = ("是",)

    mode: LoadMode = "append"
    period: Literal["day", "month"] = "day"
    delete_marker: DeleteMarker | None = None

    def period_of(self, business_date: date) -> str:
        """Return the period's name that a delivery of ``business_date`` fills."""
        return business_date.strftime("%Y-%m" if self.period == "month" else "%Y-%m-%d")


class Export(Frozen):
    """How a provider writes its file: what landing must know and never guesses."""

    encoding: Literal["auto", "utf-8", "gb18030"] = "auto"
    delimiter: str = Field(default=",", pattern=r"^[^\s\"\w]$|^\t$")
    header_row: int = Field(default=1, ge=1, description="1-based row that holds the headers")
    null_tokens: tuple[str, ...] = ("",)
    manifest: Literal["required", "optional"] = "optional"
    drift: Literal["freeze", "evolve"] = "freeze"
    aliases: dict[str, str] = Field(default_factory=dict)
    sheet: str | None = None
    footer: LinePattern | None = Field(
        default=None, description="regex of rows after the data, dropped"
    )
    blank_lines: bool = Field(default=False, description="rows without a value are agreed, dropped")


class Server(Frozen):
    """One provider's copy of the dataset: ``provider`` is the ODCS ``server`` name."""

    provider: str
    path: str
    format: Format
    export: Export = Export()

    @property
    def is_ragged(self) -> bool:
        """Whether a row can have more or fewer cells than its header; records name each cell."""
        return self.format == "csv"


class RuleUse(Frozen):
    """A named rule on a column, with its arguments."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Lowering(Frozen):
    """Why a derived column is below its inputs: a registered function and who approved it."""

    function: LoweringFunction
    approval: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    approved_on: date
    reason: str = Field(min_length=1)


class Column(Frozen):
    """One property of the schema object; ``header`` is its name in the export."""

    name: str
    header: str
    business_name: str
    description: str
    type: LogicalType
    physical_type: str
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    level: Level | None = None
    tags: tuple[str, ...] = ()
    options: Options = Options()
    enum: tuple[str, ...] = ()
    rule: RuleUse | None = None
    release: Release | None = None
    reference: Reference | None = None
    lowering: Lowering | None = None
    quasi_identifier: QuasiIdentifier | None = None
    holds: tuple[PersonalKind, ...] = ()

    @property
    def effective_level(self) -> Level:
        """The level that counts: an untagged column is L3."""
        return self.level or UNTAGGED


class Quality(Frozen):
    """One entry of ``quality``: sql, library metric, author-written expectation, or text."""

    id: str
    type: Literal["sql", "library", "custom", "text"]
    dimension: DimensionIn
    severity: Severity = "error"
    description: str = ""
    column: str | None = None
    query: str | None = None
    metric: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    engine: str | None = None
    expectation: str | None = None
    kwargs: dict[str, Any] = Field(default_factory=dict)
    unit: Literal["rows", "percent"] = "rows"
    comparison: str | None = Field(default=None, description="an ODCS mustBe… operator")
    bound: float | tuple[float, float] | None = None


#: How long a delivery may be overdue before it counts as missing; what comes within it is late.
GRACE: Final = timedelta(hours=1)


class Schedule(Frozen):
    """When a delivery is due, from ``slaProperties``: city time, latency in hours."""

    cycle: Cycle = "daily"
    available_at: time = time(2, 0)
    latency_h: float = 6.0
    retention_d: int | None = None

    def is_due(self, business_date: date) -> bool:
        """Tell whether the cycle owes a delivery for this date: its first day, Monday for weeks."""
        first = business_date.day == 1
        match self.cycle:
            case "daily":
                return True
            case "weekly":
                return business_date.weekday() == 0
            case "monthly":
                return first
            case "quarterly":
                return first and business_date.month % 3 == 1
            case "yearly":
                return first and business_date.month == 1
            case "adhoc":
                return False

    def due_at(self, business_date: date) -> datetime:
        """Return the moment (UTC) after which a delivery of ``business_date`` is late."""
        opens = datetime.combine(business_date + timedelta(days=1), self.available_at, CITY_TZ)
        return (opens + timedelta(hours=self.latency_h)).astimezone(ZoneInfo("UTC"))

    def missing_at(self, business_date: date) -> datetime:
        """Return the moment (UTC) from which an absent delivery is missing: nobody waits longer."""
        return self.due_at(business_date) + GRACE


class Catalogue(Frozen):
    """The entry in the 政务数据目录 (State Council Decree 809, Art. 13)."""

    code: str
    format: str
    cycle: Cycle
    source_dept: str


class Sharing(Frozen):
    """The sharing attribute and its conditions (Decree 809, Art. 14–15)."""

    attribute: Literal["unconditional", "conditional", "not_shared"]
    scope: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    mode: Literal["api", "batch", "file"] = "batch"
    open: bool = False
    legal_basis: str | None = None


class Grading(Frozen):
    """The table's grade: GB/T 43697-2024 and the department level."""

    gb43697: Gb43697
    level: Level
    persons: int | None = Field(default=None, ge=0, description="people its rows are about")
    personal_information: bool = False
    sensitive: bool = False
    pia_id: str | None = None
    secrecy_review: str | None = None


class Thresholds(Frozen):
    """When the share of bad rows stops a batch, and what happens then."""

    bad_rows_percent: float = Field(default=5.0, ge=0, le=100)
    on_fail: Literal["hold", "reject"] = "hold"


class Member(Frozen):
    """A person who answers for the dataset."""

    username: str
    role: str


class Contract(Frozen):
    """A data contract: everything a batch is held against and everything derived from it."""

    id: str
    name: str
    version: str
    status: Status
    domain: str
    dataset: str
    title: str
    purpose: str = ""
    usage: str = ""
    limitations: str = ""
    tags: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()
    columns: tuple[Column, ...]
    references: tuple[TableReference, ...] = ()
    quality: tuple[Quality, ...] = ()
    unchecked: tuple[str, ...] = ()
    """Service levels of the standard that nothing here can measure: each says so in its result."""
    schedule: Schedule = Schedule()
    load: Load = Load()
    catalogue: Catalogue | None = None
    sharing: Sharing | None = None
    grading: Grading | None = None
    thresholds: Thresholds = Thresholds()
    product: Product | None = None
    owner: str = ""
    members: tuple[Member, ...] = ()
    source: str = Field(default="", description="path of the file, relative to its tree")
    #: The file as it was read: evidence names its digests.
    written: bytes = Field(default=b"", exclude=True, repr=False)

    @property
    def level(self) -> Level:
        """The table's level: the highest of its columns and of its declared grade."""
        declared: tuple[Level, ...] = (self.grading.level,) if self.grading else ()
        return max_level((*declared, *(c.effective_level for c in self.columns)))

    @property
    def is_active(self) -> bool:
        """Whether it is in force: a draft is not yet, a retired one no more."""
        return self.status in ("active", "deprecated")

    @property
    def key(self) -> tuple[Column, ...]:
        """The primary key's columns in order; empty where the rows have no key."""
        keyed = (c for c in self.columns if c.key_position is not None)
        return tuple(sorted(keyed, key=lambda c: c.key_position or 0))

    @property
    def product_plan(self) -> Product:
        """The product part; a source contract has none."""
        if self.product is None:
            raise TypeError(f"{self.id} is a source contract, not a product")
        return self.product

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError names the contract."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name}")

    def server(self, provider: str) -> Server:
        """Return the server of ``provider``; KeyError names the contract."""
        for server in self.servers:
            if server.provider == provider:
                return server
        raise KeyError(f"{self.id} names no server for provider {provider}")

    def table(self, provider: str) -> str:
        """Return the table's name for one provider: ``<provider>__<dataset>``."""
        return f"{provider}__{self.dataset}"

    @property
    def product_table(self) -> str:
        """A product's table name in gold: its dataset."""
        return self.dataset


#: What the law takes a body for: 国家机关, 事业单位, or any other processor (个人信息处理者).
LegalKind = Literal["state_organ", "public_institution", "processor"]


class Provider(Frozen):
    """A body that owes deliveries (domain reference §1)."""

    id: str
    name: str
    name_en: str
    kind: Literal["bureau", "district", "external"]
    code: str
    cdo: str = ""
    legal: LegalKind | None = None

    @model_validator(mode="after")
    def _is_no_company(self) -> Self:
        if self.kind != "external" and self.legal == "processor":
            raise BadValueError(
                Words(
                    f"{self.id} 是 {self.kind}，不是企业", f"{self.id} is a {self.kind}: no company"
                ),
                Words("请更正 legal，或更正 kind。", "Correct its legal, or its kind."),
            )
        return self

    @property
    def legal_kind(self) -> LegalKind | None:
        """What the law takes it for; None where an external body does not say."""
        return self.legal or (None if self.kind == "external" else "state_organ")
