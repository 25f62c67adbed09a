"""Sensing terminals, base stations, villages and computing clusters: what is out there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from infra.sandbox import kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets.economy import alive
from infra.sandbox.kinds import DISTRICT, LAT, LON, MOMENT, STREET, USCC, VILLAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City
    from infra.sandbox.registers import Entity, Terminal

BASE_STATIONS: Final = 6000
#: Villages that a 5G site stands in; so many villages say something else than the operators.
RURAL_5G_SHARE: Final = 0.52
VILLAGE_DISAGREES_SHARE: Final = 0.06
#: Terminals registered a second time, within 5 m; and terminals entered far from their street.
TWICE_REGISTERED_SHARE: Final = 0.013
MISPLACED_SHARE: Final = 0.009
#: Devices that report and stand in no registry.
ORPHANS: Final = 45
#: Computing: clusters in the west, and the share of the capacity that is used.
WEST_SHARE: Final = 0.35
UTILISATION: Final = 0.47
HISTORY_DAYS: Final = 30
_CLUSTERS: Final = 60
_TWICE_FROM, _ORPHANS_FROM = 900_000, 800_000
_WATER_KINDS: Final = ("水位计", "雨量计")
_MAINS_KINDS: Final = ("路灯", "视频", "空气质量")
_PROTOCOLS: Final = ("NB-IoT", "LoRa", "4G", "5G", "有线")
_WEST, _EAST = ("内蒙古", "甘肃", "宁夏", "贵州"), ("北京", "河北", "天津")
_OPERATORS: Final = ("中国移动", "中国联通", "中国电信", "中国广电")
_MISPLACED_DEGREES: Final = 0.09
_NEAR_DEGREES: Final = 0.001
#: Texts of signal strengths: a look-up is quicker than a conversion for each of so many rows.
_DBM: Final = {n: str(n) for n in range(-140, -19)}


class Cluster(NamedTuple):
    """A computing cluster; ``pflops`` at half precision (FP16)."""

    number: str
    owner: Entity
    region: str
    pflops: float
    opened: date


def clusters(city: City) -> list[Cluster]:
    """Return the computing clusters."""
    rng = city.rng("clusters")
    owners = rng.sample(alive(city, "I"), _CLUSTERS * city.scale)
    return [
        Cluster(
            f"CN{number:04d}",
            owner,
            rng.choice(_WEST if rng.random() < WEST_SHARE else _EAST),
            round(rng.lognormvariate(2.5, 1.1) + 0.5, 2),
            date(2017, 1, 1) + timedelta(rng.randrange(3000)),
        )
        for number, owner in enumerate(owners, start=1)
    ]


def compute_node(day: Day) -> list[Cells]:
    """Report the clusters and what they could do."""
    rng = day.city.rng("cluster details")
    return [
        {
            "cluster_id": c.number,
            "cluster_name": f"{c.region}{c.owner.name[2:5]}智算集群{n}",
            "uscc": c.owner.code,
            "node_region": c.region,
            "pflops_fp16": f"{c.pflops:.2f}",
            "pflops_fp32": f"{c.pflops * rng.choice((0.25, 0.5)):.2f}",
            "pue": f"{rng.uniform(1.08, 1.3) if c.region in _WEST else rng.uniform(1.15, 1.5):.2f}",
            "rack_count": str(rng.randint(8, 900)),
            "cluster_opened_on": c.opened.isoformat(),
        }
        for n, c in enumerate(clusters(day.city), start=1)
    ]


def job_usage(day: Day) -> list[Cells]:
    """Report how the clusters were used on the day; the first load has a month of days."""
    found = []
    for ago in range(HISTORY_DAYS - 1 if day.is_initial else 0, -1, -1):
        on = day.business_date - timedelta(ago)
        rng = day.city.rng("jobs", on)
        for cluster in clusters(day.city):
            used = min(0.99, max(0.02, rng.gauss(UTILISATION, 0.12)))
            jobs = rng.randint(20, 3000)
            found.append(
                {
                    "cluster_id": cluster.number,
                    "stat_date": on.isoformat(),
                    "pflops_hours": f"{cluster.pflops * 24 * used:.3f}",
                    "finished_jobs": str(jobs),
                    "failed_jobs": str(int(jobs * rng.uniform(0, 0.06))),
                    "queued_jobs": str(int(400 * used**3 * rng.random())),
                    "mean_wait_min": f"{90 * used**4 * rng.uniform(0.5, 1.5):.1f}",
                }
            )
    return found


def _covered(city: City) -> frozenset[str]:
    """Return the villages that a 5G site stands in."""
    rng = city.rng("rural 5G")
    return frozenset(v.number for v in city.villages if rng.random() < RURAL_5G_SHARE)


def base_station(day: Day) -> list[Cells]:
    """Report all sites: one of 5G in each covered village, the others in towns."""
    covered, rng = _covered(day.city), day.city.rng("base stations")
    spots = [(v.street_code, v.lon, v.lat, v.number) for v in day.city.villages]
    sites = [(spot, "5G", _NEAR_DEGREES) for spot in spots if spot[3] in covered]
    towns = rng.choices(day.city.streets, k=BASE_STATIONS * day.city.scale - len(sites))
    sites += [((s.code, s.lon, s.lat, ""), rng.choice(("4G", "5G")), 0.01) for s in towns]
    return [
        {
            "site_id": f"BS{number:06d}",
            "operator": rng.choice(_OPERATORS),
            "radio_tech": tech,
            "band_mhz": rng.choice(("2600", "3500", "4900") if tech == "5G" else ("1800", "2100")),
            "coverage_m": str(rng.randint(300, 900) if tech == "5G" else rng.randint(600, 3000)),
            "site_opened_on": (date(2019, 6, 1) + timedelta(rng.randrange(1900))).isoformat(),
            "village_code": village,
            "street_code": street,
            "lon": f"{lon + rng.uniform(-spread, spread):.6f}",
            "lat": f"{lat + rng.uniform(-spread, spread):.6f}",
        }
        for number, ((street, lon, lat, village), tech, spread) in enumerate(sites, start=1)
    ]


def village(day: Day) -> list[Cells]:
    """Report the villages; a few say of 5G what the operators do not."""
    covered, rng = _covered(day.city), day.city.rng("village details")
    found = []
    for place in day.city.villages:
        has_5g = (place.number in covered) != (rng.random() < VILLAGE_DISAGREES_SHARE)
        homes = rng.randint(60, 1500)
        found.append(
            {
                "village_code": place.number,
                "village_name": place.name,
                "district_code": place.street_code[:6],
                "street_code": place.street_code,
                "household_count": str(homes),
                "village_population": str(int(homes * rng.uniform(1.8, 3.2))),
                "farmland_mu": f"{rng.lognormvariate(7, 0.8):.1f}",
                "says_5g": "是" if has_5g else "否",
                "lon": f"{place.lon:.6f}",
                "lat": f"{place.lat:.6f}",
            }
        )
    return found


def _own(day: Day) -> list[Terminal]:
    """Return the provider's terminals: the water bureau has the gauges."""
    is_water = day.provider == "water"
    return [t for t in day.city.terminals if (t.kind in _WATER_KINDS) == is_water]


