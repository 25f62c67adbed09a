"""Registers that several providers keep or quote: entities, schools, buildings, villages, devices.

Each is made when it is first asked for, from a generator of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox.checkdigits import USCC_ALPHABET, uscc

if TYPE_CHECKING:
    from random import Random

    from infra.sandbox.population import City, Street

ENTITIES: Final = 15_000
PUPILS: Final = 50_000
SCHOOLS: Final = 400
BUILDINGS: Final = 4_000
TERMINALS: Final = 10_000
SERVICE_ITEMS: Final = 2_000
_INNER: Final = ("110101", "110102", "110107")
#: GB/T 4754-2017 classes, the commonest a few times over.
_INDUSTRIES: Final = (
    "I6513", "I6513", "I6420", "M7320", "M7512", "F5191", "F5211", "F5299", "L7212", "C2710",
    "C3411", "C3562", "C3913", "C4011", "E4710", "G5430", "H6210", "J6760", "K7010", "N7820",
    "O8010", "P8399", "Q8513", "R8710", "A0141", "D4411",
)  # fmt: skip
_STEMS: Final = "京华启恒瑞中联博远嘉德信诚泰安宏达新源卓越天和锐捷盛世东方金石云海"
_TRADES: Final = ("科技", "商贸", "餐饮管理", "建筑工程", "物流", "文化传媒", "医疗器械", "农业")
_TERMINAL_KINDS: Final = (
    "井盖", "路灯", "水位计", "雨量计", "燃气探测", "视频", "空气质量", "噪声",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity of the register (法人库); ``capital_wan`` in 10,000 yuan."""

    code: str
    name: str
    district_code: str
    street_code: str
    industry: str
    status: str
    capital_wan: int
    founded: date


@dataclass(frozen=True, slots=True)
class Place:
    """A numbered place (WGS84, degrees) in a street-level unit."""

    number: str
    name: str
    street_code: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class School:
    """A school; ``places`` are seats."""

    place: Place
    code: str
    stage: str
    places: int


@dataclass(frozen=True, slots=True)
class Pupil:
    """A pupil by the education bureau's token; names and numbers of children never leave it."""

    token: str
    school: School
    grade: int


@dataclass(frozen=True, slots=True)
class Building:
    """A building; area in m²."""

    place: Place
    use: str
    year: int
    area_m2: int


@dataclass(frozen=True, slots=True)
class Terminal:
    """A sensing device and how it behaves: ``uptime`` is the share of hours it reports."""

    place: Place
    kind: str
    installed: date
    uptime: float


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A service item; days are working days."""

    code: str
    name: str
    dept: str
    statutory_days: int
    promised_days: int
    materials: int


def place(rng: Random, street: Street, number: str, name: str) -> Place:
    """Return a place near the middle of a street-level unit."""
    return Place(
        number,
        name,
        street.code,
        round(street.lon + rng.uniform(-0.01, 0.01), 6),
        round(street.lat + rng.uniform(-0.008, 0.008), 6),
    )


def places(city: City, letters: str, count: int, what: str = "路口") -> tuple[Place, ...]:
    """Return ``count`` × scale places anywhere, numbered ``<letters>000001`` onwards."""
    rng = city.rng("places", letters)
    chosen = rng.choices(city.streets, k=count * city.scale)
    return tuple(
        place(rng, street, f"{letters}{n:06d}", f"{street.name}{what}{n}")
        for n, street in enumerate(chosen, start=1)
    )


def entities(city: City) -> tuple[Entity, ...]:
    """Return the register of legal entities; the city's known firms come first."""
    rng = city.rng("entities")
    made: dict[str, Entity] = {}
    for firm in (*city.firms, *city.care_firms):
        made[firm.code] = _entity(rng, city, firm.code, firm.name)
    while len(made) < ENTITIES * city.scale:
        area = f"1101{rng.choice((1, 2, 5, 6, 8, 12, 14, 15)):02d}"
        kind = rng.choices(("91", "92", "93", "52", "N2"), (93, 3, 1, 2, 1))[0]
        code = uscc(kind, area, "MA" + "".join(rng.choices(USCC_ALPHABET, k=6)))
        name = f"北京{''.join(rng.sample(_STEMS, 3))}{rng.choice(_TRADES)}有限公司"
        made.setdefault(code, _entity(rng, city, code, name))
    return tuple(made.values())


