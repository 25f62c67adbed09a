"""The digest of a verdict: what evidence, the silver commit and verify compare."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import rfc8785

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS: Final = (
    "rule_id",
    "column",
    "dimension",
    "severity",
    "status",
    "checked",
    "failed",
    "threshold",
    "message",
    "engine",
)


def digest_of(results: Sequence[Any], decision: str) -> str:
    """Return SHA-256 (hex) over the canonical results (RFC 8785) and the decision.

    Takes stage results or the rows of ``governance.check_results`` alike.
    """
    ordered = sorted(
        ({name: getattr(r, name) for name in _FIELDS} for r in results),
        key=lambda r: str(r["rule_id"]),
    )
    return hashlib.sha256(rfc8785.dumps({"decision": decision, "results": ordered})).hexdigest()
