"""What stands in the city and may do harm or give shelter: sites, lifts, shelters, geohazards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import dirt, kinds, registers
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import LAT, LON, STREET, USCC, VILLAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.registers import Place

#: The effect that products must recover: lifts and cranes past their inspection.
OVERDUE_SHARE: Final = 0.031
#: The mountain districts.
MOUNTAINS: Final = ("110109", "110111", "110114", "110116", "110117", "110118", "110119")
_SITES: Final = 2000
_STAGES: Final = {"基坑": 0.4, "主体": 3.0, "装修": 0.6, "停工": 1.0, "竣工": 0.0}
_LIFTS: Final = 5000
_LIFT_KINDS: Final = ("曳引驱动乘客电梯", "曳引驱动载货电梯", "液压电梯", "自动扶梯", "自动人行道")
_YEAR: Final = timedelta(365)
_SHELTERS: Final = 800
_SHELTER_KINDS: Final = ("人员掩蔽", "专业队掩蔽", "医疗救护", "物资库", "配套工程")
_HAZARDS: Final = 700
_HAZARD_KINDS: Final = ("崩塌", "滑坡", "泥石流", "地面塌陷", "不稳定斜坡")


def point(place: Place) -> Cells:
    """Return a place's coordinates as they are typed."""
    return {"lon": f"{place.lon:.6f}", "lat": f"{place.lat:.6f}"}


def construction_site(day: Day) -> list[Cells]:
    """Report the sites with a permit, whole each month."""
    own, rng = day.city.rng("sites"), day.rng("cranes")
    builders = [e.code for e in day.city.entities if e.industry == "E4710"]
    districts = {s.code: s.district_code for s in day.city.streets}
    found = []
    for number, place in enumerate(registers.places(day.city, "GD", _SITES, "工程"), start=1):
        stage = own.choices(tuple(_STAGES), (15, 40, 30, 5, 10))[0]
        started = date(2023, 6, 1) + timedelta(own.randrange(1000))
        cranes = int(own.expovariate(1) * _STAGES[stage])
        district = districts[place.street_code]
        found.append(
            {
                "work_site_id": place.number,
                "site_name": place.name,
                "permit_no": f"{district}{started:%Y%m%d}{number % 10_000:04d}",
                "builder_uscc": own.choice(builders),
                "site_stage": stage,
                "floor_area_m2": str(int(own.lognormvariate(10, 0.9)) + 100),
                "tower_cranes": str(min(cranes, 40)),
                "cranes_overdue": str(sum(rng.random() < OVERDUE_SHARE for _ in range(cranes))),
                "started_on": started.isoformat(),
                "street_code": place.street_code,
                **point(place),
            }
        )
    return found


def lift(day: Day) -> list[Cells]:
    """Report the lifts in the register, whole each month."""
    rng = day.city.rng("lifts")
    firms = day.city.entities
    found = []
    for number in range(1, _LIFTS * day.city.scale + 1):
        building = rng.choice(day.city.buildings)
        installed = date(1998, 1, 1) + timedelta(rng.randrange(9600))
        due = _inspection(rng, day.business_date)
        faults = rng.choices((0, 1, 2, 3, 5), (60, 20, 10, 7, 3))[0]
        found.append(
            {
                "lift_code": f"3{rng.randrange(1, 4)}101101{installed:%Y%m}{number:06d}",
                "building_id": building.place.number,
                "lift_kind": rng.choices(_LIFT_KINDS, (78, 8, 2, 10, 2))[0],
                "user_uscc": rng.choice(firms).code,
                "maintainer_uscc": rng.choice(day.city.firms).code,
                "lift_installed_on": installed.isoformat(),
                "next_inspect_on": due.isoformat(),
                "lift_state": rng.choices(("在用", "停用", "注销"), (93, 5, 2))[0],
                "fault_count_12m": str(faults),
                "rescue_count_12m": str(rng.randint(0, faults)),
                "street_code": building.place.street_code,
            }
        )
    return found


def _inspection(rng: Random, today: date) -> date:
    """Return the next yearly inspection, for some the one they missed."""
    due = date(2026, 1, 1) + timedelta(rng.randrange(_YEAR.days))
    while due < today:
        due += _YEAR
    return due - _YEAR if rng.random() < OVERDUE_SHARE else due


def shelter(day: Day) -> list[Cells]:
    """Report the civil-defence shelters, whole each year; where their doors are stays at home."""
    rng = day.city.rng("shelters")
    found = []
    for place in registers.places(day.city, "RF", _SHELTERS, "人防工程"):
        area = int(rng.lognormvariate(7.6, 0.7)) + 50
        found.append(
            {
                "shelter_code": place.number,
                "shelter_name": place.name,
                "year": str(day.business_date.year),
                "shelter_kind": rng.choices(_SHELTER_KINDS, (70, 8, 5, 12, 5))[0],
                "peacetime_use": rng.choice(("停车", "商业", "仓储", "公益", "闲置")),
                "shelter_area_m2": str(area),
                "capacity_persons": str(int(area * rng.uniform(0.3, 0.9))),
                "entrance_count": str(rng.randint(2, 8)),
                "shelter_built_year": str(rng.randint(1965, 2024)),
                "street_code": place.street_code,
            }
        )
    return found


