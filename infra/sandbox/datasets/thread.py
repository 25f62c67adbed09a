"""What each provider has to report on a day: clean rows, column name → text as it would be typed.

Rows follow from (seed, scale, first date, date) alone. A dataset's first delivery is its initial
load; later days bring increments (append, merge_key) or the state of the day (snapshots, months).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox.population import DISTRICT_LETTERS, poisson, reference_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from infra.sandbox.population import City, Person

Cells = dict[str, str]

#: An initial load of cases reaches back this far, and the heat wave this far of it.
HISTORY_DAYS: Final = 30
HEAT_WAVE_DAYS: Final = 9
_REPORT_LAG_DAYS: Final = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
_OTHER_CASES_PER_DAY: Final = 90
_GRID_INITIAL: Final = 1500
_GRID_NEW, _GRID_UPDATED, _GRID_DELETED = 160, 60, 12
_DISTRICT_IDS: Final = {"dongcheng": "110101", "chaoyang": "110105"}
_PLACES: Final = ("路口东北角", "小区南门", "公交站旁", "学校西侧", "农贸市场门口", "便道上")


@dataclass(frozen=True)
class Day:
    """What a generator is asked for: one provider's rows of one date."""

    city: City
    provider: str
    business_date: date
    first_date: date

    @property
    def is_initial(self) -> bool:
        """Whether this is the dataset's first delivery."""
        return self.business_date == self.first_date

    def rng(self, *purpose: object) -> Random:
        """Return a generator that no other provider, date or purpose shares."""
        return self.city.rng(self.provider, self.business_date, *purpose)


def disease_case(day: Day) -> list[Cells]:
    """Report the cases that reach the bureau: most on the day of onset, some one or two later."""
    back = HISTORY_DAYS if day.is_initial else max(_REPORT_LAG_DAYS) + 1
    found = []
    for ago in range(back - 1, -1, -1):
        onset = day.business_date - timedelta(ago)
        for lag, cells in _cases_of(day.city, onset, day.first_date):
            if lag == ago or (day.is_initial and lag <= ago):
                found.append(cells)
    return found


def _cases_of(city: City, onset: date, first_date: date) -> Iterator[tuple[int, Cells]]:
    """Yield (days until reported, case) for one day of onset, whoever asks and whenever."""
    rng = city.rng("cases", onset)
    heat = [c for c in reference_codes("disease_200", "icd10") if c.startswith("T67")]
    other = [c for c in reference_codes("disease_200", "icd10") if not c.startswith("T67")]
    in_wave = onset > first_date - timedelta(HEAT_WAVE_DAYS)
    people: list[tuple[Person, str]] = []
    for street, rate in city.heat_per_day.items():
        count = min(poisson(rng, rate if in_wave else rate * 0.05), 40 * city.scale)
        people += [(p, rng.choice(heat)) for p in rng.sample(city.residents[street], count)]
    ill = {p.number for p, _ in people}
    for _ in range(poisson(rng, _OTHER_CASES_PER_DAY * city.scale)):
        # One in twelve is an elder, so that health and civil affairs speak of the same persons.
        street = rng.choice(city.streets).code
        person = (
            rng.choice(city.elders) if rng.random() < 1 / 12 else rng.choice(city.residents[street])
        )
        if person.number not in ill:
            ill.add(person.number)
            people.append((person, rng.choice(other)))
    rng.shuffle(people)
    for person, code in people:
        yield (
            rng.choice(_REPORT_LAG_DAYS),
            {
                "person_id": person.number,
                "icd10": code,
                "onset_date": onset.isoformat(),
                "street_code": person.street_code,
            },
        )


def elder_service(day: Day) -> list[Cells]:
    """Report the month to date: who was served, with what, how often so far."""
    month = f"{day.business_date:%Y-%m}"
    rng = day.city.rng("services", month)
    found = []
    for number, elder in enumerate(day.city.elders):
        firm = day.city.care_firms[number % len(day.city.care_firms)]
        has_phone = number % 5 != 0
        for service in elder.services:
            rate = rng.uniform(1, 40)
            if elder.enrolled_day > day.business_date.day:
                continue
            found.append(
                {
                    "elder_id": elder.number,
                    "service_code": str(service),
                    "month": month,
                    "street_code": elder.street_code,
                    "units": str(1 + int(rate * day.business_date.day / 31)),
                    "provider_uscc": firm.code,
                    "contact_phone": elder.mobile if has_phone else "",
                }
            )
    return found


def link_speed(day: Day) -> list[Cells]:
    """Report twenty-four five-minute slots of the morning peak on every link."""
    rng = day.rng("speed")
    start = datetime.combine(day.business_date, time(7, 0))
    slots = [f"{start + timedelta(minutes=5 * n):%Y-%m-%d %H:%M:%S}" for n in range(24)]
    return [
        {
            "link_id": link.number,
            "observed_at": slot,
            "speed_kmh": f"{min(149.0, max(2.0, rng.gauss(link.free_flow_kmh * 0.6, 6))):.1f}",
            "flow": str(rng.randint(4, 420)) if rng.random() < 0.93 else "",  # noqa: PLR2004
            "lon": f"{link.lon:.6f}",
            "lat": f"{link.lat:.6f}",
        }
        for link in day.city.links
        for slot in slots
    ]


