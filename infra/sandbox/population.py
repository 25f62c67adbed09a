"""One seeded city: the persons, firms, places and roads that every provider speaks of."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT
from infra.sandbox import registers
from infra.sandbox.checkdigits import USCC_ALPHABET, resident_id, uscc

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE: Final = ROOT / "contracts" / "reference"
#: The 16 districts by provider id: GB/T 2260 code, and what their case numbers begin with.
DISTRICTS: Final = {
    "dongcheng": ("110101", "DC"),
    "xicheng": ("110102", "XC"),
    "chaoyang": ("110105", "CY"),
    "fengtai": ("110106", "FT"),
    "shijingshan": ("110107", "SJ"),
    "haidian": ("110108", "HD"),
    "mentougou": ("110109", "MT"),
    "fangshan": ("110111", "FS"),
    "tongzhou": ("110112", "TZ"),
    "shunyi": ("110113", "SY"),
    "changping": ("110114", "CP"),
    "daxing": ("110115", "DX"),
    "huairou": ("110116", "HR"),
    "pinggu": ("110117", "PG"),
    "miyun": ("110118", "MY"),
    "yanqing": ("110119", "YQ"),
}
ABOLISHED_AREAS: Final = ("110103", "110104", "110228", "110229")
_BEIJING_AREAS: Final = tuple(f"1101{n:02d}" for n in (1, 2, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15))
_OTHER_AREAS: Final = (
    "130102", "370102", "410102", "210102", "320102", "420102", "510104", "610102", "340102",
)  # fmt: skip
_SURNAMES: Final = "华启恒瑞中联博远嘉德信诚泰安宏达新源卓越天和锐捷盛世"
_TRADES: Final = ("科技", "信息技术", "企业管理", "科技孵化器", "商业运营管理", "生物医药")
_RARE: Final = ("喆", "䶮", "𠮷")
_HEAT_STREETS: Final = 16
_WARM_STREETS: Final = 26


@dataclass(frozen=True, slots=True)
class Street:
    """A street-level unit and the point that stands for it (WGS84, degrees)."""

    code: str
    name: str
    district_code: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Person:
    """A resident; an elder has the day of the month on which services begin."""

    number: str
    street_code: str
    mobile: str
    enrolled_day: int = 0
    services: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Firm:
    """A legal entity."""

    code: str
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class Depot:
    """A store of emergency supplies: item code → (quantity, expiry)."""

    number: str
    name: str
    lon: float
    lat: float
    street_code: str
    phone: str
    plate: str
    items: dict[str, tuple[int, date]]


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of road between two junctions."""

    number: str
    lon: float
    lat: float
    free_flow_kmh: float


@dataclass(frozen=True)
class City:
    """Everything that exists, before any provider writes of it.

    ``heat_per_day`` is the effect that products must recover: expected heat cases a day by street.
    """

    seed: int
    scale: int
    streets: tuple[Street, ...]
    residents: dict[str, tuple[Person, ...]]
    elders: tuple[Person, ...]
    firms: tuple[Firm, ...]
    care_firms: tuple[Firm, ...]
    depots: tuple[Depot, ...]
    links: tuple[Link, ...]
    heat_per_day: dict[str, float]

    @cached_property
    def entities(self) -> tuple[registers.Entity, ...]:
        """The legal entities: the firms that other providers speak of, and many more."""
        return registers.entities(self)

    @cached_property
    def schools(self) -> tuple[registers.School, ...]:
        """The schools."""
        return registers.schools(self)

    @cached_property
    def pupils(self) -> tuple[registers.Pupil, ...]:
        """The pupils, each at a school."""
        return registers.pupils(self)

    @cached_property
    def junctions(self) -> tuple[registers.Place, ...]:
        """The road junctions with signals."""
        return registers.places(self, "JC", 500)

    @cached_property
    def buildings(self) -> tuple[registers.Building, ...]:
        """The larger buildings, each with meters."""
        return registers.buildings(self)

    @cached_property
    def villages(self) -> tuple[registers.Place, ...]:
        """The administrative villages of the outer districts; ``number`` has 12 digits."""
        return registers.villages(self)

    @cached_property
    def terminals(self) -> tuple[registers.Terminal, ...]:
        """The sensing terminals."""
        return registers.terminals(self)

    @cached_property
    def service_items(self) -> tuple[registers.ServiceItem, ...]:
        """The government service items (政务服务事项)."""
        return registers.service_items(self)

    def rng(self, *purpose: object) -> Random:
        """Return a generator of its own for a purpose, so that adding one moves no other."""
        return Random("/".join(map(str, (self.seed, self.scale, *purpose))))


@lru_cache(maxsize=2)
def build_city(seed: int, scale: int) -> City:
    """Build the city of a seed; ``scale`` multiplies people, roads and stocks, not streets."""
    rng = Random(f"{seed}/{scale}/city")
    streets = read_streets(REFERENCE / "streets.csv")
    weights = {s.code: rng.lognormvariate(0, 0.9) for s in streets}
    taken: set[str] = set()
    residents = {
        s.code: tuple(
            Person(_number(rng, taken, 1967, 2012), s.code, _mobile(rng)) for _ in range(45 * scale)
        )
        for s in streets
    }
    firms = _firms(rng, 110 + 41, _district_names())
    return City(
        seed=seed,
        scale=scale,
        streets=streets,
        residents=residents,
        elders=_elders(rng, taken, streets, weights, 6500 * scale),
        firms=firms,
        care_firms=_firms(rng, 60, _district_names()),
        depots=_depots(rng, streets, 200 * scale),
        links=_links(rng, streets, 500 * scale),
        heat_per_day=_heat(rng, streets, scale),
    )