def geohazard_site(day: Day) -> list[Cells]:
    """Report the geological hazards of the mountain districts, whole each quarter."""
    rng = day.city.rng("geohazards")
    villages = [v for v in day.city.villages if v.street_code.startswith(MOUNTAINS)]
    found = []
    for number in range(1, _HAZARDS * day.city.scale + 1):
        village, kind = rng.choice(villages), rng.randrange(len(_HAZARD_KINDS))
        households = rng.choices((0, rng.randint(1, 60)), (35, 65))[0]
        found.append(
            {
                "hazard_code": f"{village.number[:6]}{kind + 1:02d}{number:05d}",
                "hazard_kind": _HAZARD_KINDS[kind],
                "hazard_grade": rng.choices(("低", "中", "高", "极高"), (45, 35, 15, 5))[0],
                "threatened_households": str(households),
                "threatened_people": str(int(households * rng.uniform(1.2, 3.4))),
                "monitor_kind": rng.choice(("群测群防", "专业监测", "普适型监测")),
                "checked_on": (date(2026, 3, 1) + timedelta(rng.randrange(90))).isoformat(),
                "village_code": village.number,
                "street_code": village.street_code,
                **point(village),
            }
        )
    return found


DATASETS: Final[Mapping[str, Dataset]] = {
    "housing.construction_site": Dataset(
        construction_site,
        {
            "work_site_id": kinds.code("GD1", "gd000001", "一号工地"),
            "site_name": kinds.words(60, least=2, filler="程"),
            "permit_no": kinds.code("补办中", "[2026]施建字第12号").and_wrong(
                "pattern", excel_number=dirt.excel_ruined
            ),
            "builder_uscc": USCC,
            "site_stage": kinds.choice("施工中", "完工", "二期"),
            "floor_area_m2": kinds.whole(1, 10_000_000),
            "tower_cranes": kinds.whole(0, 60, is_free=False),
            "cranes_overdue": kinds.whole(0, 60, is_free=False),
            "started_on": kinds.day(is_free=True),
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="floor_area_m2",
        twist_values=("9000001", "9000002", "9000003"),
        null="/",
    ),
    "market_reg.lift": Dataset(
        lift,
        {
            "lift_code": kinds.code("T0001", "京A-2024-3", "3110110120").and_wrong(
                "pattern", excel_number=dirt.excel_ruined
            ),
            "building_id": kinds.code("BD1", "bd000001", "3号楼"),
            "lift_kind": kinds.choice("电梯", "货梯", "客梯"),
            "user_uscc": USCC,
            "maintainer_uscc": USCC,
            "lift_installed_on": kinds.day(is_free=True),
            "next_inspect_on": kinds.day(),
            "lift_state": kinds.choice("正常", "使用中", "报废"),
            "fault_count_12m": kinds.whole(0, 400, is_free=False),
            "rescue_count_12m": kinds.whole(0, 400, is_free=False),
            "street_code": STREET,
        },
        twist="lift_state",
        twist_values=("在用", "停用", "注销"),
        null="-",
    ),
    "defense_mob.shelter": Dataset(
        shelter,
        {
            "shelter_code": kinds.code("RF1", "rf000001", "地下室"),
            "shelter_name": kinds.words(60, least=2, filler="防"),
            "year": kinds.whole(2020, 2100, is_free=False),
            "shelter_kind": kinds.choice("地下室", "防空洞", "掩蔽"),
            "peacetime_use": kinds.choice("车库", "出租", "其它"),
            "shelter_area_m2": kinds.whole(1, 1_000_000, is_free=False),
            "capacity_persons": kinds.whole(0, 1_000_000, is_free=False),
            "entrance_count": kinds.whole(1, 50),
            "shelter_built_year": kinds.whole(1950, 2100),
            "street_code": STREET,
        },
        twist="entrance_count",
        twist_values=("41", "42", "43"),
        null="-",
    ),
    "plan_nr.geohazard_site": Dataset(
        geohazard_site,
        {
            "hazard_code": kinds.code("11010901", "X110109010001", "无编号"),
            "hazard_kind": kinds.choice("山洪", "地震", "塌方"),
            "hazard_grade": kinds.choice("严重", "一般", "III"),
            "threatened_households": kinds.whole(0, 10_000, is_free=False),
            "threatened_people": kinds.whole(0, 50_000, is_free=False),
            "monitor_kind": kinds.choice("人工", "无人机", "自动"),
            "checked_on": kinds.day(is_free=True),
            "village_code": VILLAGE,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="monitor_kind",
        twist_values=("群测群防", "专业监测", "普适型监测"),
        null="/",
    ),
}