def terminal(day: Day) -> list[Cells]:
    """Report the registry, with terminals entered twice and terminals entered somewhere else."""
    rng = day.city.rng("registry", day.provider)
    owner = "市水务局" if day.provider == "water" else "市城市管理委员会"
    found, again = [], []
    for number, t in enumerate(_own(day)):
        is_far = rng.random() < MISPLACED_SHARE
        cells = {
            "device_id": t.place.number,
            "device_kind": t.kind,
            "owner_unit": f"{owner}第{number % 7 + 1}管理站",
            "device_protocol": rng.choice(_PROTOCOLS),
            "power_supply": "市电" if t.kind in _MAINS_KINDS else "电池",
            "installed_on": f"{t.installed:%Y-%m-%d}",
            "street_code": t.place.street_code,
            "lon": f"{t.place.lon:.6f}",
            "lat": f"{t.place.lat + (_MISPLACED_DEGREES if is_far else 0):.6f}",
        }
        found.append(cells)
        if rng.random() < TWICE_REGISTERED_SHARE:
            # 0.00003° is 3.3 m at most.
            lat = f"{float(cells['lat']) + rng.uniform(0, 0.00003):.6f}"
            number_2 = _TWICE_FROM + int(t.place.number[2:])
            again.append({**cells, "device_id": f"TM{number_2:06d}", "lat": lat})
    return found + again


def terminal_heartbeat(day: Day) -> list[Cells]:
    """Report each hour that a terminal was heard of; so many rows are built plainly."""
    rng = day.rng("heartbeats")
    hours = [f"{day.business_date.isoformat()} {h:02d}:00:00" for h in range(24)]
    draw = rng.random
    found: list[Cells] = []
    for number, uptime, has_battery in _heard(day):
        signal, charge = -60 - int(45 * draw()), 25 + int(70 * draw())
        battery = str(charge) if has_battery else ""
        found += [
            {
                "device_id": number,
                "observed_at": hour,
                "signal_dbm": _DBM[signal - int(8 * draw())],
                "battery_pct": battery,
            }
            for hour in hours
            if draw() < uptime
        ]
    return found


