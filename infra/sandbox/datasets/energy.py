"""Energy, buildings, carbon and air: what is burnt, what for, and what comes of it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds, registers
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets.economy import scale_firms
from infra.sandbox.kinds import DISTRICT, LAT, LON, MOMENT, STREET, USCC
from infra.sandbox.population import DISTRICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City

HISTORY_DAYS: Final = 30
#: Firms need so much less fuel for the same output each year.
CARBON_CUT_A_YEAR: Final = 0.033
#: A retrofitted building uses so much less than another of its kind.
RETROFIT_SAVING: Final = 0.14
#: The share of buildings that each supplier meters.
METERED_SHARE: Final = {"x_grid": 0.985, "x_gas": 0.94, "x_heat": 0.96}
#: A day's use of a m²: always, and more for each degree of heating or of cooling.
_USE_OF: Final = {
    "x_grid": ("电", "千瓦时", 0.16, 0.002, 0.018),
    "x_gas": ("气", "立方米", 0.004, 0.0009, 0.0),
    "x_heat": ("热", "吉焦", 0.00003, 0.00012, 0.0),
}
#: Fuel: unit, factor (t CO₂ a unit), share of firms that use it, and how much.
_FUELS: Final = {
    "外购电力": ("万千瓦时", 5.58, 1.0, 5.0),
    "天然气": ("万立方米", 21.62, 0.7, 3.2),
    "外购热力": ("吉焦", 0.11, 0.5, 8.0),
    "柴油": ("吨", 3.1, 0.35, 3.0),
}
_CARBON_FIRMS, _AIR_STATIONS = 900, 35
_HEATED_BELOW, _COOLED_ABOVE = 18.0, 26.0
#: The hill districts are colder than the city (℃).
_COLDER: Final = {"110109": 2.1, "110116": 1.9, "110117": 1.2, "110118": 2.2, "110119": 3.6}


def mean_temperature(city: City, on: date, district: str) -> float:
    """Return a district's mean temperature of a day (℃), to a tenth."""
    turn = math.cos(2 * math.pi * (on.timetuple().tm_yday - 18) / 365)
    weather = city.rng("weather", on).gauss(0, 2.2)
    return round(13.0 - 15.5 * turn + weather - _COLDER.get(district, 0.0), 1)


def degree_days(mean_c: float) -> tuple[float, float]:
    """Return a day's degrees of heating (below 18 ℃) and of cooling (above 26 ℃)."""
    return (
        round(max(0.0, _HEATED_BELOW - mean_c), 1),
        round(max(0.0, mean_c - _COOLED_ABOVE), 1),
    )


def degree_day(day: Day) -> list[Cells]:
    """Report the districts' temperatures and degree days; the first load has a month of them."""
    found = []
    for ago in range(HISTORY_DAYS - 1 if day.is_initial else 0, -1, -1):
        on = day.business_date - timedelta(ago)
        rng = day.city.rng("temperatures", on)
        for district, _ in DISTRICTS.values():
            mean = mean_temperature(day.city, on, district)
            heating, cooling = degree_days(mean)
            found.append(
                {
                    "district_code": district,
                    "stat_date": on.isoformat(),
                    "mean_temp_c": f"{mean:.1f}",
                    "max_temp_c": f"{mean + rng.uniform(3, 7):.1f}",
                    "min_temp_c": f"{mean - rng.uniform(3, 7):.1f}",
                    "heating_degree_days": f"{heating:.1f}",
                    "cooling_degree_days": f"{cooling:.1f}",
                }
            )
    return found


def retrofit_years(city: City) -> dict[str, int]:
    """Return the buildings that were made to save energy, and when: the old ones rather."""
    rng = city.rng("retrofits")
    found = {}
    for building in city.buildings:
        draw, year = rng.random(), rng.randint(2012, 2024)
        if draw < (0.45 if building.year < 2005 else 0.06) and building.year < year:  # noqa: PLR2004
            found[building.place.number] = year
    return found


