"""The raw files that are kept: a batch's original bytes and its manifest, sealed or in clear."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.seal.files import opened_file
from jobs.seal.keys import keys_of
from jobs.stages import RawBatch
from lineage.evidence.digests import digest_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar


def raw_file(home: Home, raw: RawBatch) -> Path:
    """Return where a batch's original bytes are kept, sealed or in clear."""
    return home.raw(raw.batch.provider, raw.batch.dataset, raw.batch_id) / raw.batch.file_name


@contextmanager
def opened_raw(home: Home, raw: RawBatch) -> Iterator[Path]:
    """Yield a path at which a batch's original bytes read in clear, while the context lasts.

    Raises SealError where the kept file was changed.
    """
    kept = raw_file(home, raw)
    if not raw.is_sealed:
        yield kept
        return
    with opened_file(kept, keys_of(home)) as clear:
        yield clear


def kept_batch(home: Home, table: str, batch_id: str) -> RawBatch:
    """Return a batch by its kept manifest; FileNotFoundError if its bytes were never kept."""
    provider, _, dataset = table.partition("__")
    manifest = home.raw(provider, dataset, batch_id) / "manifest.json"
    return RawBatch.model_validate_json(manifest.read_bytes())


def sealed_facts(home: Home, provider: str, dataset: str, batch_id: str) -> dict[str, JsonScalar]:
    """Return the digests of a batch's kept file as it lies there, sealed; none where it is clear.

    A stranger can match the file without the key, and the clear one with ``file_sha256``.
    """
    raw = kept_batch(home, f"{provider}__{dataset}", batch_id)
    if not raw.is_sealed:
        return {}
    digest = digest_file(raw_file(home, raw))
    return {"sealed_sha256": digest.sha256, "sealed_sm3": digest.sm3}


def kept_batches(home: Home, provider: str, dataset: str) -> list[RawBatch]:
    """Return every batch of one table whose original bytes are kept, by date and revision."""
    folder = home.raw(provider, dataset, "x").parent
    kept = [
        RawBatch.model_validate_json(manifest.read_bytes())
        for manifest in folder.glob("*/manifest.json")
        if not manifest.parent.name.startswith(".")
    ]
    return sorted(kept, key=lambda raw: (raw.business_date, raw.batch.revision, raw.batch_id))
