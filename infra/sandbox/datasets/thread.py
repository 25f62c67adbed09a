"""The first thread: cases, elder services, roads, supplies, grid cases, and two lists of firms."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import dirt, kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.dirt import to
from infra.sandbox.kinds import LAT, LON, MOMENT, MONTH, RESIDENT, STREET, USCC
from infra.sandbox.population import DISTRICTS, poisson, reference_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City, Person

#: An initial load of cases reaches back this far, and the heat wave this far of it.
HISTORY_DAYS: Final = 30
HEAT_WAVE_DAYS: Final = 9
_REPORT_LAG_DAYS: Final = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
_OTHER_CASES_PER_DAY: Final = 90
_GRID_INITIAL: Final = 1500
_GRID_NEW, _GRID_UPDATED, _GRID_DELETED = 160, 60, 12
_PLACES: Final = ("路口东北角", "小区南门", "公交站旁", "学校西侧", "农贸市场门口", "便道上")


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
    district, letters = DISTRICTS[day.provider]
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


_DISTRICT_NAME: Final = kinds.choice("宣武区", "崇文区", "亦庄")
_ORG_NAME: Final = kinds.words(60, least=4, filler="业")
_SEQ: Final = kinds.whole(1, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "health.disease_case": Dataset(
        disease_case,
        {
            "person_id": RESIDENT,
            "icd10": kinds.code("67.0", "t67.0", "T67.", "中暑", "T6")
            .and_odd(not_on_the_list=to("Z00", "S72.0", "W19", "H93.1"))
            .and_wrong("max_length", "pattern", too_long=to("T67.001", "J18.9001")),
            "onset_date": kinds.day(),
            "street_code": STREET,
        },
        twist="street_code",
        twist_values=("110101001", "110105002", "110108001"),
        null="/",
    ),
    "civil.elder_service": Dataset(
        elder_service,
        {
            "elder_id": RESIDENT,
            "service_code": kinds.whole(1, 12, is_free=False),
            "month": MONTH,
            "street_code": STREET,
            "units": kinds.whole(1, 200),
            "provider_uscc": USCC,
            "contact_phone": kinds.MOBILE.optional,
        },
        twist="units",
        twist_values=("41", "42", "43"),
        null="-",
    ),
    "transport.link_speed": Dataset(
        link_speed,
        {
            "link_id": kinds.code("L12345", "l000001", "L0000012", "路段7"),
            "observed_at": MOMENT.and_odd(on_the_bound=dirt.first_or_last_of_day),
            "speed_kmh": kinds.decimal(0, 150),
            "flow": kinds.whole(0, 2000).optional,
            "lon": LON,
            "lat": LAT,
        },
        twist="speed_kmh",
        twist_values=("11.7", "12.7", "13.7"),
        null="null",
    ),
    "emergency.depot_stock": Dataset(
        depot_stock,
        {
            "depot_id": kinds.code("DP1", "dp00001", "库房7"),
            "depot_name": kinds.words(40, least=2, filler="库").and_odd(
                quoted_newline=lambda n, _: f"{n}\n（二层）",
                quoted_delimiter=lambda n, _: f'{n};"东门"',
            ),
            "lon": LON.plain,
            "lat": LAT.plain,
            "item_code": kinds.code("HW1", "饮用水", "hw0001"),
            "qty": kinds.whole(0, 1000000),
            "expiry_date": kinds.day("yyyy/MM/dd").and_odd(leap_day=to("2028/02/29")),
            "duty_phone": kinds.PHONE,
            "vehicle_plate": kinds.PLATE.optional,
            "street_code": STREET,
        },
        twist="qty",
        twist_values=("7", "8", "9"),
        null="-",
    ),
    "district.grid_case": Dataset(
        grid_case,
        {
            "case_id": kinds.code("DC2026", "无编号", "dc20260701000001"),
            "reported_at": MOMENT,
            "category_code": kinds.known("A99", "Z01", "占道经营"),
            "street_code": STREET,
            "status": kinds.choice("已完成", "处理中", "结案"),
            "place_note": kinds.words(60, filler="边")
            .and_odd(
                quoted_newline=lambda n, _: f"{n}\n近便利店",
                quotes_and_commas=lambda n, _: f'{n},"老槐树"旁',
            )
            .optional,
            "lon": LON,
            "lat": LAT,
            "closed_at": MOMENT.optional,
            "is_deleted": kinds.choice("0", "N", "未删除"),
        },
        twist="category_code",
        twist_values=("A01", "B02", "C03"),
    ),
    "econ_it.innovation_base": Dataset(
        innovation_base,
        {"seq": _SEQ, "org_name": _ORG_NAME, "district": _DISTRICT_NAME, "uscc": USCC},
        twist="district",
        twist_values=("东城区", "西城区", "朝阳区"),
        null="-",
    ),
    "econ_it.integration_pilot": Dataset(
        integration_pilot,
        {
            "seq": _SEQ,
            "pilot_type": kinds.choice("区级", "省级"),
            "pilot_year": kinds.code("十七年", "2017", "2017国家"),
            "org_name": _ORG_NAME,
            "district": kinds.choice("宣武区", "开发区"),
            "ownership": kinds.words(10, filler="营").optional,
            "industry": kinds.words(40, filler="业").optional,
        },
        twist="district",
        twist_values=("东城区", "西城区", "朝阳区"),
        null="/",
    ),
}
