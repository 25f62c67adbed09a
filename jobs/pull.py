"""pull: takes a delivery, keeps its original bytes, content-addressed, with a manifest.

Refuses before storing: marked state secrets, and real data above L2 (until L4 columns are sealed).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from contracts.errors import JingshuError
from contracts.model import CITY_TZ, REAL_DATA_CEILING
from jobs.decode import secret_mark
from jobs.governance import utc_now
from jobs.stages import RawBatch
from lineage.evidence.digests import digest_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.delivery import Delivery, DeliveryState, Origin
    from contracts.layout import Home

SANDBOX_MARK: Final = ".jingshu-sandbox.json"
_MANIFEST_SUFFIX: Final = ".manifest.json"


class Manifest(BaseModel):
    """What a provider says of the file it sends; extra keys are its own business."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    size_bytes: int
    sha256: str
    revision: int = 1
    sent_at: AwareDatetime | None = None


class PullStopped(JingshuError):  # noqa: N818  (an outcome, not a fault of ours)
    """A delivery that does not become a batch: missing, refused, or seen before."""

    def __init__(
        self, state: DeliveryState, problem: str, remedy: str, batch_id: str | None = None
    ) -> None:
        super().__init__(problem, remedy)
        self.state = state
        self.batch_id = batch_id

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Keep all arguments: exceptions cross process borders."""
        return type(self), (self.state, self.problem, self.remedy, self.batch_id)


class ManifestError(JingshuError, ValueError):
    """A file that is not what its manifest says."""


@dataclass(frozen=True)
class Found:
    """The newest complete file of a delivery, before anything is copied."""

    path: Path
    manifest: Manifest | None

    @property
    def sent_at(self) -> datetime:
        """When the provider sent it: by its manifest, else by the file's time."""
        if self.manifest is not None and self.manifest.sent_at is not None:
            return self.manifest.sent_at.astimezone(UTC)
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


def batch_id_of(delivery: Delivery, sha256: str) -> str:
    """Return the batch's name: the date, and a digest of whose bytes these are."""
    parts = (delivery.provider, delivery.contract.dataset, str(delivery.business_date), sha256)
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{delivery.business_date:%Y%m%d}-{digest[:12]}"


