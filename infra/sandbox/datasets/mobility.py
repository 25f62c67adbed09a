"""Roads, signals, freight and rail: how the city moves."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import dirt, kinds, registers
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import MOMENT, PLATE, STREET, USCC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day

#: The first days show the city as it was; then the junctions' plans are retimed.
BASELINE_DAYS: Final = 7
#: The effect that products must recover: how much shorter cycles and delays are afterwards.
CYCLE_CUT: Final = 0.08
DELAY_CUT: Final = 0.17
#: The share of freight trips that run empty.
EMPTY_SHARE: Final = 0.22
_PERIODS: Final = (
    ("早高峰", "07:00", "09:30", 1.2),
    ("平峰", "09:30", "17:00", 0.9),
    ("晚高峰", "17:00", "20:00", 1.25),
    ("夜间", "20:00", "07:00", 0.7),
)
#: How busy a road is in each hour of a working day, of its busiest hour.
_HOURLY: Final = (
    0.12, 0.08, 0.06, 0.06, 0.10, 0.25, 0.55, 0.92, 1.00, 0.86, 0.74, 0.70,
    0.66, 0.68, 0.70, 0.74, 0.82, 0.96, 0.98, 0.80, 0.58, 0.44, 0.30, 0.20,
)  # fmt: skip
_WEEKEND_ROADS, _WEEKEND_RAIL, _WEEKEND_PARKS = 0.82, 0.6, 1.8
_SATURDAY: Final = 5
_QUARTERS: Final = 96
_TRIPS: Final = 3000
_TRUCKS: Final = 1800
_LETTERS: Final = "AEGNPQ"
_CARGO: Final = ("生活物资", "建筑材料", "快递快件", "危险货物", "渣土", "其他")
_EMPTY: Final = "空驶"
_HUBS: Final = (
    "北京站", "北京西站", "北京南站", "北京北站", "清河站",
    "北京朝阳站", "北京丰台站", "北京大兴站", "城市副中心站", "通州站",
)  # fmt: skip
#: Up to this share of what a hub may hold, it is felt so.
_CROWD_LEVELS: Final = ((0.4, "舒适"), (0.6, "较舒适"), (0.8, "一般"), (1.0, "较拥挤"))
_CROWDED: Final = "拥挤"
_STATIONS: Final = 400
_FIRST_TRAIN: Final = 5
_RAIL_HOURS: Final = 18
_SPOTS: Final = 200
#: From nine o'clock, every two hours.
_SPOT_SHARES: Final = (0.35, 0.8, 1.0, 0.9, 0.5, 0.15)
_CLOSED: Final = "闭园"


def signal_plan(day: Day) -> list[Cells]:
    """Report every junction's plan of each period, whole each time."""
    rng = day.city.rng("signal plans")
    retimed = _retimed_on(day)
    is_retimed = day.business_date >= retimed
    found = []
    for junction in day.city.junctions:
        base = rng.choice((90, 100, 120, 140))
        phases = rng.choice((2, 3, 4, 4))
        mode = rng.choices(("单点定时", "绿波协调", "自适应"), (50, 35, 15))[0]
        since = date(2025, 1, 1) + timedelta(rng.randrange(400))
        for period, start, end, factor in _PERIODS:
            cycle = round(base * factor * (1 - CYCLE_CUT if is_retimed else 1))
            found.append(
                {
                    "junction_id": junction.number,
                    "period_name": period,
                    "period_start": start,
                    "period_end": end,
                    "cycle_s": str(cycle),
                    "green_s": str(round(cycle * rng.uniform(0.35, 0.6))),
                    "phase_count": str(phases),
                    "control_mode": mode,
                    "effective_on": (retimed if is_retimed else since).isoformat(),
                }
            )
    return found


def _retimed_on(day: Day) -> date:
    return day.first_date + timedelta(BASELINE_DAYS)


