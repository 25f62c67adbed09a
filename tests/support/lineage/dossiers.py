"""Leaves that a dossier is made of, and a dossier as a dishonest operator would sign it."""

from __future__ import annotations

import hashlib
import json
import runpy
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Literal

from contracts.layout import ROOT
from jobs.record import leaves
from jobs.record.governance import DeliveryRow
from jobs.stages import Batch, LandedBatch, PublishedVersion, Verdict
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.scope import DatasetScope
from sharing.control import Grant

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

STRANGER: Final = ROOT / "docs/how-to/verify_grant.py"
AT = "2026-07-16T01:00:00Z"
_MOMENT: Final = datetime(2026, 7, 16, 1, tzinfo=UTC)
JULY = DatasetScope("civil.elder_service", date(2026, 7, 15), date(2026, 7, 16))


def batch(home: Home, kind: Literal["landing", "verdict", "publication"], day: str, n: int) -> Leaf:
    """Return a leaf of the day's ``n``-th batch, of as many rows: its facts as the stages state."""
    of = _batch(day, n)
    verdict = Verdict(
        batch=of,
        decision="publish",
        reason="",
        rows_landed=n,
        rows_good=n,
        rows_bad=0,
        rows_duplicate=0,
        silver_version_seen=None,
        results=(),
        digest=f"{n:064x}",
    )
    if kind == "landing":
        landed = LandedBatch(batch=of, rows_landed=n, bronze_version=0)
        return Leaf(kind, leaves.subject_of(of), leaves.landing_facts(landed), AT)
    if kind == "verdict":
        subject = leaves.verdict_subject(home, verdict, verdict.digest)
        return Leaf(kind, subject, leaves.verdict_facts(verdict), AT)
    version = PublishedVersion(
        batch=of,
        status="published",
        silver_version=n,
        rows_published=n,
        rows_quarantined=0,
        rows_duplicate=0,
    )
    return Leaf(kind, leaves.subject_of(of), leaves.publication_facts(verdict, version), AT)


def _batch(day: str, number: int) -> Batch:
    return Batch(
        contract_id="civil.elder_service",
        contract_version="1.0.0",
        provider="civil",
        dataset="elder_service",
        business_date=date.fromisoformat(day),
        batch_id=f"{day}-{number:012x}",
        revision=1,
        origin="simulated",
        file_name="a.csv",
        size_bytes=number,
        sha256=f"{number:064x}",
        sm3=f"{number:064x}",
        received_at=_MOMENT,
        started_at=_MOMENT,
    )


def awaited(day: date, number: int) -> Leaf:
    """Return the leaf of a delivery's ``number``-th state, of another dataset."""
    row = DeliveryRow(
        recorded_at=_MOMENT,
        provider="civil",
        dataset="time_bank_txn",
        contract_id="civil.time_bank_txn",
        contract_version="1.0.0",
        business_date=day,
        state="expected",
        batch_id=None,
        reason="",
        due_at=_MOMENT,
        received_at=None,
    )
    return leaves.delivery_leaf(row, number)


def granted(name: str, purpose: str) -> Grant:
    """Return a grant of another office's table, by its id."""
    return Grant(
        id=name,
        recipient="街道办",
        share="city",
        schema="main",
        table="elder_care__street",
        purpose=purpose,
        granted_at=_MOMENT,
        granted_by="test",
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
