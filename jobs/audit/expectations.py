"""Author-written Great Expectations, as one suite on the exact staged rows.

Great Expectations takes seconds to import, so only a contract that has expectations pays for it.
Results of L3+ columns are BOOLEAN_ONLY: no value of theirs leaves Spark.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from jobs.audit.checks import result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contracts.model import Quality
    from jobs.audit.checks import Audited
    from jobs.stages import CheckResult

_ENGINE: Final = "great_expectations"
_OPEN: Final = ("L1", "L2")
_SEVERITY: Final = {"error": "critical", "warning": "warning", "info": "info"}


def run(audited: Audited, batch_id: str, store: Path) -> list[CheckResult]:
    """Run a contract's expectations over the accepted rows and keep the validation result.

    The result is written below ``store`` as Great Expectations' own JSON.
    """
    wanted = [q for q in audited.contract.quality if q.type == "custom"]
    ours = [q for q in wanted if (q.engine or "").lower() in ("greatexpectations", _ENGINE)]
    results = [
        result(q, "not_executable", f"no engine {q.engine!r} here", engine="none")
        for q in wanted
        if q not in ours
    ]
    if ours:
        results += _suite(audited, ours, batch_id, store)
    return results


def _suite(
    audited: Audited, checks: Sequence[Quality], batch_id: str, store: Path
) -> list[CheckResult]:
    contract = audited.contract
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import (
        get_expectation_impl,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    definition = (
        context.data_sources.add_spark("stage", persist=False)
        .add_dataframe_asset(contract.dataset)
        .add_batch_definition_whole_dataframe(batch_id)
    )
    results: list[CheckResult] = []
    suite = gx.ExpectationSuite(name=f"{contract.id}@{contract.version}")
    kept: list[Quality] = []
    for quality in checks:
        try:
            kind = get_expectation_impl(quality.expectation or "")
            suite.add_expectation(
                kind(
                    **_arguments(quality),
                    severity=FailureSeverity(_SEVERITY[quality.severity]),
                    meta={"id": quality.id},
                )
            )
            kept.append(quality)
        except Exception as error:  # noqa: BLE001  (an expectation that does not build is a result)
            results.append(result(quality, "error", _words(error), engine=_ENGINE))
    if not kept:
        return results
    is_open = all(
        c.effective_level in _OPEN
        for c in contract.columns
        if any(c.name in str(q.kwargs) for q in kept)
    )
    validation = gx.ValidationDefinition(data=definition, suite=suite, name=batch_id)
    context.suites.add(suite)
    context.validation_definitions.add(validation)
    outcome = validation.run(
        batch_parameters={"dataframe": audited.frame},
        result_format="SUMMARY" if is_open else "BOOLEAN_ONLY",
    )
    _keep(outcome.to_json_dict(), store, batch_id)
    by_id = {q.id: q for q in kept}
    for one in outcome.results:
        said = one.expectation_config
        quality = by_id[(said.meta or {})["id"] if said else ""]
        results.append(_of(quality, one, audited.rows))
    return results


def _arguments(quality: Quality) -> dict[str, Any]:
    column = {"column": quality.column} if quality.column else {}
    return {**column, **quality.kwargs}


def _of(quality: Quality, one: Any, rows: int) -> CheckResult:
    raised = bool((one.exception_info or {}).get("raised_exception"))
    details = one.result or {}
    label = quality.description or quality.expectation or quality.id
    if raised:
        return result(quality, "error", f"{label}: could not be evaluated", engine=_ENGINE)
    failed = 0 if one.success else int(details.get("unexpected_count") or rows)
    observed = details.get("observed_value")
    words = f"{label}: {observed:g}" if isinstance(observed, int | float) else label
    return result(
        quality,
        "passed" if one.success else "failed",
        words,
        checked=rows,
        failed=failed,
        engine=_ENGINE,
    )


def _keep(outcome: dict[str, Any], store: Path, batch_id: str) -> None:
    folder = store / "validations"
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f".{batch_id}.{os.getpid()}"
    building.write_text(json.dumps(outcome, ensure_ascii=False, sort_keys=True, indent=1), "utf-8")
    building.replace(folder / f"{batch_id}.json")


def _words(error: Exception) -> str:
    first = str(error).splitlines()
    return f"{type(error).__name__}: {first[0][:200] if first else ''}"
