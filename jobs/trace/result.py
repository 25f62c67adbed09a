"""What row lineage finds: steps, batches and lines, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words, text
from lineage.facts import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN_LINES: Final = 12


@dataclass(frozen=True)
class Step:
    """A build or share that showed a row: its version, date, contract and evidence."""

    table: str
    version: int
    business_date: str
    contract: str
    contract_file: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class BatchSource:
    """The rows of one batch in a silver version, with the lines of its file they stood in.

    ``lines`` is None where it cannot be told which of the rows took part. ``published_by`` is the
    person who released a held batch, otherwise the audit.
    """

    table: str
    version: int
    batch_id: str
    business_date: str | None
    file: str | None
    rows: int
    lines: tuple[int, ...] | None
    contract: str | None
    contract_file: str
    origin: str | None
    status: str | None
    run_id: str | None
    published_by: str
    owner: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What one visible version's rows with the key came from; ``selected_by`` told the lines."""

    steps: tuple[Step, ...]
    sources: tuple[BatchSource, ...]
    selected_by: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The answer; ``key`` shows values of L1 and L2 columns only."""

    table: str
    version: int
    key: Mapping[str, str | None]
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON's own types."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        key = ", ".join(f"{n}={'***' if v is None else printable(v)}" for n, v in self.key.items())
        yield f"{self.table} v{self.version}  {key}"
        for row in self.rows:
            for step in row.steps:
                yield (
                    f"  {step.table} v{step.version}  {step.business_date}  {step.contract}"
                    f"  {step.contract_file}"
                )
                yield _evidence(step.evidence)
            for source in row.sources:
                yield from _of_batch(source)


def _evidence(keys: tuple[str, ...]) -> str:
    named = ", ".join(keys)
    return "    " + text(f"存证：{named or '无'}", f"evidence: {named or 'none'}")


def _of_batch(source: BatchSource) -> Iterator[str]:
    is_simulated = source.origin == "simulated"
    simulated = "  " + text("模拟数据", "simulated") if is_simulated else ""
    yield (
        f"  {source.table} v{source.version}  {text('批次', 'batch')} {source.batch_id}"
        f"  {source.business_date}{simulated}"
    )
    yield f"    {printable(source.file or '?')}  {_lines(source)}"
    yield f"    {text('契约', 'contract')} {source.contract}  {source.contract_file}"
    yield f"    {_published(source)}"
    yield _evidence(source.evidence)


def _lines(source: BatchSource) -> str:
    if source.lines is None:
        rows = f"{source.rows:,}"
        return text(f"{rows} 行，无法确定是其中哪些", f"{rows} rows, which of them cannot be told")
    named = ", ".join(str(n) for n in source.lines[:_SHOWN_LINES])
    more = f", … +{source.rows - _SHOWN_LINES}" if source.rows > _SHOWN_LINES else ""
    return text(f"第 {named}{more} 行", f"line {named}{more}")


def _published(source: BatchSource) -> str:
    by = printable(source.published_by)
    told = (
        Words("审计通过，自动发布", "passed its audit")
        if source.published_by == "audit"
        else Words(f"{by} 放行", f"{by} released it")
    )
    zh, en = (f"；责任单位 {source.owner}", f"; owner {source.owner}") if source.owner else ("", "")
    return text(
        f"发布：{told.zh}{zh}；运行 {source.run_id}",
        f"published: {told.en}{en}; run {source.run_id}",
    )
