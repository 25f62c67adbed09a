"""The drop folder: finds the newest complete file of a delivery, and what its manifest says.

Nothing is copied here; a stranger's names, links and manifests are only looked at.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from contracts.errors import JingshuError
from contracts.model import CITY_TZ
from contracts.moment import utc_now
from contracts.words import Words
from jobs.pull.secrecy import mark_in_name

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.delivery import Delivery, DeliveryState, Origin
    from jobs.stages import Batch

SANDBOX_MARK: Final = ".jingshu-sandbox.json"
_MANIFEST_SUFFIX: Final = ".manifest.json"
_MAX_MANIFEST_BYTES: Final = 1 << 20
#: What ``raw/`` calls our own manifest; a delivered file of this name is kept under another.
_KEPT_MANIFEST: Final = "manifest.json"
#: A readable name leaves room for what the file system adds.
_MAX_NAME_BYTES: Final = 200
_YEARS: Final = (1970, 2200)
_KEYS: Final = '{"file", "size_bytes", "sha256", "rows", "revision", "sent_at"}'


class Manifest(BaseModel):
    """What a provider says of the file it sends; extra keys are its own business."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    size_bytes: int
    sha256: str
    sm3: str | None = None
    rows: int | None = Field(default=None, ge=0)
    revision: int = 1
    sent_at: AwareDatetime | None = None

    @field_validator("sha256", "sm3")
    @classmethod
    def _lower(cls, digest: str | None) -> str | None:
        return digest.lower() if digest else None

    @field_validator("sent_at")
    @classmethod
    def _in_our_time(cls, moment: datetime | None) -> datetime | None:
        """Refuse moments that no clock shows and that UTC cannot hold."""
        if moment is not None and not _YEARS[0] <= moment.year <= _YEARS[1]:
            raise ValueError(f"sent_at lies in the year {moment.year}")
        return moment


class PullStopped(JingshuError):  # noqa: N818  (an outcome, not a fault of ours)
    """A delivery that does not become a batch: missing, refused, or seen before."""

    def __init__(
        self, state: DeliveryState, problem: Words, remedy: Words, batch_id: str | None = None
    ) -> None:
        super().__init__(problem, remedy)
        self.state = state
        self.batch_id = batch_id

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Keep all arguments: exceptions cross process borders."""
        return type(self), (self.state, self.problem, self.remedy, self.batch_id)


class SecretStopped(PullStopped):
    """Secret or core data: ``mark`` says by what, ``file`` where it lies, which is never told."""

    def __init__(self, problem: Words, remedy: Words, mark: str, file: Path) -> None:
        super().__init__("refused", problem, remedy)
        self.mark = mark
        self.file = file

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Keep all arguments: exceptions cross process borders."""
        return type(self), (self.problem, self.remedy, self.mark, self.file)


class ManifestError(JingshuError, ValueError):
    """A file that is not what its manifest says."""


@dataclass(frozen=True)
class Found:
    """The newest complete file of a delivery, before anything is copied."""

    path: Path
    manifest: Manifest | None
    problem: ManifestError | None = None
    """Why the manifest beside the file is none; its bytes are kept and rejected for it."""

    @property
    def name(self) -> str:
        """The file's name as ``raw/`` keeps it: readable text, and never our own manifest's."""
        name = _readable(self.path.name)
        return name if name != _KEPT_MANIFEST else f"delivered-{name}"

    @property
    def sent_at(self) -> datetime:
        """When the provider sent it: by its manifest, else by the file's time."""
        if self.manifest is not None and self.manifest.sent_at is not None:
            return self.manifest.sent_at.astimezone(UTC)
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


