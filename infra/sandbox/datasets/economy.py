"""Firms and industry: what the registers and the statistics of the economy report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.checkdigits import USCC_ALPHABET, uscc
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import DISTRICT, INDUSTRY, MONTH, STREET, USCC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City
    from infra.sandbox.registers import Entity

SCALE_FIRMS: Final = 3000
#: Digitalised firms (level 2 and above) among those above the threshold: in the year before the
#: first load, and how many more a year later.
DIGITAL_SHARE: Final = 0.57
DIGITAL_GAIN_A_YEAR: Final = 0.045
#: What research takes of the revenue, by industry section; and growth of revenue a year.
RESEARCH_SHARE: Final = {"C": 0.041, "D": 0.012}
REVENUE_GROWTH_A_YEAR: Final = 0.052
FUTURE_INDUSTRIES: Final = (
    "通用人工智能", "第六代移动通信", "量子信息", "脑机接口", "人形机器人", "商业航天",
    "合成生物制造", "细胞与基因治疗", "绿色氢能", "新型储能", "先进半导体材料", "卫星互联网",
)  # fmt: skip
#: Firms of one future industry, and of two.
_OF_ONE, _OF_TWO = 1000, 100
_UNICORNS: Final = 25
_NEW_A_DAY: Final = 60
_CHANGED_EVERY, _WITHDRAWN_EVERY = 180, 93
_METHODS: Final = ("自评", "第三方评估", "现场核验")


def alive(city: City, sections: str) -> list[Entity]:
    """Return the entities in business whose industry is of one of the sections."""
    return [e for e in city.entities if e.status == "存续" and e.industry[0] in sections]


def scale_firms(city: City) -> list[Entity]:
    """Return the industrial firms above the statistical threshold (规上工业企业)."""
    return alive(city, "CD")[: SCALE_FIRMS * city.scale]


def month_before(day: date, months: int = 1) -> str:
    """Return the month so many before a date's own, as ``yyyy-MM``."""
    number = day.year * 12 + day.month - 1 - months
    return f"{number // 12}-{number % 12 + 1:02d}"


def years_between(earlier: str, later: str) -> float:
    """Return the years from one month (``yyyy-MM``) to another."""
    a, b = (int(m[:4]) * 12 + int(m[5:]) for m in (earlier, later))
    return (b - a) / 12


def legal_entity(day: Day) -> list[Cells]:
    """Report the register once, then each day's new, changed and withdrawn entities.

    Nobody is changed twice in a half-year nor withdrawn twice in a quarter, whatever days are made.
    """
    rng = day.city.rng("register of entities")
    before = day.first_date - timedelta(1)
    known = [
        _registered(e, before - timedelta(rng.randrange(700)), rng.randrange(400))
        for e in day.city.entities
    ]
    if day.is_initial:
        return known
    slot, changes = day.business_date.toordinal(), day.rng("changes")
    today = day.business_date.isoformat()
    found = [_registered(e, day.business_date, 0) for e in _founded(day)]
    kept = [c for n, c in enumerate(known) if n % 10]
    for cells in kept[slot % _CHANGED_EVERY :: _CHANGED_EVERY]:
        changed = {**cells, "updated_on": today}
        if cells["reg_status"] == "存续" and changes.random() < 0.25:  # noqa: PLR2004
            changed |= {"reg_status": "注销", "cancelled_on": today}
        else:
            changed["capital_wan"] = str(int(cells["capital_wan"]) + changes.randint(1, 500))
        found.append(changed)
    # The city's own firms stand at the head of the register; they stay.
    found += [
        {**cells, "is_deleted": "是", "updated_on": today}
        for cells in known[1000::10][slot % _WITHDRAWN_EVERY :: _WITHDRAWN_EVERY]
    ]
    changes.shuffle(found)
    return found


def _registered(entity: Entity, updated: date, lived_days: int) -> Cells:
    gone = entity.founded + timedelta(30 + lived_days) if entity.status == "注销" else None
    return {
        "uscc": entity.code,
        "org_name": entity.name,
        "entity_kind": _entity_kind(entity.code),
        "industry_code": entity.industry,
        "reg_status": entity.status,
        "capital_wan": str(entity.capital_wan),
        "founded_on": entity.founded.isoformat(),
        "cancelled_on": gone.isoformat() if gone else "",
        "district_code": entity.district_code,
        "street_code": entity.street_code,
        "updated_on": updated.isoformat(),
        "is_deleted": "否",
    }


