"""What the product has to show, worked out from the good rows without Spark, SQL or our rules."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox.dirt import normal
from infra.sandbox.population import REFERENCE, read_streets, reference_codes
from infra.sandbox.truth import Cell, DayTruth, DepotFacts, Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infra.sandbox.dataset import Cells
    from infra.sandbox.population import Street
    from infra.sandbox.truth import DeliveryTruth

K: Final = 20
REACH_KM: Final = 5.0
HEAT_WINDOW_DAYS: Final = 7
_EARTH_RADIUS_KM: Final = 6371.0088


def facts_of(contract_id: str, good: Iterable[Cells]) -> Facts:
    """Sum up the good rows of a delivery; datasets that feed no product have no facts."""
    summary = _SUMMARIES.get(contract_id)
    return summary(good) if summary else Facts()


def _elders(good: Iterable[Cells]) -> Facts:
    served: defaultdict[str, set[str]] = defaultdict(set)
    for row in good:
        served[normal(row["street_code"])].add(normal(row["elder_id"]))
    return Facts(elders={street: len(people) for street, people in sorted(served.items())})


def _cases(good: Iterable[Cells]) -> Facts:
    cases: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in good:
        if row["icd10"].startswith("T67"):
            cases[normal(row["street_code"])][date.fromisoformat(row["onset_date"])] += 1
    return Facts(heat_cases={s: dict(sorted(d.items())) for s, d in sorted(cases.items())})


def _depots(good: Iterable[Cells]) -> Facts:
    heat_items = set(reference_codes("heat_items", "item_code"))
    depots: dict[str, DepotFacts] = {}
    stock: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in good:
        if row["item_code"] in heat_items:
            expiry = date.fromisoformat(row["expiry_date"].replace("/", "-"))
            stock[row["depot_id"]][expiry] += int(row["qty"])
        depots[row["depot_id"]] = DepotFacts(
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            duty_phone_digits=_local_digits(row["duty_phone"]),
            heat_qty_by_expiry=stock[row["depot_id"]],
        )
    return Facts(
        depots={
            n: d.model_copy(update={"heat_qty_by_expiry": dict(sorted(stock[n].items()))})
            for n, d in sorted(depots.items())
        }
    )


def _local_digits(phone: str) -> str:
    digits = "".join(c for c in normal(phone).removeprefix("+86") if c.isdigit())
    return digits.removeprefix("010")


_SUMMARIES: Final[Mapping[str, Callable[[Iterable[Cells]], Facts]]] = {
    "civil.elder_service": _elders,
    "health.disease_case": _cases,
    "emergency.depot_stock": _depots,
}


def heat_readiness(days: Sequence[DayTruth], business_date: date) -> dict[str, Cell]:
    """Return the product's cells of a date from all truths up to it, or nothing.

    Nothing, where one of the three inputs has not been published yet.
    """
    known = sorted((d for d in days if d.business_date <= business_date), key=_date)
    services = [
        d
        for d in _published(known, "civil/elder_service")
        if (d.business_date.year, d.business_date.month)
        == (business_date.year, business_date.month)
    ]
    cases = _published(known, "health/disease_case")
    stock = _published(known, "emergency/depot_stock")
    if not (_published(known, "civil/elder_service") and cases and stock):
        return {}
    elders = services[-1].facts.elders if services else {}
    since = business_date - timedelta(HEAT_WINDOW_DAYS)
    heat: defaultdict[str, int] = defaultdict(int)
    for delivery in cases:
        for street, by_day in delivery.facts.heat_cases.items():
            heat[street] += sum(n for day, n in by_day.items() if since < day <= business_date)
    depots = stock[-1].facts.depots
    return {
        street.code: _cell(
            street, elders.get(street.code, 0), heat[street.code], depots, business_date
        )
        for street in read_streets(REFERENCE / "streets.csv")
    }


def _date(truth: DayTruth) -> date:
    return truth.business_date


def _published(days: Sequence[DayTruth], feed: str) -> list[DeliveryTruth]:
    found = (day.deliveries.get(feed) for day in days)
    return [d for d in found if d is not None and d.is_published]


def _cell(
    street: Street, elders: int, cases: int, depots: Mapping[str, DepotFacts], on: date
) -> Cell:
    distances = sorted((_distance_km(street, d), number) for number, d in depots.items())
    nearest_km, nearest = distances[0]
    reach = sum(
        quantity
        for km, number in distances
        if km <= REACH_KM
        for expiry, quantity in depots[number].heat_qty_by_expiry.items()
        if expiry >= on
    )
    return Cell(
        elders=elders,
        cases=cases,
        elders_served=None if 0 < elders < K else elders,
        heat_cases=None if 0 < cases < K else cases,
        suppressed=0 < elders < K or 0 < cases < K,
        supplies_in_reach=reach,
        nearest_depot_id=nearest,
        nearest_depot_km=round(nearest_km, 3),
        nearest_depot_lon=depots[nearest].lon,
        nearest_depot_lat=depots[nearest].lat,
        duty_phone_digits=depots[nearest].duty_phone_digits,
    )


def _distance_km(street: Street, depot: DepotFacts) -> float:
    """Great-circle distance by the vector formula, not the one the product uses."""
    a, b = _unit(street.lon, street.lat), _unit(depot.lon, depot.lat)
    return 2 * _EARTH_RADIUS_KM * math.asin(math.dist(a, b) / 2)


def _unit(lon: float, lat: float) -> tuple[float, float, float]:
    x, y = math.radians(lon), math.radians(lat)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)
