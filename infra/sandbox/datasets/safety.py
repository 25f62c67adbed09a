"""Emergencies, reserves, rain, fire, and the indicators of risk."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import dirt, kinds, registers
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets import premises
from infra.sandbox.datasets.premises import MOUNTAINS, point
from infra.sandbox.datasets.thread import HEAT_WAVE_DAYS, HISTORY_DAYS
from infra.sandbox.kinds import LAT, LON, MOBILE, MOMENT, PHONE, PLATE, STREET, USCC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import Depot, Street

#: Effects that products must recover: orders that arrive in time, days with rain, and in how many
#: street-level units a risk is over its threshold.
ON_TIME_SHARE: Final = 0.83
IN_TIME_MINUTES: Final = 30
WET_SHARE: Final = 0.35
RISKY_STREETS: Final = 14

_ORDERS: Final = 400
_REASONS: Final = ("防汛", "高温", "火灾", "保供", "演练")
_STORES, _FIRST_STORE = 150, 80_000
_GRAINS: Final = ("小麦", "稻谷", "玉米", "大豆", "面粉", "大米", "食用植物油", "杂粮")
_CALLS, _CALLS_BEFORE_HEAT = 300, 110
_CALL_KINDS: Final = ("火灾扑救", "抢险救援", "社会救助", "虚假警")
_GAUGES: Final = 250
_TOWERS: Final = 600
_GRADES: Final = ("五级", "四级", "三级", "二级", "一级")
#: Provider → risk class, indicator, unit, threshold.
_INDICATORS: Final = {
    "city_mgmt": (("燃气", "RQ001", "次", 12), ("供热", "GR001", "处", 8)),
    "water": (("供水", "GS001", "次", 10), ("排水内涝", "PS001", "处", 6)),
    "emergency": (("危险化学品", "WH001", "次", 5), ("建筑施工", "SG001", "个", 15)),
    "x_quake": (("地质灾害与地震", "DZ001", "次", 4), ("老旧房屋", "FW001", "栋", 40)),
}


def dispatch(day: Day) -> list[Cells]:
    """Report the day's orders of emergency supplies; the latest are still on their way."""
    rng = day.rng("orders")
    nearest = {s.code: _nearest(day, s) for s in day.city.streets}
    found = []
    for number in range(1, _ORDERS * day.city.scale + 1):
        street = rng.choice(day.city.streets)
        depot = nearest[street.code]
        minute = rng.randrange(24 * 60)
        is_in_time = rng.random() < ON_TIME_SHARE
        spread = (7, IN_TIME_MINUTES) if is_in_time else (IN_TIME_MINUTES + 1, 110)
        lasts = rng.randint(*spread)
        found.append(
            {
                "order_id": f"DD{day.business_date:%Y%m%d}{number:06d}",
                "ordered_at": _moment(day.business_date, minute),
                "arrived_at": _moment(day.business_date, minute + lasts)
                if minute + lasts < 24 * 60
                else "",
                "depot_id": depot.number,
                "item_code": rng.choice(sorted(depot.items)),
                "dispatch_qty": str(rng.randint(1, 400)),
                "dispatch_reason": rng.choice(_REASONS),
                "street_code": street.code,
                "vehicle_plate": depot.plate,
            }
        )
    return found


def _nearest(day: Day, street: Street) -> Depot:
    return min(day.city.depots, key=lambda d: math.dist((d.lon, d.lat), (street.lon, street.lat)))


def _moment(day: date, minutes: int) -> str:
    return f"{datetime.combine(day, time()) + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}"


def reserve_stock(day: Day) -> list[Cells]:
    """Report the stock of every store by kind of grain, whole each day."""
    own, rng = day.city.rng("stores"), day.rng("stock")
    keepers = [e.code for e in day.city.entities if e.industry.startswith("F5")]
    found = []
    for number, place in enumerate(registers.places(day.city, "LK", _STORES, "粮库"), start=1):
        keeper = own.choice(keepers)
        level = own.choices(("市级", "区级"), (7, 3))[0]
        for item, grain in enumerate(_GRAINS, start=1):
            expiry = date(2027, 1, 1) + timedelta(own.randrange(900))
            found.append(
                {
                    "depot_id": f"DP{_FIRST_STORE + number:05d}",
                    "depot_name": place.name,
                    "item_code": f"LS{item:04d}",
                    "commodity_name": grain,
                    "qty": str(int(own.lognormvariate(7, 1) * rng.uniform(0.95, 1.0))),
                    "expiry_date": expiry.isoformat(),
                    "reserve_level": level,
                    "keeper_uscc": keeper,
                    "street_code": place.street_code,
                    **point(place),
                }
            )
    return found