def _entity_kind(code: str) -> str:
    kinds_of = {"91": "企业", "12": "事业单位", "52": "民办非企业单位"}
    return kinds_of.get(code[:2], "农村集体经济组织")


def _founded(day: Day) -> Iterator[Entity]:
    rng = day.rng("founded")
    taken = {e.code for e in day.city.entities}
    models = rng.sample(day.city.entities[1000:], _NEW_A_DAY * day.city.scale)
    for number, model in enumerate(models):
        code = uscc("91", model.district_code, "MA" + "".join(rng.choices(USCC_ALPHABET, k=6)))
        if code not in taken:
            taken.add(code)
            yield replace(
                model,
                code=code,
                name=f"北京新{model.name.removeprefix('北京')}",
                status="存续",
                founded=day.business_date - timedelta(number % 9),
            )


def digital_maturity(day: Day) -> list[Cells]:
    """Report how digital each firm above the threshold was in the year before."""
    year = day.business_date.year - 1
    share = DIGITAL_SHARE + DIGITAL_GAIN_A_YEAR * (year - day.first_date.year + 1)
    share = min(share, 0.98)
    rng = day.city.rng("digital maturity")
    found = []
    for firm in scale_firms(day.city):
        place, method = rng.random(), rng.choice(_METHODS)
        over = place - (1 - share)
        score = round(40 + 60 * over / share if over >= 0 else 40 * place / (1 - share), 1)
        found.append(
            {
                "uscc": firm.code,
                "year": str(year),
                "org_name": firm.name,
                "digital_level": str(min(4, int(score // 20))),
                "assess_score": f"{score:.1f}",
                "assess_method": method,
                "assessed_on": f"{year}/{rng.randint(9, 12):02d}/{rng.randint(1, 28):02d}",
            }
        )
    return found


def scale_firm_month(day: Day) -> list[Cells]:
    """Report the month before: what the firms above the threshold earned, made and spent."""
    month = month_before(day.business_date)
    size, now = day.city.rng("size of firms"), day.city.rng("firms", month)
    years = years_between(month_before(day.first_date), month)
    found = []
    for firm in scale_firms(day.city):
        # 20 million yuan a year is the threshold: 167 (10,000 yuan) a month.
        revenue = (180 + size.lognormvariate(6.2, 1.3)) * (1 + REVENUE_GROWTH_A_YEAR) ** years
        revenue *= now.uniform(0.93, 1.07)
        research = revenue * RESEARCH_SHARE[firm.industry[0]] * now.uniform(0.5, 1.5)
        found.append(
            {
                "uscc": firm.code,
                "month": month,
                "org_name": firm.name,
                "industry_code": firm.industry,
                "revenue_wan": f"{revenue:.2f}",
                "output_wan": f"{revenue * now.uniform(0.94, 1.05):.2f}",
                "research_wan": f"{research:.2f}",
                "staff_count": str(max(8, int(revenue / size.uniform(8, 30)))),
            }
        )
    return found


def _future_firms(city: City) -> list[tuple[Entity, tuple[int, ...]]]:
    """Return the firms of the twelve future industries, the main industry of each first."""
    rng = city.rng("future industries")
    firms = rng.sample(alive(city, "CIMNG"), (_OF_ONE + _OF_TWO) * city.scale)
    return [
        (firm, tuple(rng.sample(range(1, 13), 2 if number < _OF_TWO * city.scale else 1)))
        for number, firm in enumerate(firms)
    ]


def unicorn(day: Day) -> list[Cells]:
    """Report the list of unicorns of the year before; valuations grow a little each year."""
    rng = day.city.rng("unicorns")
    year = day.business_date.year - 1
    firms = rng.sample(_future_firms(day.city), _UNICORNS)
    worth = [rng.lognormvariate(3.0, 0.7) + 10 for _ in firms]
    return [
        {
            "seq": str(n),
            "year": str(year),
            "org_name": firm.name,
            "uscc": firm.code,
            "future_industry": str(industries[0]),
            "valuation_usd_yi": f"{max(10, value * 1.03 ** (year - 2025)):.1f}",
            "listed_in_year": str(min(year, rng.randint(2015, 2024))),
            "district_code": firm.district_code,
        }
        for n, ((firm, industries), value) in enumerate(zip(firms, worth, strict=True), start=1)
    ]


def future_industry_map(day: Day) -> list[Cells]:
    """Report which firms are of which of the twelve future industries; some are of two."""
    rng = day.city.rng("confirmed")
    return [
        {
            "uscc": firm.code,
            "org_name": firm.name,
            "future_industry": str(industry),
            "future_industry_name": FUTURE_INDUSTRIES[industry - 1],
            "is_main_industry": "是" if industry == industries[0] else "否",
            "confirmed_on": f"{rng.randint(2022, 2025)}{rng.randint(1, 12):02d}15",
        }
        for firm, industries in _future_firms(day.city)
        for industry in industries
    ]


_NAME: Final = kinds.words(60, least=4, filler="业")
_YEAR: Final = kinds.whole(2000, 2100, is_free=False)
_WAN: Final = kinds.decimal(0, 10_000_000, is_free=False)
_FUTURE: Final = kinds.whole(1, 12, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "market_reg.legal_entity": Dataset(
        legal_entity,
        {
            "uscc": USCC,
            "org_name": _NAME,
            "entity_kind": kinds.choice("公司", "有限公司", "个体"),
            "industry_code": INDUSTRY,
            "reg_status": kinds.choice("在业", "迁出", "正常"),
            "capital_wan": kinds.decimal(0, 50_000_000),
            "founded_on": kinds.day(),
            "cancelled_on": kinds.day().optional,
            "district_code": DISTRICT,
            "street_code": STREET,
            "updated_on": kinds.day(is_free=True),
            "is_deleted": kinds.choice("0", "N", "未删除"),
        },
        twist="capital_wan",
        twist_values=("11.5", "12.5", "13.5"),
        null="/",
    ),
    "econ_it.digital_maturity": Dataset(
        digital_maturity,
        {
            "uscc": USCC,
            "year": _YEAR,
            "org_name": _NAME,
            "digital_level": kinds.whole(0, 4, is_free=False),
            "assess_score": kinds.decimal(0, 100, is_free=False),
            "assess_method": kinds.choice("电话", "抽查"),
            "assessed_on": kinds.day("yyyy/MM/dd", is_free=True),
        },
        twist="assess_method",
        twist_values=_METHODS,
        null="-",
    ),
    "stats.scale_firm_month": Dataset(
        scale_firm_month,
        {
            "uscc": USCC,
            "month": MONTH,
            "org_name": _NAME,
            "industry_code": INDUSTRY,
            "revenue_wan": _WAN,
            "output_wan": kinds.decimal(0, 10_000_000),
            "research_wan": _WAN,
            "staff_count": kinds.whole(0, 500_000),
        },
        twist="staff_count",
        twist_values=("7", "6", "5"),
        null="/",
    ),
    "sci_tech.unicorn": Dataset(
        unicorn,
        {
            "seq": kinds.whole(1, is_free=False),
            "year": _YEAR,
            "org_name": _NAME,
            "uscc": USCC,
            "future_industry": _FUTURE,
            "valuation_usd_yi": kinds.decimal(10, 5000),
            "listed_in_year": kinds.whole(2010, 2100, is_free=False),
            "district_code": DISTRICT,
        },
        twist="future_industry",
        twist_values=("1", "2", "3"),
        null="-",
    ),
    "sci_tech.future_industry_map": Dataset(
        future_industry_map,
        {
            "uscc": USCC,
            "org_name": _NAME,
            "future_industry": _FUTURE,
            "future_industry_name": kinds.choice("区块链", "人工智能", "6G"),
            "is_main_industry": kinds.choice("Y", "0", "主营"),
            "confirmed_on": kinds.day("yyyyMMdd", is_free=True),
        },
        twist="confirmed_on",
        twist_values=("20210101", "20210102", "20210103"),
        null="/",
    ),
}
