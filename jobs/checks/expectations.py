"""Author-written Great Expectations, as one suite on the exact staged rows.

Great Expectations takes seconds to import, so only a contract that has expectations pays for it.
Unless every column that an expectation can touch is known to be at L1 or L2, its result is
BOOLEAN_ONLY: no value leaves Spark (jobs.checks.kept).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.words import Words
from jobs.checks import kept
from jobs.checks.declared import result
from jobs.faults import cause

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contracts.model import Contract, Quality
    from jobs.checks.declared import Audited
    from jobs.stages import CheckResult

_ENGINE: Final = "great_expectations"
_NOT_THEIRS: Final = ("result_format", "catch_exceptions", "meta", "severity")
_Shape = Literal["SUMMARY", "BOOLEAN_ONLY"]
_SEVERITY: Final = {"error": "critical", "warning": "warning", "info": "info"}


def run(audited: Audited, batch_id: str, store: Path) -> list[CheckResult]:
    """Run a contract's expectations over the accepted rows and keep the validation result.

    The result is written below ``store`` as Great Expectations' own JSON.
    """
    wanted = [q for q in audited.contract.quality if q.type == "custom"]
    ours = [q for q in wanted if (q.engine or "").lower() in ("greatexpectations", _ENGINE)]
    results = [
        result(q, "not_executable", _no_engine(q), engine="none") for q in wanted if q not in ours
    ]
    if ours:
        results += _suite(audited, ours, batch_id, store)
    return results


def _no_engine(quality: Quality) -> Words:
    return Words(f"此处没有引擎 {quality.engine!r}", f"no engine {quality.engine!r} here")


@dataclass(frozen=True)
class _Built:
    """An expectation as Great Expectations takes it; ``is_open``: what it finds may be kept."""

    quality: Quality
    expectation: Any
    is_open: bool


@dataclass(frozen=True)
class _Bench:
    """Where suites run: Great Expectations' own context, over the rows of one batch."""

    context: Any
    definition: Any
    audited: Audited
    batch_id: str

    def validation(self, number: int, chosen: Sequence[_Built]) -> Any:
        """Return expectations as one suite over the rows, ready to run."""
        import great_expectations as gx

        suite = gx.ExpectationSuite(name=f"{self.name} {number}")
        for one in chosen:
            suite.add_expectation(one.expectation)
        self.context.suites.add(suite)
        return self.context.validation_definitions.add(
            gx.ValidationDefinition(
                data=self.definition, suite=suite, name=f"{self.batch_id} {number}"
            )
        )

    @property
    def name(self) -> str:
        """What the suites are called: the contract's version."""
        return f"{self.audited.contract.id}@{self.audited.contract.version}"


def _bench(audited: Audited, batch_id: str) -> _Bench:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    definition = (
        context.data_sources.add_spark("stage", persist=False)
        .add_dataframe_asset(audited.contract.dataset)
        .add_batch_definition_whole_dataframe(batch_id)
    )
    return _Bench(context, definition, audited, batch_id)


def _suite(
    audited: Audited, checks: Sequence[Quality], batch_id: str, store: Path
) -> list[CheckResult]:
    bench, contract = _bench(audited, batch_id), audited.contract
    results: list[CheckResult] = []
    built: list[_Built] = []
    for quality in checks:
        try:
            built.append(_build(quality, contract))
        except Exception as error:  # noqa: BLE001  (an expectation that does not build is a result)
            results.append(result(quality, "error", _words(error), engine=_ENGINE))
    outcomes: list[dict[str, Any]] = []
    groups: list[tuple[_Shape, list[_Built]]] = [
        ("SUMMARY", [b for b in built if b.is_open]),
        ("BOOLEAN_ONLY", [b for b in built if not b.is_open]),
    ]
    for number, (shape, chosen) in enumerate(groups):  # it grows by what has to be run alone
        if not chosen:
            continue
        validation = bench.validation(number, chosen)
        try:
            rows = {"dataframe": audited.frame}
            outcome = validation.run(batch_parameters=rows, result_format=shape)
            told = outcome.to_json_dict()
        except Exception as error:  # noqa: BLE001  (what the engine cannot do is a result)
            if len(chosen) == 1:
                results.append(result(chosen[0].quality, "error", cause(error), engine=_ENGINE))
            else:  # an expectation belongs to one suite
                groups += [(shape, [_build(b.quality, contract)]) for b in chosen]
            continue
        outcomes.append({**told, "suite_name": bench.name})
        by_id = {b.quality.id: b for b in chosen}
        for found in outcome.results:
            config = found.expectation_config
            asked = by_id[(config.meta or {})["id"] if config else ""]
            results.append(_of(asked, found, audited))
    if outcomes:
        open_ids = frozenset(b.quality.id for b in built if b.is_open)
        kept.keep(kept.without_values(outcomes, open_ids), store, batch_id)
    return results


def _build(quality: Quality, contract: Contract) -> _Built:
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import get_expectation_impl

    kind = get_expectation_impl(quality.expectation or "")
    expectation = kind(
        **_arguments(quality),
        severity=FailureSeverity(_SEVERITY[quality.severity]),
        meta={"id": quality.id},
    )
    return _Built(quality, expectation, kept.is_open(kind, quality, contract))


def _arguments(quality: Quality) -> dict[str, Any]:
    """Return the expectation's arguments; how its result looks is not the contract's to say."""
    column = {"column": quality.column} if quality.column else {}
    return {**column, **{k: v for k, v in quality.kwargs.items() if k not in _NOT_THEIRS}}


def _of(built: _Built, one: Any, audited: Audited) -> CheckResult:
    quality, rows = built.quality, audited.rows
    raised = kept.has_raised(one.exception_info)
    details = (one.result or {}) if built.is_open else {}
    label = quality.description or quality.expectation or quality.id
    if raised:
        unknown = Words(f"{label}：无法求值", f"{label}: could not be evaluated")
        return result(quality, "error", unknown, engine=_ENGINE)
    failed = 0 if one.success else int(details.get("unexpected_count") or rows)
    observed = details.get("observed_value")
    words = f"{label}: {observed:g}" if isinstance(observed, int | float) else label
    return result(
        quality,
        "passed" if one.success else "failed",
        Words(words, words),
        checked=rows,
        failed=failed,
        engine=_ENGINE,
    )


def _words(error: Exception) -> Words:
    first = str(error).splitlines()
    told = f"{type(error).__name__}: {first[0][:200] if first else ''}"
    return Words(told, told)