def building(day: Day) -> list[Cells]:
    """Report the register of larger buildings."""
    retrofits, rng = retrofit_years(day.city), day.city.rng("floors")
    return [
        {
            "building_id": b.place.number,
            "building_name": b.place.name,
            "building_use": b.use,
            "built_year": str(b.year),
            "area_m2": str(b.area_m2),
            "floor_count": str(1 + min(40, int(b.area_m2 / rng.randint(900, 2600)))),
            "retrofit_year": str(retrofits.get(b.place.number, "")),
            "street_code": b.place.street_code,
            "lon": f"{b.place.lon:.6f}",
            "lat": f"{b.place.lat:.6f}",
        }
        for b in day.city.buildings
    ]


def energy_day(day: Day) -> list[Cells]:
    """Report a day's use of every building that the supplier meters."""
    kind, unit, always, heating_m2, cooling_m2 = _USE_OF[day.provider]
    metered, habits = day.city.rng("metered", day.provider), day.city.rng("use", day.provider)
    retrofits, now = retrofit_years(day.city), day.rng("use")
    degrees = {
        district: degree_days(mean_temperature(day.city, day.business_date, district))
        for district, _ in DISTRICTS.values()
    }
    found = []
    for b in day.city.buildings:
        own = habits.lognormvariate(0, 0.35)
        if metered.random() >= METERED_SHARE[day.provider]:
            continue
        heating, cooling = degrees[b.place.street_code[:6]]
        a_m2 = always + heating * heating_m2 + cooling * cooling_m2
        saved = RETROFIT_SAVING if b.place.number in retrofits else 0.0
        used = b.area_m2 * a_m2 * own * (1 - saved) * now.uniform(0.92, 1.08)
        found.append(
            {
                "building_id": b.place.number,
                "stat_date": day.business_date.isoformat(),
                "energy_kind": kind,
                "energy_use": f"{used:.3f}",
                "energy_unit": unit,
                "reading_mode": "估算" if now.random() < 0.02 else "远传",  # noqa: PLR2004
            }
        )
    return found


def carbon_report(day: Day) -> list[Cells]:
    """Report last year and, to hold it against, the year before, with the same factors."""
    firms = scale_firms(day.city)[: _CARBON_FIRMS * day.city.scale]
    last = day.business_date.year - 1
    found = []
    for year in (last - 1, last):
        size, now = day.city.rng("fuels"), day.city.rng("fuels", year)
        left = (1 - CARBON_CUT_A_YEAR) ** (year - 2020)
        for firm in firms:
            for fuel, (unit, factor, share, scale) in _FUELS.items():
                used, amount = size.random() < share, size.lognormvariate(scale, 0.9)
                activity = round(1 + amount * left * now.uniform(0.97, 1.03), 2)
                if used:
                    found.append(
                        {
                            "uscc": firm.code,
                            "year": str(year),
                            "org_name": firm.name,
                            "fuel_kind": fuel,
                            "activity_amount": f"{activity:.2f}",
                            "activity_unit": unit,
                            "emission_tco2": f"{activity * factor:.2f}",
                            "verify_state": now.choice(("已核查", "已核查", "待核查")),
                        }
                    )
    return found


def air_hour(day: Day) -> list[Cells]:
    """Report the day's 24 hours of every air station."""
    places, rng = day.city.rng("air stations"), day.rng("air")
    streets = places.sample(day.city.streets, _AIR_STATIONS)
    stations = [
        registers.place(places, s, f"AQ{n:03d}", s.name) for n, s in enumerate(streets, start=1)
    ]
    dust = rng.lognormvariate(3.3, 0.5)
    found = []
    for spot in stations:
        own = dust * rng.uniform(0.8, 1.25)
        for hour in range(24):
            sun = max(0.0, math.sin(math.pi * (hour - 6) / 14)) if 6 <= hour <= 20 else 0.0  # noqa: PLR2004
            fine = max(1, round(own * rng.uniform(0.8, 1.2)))
            found.append(
                {
                    "air_station_id": spot.number,
                    "observed_at": f"{day.business_date.isoformat()} {hour:02d}:00:00",
                    "pm25": str(fine),
                    "pm10": str(fine + rng.randint(3, 60)),
                    "no2": str(round((1.2 - sun) * rng.uniform(15, 45))),
                    "so2": str(rng.randint(2, 9)) if rng.random() < 0.98 else "",  # noqa: PLR2004
                    "o3": str(round(20 + sun * rng.uniform(60, 160))),
                    "co": f"{rng.uniform(0.2, 1.1):.2f}",
                    "street_code": spot.street_code,
                    "lon": f"{spot.lon:.6f}",
                    "lat": f"{spot.lat:.6f}",
                }
            )
    return found


