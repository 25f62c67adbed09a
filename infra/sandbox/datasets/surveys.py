"""Surveys, population figures and lists of public venues: what is reported by quarter or year."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import DISTRICT, LAT, LON, PHONE, STREET
from infra.sandbox.registers import place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day

#: Who uses a smart device without help, by age band, in the year before the first load; and how
#: much more a year later.
DEVICE_USE: Final = {
    "60-64岁": 0.71, "65-69岁": 0.58, "70-74岁": 0.41, "75-79岁": 0.27, "80岁及以上": 0.12,
}  # fmt: skip
DEVICE_GAIN_A_YEAR: Final = 0.026
_BAND_WEIGHTS: Final = (30, 27, 19, 12, 12)
#: Elders of a street by those that civil affairs know there; many people, fewer each.
_ELDERS_FACTOR: Final = 2400
_ELDERS_POWER: Final = 0.6
POPULATION_GROWTH_A_YEAR: Final = -0.003
_RELIGIONS: Final = ("佛教", "道教", "伊斯兰教", "天主教", "基督教")


def _landline(rng: Random) -> str:
    return f"010-{rng.randint(2, 8)}{rng.randrange(10**7):07d}"


def device_survey(day: Day) -> list[Cells]:
    """Report the survey of the year before; who uses a smart device depends on age alone."""
    year = day.business_date.year - 1
    gain = DEVICE_GAIN_A_YEAR * (year - day.first_date.year + 1)
    rng = day.city.rng("device survey", year)
    districts = sorted({s.district_code for s in day.city.streets})
    bands = tuple(DEVICE_USE)
    found = []
    for number in range(1, 2_400 * day.city.scale + 1):
        band = rng.choices(bands, _BAND_WEIGHTS)[0]
        is_user = rng.random() < DEVICE_USE[band] + gain
        devices = ("智能手机", "平板电脑") if is_user else ("智能手机", "功能手机", "无设备")
        found.append(
            {
                "respondent_no": f"SV{year}{number:05d}",
                "year": str(year),
                "elder_age_band": band,
                "district_code": rng.choice(districts),
                "main_device": rng.choices(devices, (9, 1) if is_user else (3, 5, 2))[0],
                "uses_smart_device": "是" if is_user else "否",
                "survey_weight": f"{rng.uniform(0.3, 3.2):.3f}",
                "interviewed_on": (date(year, 9, 1) + timedelta(rng.randrange(60))).isoformat(),
            }
        )
    return found


def street_population(day: Day) -> list[Cells]:
    """Report the population at the end of the year before; elders follow those civil affairs knows.

    Streets and villages are not multiplied by the scale, and so nor are their people.
    """
    year = day.business_date.year - 1
    growth = (1 + POPULATION_GROWTH_A_YEAR) ** (year - day.first_date.year + 1)
    rng = day.city.rng("street population")
    known = Counter(e.street_code for e in day.city.elders)
    found = []
    for street in day.city.streets:
        seen = known[street.code] / day.city.scale
        over_60 = _ELDERS_FACTOR * (seen + 1) ** _ELDERS_POWER * growth
        people = over_60 / rng.uniform(0.17, 0.3)
        found.append(
            {
                "street_code": street.code,
                "year": str(year),
                "street_name": street.name,
                "resident_population": str(round(people)),
                "resident_households": str(round(people / rng.uniform(2.1, 2.9))),
                "population_0_14": str(round(people * rng.uniform(0.08, 0.16))),
                "population_60_plus": str(round(over_60)),
                "population_65_plus": str(round(over_60 * rng.uniform(0.6, 0.72))),
            }
        )
    return found


def sport_venue(day: Day) -> list[Cells]:
    """Report every sports venue."""
    rng = day.city.rng("sport venues")
    sorts = ("体育馆", "游泳馆", "足球场", "全民健身中心", "冰雪场馆")
    found = []
    for number in range(1, 900 * day.city.scale + 1):
        street, sort = rng.choice(day.city.streets), rng.choice(sorts)
        spot = place(rng, street, f"TY{number:06d}", f"{street.name}{sort}{number}")
        found.append(
            {
                "sport_venue_no": spot.number,
                "sport_venue_name": spot.name,
                "sport_venue_kind": sort,
                "street_code": street.code,
                "lon": f"{spot.lon:.6f}",
                "lat": f"{spot.lat:.6f}",
                "venue_area_m2": str(max(50, min(500_000, int(rng.lognormvariate(7.6, 0.9))))),
                "venue_opened_year": str(rng.randint(1958, 2024)) if rng.random() < 0.9 else "",  # noqa: PLR2004
                "has_free_hours": rng.choices(("是", "否"), (64, 36))[0],
                "duty_phone": _landline(rng),
            }
        )
    return found


def religious_venue(day: Day) -> list[Cells]:
    """Report every registered religious venue."""
    rng = day.city.rng("religious venues")
    found = []
    for number in range(1, 150 * day.city.scale + 1):
        street = rng.choice(day.city.streets)
        religion = rng.choices(_RELIGIONS, (26, 10, 44, 10, 10))[0]
        found.append(
            {
                "religious_venue_no": f"ZJ{number:06d}",
                "religious_venue_name": f"{street.name}{religion}活动场所{number}",
                "religion": religion,
                "religious_venue_class": rng.choices(("寺观教堂", "固定处所"), (8, 2))[0],
                "district_code": street.district_code,
                "street_code": street.code,
                "clergy_count": str(rng.randint(1, 40)),
                "venue_registered_on": (
                    date(1994, 3, 1) + timedelta(rng.randrange(10_000))
                ).isoformat(),
                "duty_phone": _landline(rng),
            }
        )
    return found


_YEAR: Final = kinds.whole(2000, 2100, is_free=False)
_YES_NO: Final = kinds.choice("Y", "0", "未知")
_PEOPLE: Final = kinds.whole(0, 2_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "x_survey.device_survey": Dataset(
        device_survey,
        {
            "respondent_no": kinds.code("SV2025", "问卷7", "sv202500001"),
            "year": _YEAR,
            "elder_age_band": kinds.choice("60岁以上", "55-59岁", "老年"),
            "district_code": DISTRICT,
            "main_device": kinds.choice("电话", "手表", "电视"),
            "uses_smart_device": _YES_NO,
            "survey_weight": kinds.decimal(0.1, 50),
            "interviewed_on": kinds.day(is_free=True),
        },
        twist="survey_weight",
        twist_values=("1.111", "1.112", "1.113"),
        null="-",
    ),
    "stats.street_population": Dataset(
        street_population,
        {
            "street_code": STREET,
            "year": _YEAR,
            "street_name": kinds.words(40, least=2, filler="街"),
            "resident_population": _PEOPLE,
            "resident_households": _PEOPLE,
            "population_0_14": _PEOPLE,
            "population_60_plus": _PEOPLE,
            "population_65_plus": _PEOPLE,
        },
        twist="street_name",
        twist_values=("某街道", "另一街道", "又一街道"),
        null="-",
    ),
    "sport.venue": Dataset(
        sport_venue,
        {
            "sport_venue_no": kinds.code("TY1", "场馆7", "ty000001"),
            "sport_venue_name": kinds.words(60, least=2, filler="馆"),
            "sport_venue_kind": kinds.choice("网球", "公园", "其他类"),
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
            "venue_area_m2": kinds.whole(50, 500_000),
            "venue_opened_year": kinds.whole(1950, 2100).optional,
            "has_free_hours": _YES_NO,
            "duty_phone": PHONE,
        },
        twist="venue_area_m2",
        twist_values=("71", "72", "73"),
        null="/",
    ),
    "ethnic_rel.religious_venue": Dataset(
        religious_venue,
        {
            "religious_venue_no": kinds.code("ZJ1", "无证", "zj000001"),
            "religious_venue_name": kinds.words(60, least=2, filler="堂"),
            "religion": kinds.choice("犹太教", "其他类", "民间信仰"),
            "religious_venue_class": kinds.choice("寺院", "教堂", "临时"),
            "district_code": DISTRICT,
            "street_code": STREET,
            "clergy_count": kinds.whole(0, 500),
            "venue_registered_on": kinds.day(is_free=True),
            "duty_phone": PHONE,
        },
        twist="clergy_count",
        twist_values=("41", "42", "43"),
        null="-",
    ),
}
