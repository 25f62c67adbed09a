"""pull: takes a delivery, keeps its original bytes, content-addressed, with a manifest.

Marked state secrets are refused before anything is stored. A file with L4 columns is kept sealed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from contracts.digest import sha256
from contracts.moment import utc_now
from contracts.words import Words
from jobs.files.raw import kept_batches
from jobs.pull.drop import PullStopped, origin_of, refuse_marked
from jobs.pull.secrecy import secret_mark
from jobs.seal.files import opened_file, seal_file
from jobs.seal.keys import keys_of
from jobs.seal.plan import is_sealed, key_name
from jobs.stages import Batch, RawBatch
from lineage.evidence.digests import digest_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.pull.drop import Found


def batch_id_of(delivery: Delivery, file_sha256: str) -> str:
    """Return the batch's name: the date, and a digest of whose bytes these are."""
    parts = (delivery.provider, delivery.contract.dataset, str(delivery.business_date), file_sha256)
    digest = sha256("\n".join(parts))
    return f"{delivery.business_date:%Y%m%d}-{digest[:12]}"


def pull(home: Home, delivery: Delivery, drop: Path, found: Found) -> RawBatch:
    """Keep the bytes that were found of a delivery under ``raw/`` and return the batch.

    Doing it again returns the same batch. Raises PullStopped for refused and duplicate deliveries,
    and for a file that changed under it. Bytes that are not what their manifest says are kept all
    the same: ``check_manifest`` tells.
    """
    digest = digest_file(found.path)  # before looking for marks: these bytes are kept, or none
    _refuse_secret(delivery, found)
    batch_id = batch_id_of(delivery, digest.sha256)
    kept = kept_batches(home, delivery.provider, delivery.contract.dataset)
    _stop_duplicate(delivery, found, digest.sha256, kept)
    for raw in kept:
        if raw.batch_id == batch_id:
            told = found.manifest.rows if found.manifest else None
            return _as_announced(raw, told)
    earlier = [r for r in kept if r.business_date == delivery.business_date]
    batch = Batch(
        contract_id=delivery.contract.id,
        contract_version=delivery.contract.version,
        provider=delivery.provider,
        dataset=delivery.contract.dataset,
        business_date=delivery.business_date,
        batch_id=batch_id,
        revision=1 + max((r.batch.revision for r in earlier), default=0),
        origin=origin_of(drop),
        file_name=found.name,
        size_bytes=digest.size_bytes,
        sha256=digest.sha256,
        sm3=digest.sm3,
        received_at=found.sent_at,
        started_at=utc_now(),
        rows_announced=found.manifest.rows if found.manifest else None,
    )
    raw = RawBatch(batch=batch, is_sealed=is_sealed(delivery.contract))
    _keep(home, raw, found.path)
    return raw


def _as_announced(raw: RawBatch, rows: int | None) -> RawBatch:
    """Return a kept batch with the rows that its manifest says now, if it says any."""
    if not rows:
        return raw
    batch = raw.batch.model_copy(update={"rows_announced": rows})
    return raw.model_copy(update={"batch": batch})


def _keep(home: Home, raw: RawBatch, source: Path) -> None:
    """Copy the bytes and write the manifest, visible only when both are whole."""
    batch = raw.batch
    target = home.raw(batch.provider, batch.dataset, batch.batch_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        kept = building / batch.file_name
        if raw.is_sealed:
            seal_file(source, kept, key_name(batch.provider), keys_of(home))
            with opened_file(kept, keys_of(home)) as clear:
                digest = digest_file(clear)
        else:
            shutil.copyfile(source, kept)
            digest = digest_file(kept)
        if digest.sha256 != batch.sha256:
            _changed(batch)
        (building / "manifest.json").write_text(raw.model_dump_json(indent=2) + "\n", "utf-8")
        try:
            building.rename(target)
        except OSError:
            if not (target / "manifest.json").is_file():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _changed(batch: Batch) -> NoReturn:
    raise PullStopped(
        "missing",
        Words(
            f"{batch.table} {batch.business_date}：{batch.file_name} 在读取时发生了变化。",
            f"{batch.table} {batch.business_date}: {batch.file_name} changed while it was read.",
        ),
        Words(
            "请先以别的名称写文件，写完后再改名。",
            "Write the file under another name and rename it when it is complete.",
        ),
    )


def _refuse_secret(delivery: Delivery, found: Found) -> None:
    grading = delivery.contract.grading
    is_core = grading is not None and grading.gb43697 == "core"
    mark = "核心数据" if is_core else secret_mark(found.path)
    if mark is not None:
        refuse_marked(delivery, mark, found.path)


def _stop_duplicate(
    delivery: Delivery, found: Found, sha256: str, kept: Iterable[RawBatch]
) -> None:
    """Stop bytes that came before: a snapshot may repeat itself, a day's new rows may not."""
    if delivery.contract.load.mode not in ("append", "replace_period"):
        return
    for raw in kept:
        if raw.batch.sha256 == sha256 and raw.business_date != delivery.business_date:
            raise PullStopped(
                "duplicate",
                Words(
                    f"{delivery.name}：{found.name} 的内容与 {raw.business_date} 的相同"
                    f"（批次 {raw.batch_id}）。",
                    f"{delivery.name}: {found.name} has the bytes of {raw.business_date}"
                    f" (batch {raw.batch_id}).",
                ),
                Words("请交付该日期自己的导出。", "Deliver this date's own export."),
                raw.batch_id,
            )