_BUILDING_ID: Final = kinds.code("BD1", "bd000001", "BD0000001", "楼宇7")
_DEGREES: Final = kinds.decimal(-50, 50, is_free=False)
_DEGREE_DAYS: Final = kinds.decimal(0, 60, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "eco_env.carbon_report": Dataset(
        carbon_report,
        {
            "uscc": USCC,
            "year": kinds.whole(2010, 2100, is_free=False),
            "org_name": kinds.words(60, least=4, filler="业"),
            "fuel_kind": kinds.choice("电", "煤气", "天燃气"),
            "activity_amount": kinds.decimal(0, 100_000_000, is_free=False),
            "activity_unit": kinds.choice("度", "m3", "千克"),
            "emission_tco2": kinds.decimal(0, 100_000_000, is_free=False),
            "verify_state": kinds.choice("通过", "未核", "核查中"),
        },
        twist="verify_state",
        twist_values=("已核查", "待核查", "核查未通过"),
        null="/",
    ),
    "eco_env.air_hour": Dataset(
        air_hour,
        {
            "air_station_id": kinds.code("AQ1", "aq001", "奥体中心", "AQ0001"),
            "observed_at": MOMENT,
            "pm25": kinds.whole(0, 2000, is_free=False),
            "pm10": kinds.whole(0, 5000, is_free=False),
            "no2": kinds.whole(0, 2000),
            "so2": kinds.whole(0, 3000).optional,
            "o3": kinds.whole(0, 2000),
            "co": kinds.decimal(0, 200),
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="so2",
        twist_values=("41", "42", "43"),
        null="-",
    ),
    "energy.energy_day": Dataset(
        energy_day,
        {
            "building_id": _BUILDING_ID,
            "stat_date": kinds.day(),
            "energy_kind": kinds.choice("电力", "水", "燃气"),
            "energy_use": kinds.decimal(0, 10_000_000),
            "energy_unit": kinds.choice("度", "kWh", "GJ", "方"),
            "reading_mode": kinds.choice("自动", "抄见"),
        },
        twist="reading_mode",
        twist_values=("人工", "远传", "估算"),
        null="/",
    ),
    "x_meteo.degree_day": Dataset(
        degree_day,
        {
            "district_code": DISTRICT,
            "stat_date": kinds.day(),
            "mean_temp_c": _DEGREES,
            "max_temp_c": _DEGREES,
            "min_temp_c": _DEGREES,
            "heating_degree_days": _DEGREE_DAYS,
            "cooling_degree_days": _DEGREE_DAYS,
        },
        twist="mean_temp_c",
        twist_values=("11.1", "12.2", "13.3"),
        null="-",
    ),
    "housing.building": Dataset(
        building,
        {
            "building_id": _BUILDING_ID,
            "building_name": kinds.words(60, least=2, filler="楼"),
            "building_use": kinds.choice("写字楼", "居住", "厂房"),
            "built_year": kinds.whole(1900, 2100, is_free=False),
            "area_m2": kinds.decimal(1, 2_000_000),
            "floor_count": kinds.whole(1, 130),
            "retrofit_year": kinds.whole(1990, 2100, is_free=False).optional,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="floor_count",
        twist_values=("77", "78", "79"),
        null="/",
    ),
}