def read_streets(path: Path) -> tuple[Street, ...]:
    """Read the street table of the contracts' reference folder."""
    with path.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Street(r["code"], r["name"], r["district_code"], float(r["lon"]), float(r["lat"]))
            for r in csv.DictReader(handle)
        )


@cache
def reference_codes(name: str, column: str) -> tuple[str, ...]:
    """Return one column of a reference table."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(r[column] for r in csv.DictReader(handle))


def _district_names() -> tuple[str, ...]:
    with (REFERENCE / "divisions.csv").open(encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if r["level"] == "county" and not r["valid_to"]]
    return (*(r["name"] for r in rows), "经济技术开发区")


def _number(rng: Random, taken: set[str], first_year: int, last_year: int) -> str:
    """Draw a resident number: mostly Beijing, some other provinces, some abolished counties."""
    while True:
        draw = rng.random()
        areas = (
            ABOLISHED_AREAS if draw < 0.05 else _OTHER_AREAS if draw < 0.25 else _BEIJING_AREAS  # noqa: PLR2004
        )
        birth = date(rng.randint(first_year, last_year), 1, 1) + timedelta(rng.randrange(365))
        if rng.random() < 0.01:  # noqa: PLR2004 - leap days are rarer than tests need them
            birth = date(birth.year // 4 * 4, 2, 29)
        number = resident_id(rng.choice(areas), birth, rng.randint(1, 999))
        if number not in taken:
            taken.add(number)
            return number


def _mobile(rng: Random) -> str:
    return f"1{rng.choice('3456789')}{rng.randrange(10**9):09d}"


def _landline(rng: Random) -> str:
    return f"010-{rng.randint(2, 8)}{rng.randrange(10**7):07d}"


def _services(rng: Random) -> tuple[int, ...]:
    count = rng.choices((1, 2, 3), (70, 24, 6))[0]
    return tuple(sorted(rng.sample(range(1, 13), count)))


def _elders(
    rng: Random,
    taken: set[str],
    streets: tuple[Street, ...],
    weights: dict[str, float],
    count: int,
) -> tuple[Person, ...]:
    homes = rng.choices(streets, [weights[s.code] for s in streets], k=count)
    return tuple(
        Person(
            _number(rng, taken, 1924, 1965),
            home.code,
            _mobile(rng),
            enrolled_day=0 if rng.random() < 0.95 else rng.randint(2, 28),  # noqa: PLR2004
            services=_services(rng),
        )
        for home in homes
    )


def _firms(rng: Random, count: int, districts: tuple[str, ...]) -> tuple[Firm, ...]:
    firms = []
    for number in range(count):
        kind, area = rng.choices(
            (("91", f"1101{rng.choice((1, 2, 5, 6, 8, 14)):02d}"), ("52", "110000"),
             ("12", "100000"), ("91", "310115"), ("N2", "110111")),
            (88, 5, 3, 3, 1),
        )[0]  # fmt: skip
        body = "MA" + "".join(rng.choices(USCC_ALPHABET, k=6))
        words = "".join(rng.sample(_SURNAMES, 3))
        rare = _RARE[number % 3] if number % 17 == 0 else ""
        name = f"北京{words}{rare}{rng.choice(_TRADES)}有限公司"
        if number % 9 == 0:
            name = name.replace("北京", "", 1).replace("有限公司", "（北京）有限公司")
        firms.append(Firm(uscc(kind, area, body), name, rng.choice(districts)))
    return tuple(firms)


def _depots(rng: Random, streets: tuple[Street, ...], count: int) -> tuple[Depot, ...]:
    items = (*reference_codes("heat_items", "item_code"), *(f"RS{n:04d}" for n in range(1, 13)))
    depots = []
    for number in range(1, count + 1):
        home = rng.choice(streets)
        stock = {
            item: (int(rng.lognormvariate(5, 1)), date(2025, 6, 1) + timedelta(rng.randrange(1600)))
            for item in sorted(rng.sample(items, 15))
        }
        phone = _mobile(rng) if number % 5 < 2 else _landline(rng)  # noqa: PLR2004
        plate = f"京{rng.choice('AENPQ')}{rng.randrange(10**5):05d}" if rng.random() < 0.7 else ""  # noqa: PLR2004
        depots.append(
            Depot(
                f"DP{number:05d}",
                f"{home.name}第{number % 3 + 1}应急物资库",
                round(home.lon + rng.uniform(-0.012, 0.012), 6),
                round(home.lat + rng.uniform(-0.009, 0.009), 6),
                home.code,
                phone,
                plate,
                stock,
            )
        )
    return tuple(depots)


def _links(rng: Random, streets: tuple[Street, ...], count: int) -> tuple[Link, ...]:
    links = []
    for number in range(1, count + 1):
        near = rng.choice(streets)
        links.append(
            Link(
                f"L{number:06d}",
                round(near.lon + rng.uniform(-0.01, 0.01), 6),
                round(near.lat + rng.uniform(-0.01, 0.01), 6),
                rng.choice((30.0, 40.0, 60.0, 80.0)),
            )
        )
    return tuple(links)


def _heat(rng: Random, streets: tuple[Street, ...], scale: int) -> dict[str, float]:
    """Give a few streets a heat wave that reaches k within a week, more that stay below it."""
    struck = rng.sample([s.code for s in streets], _HEAT_STREETS + _WARM_STREETS)
    rates = {s.code: 0.04 * scale for s in streets}
    rates |= {code: round(rng.uniform(3.6, 9.0), 2) * scale for code in struck[:_HEAT_STREETS]}
    rates |= {code: round(rng.uniform(0.8, 1.8), 2) * scale for code in struck[_HEAT_STREETS:]}
    return rates


def poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson number (Knuth's product method; means here are small)."""
    if mean > 30:  # noqa: PLR2004 - the product would underflow slowly; normal is close enough
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
