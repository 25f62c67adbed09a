"""Masks and seals: rows a second of each mask, and a sealed batch against the same one in clear.

Both sides run in turn on one Spark server, over the same rows, into real Parquet and Delta.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from contracts.delivery import Delivery
from contracts.layout import Home
from contracts.product import Release
from infra.sandbox.city import generate_day
from jobs import steps
from jobs.seal import on_spark
from jobs.share.masking import masked
from jobs.spark.session import session
from jobs.stages import LandedBatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.model import Contract
    from contracts.tree import Tree

_TRIES: Final = 3
_DAY: Final = date(2026, 7, 15)
_CONTRACTS: Final = ("health.health_record", "med_ins.claim_month", "edu.student")
_MASKS: Final[tuple[tuple[str, str, dict[str, object]], ...]] = (
    ("keep", "number", {}),
    ("prefix", "number", {"length": 6}),
    ("partial", "number", {"keep_first": 6, "keep_last": 1}),
    ("truncate_date", "day", {"to": "month"}),
    ("round_coordinate", "lon", {"to": 0.01}),
    ("generalise", "age", {"step": 10}),
    ("hmac_sm3", "number", {"purpose": "bench"}),
    ("sm4", "number", {"bureau": "bench"}),
)


@dataclass(frozen=True)
class Mask:
    """One mask over the rows: its median seconds, and rows a second."""

    name: str
    median_s: float
    rows_per_s: float


@dataclass(frozen=True)
class Sealed:
    """One contract's first load, landed, refined, audited and published: medians in seconds."""

    contract_id: str
    rows: int
    sealed_columns: int
    sealed_s: float
    plain_s: float

    @property
    def ratio(self) -> float:
        """The sealed batch over the same batch with its L4 columns at L3."""
        return round(self.sealed_s / self.plain_s, 2)


@dataclass(frozen=True)
class MaskingFigures:
    """What masking and sealing cost on this machine."""

    rows: int
    masks: tuple[Mask, ...]
    sealed: tuple[Sealed, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's own types."""
        found = asdict(self)
        for made, one in zip(found["sealed"], self.sealed, strict=True):
            made["ratio"] = one.ratio
        return found


def measure(folder: Path, tree: Tree, rows: int, tell: Callable[[str], None]) -> MaskingFigures:
    """Measure every mask over ``rows`` rows, and some sealed contracts' first loads."""
    tell(f"遮蔽 masks over {rows:,} rows …")
    masks = _masks(folder, rows)
    city = Home(folder / "city")
    generate_day(city, _DAY, providers={name.partition(".")[0] for name in _CONTRACTS})
    os.environ["JINGSHU_DROP"] = str(city.drop)
    sealed = []
    for name in _CONTRACTS:
        tell(f"封存 sealing {name} …")
        sealed.append(_sealed(folder, tree, tree.contract(name)))
    return MaskingFigures(rows, masks, tuple(sealed))


def _masks(folder: Path, rows: int) -> tuple[Mask, ...]:
    """Write the same rows under every mask in turn; ``keep`` is the bare write."""
    home = Home(folder / "masks")
    on_spark.register(home)
    spark = session()
    source = str(folder / "people.parquet")
    spark.range(rows).selectExpr(
        "CAST(110105194912310000 + id AS STRING) AS number",
        "date_add(DATE '1930-01-01', CAST(id % 30000 AS INT)) AS day",
        "116.0D + (id % 9999) / 10000D AS lon",
        "id % 100 AS age",
    ).write.parquet(source)
    people = spark.read.parquet(source)
    found: dict[str, list[float]] = {name: [] for name, _, _ in _MASKS}
    for _ in range(_TRIES):
        for name, column, arguments in _MASKS:
            text = masked(column, Release.model_validate({"mask": name, **arguments}))
            written = people.selectExpr(str(text)).write.mode("overwrite")
            began = time.perf_counter()
            written.parquet(str(folder / "masked.parquet"))
            found[name].append(time.perf_counter() - began)
    return tuple(_mask(name, rows, seconds) for name, seconds in found.items())


def _mask(name: str, rows: int, seconds: list[float]) -> Mask:
    median = statistics.median(seconds)
    return Mask(name, round(median, 3), round(rows / median))


def _sealed(folder: Path, tree: Tree, contract: Contract) -> Sealed:
    """Take a contract's first load from land to publish, sealed and in clear in turn."""
    found: dict[str, list[float]] = {"sealed": [], "plain": []}
    rows = 0
    sides = {"sealed": contract, "plain": _in_clear(contract)}
    for attempt in range(_TRIES + 1):  # the first of each warms Spark and its Python workers
        for side, judged in sides.items():
            home = Home(folder / f"{contract.dataset}-{side}-{attempt}")
            began = time.perf_counter()
            rows = _published(home, tree, judged)
            if attempt:
                found[side].append(time.perf_counter() - began)
    return Sealed(
        contract.id,
        rows,
        sum(c.effective_level == "L4" for c in contract.columns),
        round(statistics.median(found["sealed"]), 2),
        round(statistics.median(found["plain"]), 2),
    )


def _published(home: Home, tree: Tree, contract: Contract) -> int:
    judged = dataclasses.replace(tree, sources={**tree.sources, contract.id: contract})
    delivery = Delivery(contract, contract.servers[0].provider, _DAY)
    landed = steps.land_delivery(home, delivery)
    if not isinstance(landed, LandedBatch):
        raise TypeError(landed)
    steps.publish_verdict(home, judged, steps.audited(home, judged, landed))
    return landed.rows_landed


def _in_clear(contract: Contract) -> Contract:
    """Return the contract with its L4 columns at L3, so that nothing of it is sealed."""
    columns = tuple(
        c.model_copy(update={"level": "L3"}) if c.effective_level == "L4" else c
        for c in contract.columns
    )
    return contract.model_copy(update={"columns": columns})