def depot_stock(day: Day) -> list[Cells]:
    """Report the full stock list; quantities shrink a little from day to day and are refilled."""
    rng = day.rng("stock")
    return [
        {
            "depot_id": depot.number,
            "depot_name": depot.name,
            "lon": f"{depot.lon:.6f}",
            "lat": f"{depot.lat:.6f}",
            "item_code": item,
            "qty": str(int(quantity * rng.uniform(0.9, 1.0))),
            "expiry_date": f"{expiry:%Y/%m/%d}",
            "duty_phone": depot.phone,
            "vehicle_plate": depot.plate,
            "street_code": depot.street_code,
        }
        for depot in day.city.depots
        for item, (quantity, expiry) in depot.items.items()
    ]


def grid_case(day: Day) -> list[Cells]:
    """Report a district's cases: first all open ones, then new, changed and withdrawn ones."""
    scale = day.city.scale
    if day.is_initial:
        return list(_new_cases(day, day.first_date, _GRID_INITIAL * scale, days=20))
    rng = day.rng("changes")
    found = list(_new_cases(day, day.business_date, _GRID_NEW * scale, days=1))
    known = list(_new_cases(day, day.first_date, _GRID_INITIAL * scale, days=20))
    # Only every tenth case is ever withdrawn and only the others change, whatever days are made.
    changed = rng.sample([c for n, c in enumerate(known) if n % 10], _GRID_UPDATED * scale)
    withdrawn = rng.sample(known[::10], _GRID_DELETED * scale)
    closed = f"{datetime.combine(day.business_date, time(16, 30)):%Y-%m-%d %H:%M:%S}"
    if day.business_date > day.first_date:
        found += [{**c, "status": "已结案", "closed_at": closed} for c in changed]
        found += [{**c, "is_deleted": "是"} for c in withdrawn]
    rng.shuffle(found)
    return found


def _new_cases(day: Day, until: date, count: int, days: int) -> Iterator[Cells]:
    district = _DISTRICT_IDS[day.provider]
    letters = DISTRICT_LETTERS[district]
    rng = day.city.rng(day.provider, "new cases", until, count)
    streets = [s for s in day.city.streets if s.district_code == district]
    categories = reference_codes("grid_category", "category_code")
    for number in range(1, count + 1):
        street = rng.choice(streets)
        reported = datetime.combine(until, time(6, 0)) - timedelta(
            days=rng.randrange(days), minutes=-rng.randrange(12 * 60)
        )
        status = rng.choices(("待派遣", "处置中", "已结案", "作废"), (20, 35, 42, 3))[0]
        closed = min(
            reported + timedelta(minutes=rng.randint(20, 3000)),
            datetime.combine(until, time(19, 0)),
        )
        yield {
            "case_id": f"{letters}{until:%Y%m%d}{number:06d}",
            "reported_at": f"{reported:%Y-%m-%d %H:%M:%S}",
            "category_code": rng.choice(categories),
            "street_code": street.code,
            "status": status,
            "place_note": f"{street.name}{rng.choice(_PLACES)}" if rng.random() < 0.8 else "",  # noqa: PLR2004
            "lon": f"{street.lon + rng.uniform(-0.008, 0.008):.6f}",
            "lat": f"{street.lat + rng.uniform(-0.008, 0.008):.6f}",
            "closed_at": f"{closed:%Y-%m-%d %H:%M:%S}" if status == "已结案" else "",
            "is_deleted": "否",
        }


def innovation_base(day: Day) -> list[Cells]:
    """Report the list of bases, whole each time."""
    return [
        {"seq": str(n), "org_name": f.name, "district": f.district, "uscc": f.code}
        for n, f in enumerate(day.city.firms[:110], start=1)
    ]


def integration_pilot(day: Day) -> list[Cells]:
    """Report the list of pilots, whole each time; the layout has no codes to join by."""
    rng = day.city.rng("pilots")
    return [
        {
            "seq": str(n),
            "pilot_type": "国家级" if n <= 10 else "市级",  # noqa: PLR2004
            "pilot_year": f"{2013 + n // 8}国家级" if n <= 10 else f"{2013 + n // 8}市级第一批",  # noqa: PLR2004
            "org_name": firm.name,
            "district": firm.district,
            "ownership": rng.choice(("民企", "国企", "三资", "")),
            "industry": rng.choice(("医药", "建材", "汽车零部件", "机械、电子", "")),
        }
        for n, firm in enumerate(day.city.firms[110:], start=1)
    ]


#: Contract id → its rows. A dataset the sandbox does not play has no entry.
GENERATORS: Final[Mapping[str, Callable[[Day], list[Cells]]]] = {
    "health.disease_case": disease_case,
    "civil.elder_service": elder_service,
    "transport.link_speed": link_speed,
    "emergency.depot_stock": depot_stock,
    "district.grid_case": grid_case,
    "econ_it.innovation_base": innovation_base,
    "econ_it.integration_pilot": integration_pilot,
}