def origin_of(drop: Path) -> Origin:
    """Tell whether a drop root is the sandbox's: its marker file says so, nothing else does."""
    try:
        marker = json.loads((drop / SANDBOX_MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return "real"
    return "simulated" if marker.get("origin") == "simulated" else "real"


def find(delivery: Delivery, drop: Path) -> Found:
    """Return the newest complete file of a delivery in the drop folder.

    Raises PullStopped(missing) when there is none, ManifestError when its manifest is unreadable.
    """
    server = delivery.contract.server(delivery.provider)
    pattern = server.path.removeprefix("{drop}/")
    pattern = pattern.replace("{date}", delivery.business_date.isoformat())
    found = [
        Found(path, _manifest(delivery, path))
        for path in sorted(drop.glob(pattern))
        if not path.name.endswith((_MANIFEST_SUFFIX, ".part", ".tmp"))
        and not path.name.startswith(".")
        and path.is_file()
    ]
    for one in found:
        if not one.path.resolve().is_relative_to(drop.resolve()):
            raise PullStopped(
                "refused",
                f"{delivery.name}: {one.path.name} is a link that leaves the drop folder.",
                "Deliver the file itself.",
            )
    is_manifest_required = server.export.manifest == "required"
    complete = [f for f in found if f.manifest is not None or not is_manifest_required]
    if not complete:
        why = f"{found[0].path.name} came without its manifest" if found else "no file came"
        raise PullStopped(
            "missing",
            f"{delivery.name}: {why} ({pattern}).",
            f"Ask {delivery.contract.owner or delivery.provider} for the delivery"
            f"{' and its manifest' if is_manifest_required else ''}.",
        )
    return max(complete, key=lambda f: (f.manifest.revision if f.manifest else 0, f.path.name))


def _manifest(delivery: Delivery, path: Path) -> Manifest | None:
    beside = path.with_name(path.name + _MANIFEST_SUFFIX)
    if not beside.is_file():
        return None
    try:
        if beside.stat().st_size > 1 << 20:
            raise ValueError(beside.name)  # noqa: TRY301
        manifest = Manifest.model_validate_json(beside.read_bytes())
    except (ValidationError, ValueError):
        raise ManifestError(
            f"{delivery.name}: {beside.name} is not a manifest.",
            'Write {"file", "size_bytes", "sha256", "revision", "sent_at"} as JSON.',
        ) from None
    if manifest.file != path.name:
        raise ManifestError(
            f"{delivery.name}: {beside.name} names another file ({manifest.file!r}).",
            f"Name {path.name}, without folders.",
        )
    return manifest


def pull(home: Home, delivery: Delivery, drop: Path) -> RawBatch:
    """Keep a delivery's bytes under ``raw/`` and return the batch.

    Doing it again returns the same batch. Raises PullStopped for missing, refused and duplicate
    deliveries and ManifestError for bytes that are not what the manifest says (these are kept).
    """
    today = utc_now().astimezone(CITY_TZ).date()
    if delivery.business_date > today:
        raise PullStopped(
            "refused",
            f"{delivery.name}: the date lies in the future (today is {today}).",
            "Give a business date that has been.",
        )
    found = find(delivery, drop)
    origin = origin_of(drop)
    _refuse_above_ceiling(delivery, found, origin)
    _refuse_secret(delivery, found)
    digest = digest_file(found.path)
    batch_id = batch_id_of(delivery, digest.sha256)
    kept = list(_kept(home, delivery))
    _stop_duplicate(delivery, found, digest.sha256, kept)
    for raw in kept:
        if raw.batch_id == batch_id:
            return raw
    earlier = [r for r in kept if r.business_date == delivery.business_date]
    raw = RawBatch(
        contract_id=delivery.contract.id,
        contract_version=delivery.contract.version,
        provider=delivery.provider,
        dataset=delivery.contract.dataset,
        business_date=delivery.business_date,
        batch_id=batch_id,
        revision=1 + max((r.revision for r in earlier), default=0),
        origin=origin,
        file_name=found.path.name,
        size_bytes=digest.size_bytes,
        sha256=digest.sha256,
        sm3=digest.sm3,
        received_at=found.sent_at,
        started_at=utc_now(),
    )
    _keep(home, raw, found.path)
    return raw


def check_manifest(delivery: Delivery, raw: RawBatch, manifest: Manifest | None) -> None:
    """Raise ManifestError when the kept bytes are not what the provider announced."""
    if manifest is None:
        return
    if manifest.size_bytes != raw.size_bytes:
        raise ManifestError(
            f"{delivery.name}, {raw.file_name}: {raw.size_bytes} bytes arrived,"
            f" {manifest.size_bytes} were announced.",
            "Deliver the file again, whole.",
        )
    if manifest.sha256 != raw.sha256:
        raise ManifestError(
            f"{delivery.name}, {raw.file_name}: the SHA-256 is not the announced one.",
            "Deliver file and manifest again, from the same export.",
        )


def raw_file(home: Home, raw: RawBatch) -> Path:
    """Return where a batch's original bytes are kept."""
    return home.raw(raw.provider, raw.dataset, raw.batch_id) / raw.file_name


def kept_batch(home: Home, table: str, batch_id: str) -> RawBatch:
    """Return a batch by its kept manifest; FileNotFoundError if its bytes were never kept."""
    provider, _, dataset = table.partition("__")
    manifest = home.raw(provider, dataset, batch_id) / "manifest.json"
    return RawBatch.model_validate_json(manifest.read_bytes())


def _kept(home: Home, delivery: Delivery) -> Iterable[RawBatch]:
    folder = home.raw(delivery.provider, delivery.contract.dataset, "x").parent
    for manifest in sorted(folder.glob("*/manifest.json")):
        if not manifest.parent.name.startswith("."):
            yield RawBatch.model_validate_json(manifest.read_bytes())


def _keep(home: Home, raw: RawBatch, source: Path) -> None:
    """Copy the bytes and write the manifest, visible only when both are whole."""
    target = home.raw(raw.provider, raw.dataset, raw.batch_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        shutil.copyfile(source, building / raw.file_name)
        if digest_file(building / raw.file_name).sha256 != raw.sha256:
            _changed(raw)
        (building / "manifest.json").write_text(raw.model_dump_json(indent=2) + "\n", "utf-8")
        building.chmod(0o755)
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


def _changed(raw: RawBatch) -> NoReturn:
    raise ManifestError(
        f"{raw.table} {raw.business_date}: {raw.file_name} changed while it was read.",
        "Write the file under another name and rename it when it is complete.",
    )


def _refuse_secret(delivery: Delivery, found: Found) -> None:
    mark = secret_mark(found.path)
    if mark is None and delivery.contract.grading and delivery.contract.grading.gb43697 == "core":
        mark = "核心数据"
    if mark is not None:
        raise PullStopped(
            "refused",
            f"{delivery.name}: the file carries the mark {mark!r}; nothing of it was stored.",
            "State secrets are no government data (Decree 809, Art. 3): take it back, report it.",
        )


def _refuse_above_ceiling(delivery: Delivery, found: Found, origin: Origin) -> None:
    level = delivery.contract.level
    if origin == "real" and level > REAL_DATA_CEILING:
        raise PullStopped(
            "refused",
            f"{delivery.name}: {found.path.name} is real data at {level};"
            f" above {REAL_DATA_CEILING} it would have to be sealed. Nothing of it was stored.",
            "Run this contract on simulated data until sealing exists.",
        )


def _stop_duplicate(
    delivery: Delivery, found: Found, sha256: str, kept: Iterable[RawBatch]
) -> None:
    """Stop bytes that came before: a snapshot may repeat itself, a day's new rows may not."""
    if delivery.contract.load.mode not in ("append", "replace_period"):
        return
    for raw in kept:
        if raw.sha256 == sha256 and raw.business_date != delivery.business_date:
            raise PullStopped(
                "duplicate",
                f"{delivery.name}: {found.path.name} has the bytes of {raw.business_date}"
                f" (batch {raw.batch_id}).",
                "Deliver this date's own export.",
                raw.batch_id,
            )
