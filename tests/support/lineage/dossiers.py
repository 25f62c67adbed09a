"""Leaves that a dossier is made of, and a dossier as a dishonest operator would sign it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING

from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.scope import DatasetScope

if TYPE_CHECKING:
    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar, LeafType

AT = "2026-07-16T01:00:00Z"
JULY = DatasetScope("civil.elder_service", date(2026, 7, 15), date(2026, 7, 16))


def make(kind: LeafType, subject: str, **facts: JsonScalar) -> Leaf:
    return Leaf(kind, subject, facts, AT)


def batch(kind: LeafType, day: str, number: int) -> Leaf:
    subject = f"civil__elder_service@{day}-{number:012x}"
    return make(
        kind, subject, contract_id="civil.elder_service", contract_version="1.0.0", rows=number
    )


def resigned(home: Home, files: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    """Sign a changed manifest with the log's own key, as a dishonest operator could."""
    manifest = {**json.loads(files["manifest.json"]), **changes}
    rest = {k: v for k, v in files.items() if not k.startswith("manifest")}
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in rest.items()}
    body = json.dumps(manifest).encode()
    signer = Keeping.of(home).signer()
    said = f"{signer.name} dossier@v1\nmanifest.json sha256 {hashlib.sha256(body).hexdigest()}\n"
    return {**rest, "manifest.json": body, "manifest.note": signer.sign(said).encode()}