def _entity(rng: Random, city: City, code: str, name: str) -> Entity:
    street = rng.choice(city.streets)
    return Entity(
        code,
        name,
        street.district_code,
        street.code,
        rng.choice(_INDUSTRIES),
        rng.choices(("存续", "吊销", "注销"), (92, 3, 5))[0],
        max(1, int(rng.lognormvariate(5.2, 1.4))),
        date(1995, 1, 1) + timedelta(rng.randrange(11_000)),
    )


def schools(city: City) -> tuple[School, ...]:
    """Return the schools: primary, middle and high."""
    rng = city.rng("schools")
    found = []
    for number in range(1, SCHOOLS * city.scale + 1):
        street = rng.choice(city.streets)
        stage = rng.choices(("小学", "初中", "高中"), (6, 3, 2))[0]
        spot = place(rng, street, f"XX{number:06d}", f"{street.name}第{number % 9 + 1}{stage}")
        code = uscc("12", street.district_code, "MB" + "".join(rng.choices(USCC_ALPHABET, k=6)))
        found.append(School(spot, code, stage, rng.randint(300, 2400)))
    return tuple(found)


def pupils(city: City) -> tuple[Pupil, ...]:
    """Return the pupils."""
    rng = city.rng("pupils")
    first = {"小学": (1, 6), "初中": (7, 9), "高中": (10, 12)}
    found = []
    for number in range(1, PUPILS * city.scale + 1):
        school = rng.choice(city.schools)
        found.append(Pupil(f"P{number:08d}", school, rng.randint(*first[school.stage])))
    return tuple(found)


def buildings(city: City) -> tuple[Building, ...]:
    """Return the larger buildings."""
    rng = city.rng("buildings")
    uses = ("办公", "商业", "学校", "医院", "住宅", "工业")
    return tuple(
        Building(spot, rng.choice(uses), rng.randint(1955, 2024), int(rng.lognormvariate(8.8, 0.8)))
        for spot in places(city, "BD", BUILDINGS, "楼宇")
    )


def villages(city: City) -> tuple[Place, ...]:
    """Return the villages: a few in each street-level unit outside the inner districts."""
    rng = city.rng("villages")
    return tuple(
        place(rng, street, f"{street.code}{200 + n}", f"{street.name}{n}村")
        for street in city.streets
        if street.district_code not in _INNER
        for n in range(1, rng.randint(3, 12))
    )


def terminals(city: City) -> tuple[Terminal, ...]:
    """Return the sensing terminals; a few report seldom."""
    rng = city.rng("terminals")
    return tuple(
        Terminal(
            spot,
            rng.choice(_TERMINAL_KINDS),
            date(2016, 1, 1) + timedelta(rng.randrange(3600)),
            rng.choices((0.99, 0.9, 0.4), (90, 7, 3))[0],
        )
        for spot in places(city, "TM", TERMINALS, "终端")
    )


def service_items(city: City) -> tuple[ServiceItem, ...]:
    """Return the service items; what is promised is never longer than what the law allows."""
    rng = city.rng("service items")
    depts = ("civil", "hrss", "market_reg", "housing", "transport", "health", "edu", "police")
    found = []
    for number in range(1, SERVICE_ITEMS * city.scale + 1):
        statutory = rng.choice((5, 7, 10, 15, 20, 30, 45, 60))
        found.append(
            ServiceItem(
                f"11{number:010d}",
                f"{rng.choice(('核发', '变更', '注销', '备案', '确认'))}事项{number}",
                rng.choice(depts),
                statutory,
                rng.randint(1, statutory),
                rng.randint(1, 12),
            )
        )
    return tuple(found)