def _heard(day: Day) -> Iterator[tuple[str, float, bool]]:
    """Yield number, share of hours and whether on a battery; orphans stand in no registry."""
    for t in _own(day):
        yield t.place.number, t.uptime, t.kind not in _MAINS_KINDS
    first = _ORPHANS_FROM + (0 if day.provider == "water" else ORPHANS * day.city.scale)
    for number in range(first, first + ORPHANS * day.city.scale):
        yield f"TM{number:06d}", 0.9, True


_DEVICE_ID: Final = kinds.code("TM1", "tm000001", "TM0000001", "设备7")
_COUNT: Final = kinds.whole(0, 10_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "econ_it.compute_node": Dataset(
        compute_node,
        {
            "cluster_id": kinds.code("CN1", "cn0001", "集群1"),
            "cluster_name": kinds.words(40, least=4, filler="算"),
            "uscc": USCC,
            "node_region": kinds.choice("西部", "华北", "广东"),
            "pflops_fp16": kinds.decimal(0, 10_000, is_free=False),
            "pflops_fp32": kinds.decimal(0, 10_000, is_free=False),
            "pue": kinds.decimal(1, 3),
            "rack_count": kinds.whole(1, 100_000),
            "cluster_opened_on": kinds.day(is_free=True),
        },
        twist="rack_count",
        twist_values=("1001", "1002", "1003"),
        null="-",
    ),
    "econ_it.job_usage": Dataset(
        job_usage,
        {
            "cluster_id": kinds.code("CN1", "cn0001", "集群1"),
            "stat_date": kinds.day(),
            "pflops_hours": kinds.decimal(0, 1_000_000),
            "finished_jobs": _COUNT,
            "failed_jobs": _COUNT,
            "queued_jobs": kinds.whole(0, 10_000_000),
            "mean_wait_min": kinds.decimal(0, 100_000),
        },
        twist="queued_jobs",
        twist_values=("4001", "4002", "4003"),
        null="-",
    ),
    "x_telecom.base_station": Dataset(
        base_station,
        {
            "site_id": kinds.code("BS1", "bs000001", "BS0000001", "站点7"),
            "operator": kinds.choice("移动", "CMCC", "中国铁塔"),
            "radio_tech": kinds.choice("NR", "5g", "3.5G"),
            "band_mhz": kinds.whole(400, 60_000),
            "coverage_m": kinds.whole(10, 50_000),
            "site_opened_on": kinds.day(is_free=True),
            "village_code": VILLAGE.optional,
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="coverage_m",
        twist_values=("201", "202", "203"),
        null="-",
    ),
    "agri.village": Dataset(
        village,
        {
            "village_code": VILLAGE,
            "village_name": kinds.words(40, least=2, filler="村"),
            "district_code": DISTRICT,
            "street_code": STREET,
            "household_count": kinds.whole(0, 100_000, is_free=False),
            "village_population": kinds.whole(0, 1_000_000, is_free=False),
            "farmland_mu": kinds.decimal(0, 1_000_000),
            "says_5g": kinds.choice("有", "1", "Y"),
            "lon": LON,
            "lat": LAT,
        },
        twist="farmland_mu",
        twist_values=("1.5", "2.5", "3.5"),
        null="/",
    ),
    "devices.terminal": Dataset(
        terminal,
        {
            "device_id": _DEVICE_ID,
            "device_kind": kinds.choice("摄像头", "传感器", "水表"),
            "owner_unit": kinds.words(60, least=2, filler="站"),
            "device_protocol": kinds.choice("NBIOT", "WiFi", "蓝牙"),
            "power_supply": kinds.choice("太阳", "220V"),
            "installed_on": kinds.day(is_free=True),
            "street_code": STREET,
            "lon": LON,
            "lat": LAT,
        },
        twist="power_supply",
        twist_values=("市电", "电池", "太阳能"),
        null="/",
    ),
    "devices.terminal_heartbeat": Dataset(
        terminal_heartbeat,
        {
            "device_id": _DEVICE_ID,
            "observed_at": MOMENT,
            "signal_dbm": kinds.whole(-140, -20),
            "battery_pct": kinds.whole(0, 100).optional,
        },
        twist="signal_dbm",
        twist_values=("-21", "-22", "-23"),
        null="-",
    ),
}