def origin_of(drop: Path) -> Origin:
    """Tell whether a drop root is the sandbox's: its marker file says so, nothing else does."""
    try:
        marker = json.loads((drop / SANDBOX_MARK).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return "real"
    is_simulated = isinstance(marker, dict) and marker.get("origin") == "simulated"
    return "simulated" if is_simulated else "real"


def find(delivery: Delivery, drop: Path) -> Found:
    """Return the newest complete file of a delivery in the drop folder.

    A file whose manifest is unreadable counts as the newest if it came last. Raises PullStopped
    for a date in the future, a link that leaves the drop, a marked name, or when nothing came.
    """
    _refuse_future(delivery)
    server = delivery.contract.server(delivery.provider)
    pattern = server.path.removeprefix("{drop}/")
    pattern = pattern.replace("{date}", delivery.business_date.isoformat())
    paths = [p for p in sorted(drop.glob(pattern)) if _is_delivered(p)]
    for path in paths:
        mark = mark_in_name(_readable(path.name))
        if mark is not None:
            refuse_marked(delivery, mark, path)
        if not path.resolve().is_relative_to(drop.resolve()):
            name = _readable(path.name)
            raise PullStopped(
                "refused",
                Words(
                    f"{delivery.name}：{name} 是指向投递目录之外的链接。",
                    f"{delivery.name}: {name} is a link that leaves the drop folder.",
                ),
                Words("请投递文件本身。", "Deliver the file itself."),
            )
    is_manifest_required = server.export.manifest == "required"
    found = [found_at(delivery, path) for path in paths]
    complete = [f for f in found if f.problem is None]
    if is_manifest_required:
        complete = [f for f in complete if f.manifest is not None]
    broken = [f for f in found if f.problem is not None]
    newest = max(
        complete,
        key=lambda f: (f.manifest.revision if f.manifest else 0, f.path.name),
        default=None,
    )
    last = max(broken, key=lambda f: f.path.stat().st_mtime_ns, default=None)
    if last is not None and (
        newest is None or last.path.stat().st_mtime_ns > newest.path.stat().st_mtime_ns
    ):
        return last
    if newest is None:
        raise _nothing_came(delivery, pattern, found[0].name if found else None)
    return newest


def _nothing_came(delivery: Delivery, pattern: str, without_manifest: str | None) -> PullStopped:
    why = (
        Words(
            f"{without_manifest} 到了而其清单未到",
            f"{without_manifest} came without its manifest",
        )
        if without_manifest
        else Words("没有文件到来", "no file came")
    )
    is_manifest_required = delivery.contract.server(delivery.provider).export.manifest == "required"
    zh, en = ("及其清单", " and its manifest") if is_manifest_required else ("", "")
    asked = delivery.contract.owner or delivery.provider
    return PullStopped(
        "missing",
        Words(
            f"{delivery.name}：{why.zh}（{pattern}）。", f"{delivery.name}: {why.en} ({pattern})."
        ),
        Words(f"请向 {asked} 索取该次交付{zh}。", f"Ask {asked} for the delivery{en}."),
    )


def _is_delivered(path: Path) -> bool:
    is_ours = path.name.startswith(".") or path.name.endswith((_MANIFEST_SUFFIX, ".part", ".tmp"))
    return not is_ours and path.is_file()


def _readable(name: str) -> str:
    """Return a file name as text that can be stored: names that are not UTF-8 are GB18030."""
    stored = os.fsencode(name)
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        text = stored.decode("gb18030", "replace")
        return text.encode()[-_MAX_NAME_BYTES:].decode("utf-8", "ignore")


def _refuse_future(delivery: Delivery) -> None:
    today = utc_now().astimezone(CITY_TZ).date()
    if delivery.business_date > today:
        raise PullStopped(
            "refused",
            Words(
                f"{delivery.name}：日期在未来（今天是 {today}）。",
                f"{delivery.name}: the date lies in the future (today is {today}).",
            ),
            Words("请给出已过去的业务日期。", "Give a business date that has been."),
        )


def found_at(delivery: Delivery, path: Path) -> Found:
    """Return a file with the manifest beside it; what is wrong with it is kept, not raised."""
    beside = path.with_name(path.name + _MANIFEST_SUFFIX)
    name = _readable(beside.name)
    try:
        with beside.open("rb") as handle:
            text = handle.read(_MAX_MANIFEST_BYTES + 1)
    except OSError:  # there is none, or the file's name leaves no room for one
        return Found(path, None)
    try:
        if len(text) > _MAX_MANIFEST_BYTES:
            raise ValueError(name)  # noqa: TRY301  (one remedy for all that is no manifest)
        manifest = Manifest.model_validate_json(text)
    except (ValidationError, ValueError):
        return Found(
            path,
            None,
            ManifestError(
                Words(
                    f"{delivery.name}：{name} 不是清单。",
                    f"{delivery.name}: {name} is not a manifest.",
                ),
                Words(f"请以 JSON 写出 {_KEYS}。", f"Write {_KEYS} as JSON."),
            ),
        )
    if manifest.file != _readable(path.name):
        return Found(
            path,
            None,
            ManifestError(
                Words(
                    f"{delivery.name}：{name} 所写的不是其旁边的文件。",
                    f"{delivery.name}: {name} names another file than it stands beside.",
                ),
                Words(
                    f"请写 {_readable(path.name)}，不带目录。",
                    f"Name {_readable(path.name)}, without folders.",
                ),
            ),
        )
    return Found(path, manifest)


def refuse_marked(delivery: Delivery, mark: str, file: Path) -> NoReturn:
    """Refuse a delivery that carries a secrecy mark; the file itself is never named."""
    raise SecretStopped(
        Words(
            f"{delivery.name}：文件带有密级标志 {mark!r}；其内容一概未存。",
            f"{delivery.name}: the file carries the mark {mark!r}; nothing of it was stored.",
        ),
        Words(
            "国家秘密不属于政务数据（国令第 809 号第三条）：请收回并报告。",
            "State secrets are no government data (Decree 809, Art. 3): take it back, report it.",
        ),
        mark,
        file,
    )


def check_manifest(delivery: Delivery, batch: Batch, found: Found) -> None:
    """Raise ManifestError when the kept bytes are not what the provider announced."""
    if found.problem is not None:
        raise found.problem
    manifest = found.manifest
    if manifest is None:
        return
    if manifest.size_bytes != batch.size_bytes:
        raise ManifestError(
            Words(
                f"{delivery.name}，{batch.file_name}：收到 {batch.size_bytes} 字节，"
                f"清单称 {manifest.size_bytes} 字节。",
                f"{delivery.name}, {batch.file_name}: {batch.size_bytes} bytes arrived,"
                f" {manifest.size_bytes} were announced.",
            ),
            Words("请重新完整交付该文件。", "Deliver the file again, whole."),
        )
    is_announced = manifest.sha256 == batch.sha256 and manifest.sm3 in (None, batch.sm3)
    if not is_announced:
        algorithm = "SM3" if manifest.sha256 == batch.sha256 else "SHA-256"
        raise ManifestError(
            Words(
                f"{delivery.name}，{batch.file_name}：{algorithm} 与清单不符。",
                f"{delivery.name}, {batch.file_name}: the {algorithm} is not the announced one.",
            ),
            Words(
                "请从同一次导出重新交付文件和清单。",
                "Deliver file and manifest again, from the same export.",
            ),
        )
