"""Stocks and trade: what chains hold and what crosses the border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets.economy import alive, month_before, years_between
from infra.sandbox.kinds import MONTH, USCC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City
    from infra.sandbox.registers import Entity

#: Stock turns over so often a year at first, and so much oftener with each year.
TURNOVER_A_YEAR: Final = 5.2
TURNOVER_GAIN_A_YEAR: Final = 0.17
#: These shops and groups have no stock at all; an indicator has to leave them out and count them.
ZERO_STOCK_SHARE: Final = 0.012
CHAIN_FIRMS: Final = 2000
_SKU_GROUPS: Final = ("SP", "RY")
_PARTNERS: Final = (
    "美国", "德国", "日本", "韩国", "越南", "泰国", "俄罗斯", "巴西", "澳大利亚", "英国",
    "法国", "沙特阿拉伯", "马来西亚", "中国香港", "中国台湾",
)  # fmt: skip
_CHAPTERS: Final = (*range(25, 41), *range(60, 65), *range(68, 77), *range(78, 98))


def chain_stock(day: Day) -> list[Cells]:
    """Report the month before; the first load has the same month a year earlier as well.

    A month opens with what the one before closed with, so that turnover can be held against stock.
    """
    back = (13, 1) if day.is_initial else (1,)
    baseline = month_before(day.first_date, 13)
    return [c for months in back for c in _stock_of(day, months, baseline)]


def _stock_of(day: Day, months: int, baseline: str) -> Iterator[Cells]:
    month = month_before(day.business_date, months)
    opening = _closing(day.city, month_before(day.business_date, months + 1))
    years = years_between(baseline, month)
    turnover = TURNOVER_A_YEAR * (1 + TURNOVER_GAIN_A_YEAR) ** years
    rng = day.city.rng("cost of goods", month)
    for (firm, group, opened), (_, _, closed) in zip(
        opening, _closing(day.city, month), strict=True
    ):
        cost = (opened + closed) / 2 * turnover / 12 * rng.uniform(0.8, 1.2)
        yield {
            "month": month,
            "uscc": firm.code,
            "org_name": firm.name,
            "sku_group": group,
            "opening_wan": f"{opened:.2f}",
            "closing_wan": f"{closed:.2f}",
            "cogs_wan": f"{cost:.2f}",
            "store_count": str(1 + int(opened**0.5)),
        }


def _closing(city: City, month: str) -> list[tuple[Entity, str, float]]:
    """Return each chain's stock of each group at the end of a month."""
    size, now = city.rng("size of stocks"), city.rng("stocks", month)
    return [
        (
            firm,
            group,
            0.0
            if size.random() < ZERO_STOCK_SHARE
            else round(5 + size.lognormvariate(4.5, 1.0) * now.uniform(0.9, 1.1), 2),
        )
        for firm in alive(city, "FHL")[: CHAIN_FIRMS * city.scale]
        for group in _SKU_GROUPS
    ]


def trade_month(day: Day) -> list[Cells]:
    """Report the month before by chapter of goods, partner and direction."""
    month = month_before(day.business_date)
    size, now = day.city.rng("size of trade"), day.city.rng("trade", month)
    return [
        {
            "month": month,
            "hs_chapter": str(chapter),
            "trade_direction": direction,
            "partner_region": partner,
            "value_wan_usd": f"{size.lognormvariate(5.0, 1.6) * now.uniform(0.8, 1.2):.2f}",
            "net_weight_kg": str(int(size.lognormvariate(10, 2))) if size.random() < 0.9 else "",  # noqa: PLR2004
            "declaration_count": str(now.randint(1, 4000)),
        }
        for chapter in _CHAPTERS
        for partner in _PARTNERS
        for direction in ("进口", "出口")
    ]


_WAN: Final = kinds.decimal(0, 10_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "commerce.chain_stock": Dataset(
        chain_stock,
        {
            "month": MONTH,
            "uscc": USCC,
            "org_name": kinds.words(60, least=4, filler="业"),
            "sku_group": kinds.choice("食品", "sp", "QT"),
            "opening_wan": _WAN,
            "closing_wan": _WAN,
            "cogs_wan": _WAN,
            "store_count": kinds.whole(0, 100_000),
        },
        twist="store_count",
        twist_values=("777", "778", "779"),
        null="-",
    ),
    "x_customs.trade_month": Dataset(
        trade_month,
        {
            "month": MONTH,
            "hs_chapter": kinds.code("7", "850", "机电", "99"),
            "trade_direction": kinds.choice("进", "转口"),
            "partner_region": kinds.choice("欧盟", "其他", "USA"),
            "value_wan_usd": kinds.decimal(0, 10_000_000),
            "net_weight_kg": kinds.decimal(0, 100_000_000_000).optional,
            "declaration_count": kinds.whole(0, 10_000_000),
        },
        twist="declaration_count",
        twist_values=("5001", "5002", "5003"),
        null="-",
    ),
}