def signal_event(day: Day) -> list[Cells]:
    """Report volume, stops and delay of every junction, a row a quarter of an hour."""
    own, rng = day.city.rng("junction delays"), day.rng("signal events")
    left = 1 - DELAY_CUT if day.business_date >= _retimed_on(day) else 1.0
    busy = _WEEKEND_ROADS if _is_weekend(day) else 1.0
    slots = [
        (slot, busy * _HOURLY[n * 24 // _QUARTERS])
        for n, slot in enumerate(_slots(day, 0, 15, _QUARTERS))
    ]
    found = []
    for junction in day.city.junctions:
        peak_volume, peak_delay = own.uniform(250, 1100), own.uniform(25, 70)
        for slot, share in slots:
            volume = int(peak_volume * share * rng.uniform(0.85, 1.15))
            delay = peak_delay * (0.35 + 0.65 * share) * left * rng.uniform(0.8, 1.2)
            found.append(
                {
                    "junction_id": junction.number,
                    "observed_at": slot,
                    "volume_veh": str(volume),
                    "stop_count": str(int(volume * (0.3 + 0.4 * share))),
                    "delay_s": f"{delay:.1f}",
                    "queue_m": str(int(delay * share * 2)) if delay > 20 else "",  # noqa: PLR2004
                }
            )
    return found


def freight_trip(day: Day) -> list[Cells]:
    """Report the freight trips that ended on the day."""
    fleet, rng = _fleet(day), day.rng("trips")
    start = datetime.combine(day.business_date, time(0, 30))
    found = []
    for number in range(1, _TRIPS * day.city.scale + 1):
        plate, carrier, tonnes = rng.choice(fleet)
        origin, target = rng.choice(day.city.streets), rng.choice(day.city.streets)
        kilometres = rng.uniform(3, 90)
        is_empty = rng.random() < EMPTY_SHARE
        left = start + timedelta(minutes=rng.randrange(19 * 60))
        ended = left + timedelta(minutes=10 + kilometres / rng.uniform(0.4, 0.8))
        found.append(
            {
                "trip_id": f"FT{day.business_date:%Y%m%d}{number:06d}",
                "vehicle_plate": plate,
                "carrier_uscc": carrier,
                "cargo_kind": _EMPTY if is_empty else rng.choice(_CARGO),
                "load_t": "0" if is_empty else f"{tonnes * rng.uniform(0.4, 1):.2f}",
                "origin_street_code": origin.code,
                "dest_street_code": target.code,
                "departed_at": f"{left:%Y-%m-%d %H:%M:%S}",
                "trip_end_at": f"{ended:%Y-%m-%d %H:%M:%S}",
                "distance_km": f"{kilometres:.1f}",
            }
        )
    return found


def _fleet(day: Day) -> list[tuple[str, str, float]]:
    """Return the city's trucks: plate, carrier's credit code, tonnes they may carry."""
    rng = day.city.rng("fleet")
    carriers = [e.code for e in day.city.entities if e.industry == "G5430" and e.status == "存续"]
    numbers = rng.sample(range(len(_LETTERS) * 10**5), _TRUCKS * day.city.scale)
    return [
        (
            f"京{_LETTERS[n // 10**5]}{n % 10**5:05d}",
            rng.choice(carriers),
            rng.choice((1.5, 4.0, 10.0, 18.0, 30.0)),
        )
        for n in numbers
    ]


def hub_crowd(day: Day) -> list[Cells]:
    """Report who comes, goes and stays at every rail hub, a row a quarter of an hour."""
    own, rng = day.city.rng("hubs"), day.rng("hub crowds")
    slots = _slots(day, 0, 15, _QUARTERS)
    found = []
    for number in range(len(_HUBS) * day.city.scale):
        zone, index = divmod(number, len(_HUBS))
        name = _HUBS[index] + (f"{zone + 1}区" if zone else "")
        street = own.choice(day.city.streets).code
        limit = own.choice((6000, 10_000, 15_000, 22_000))
        for n, slot in enumerate(slots):
            share = _HOURLY[n * 24 // _QUARTERS]
            staying = int(limit * share * rng.uniform(0.45, 1.04))
            found.append(
                {
                    "hub_code": f"HUB{number + 1:03d}",
                    "hub_name": name,
                    "observed_at": slot,
                    "in_count": str(int(staying * rng.uniform(0.2, 0.4))),
                    "out_count": str(int(staying * rng.uniform(0.2, 0.4))),
                    "staying_count": str(staying),
                    "carrying_limit": str(limit),
                    "crowd_level": _crowd_level(staying / limit),
                    "street_code": street,
                }
            )
    return found


def _crowd_level(share: float) -> str:
    return next((word for most, word in _CROWD_LEVELS if share < most), _CROWDED)


def station_flow(day: Day) -> list[Cells]:
    """Report the passengers of every metro station, a row an hour of service."""
    own, rng = day.city.rng("stations"), day.rng("station flow")
    busy = _WEEKEND_RAIL if _is_weekend(day) else 1.0
    slots = _slots(day, _FIRST_TRAIN, 60, _RAIL_HOURS)
    found = []
    for place in registers.places(day.city, "ST", _STATIONS, "站"):
        line = f"{own.randint(1, 19)}号线"
        peak = busy * own.uniform(800, 9000)
        is_transfer = own.randrange(5) == 0
        for hour, slot in enumerate(slots, start=_FIRST_TRAIN):
            most = peak * _HOURLY[hour]
            found.append(
                {
                    "station_code": place.number,
                    "station_name": place.name,
                    "line_name": line,
                    "observed_at": slot,
                    "entry_count": _about(rng, most),
                    "exit_count": _about(rng, most),
                    "transfer_count": _about(rng, most * 0.8) if is_transfer else "",
                    "flow_control": "限流" if most > 7500 else "正常",  # noqa: PLR2004
                }
            )
    return found


def _about(rng: Random, mean: float) -> str:
    return str(int(mean * rng.uniform(0.8, 1.2)))


def scenic_crowd(day: Day) -> list[Cells]:
    """Report the visitors of every scenic spot, six times a day."""
    own, rng = day.city.rng("spots"), day.rng("spot crowds")
    busy = _WEEKEND_PARKS if _is_weekend(day) else 1.0
    slots = _slots(day, 9, 120, len(_SPOT_SHARES))
    found = []
    for place in registers.places(day.city, "JQ", _SPOTS, "景区"):
        limit = int(own.lognormvariate(9.2, 0.7)) + 500
        grade = own.choices(("5A", "4A", "3A", "2A"), (8, 35, 40, 17))[0]
        is_closed = rng.randrange(30) == 0
        for slot, share in zip(slots, _SPOT_SHARES, strict=True):
            inside = (
                0 if is_closed else int(limit * min(0.98, share * busy * rng.uniform(0.2, 0.5)))
            )
            state = _CLOSED if is_closed else "限流" if inside > limit * 0.8 else "开放"
            found.append(
                {
                    "spot_code": place.number,
                    "spot_name": place.name,
                    "scenic_grade": grade,
                    "observed_at": slot,
                    "visitors_inside": str(inside),
                    "carrying_limit": str(limit),
                    "booked_count": _about(rng, limit * 0.4) if own.random() < 0.8 else "",  # noqa: PLR2004
                    "opening_state": state,
                    "street_code": place.street_code,
                }
            )
    return found


def _is_weekend(day: Day) -> bool:
    return day.business_date.weekday() >= _SATURDAY


def _slots(day: Day, first_hour: int, minutes: int, count: int) -> list[str]:
    start = datetime.combine(day.business_date, time(first_hour))
    return [f"{start + timedelta(minutes=minutes * n):%Y-%m-%d %H:%M:%S}" for n in range(count)]


_JUNCTION: Final = kinds.code("JC1", "jc000001", "路口7", "JC0000012")
_CLOCK: Final = kinds.code("24:30", "7点", "0700", "7:00")
_SLOT: Final = MOMENT.and_odd(on_the_bound=dirt.first_or_last_of_day)

DATASETS: Final[Mapping[str, Dataset]] = {
    "police.signal_plan": Dataset(
        signal_plan,
        {
            "junction_id": _JUNCTION,
            "period_name": kinds.choice("早上", "高峰", "全天"),
            "period_start": _CLOCK,
            "period_end": _CLOCK,
            "cycle_s": kinds.whole(30, 300, is_free=False),
            "green_s": kinds.whole(5, 240, is_free=False),
            "phase_count": kinds.whole(2, 8),
            "control_mode": kinds.choice("自动", "手动控制", "联网"),
            "effective_on": kinds.day(is_free=True),
        },
        twist="phase_count",
        twist_values=("5", "6", "7"),
        null="-",
    ),
    "police.signal_event": Dataset(
        signal_event,
        {
            "junction_id": _JUNCTION,
            "observed_at": _SLOT,
            "volume_veh": kinds.whole(0, 5000, is_free=False),
            "stop_count": kinds.whole(0, 5000, is_free=False),
            "delay_s": kinds.decimal(0, 600),
            "queue_m": kinds.whole(0, 2000).optional,
        },
        twist="delay_s",
        twist_values=("411.7", "412.7", "413.7"),
        null="null",
    ),
    "transport.freight_trip": Dataset(
        freight_trip,
        {
            "trip_id": kinds.code("FT2026", "ft20260701000001", "无编号"),
            "vehicle_plate": PLATE,
            "carrier_uscc": USCC,
            "cargo_kind": kinds.choice("杂货", "煤", "冷链食品"),
            "load_t": kinds.decimal(0, 60, is_free=False),
            "origin_street_code": STREET,
            "dest_street_code": STREET,
            "departed_at": MOMENT,
            "trip_end_at": MOMENT,
            "distance_km": kinds.decimal(0, 500),
        },
        twist="distance_km",
        twist_values=("401.5", "402.5", "403.5"),
        null="/",
    ),
    "station_area.hub_crowd": Dataset(
        hub_crowd,
        {
            "hub_code": kinds.code("HUB1", "hub001", "北京站"),
            "hub_name": kinds.words(20, least=2, filler="站"),
            "observed_at": _SLOT,
            "in_count": kinds.whole(0, 50_000),
            "out_count": kinds.whole(0, 50_000),
            "staying_count": kinds.whole(0, 100_000, is_free=False),
            "carrying_limit": kinds.whole(100, 200_000, is_free=False),
            "crowd_level": kinds.choice("爆满", "红色", "5"),
            "street_code": STREET,
        },
        twist="in_count",
        twist_values=("40001", "40002", "40003"),
        null="-",
    ),
    "x_metro.station_flow": Dataset(
        station_flow,
        {
            "station_code": kinds.code("ST1", "st000001", "西直门", "ST0000012"),
            "station_name": kinds.words(30, least=2, filler="站"),
            "line_name": kinds.words(20, least=2, filler="线"),
            "observed_at": _SLOT,
            "entry_count": kinds.whole(0, 50_000),
            "exit_count": kinds.whole(0, 50_000),
            "transfer_count": kinds.whole(0, 50_000).optional,
            "flow_control": kinds.choice("拥挤", "停运", "N"),
        },
        twist="exit_count",
        twist_values=("40001", "40002", "40003"),
        null="-",
    ),
    "culture_tour.scenic_crowd": Dataset(
        scenic_crowd,
        {
            "spot_code": kinds.code("JQ1", "jq000001", "颐和园", "JQ0000012"),
            "spot_name": kinds.words(40, least=2, filler="园"),
            "scenic_grade": kinds.choice("AAAAA", "6A", "五级"),
            "observed_at": _SLOT,
            "visitors_inside": kinds.whole(0, 200_000, is_free=False),
            "carrying_limit": kinds.whole(100, 200_000, is_free=False),
            "booked_count": kinds.whole(0, 200_000).optional,
            "opening_state": kinds.choice("关闭", "正常", "已满"),
            "street_code": STREET,
        },
        twist="booked_count",
        twist_values=("150001", "150002", "150003"),
        null="/",
    ),
}
