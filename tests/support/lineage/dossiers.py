"""Leaves that a dossier is made of, and a dossier as a dishonest operator would sign it."""

from __future__ import annotations

import hashlib
import json
import runpy
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.scope import DatasetScope

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar, LeafType

STRANGER: Final = ROOT / "docs/how-to/verify_grant.py"
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


def stranger_says(home: Home, files: dict[str, bytes], folder: Path, *raw: Path) -> int:
    """Return how the script of the how-to ends over a bundle, as a stranger runs it."""
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    main = runpy.run_path(str(STRANGER))["main"]
    code: int = main(str(folder / "bundle.zip"), str(home.evidence / "log.vkey"), *map(str, raw))
    return code


def keys_of(files: dict[str, bytes]) -> list[str]:
    """Return the keys of a dossier's leaves, in its order."""
    leaves = json.loads(files["manifest.json"])["leaves"]
    return [f"{leaf['type']}:{leaf['subject']}" for leaf in leaves]


def without(home: Home, files: dict[str, bytes], *keys: str) -> dict[str, bytes]:
    """Return a dossier that never had the leaves of some keys, signed as such."""
    leaves = json.loads(files["manifest.json"])["leaves"]
    gone = [leaf for leaf in leaves if f"{leaf['type']}:{leaf['subject']}" in keys]
    names = {leaf[part] for leaf in gone for part in ("leaf", "proof")}
    rest = {name: data for name, data in files.items() if name not in names}
    return resigned(home, rest, leaves=[leaf for leaf in leaves if leaf not in gone])
