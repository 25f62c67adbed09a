"""Puts files into the drop folder: on time, late, twice, cut short, in another layout, or not."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from contracts.delivery import BatchStatus, DeliveryState
    from contracts.model import Contract
    from contracts.tree import Feed
    from infra.sandbox.truth import DeliveryFault

#: How a delivery with a fault has to end: its state, and its batch's where there is one.
OUTCOMES: Final[Mapping[DeliveryFault | None, tuple[DeliveryState, BatchStatus | None]]] = {
    None: ("received", "published"),
    "corrected": ("received", "published"),
    "late": ("late", "published"),
    "held": ("received", "held"),
    "truncated": ("received", "rejected"),
    "drifted": ("received", "rejected"),
    "secret": ("refused", None),
    "duplicate": ("duplicate", None),
    "missing": ("missing", None),
}
#: After these nothing could be taken in: the provider sends its whole load on the next day.
_NOT_TAKEN_IN: Final = ("missing", "secret", "truncated", "drifted")
_FIRST_DAY: Final[Mapping[str, DeliveryFault]] = {
    "econ_it/innovation_base": "held",
    "econ_it/integration_pilot": "missing",
    "sport/venue": "late",
    "relics/protected_site": "drifted",
    "foreign/visit": "secret",
    "fin_office/local_finance": "truncated",
}
#: Later days: one fault a day on the first thread's feeds, in turn, so that a week shows each.
_ROTA: Final[tuple[tuple[str, DeliveryFault], ...]] = (
    ("transport/link_speed", "held"),
    ("transport/link_speed", "duplicate"),
    ("econ_it/innovation_base", "secret"),
    ("econ_it/integration_pilot", "drifted"),
    ("chaoyang/grid_case", "truncated"),
    ("civil/elder_service", "late"),
    ("emergency/depot_stock", "missing"),
)
#: And one on any other feed that owes the date.
_OTHERS: Final[tuple[DeliveryFault, ...]] = (
    "missing", "late", "held", "truncated", "drifted", "secret", "duplicate", "corrected",
)  # fmt: skip
#: Loads whose deliveries differ from day to day, so that the same bytes again are a duplicate.
_REPEATABLE: Final = ("append", "replace_period")
_SENT_AT: Final = time(23, 20, tzinfo=CITY_TZ)
_TRUNCATED_TO: Final = 0.7


def default_plan(
    days_since_first: int, feeds: Sequence[str], seed: int
) -> dict[str, DeliveryFault]:
    """Return the delivery faults of a day that nobody chose any for.

    ``feeds`` are those that owe the date. On the first day every feed of the product and of the six
    main contracts is healthy, except a list of firms that is held, and one list more that does not
    come; four of the other registers show the other faults.
    """
    if days_since_first <= 0:
        return {feed: fault for feed, fault in _FIRST_DAY.items() if feed in feeds}
    feed, fault = _ROTA[days_since_first % len(_ROTA)]
    plan = {feed: fault}
    in_rota = {name for name, _ in _ROTA}
    if others := sorted(set(feeds) - in_rota):
        chosen = Random(f"{seed}/{days_since_first}/fault").choice(others)
        plan[chosen] = _OTHERS[days_since_first % len(_OTHERS)]
    return plan


def is_taken_in(fault: DeliveryFault | None) -> bool:
    """Tell whether a delivery with this fault can be taken in, be it held."""
    return fault not in _NOT_TAKEN_IN


@dataclass(frozen=True)
class Parcel:
    """A file on its way into the drop folder."""

    name: str
    content: bytes
    rows: int
    revision: int
    sent_at: datetime
    announced: bytes | None = None
    """What the manifest speaks of, where that is not what arrives."""


def folder_of(drop: Path, feed: Feed, business_date: date) -> Path:
    """Return ``<drop>/<provider>/<dataset>/<date>``, as the contract's server path has it."""
    path = feed.contract.server(feed.provider).path.removeprefix("{drop}/")
    return (drop / path.replace("{date}", business_date.isoformat())).parent


def sent_at(contract: Contract, business_date: date, fault: DeliveryFault | None) -> datetime:
    """Return when the provider sends: late in the evening, or three hours after it was due."""
    if fault == "late":
        return contract.schedule.due_at(business_date) + timedelta(hours=3)
    return datetime.combine(business_date, _SENT_AT)


def truncated(parcel: Parcel) -> Parcel:
    """Lose the end of the file on the way; the manifest still speaks of all of it."""
    whole = parcel.content
    return Parcel(
        parcel.name,
        whole[: int(len(whole) * _TRUNCATED_TO)],
        parcel.rows,
        parcel.revision,
        parcel.sent_at,
        announced=whole,
    )


def can_suffer(drop: Path, feed: Feed | None, business_date: date, fault: DeliveryFault) -> bool:
    """Tell whether a fault shows in a feed's delivery of a date.

    Nothing comes twice where nothing came the day before or where it is the whole state; what is
    cut short or corrected shows by its manifest.
    """
    if feed is None:
        return False
    if fault == "duplicate":
        is_repeatable = feed.contract.load.mode in _REPEATABLE
        return is_repeatable and yesterdays(drop, feed, business_date) is not None
    has_manifest = feed.contract.server(feed.provider).export.manifest == "required"
    return has_manifest or fault not in ("truncated", "corrected")


def yesterdays(drop: Path, feed: Feed, business_date: date) -> bytes | None:
    """Return the bytes that came the day before, or None.

    Raises UsageError for a feed that sends its whole state: the same again is no duplicate there.
    """
    if feed.contract.load.mode not in _REPEATABLE:
        name = f"{feed.provider}/{feed.contract.dataset}"
        raise UsageError(
            Words(
                f"{name} 每次都交付全部状态：再次交付相同的内容不算重复。",
                f"{name} sends its whole state each time: the same bytes again are no duplicate.",
            ),
            Words(
                "请选择加载方式为 append 或 replace_period 的交付。",
                "Choose a feed with load append or replace_period.",
            ),
        )
    before = business_date - timedelta(1)
    folder = folder_of(drop, feed, before)
    suffix = feed.contract.server(feed.provider).format
    files = [f for f in sorted(folder.glob(f"*.{suffix}")) if not f.name.startswith(".")]
    return files[0].read_bytes() if files else None


def deliver(folder: Path, parcel: Parcel, *, has_manifest: bool) -> Path:
    """Write the file, then its manifest; what is there with the same bytes stays as it is."""
    file = folder / parcel.name
    _write(file, parcel.content, parcel.sent_at)
    if has_manifest:
        whole = parcel.content if parcel.announced is None else parcel.announced
        manifest = {
            "file": parcel.name,
            "size_bytes": len(whole),
            "sha256": hashlib.sha256(whole).hexdigest(),
            "sm3": hashlib.new("sm3", whole).hexdigest(),
            "rows": parcel.rows,
            "revision": parcel.revision,
            "sent_at": parcel.sent_at.isoformat(),
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
        _write(folder / f"{parcel.name}.manifest.json", text.encode(), parcel.sent_at)
    return file


def _write(file: Path, content: bytes, sent: datetime) -> None:
    """Write whole or not at all: a reader may be looking."""
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    os.utime(part, (sent.timestamp(), sent.timestamp()))
    part.replace(file)