def fire_call(day: Day) -> list[Cells]:
    """Report the day's calls; the first load reaches back, and more calls came in the heat."""
    back = HISTORY_DAYS if day.is_initial else 1
    days = (day.business_date - timedelta(ago) for ago in range(back - 1, -1, -1))
    return [cells for called in days for cells in _calls_of(day, called)]


def _calls_of(day: Day, called: date) -> Iterator[Cells]:
    """Yield the calls of one date, whoever asks and whenever."""
    rng = day.city.rng("fire calls", called)
    is_hot = called > day.first_date - timedelta(HEAT_WAVE_DAYS)
    for number in range(1, (_CALLS if is_hot else _CALLS_BEFORE_HEAT) * day.city.scale + 1):
        building = rng.choice(day.city.buildings)
        street = rng.choice(day.city.streets)
        is_inside = rng.random() < 0.4  # noqa: PLR2004 - the share of calls to larger buildings
        place = building.place if is_inside else registers.place(rng, street, "", "")
        minute, kind = rng.randrange(23 * 60), rng.choices(_CALL_KINDS, (40, 30, 25, 5))[0]
        found_it = kind != _CALL_KINDS[-1]
        yield {
            "call_id": f"HJ{called:%Y%m%d}{number:06d}",
            "called_at": _moment(called, minute),
            "on_scene_at": _moment(called, minute + rng.randint(3, 22)) if found_it else "",
            "call_kind": kind,
            "building_id": place.number,
            "trucks_sent": str(rng.choice((1, 2, 2, 3, 4, 6))),
            "casualty_count": str(rng.choices((0, 1, 2, 3), (96, 2, 1, 1))[0] if found_it else 0),
            "contact_phone": f"1{rng.choice('3578')}{rng.randrange(10**9):09d}",
            "street_code": place.street_code,
            **point(place),
        }


def rain_gauge(day: Day) -> list[Cells]:
    """Report every gauge, a row an hour; some days a storm passes."""
    sky, rng = day.city.rng("rain", day.business_date), day.rng("gauges")
    storm = sky.choice(day.city.streets)
    heaviest = sky.uniform(5, 60) if sky.random() < WET_SHARE else 0.0
    peak = sky.uniform(3, 20)
    found = []
    for place in registers.places(day.city, "YL", _GAUGES, "雨量站"):
        away = math.dist((place.lon, place.lat), (storm.lon, storm.lat))
        most = heaviest * math.exp(-away * 3)
        volts = rng.uniform(11.6, 13.2)
        for hour in range(24):
            state = rng.choices(("正常", "缺测", "维护"), (970, 20, 10))[0]
            rain = most * math.exp(-(((hour - peak) / 2) ** 2)) * rng.uniform(0.7, 1.3)
            found.append(
                {
                    "gauge_code": place.number,
                    "observed_at": _moment(day.business_date, hour * 60),
                    "rain_mm": "" if state == "缺测" else f"{rain:.1f}",
                    "gauge_state": state,
                    "battery_v": f"{volts:.2f}",
                    "street_code": place.street_code,
                    **point(place),
                }
            )
    return found


def fire_watch(day: Day) -> list[Cells]:
    """Report every lookout of the mountain districts, whole each day."""
    own, rng = day.city.rng("lookouts"), day.rng("fire watch")
    streets = [s for s in day.city.streets if s.district_code in MOUNTAINS]
    found = []
    for number in range(1, _TOWERS * day.city.scale + 1):
        street = own.choice(streets)
        place = registers.place(own, street, f"LH{number:06d}", f"{street.name}瞭望点{number}")
        humidity = rng.randint(15, 95)
        found.append(
            {
                "tower_code": place.number,
                "tower_name": place.name,
                "stat_date": day.business_date.isoformat(),
                "fire_risk_grade": _GRADES[min(4, humidity // 20)],
                "humidity_pct": str(humidity),
                "wind_speed_ms": f"{rng.uniform(0, 14):.1f}",
                "hot_spot_count": str(rng.choices((0, 1, 2), (95, 4, 1))[0]),
                "patrol_count": str(rng.randint(2, 30)),
                "duty_phone": f"010-{own.randint(6, 8)}{own.randrange(10**7):07d}",
                "street_code": place.street_code,
                **point(place),
            }
        )
    return found


def indicator(day: Day) -> list[Cells]:
    """Report one provider's risk classes in every street-level unit."""
    rng = day.rng("indicators")
    found = []
    for risk_class, code, unit, threshold in _INDICATORS[day.provider]:
        known = day.city.rng("risky", risk_class)
        risky = {s.code for s in known.sample(day.city.streets, RISKY_STREETS)}
        for street in day.city.streets:
            spread = (1.05, 1.6) if street.code in risky else (0.0, 0.95)
            found.append(
                {
                    "stat_date": day.business_date.isoformat(),
                    "risk_class": risk_class,
                    "street_code": street.code,
                    "indicator_code": code,
                    "indicator_value": f"{threshold * rng.uniform(*spread):.1f}",
                    "unit": unit,
                    "threshold": str(threshold),
                    "source_time": _moment(day.business_date, rng.randrange(20 * 60, 23 * 60)),
                }
            )
    return found


_DEPOT: Final = kinds.code("DP1", "dp00001", "库房7")
_ITEM: Final = kinds.code("HW1", "饮用水", "hw0001")

DATASETS: Final[Mapping[str, Dataset]] = {
    **premises.DATASETS,
    "emergency.dispatch": Dataset(
        dispatch,
        {
            "order_id": kinds.code("DD2026", "dd20260701000001", "无编号"),
            "ordered_at": MOMENT,
            "arrived_at": MOMENT.optional,
            "depot_id": _DEPOT,
            "item_code": _ITEM,
            "dispatch_qty": kinds.whole(1, 100_000),
            "dispatch_reason": kinds.choice("抗洪", "其它", "日常"),
            "street_code": STREET,
            "vehicle_plate": PLATE.optional,
        },
        twist="dispatch_qty",
        twist_values=("90001", "90002", "90003"),
        null="-",
    ),
    "grain.reserve_stock": Dataset(
        reserve_stock,
        {
            "depot_id": _DEPOT,
            "depot_name": kinds.words(40, least=2, filler="库"),
            "item_code": _ITEM,
            "commodity_name": kinds.choice("麦子", "粮食", "油"),
            "qty": kinds.whole(0, 1_000_000),
            "expiry_date": kinds.day(),
            "reserve_level": kinds.choice("国家级", "街道级", "一级"),
            "keeper_uscc": USCC,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="qty",
        twist_values=("900001", "900002", "900003"),
        null="-",
    ),
    "x_fire.fire_call": Dataset(
        fire_call,
        {
            "call_id": kinds.code("HJ2026", "hj20260701000001", "无编号"),
            "called_at": MOMENT,
            "on_scene_at": MOMENT.optional,
            "call_kind": kinds.choice("着火", "救援", "误报"),
            "building_id": kinds.code("BD1", "bd000001", "3号楼").optional,
            "trucks_sent": kinds.whole(1, 100),
            "casualty_count": kinds.whole(0, 500),
            "contact_phone": MOBILE,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="trucks_sent",
        twist_values=("91", "92", "93"),
        null="无",
    ),
    "water.rain_gauge": Dataset(
        rain_gauge,
        {
            "gauge_code": kinds.code("YL1", "yl000001", "密云水库站"),
            "observed_at": MOMENT.and_odd(on_the_bound=dirt.first_or_last_of_day),
            "rain_mm": kinds.decimal(0, 300).optional,
            "gauge_state": kinds.choice("故障", "OK", "离线"),
            "battery_v": kinds.decimal(0, 30).optional,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="battery_v",
        twist_values=("21.7", "22.7", "23.7"),
        null="-",
    ),
    "forestry.fire_watch": Dataset(
        fire_watch,
        {
            "tower_code": kinds.code("LH1", "lh000001", "瞭望塔"),
            "tower_name": kinds.words(40, least=2, filler="望"),
            "stat_date": kinds.day(),
            "fire_risk_grade": kinds.choice("六级", "高", "5"),
            "humidity_pct": kinds.whole(0, 100),
            "wind_speed_ms": kinds.decimal(0, 60),
            "hot_spot_count": kinds.whole(0, 500),
            "patrol_count": kinds.whole(0, 500),
            "duty_phone": PHONE,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="patrol_count",
        twist_values=("401", "402", "403"),
        null="/",
    ),
    "safety.indicator": Dataset(
        indicator,
        {
            "stat_date": kinds.day(),
            "risk_class": kinds.choice("煤气", "地震", "其他"),
            "street_code": STREET,
            "indicator_code": kinds.code("RQ1", "rq001", "泄漏报警"),
            "indicator_value": kinds.decimal(0, 10_000),
            "unit": kinds.choice("件", "mm", "百分比"),
            "threshold": kinds.decimal(0, 10_000),
            "source_time": MOMENT,
        },
        twist="indicator_value",
        twist_values=("9001.5", "9002.5", "9003.5"),
        null="/",
    ),
}
