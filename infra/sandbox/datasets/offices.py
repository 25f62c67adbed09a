"""The smaller offices' own registers: projects, purchases, state firms, pledges, lenders, taxes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.checkdigits import uscc
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets import oversight
from infra.sandbox.datasets.economy import alive, month_before
from infra.sandbox.kinds import DISTRICT, INDUSTRY, MONTH, USCC
from infra.sandbox.population import DISTRICTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.registers import Entity

#: What tendering saves of the budget, and what share of profit state firms make of their revenue.
PROCUREMENT_SAVING: Final = 0.063
STATE_FIRM_MARGIN: Final = 0.048
#: The share of firms that file late, and of those that do not file at all.
LATE_SHARE, UNFILED_SHARE = 0.036, 0.009
_PROJECTS, _STATE_FIRMS, _PLEDGES, _LENDERS, _TAXED = 1800, 300, 500, 400, 8000
_PURCHASES_FIRST, _PURCHASES_A_WEEK = 4000, 800
_WORKS: Final = ("数据中心", "厂房扩建", "产业园", "污水处理设施", "保障性住房", "道路改造")
_BUYS: Final = ("办公设备采购", "信息系统运维", "物业服务", "道路养护", "医疗设备采购", "印刷服务")
_METHODS: Final = ("公开招标", "竞争性磋商", "竞争性谈判", "询价", "单一来源")
_BUYERS: Final = ("教育委员会", "民政局", "财政局", "水务局", "园林绿化局", "卫生健康委员会")
_BANKS: Final = ("北京银行", "工商银行北京分行", "建设银行北京分行", "北京农商银行")
_PATENTS: Final = ("发明", "实用新型", "外观设计")
_LENDER_KINDS: Final = (
    "小额贷款公司", "融资担保公司", "典当行", "融资租赁公司", "商业保理公司", "地方资产管理公司",
)  # fmt: skip
_BANDS: Final = (
    "无收入", "10万元以下", "10万至50万元", "50万至500万元", "500万至5000万元", "5000万元以上",
)  # fmt: skip


def some_firms(day: Day, purpose: str, count: int) -> list[Entity]:
    """Return firms in business that belong to a purpose, the same on every day."""
    firms = alive(day.city, "ABCDEFGHIJKLMNOPQRS")
    return day.city.rng("firms of", purpose).sample(firms, count * day.city.scale)


def project(day: Day) -> list[Cells]:
    """Report the list of investment projects as it stands on the day."""
    rng = day.city.rng("projects")
    found = []
    for number, firm in enumerate(some_firms(day, "projects", _PROJECTS), start=1):
        start = date(2022, 1, 1) + timedelta(rng.randrange(2200))
        finish = start + timedelta(rng.randint(300, 1500))
        total, is_idle = round(500 + rng.lognormvariate(8.5, 1.2), 2), rng.random() < 0.03  # noqa: PLR2004
        done = min(1.0, max(0.0, (day.business_date - start) / (finish - start)))
        stage = "前期" if done <= 0 else "停缓建" if is_idle else "竣工" if done >= 1 else "在建"
        found.append(
            {
                "invest_project_code": f"{start.year - 1}-{firm.district_code}"
                f"-{rng.randint(13, 90)}-0{rng.randint(1, 4)}-{number:06d}",
                "invest_project_name": f"{firm.name[:12]}{rng.choice(_WORKS)}项目",
                "org_name": firm.name,
                "uscc": firm.code,
                "approval_kind": rng.choices(("审批", "核准", "备案"), (3, 1, 6))[0],
                "industry_code": firm.industry,
                "district_code": firm.district_code,
                "total_invest_wan": f"{total:.2f}",
                "done_invest_wan": f"{total * done * rng.uniform(0.85, 1.0):.2f}",
                "work_started_on": "" if stage == "前期" else start.isoformat(),
                "finish_planned_on": finish.isoformat(),
                "project_stage": stage,
            }
        )
    return found


def procurement(day: Day) -> list[Cells]:
    """Report the awards announced in the week before; the first load has a few weeks of them."""
    rng = day.rng("awards")
    count, days = (_PURCHASES_FIRST, 35) if day.is_initial else (_PURCHASES_A_WEEK, 7)
    suppliers, names = some_firms(day, "suppliers", 1200), oversight.district_names()
    found = []
    for number in range(1, count * day.city.scale + 1):
        area, _ = rng.choice(list(DISTRICTS.values()))
        budget, office = round(rng.lognormvariate(13, 1.1), 2), rng.randrange(len(_BUYERS))
        supplier = rng.choice(suppliers)
        saved = rng.uniform(0, 2 * PROCUREMENT_SAVING)
        found.append(
            {
                "award_no": f"CG{day.business_date:%Y%m%d}{number:05d}",
                "purchase_name": f"{rng.choice(_BUYS)}项目（第{number % 9 + 1}包）",
                "buyer_name": f"北京市{names[area]}{_BUYERS[office]}",
                "buyer_uscc": uscc("11", area, f"MC{office:06d}"),
                "supplier_name": supplier.name,
                "supplier_uscc": supplier.code,
                "purchase_method": rng.choices(_METHODS, (50, 25, 8, 12, 5))[0],
                "budget_yuan": f"{budget:.2f}",
                "award_yuan": f"{budget * (1 - saved):.2f}",
                "announced_on": (day.business_date - timedelta(rng.randint(1, days))).isoformat(),
                "is_small_firm": rng.choices(("是", "否"), (74, 26))[0],
            }
        )
    return found


def state_firm_month(day: Day) -> list[Cells]:
    """Report the accounts of the month before; size stays with the firm, results vary."""
    month = month_before(day.business_date)
    size, now = day.city.rng("size of state firms"), day.city.rng("state firms", month)
    found = []
    for firm in some_firms(day, "state firms", _STATE_FIRMS):
        assets = round(20_000 + size.lognormvariate(12, 1.2) * now.uniform(0.98, 1.02), 2)
        debts = round(assets * size.uniform(0.25, 0.8), 2)
        revenue = round(assets * size.uniform(0.01, 0.08) * now.uniform(0.8, 1.2), 2)
        found.append(
            {
                "month": month,
                "uscc": firm.code,
                "org_name": firm.name,
                "firm_tier": size.choices(("一级", "二级", "三级"), (1, 4, 7))[0],
                "assets_wan": f"{assets:.2f}",
                "debts_wan": f"{debts:.2f}",
                "equity_wan": f"{assets - debts:.2f}",
                "state_revenue_wan": f"{revenue:.2f}",
                "profit_wan": f"{revenue * now.gauss(STATE_FIRM_MARGIN, 0.06):.2f}",
                "state_staff_count": str(size.randint(20, 9000)),
            }
        )
    return found


def patent_pledge(day: Day) -> list[Cells]:
    """Report the pledges registered in the month before."""
    rng = day.rng("pledges")
    firms = some_firms(day, "pledgors", 900)
    found = []
    for number in range(1, _PLEDGES * day.city.scale + 1):
        firm, bank = rng.choice(firms), rng.randrange(len(_BANKS))
        kind = rng.choices(range(3), (6, 3, 1))[0]
        registered = day.business_date - timedelta(rng.randint(1, 28))
        found.append(
            {
                "pledge_no": f"Y{day.business_date:%Y%m}11{number:06d}",
                "patent_no": _patent(rng, kind + 1),
                "patent_kind": _PATENTS[kind],
                "org_name": firm.name,
                "uscc": firm.code,
                "pledgee_name": _BANKS[bank],
                "pledgee_uscc": uscc("91", "110000", f"101{bank:05d}"),
                "pledge_loan_wan": f"{50 + rng.lognormvariate(5.8, 0.9):.2f}",
                "pledged_on": registered.isoformat(),
                "pledge_until": (registered + timedelta(rng.choice((365, 730, 1095)))).isoformat(),
            }
        )
    return found


def _patent(rng: Random, kind: int) -> str:
    """Return a patent number: year, kind, serial and a check character modulo 11 (ZC 0006)."""
    body = f"{rng.randint(2010, 2024)}{kind}{rng.randrange(10**7):07d}"
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(c) * w for c, w in zip(body, weights, strict=True))
    return f"ZL{body}.{'0123456789X'[total % 11]}"


def local_finance(day: Day) -> list[Cells]:
    """Report the list of local financial bodies; balances move from quarter to quarter."""
    rng, now = day.city.rng("lenders"), day.rng("balances")
    found = []
    for firm in some_firms(day, "lenders", _LENDERS):
        capital = 1000 * rng.randint(1, 300)
        licensed = firm.founded + timedelta(rng.randint(30, 900))
        found.append(
            {
                "uscc": firm.code,
                "org_name": firm.name,
                "lender_kind": rng.choices(_LENDER_KINDS, (30, 15, 25, 20, 20, 1))[0],
                "paid_capital_wan": f"{capital:.2f}",
                "business_balance_wan": f"{capital * now.uniform(0.1, 4.5):.2f}",
                "overdue_percent": f"{min(60.0, now.lognormvariate(1, 0.8)):.2f}",
                "supervision_rating": rng.choices(("A", "B", "C", "D", ""), (20, 45, 20, 5, 10))[0],
                "district_code": firm.district_code,
                "finance_licensed_on": licensed.isoformat(),
            }
        )
    return found


def tax_month(day: Day) -> list[Cells]:
    """Report what firms filed for the month before, their turnover in bands only."""
    month = month_before(day.business_date)
    size, now = day.city.rng("turnover"), day.city.rng("taxes", month)
    found = []
    for firm in some_firms(day, "taxed", _TAXED):
        is_small = size.random() < 0.7  # noqa: PLR2004
        weights = (8, 40, 35, 17, 0, 0) if is_small else (1, 5, 14, 40, 30, 10)
        late = (1 - LATE_SHARE - UNFILED_SHARE, LATE_SHARE, UNFILED_SHARE)
        found.append(
            {
                "month": month,
                "uscc": firm.code,
                "org_name": firm.name,
                "taxpayer_kind": "小规模纳税人" if is_small else "一般纳税人",
                "industry_code": firm.industry,
                "district_code": firm.district_code,
                "turnover_band": size.choices(_BANDS, weights)[0],
                "invoice_count": str(int(now.lognormvariate(3, 1.3))),
                "filing_state": now.choices(("按期申报", "逾期申报", "未申报"), late)[0],
            }
        )
    return found


_ORG_NAME: Final = kinds.words(60, least=4, filler="业")
_WAN: Final = kinds.decimal(0, 100_000_000, is_free=False)
_STATE_WAN: Final = kinds.decimal(0, 1_000_000_000, is_free=False)
_YUAN: Final = kinds.decimal(0, 10_000_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    **oversight.DATASETS,
    "dev_reform.project": Dataset(
        project,
        {
            "invest_project_code": kinds.code("2024-110105-65-03", "京发改2024", "2024110105"),
            "invest_project_name": kinds.words(60, least=4, filler="项"),
            "org_name": _ORG_NAME,
            "uscc": USCC,
            "approval_kind": kinds.choice("审核", "登记", "备"),
            "industry_code": INDUSTRY,
            "district_code": DISTRICT,
            "total_invest_wan": _WAN,
            "done_invest_wan": _WAN,
            "work_started_on": kinds.day().optional,
            "finish_planned_on": kinds.day(),
            "project_stage": kinds.choice("开工", "完工", "暂停"),
        },
        twist="approval_kind",
        twist_values=("审批", "核准", "备案"),
        null="-",
    ),
    "finance.procurement": Dataset(
        procurement,
        {
            "award_no": kinds.code("CG2026", "cg2026070100001", "京财采1号"),
            "purchase_name": kinds.words(80, least=4, filler="购"),
            "buyer_name": _ORG_NAME,
            "buyer_uscc": USCC,
            "supplier_name": _ORG_NAME,
            "supplier_uscc": USCC,
            "purchase_method": kinds.choice("招标", "磋商", "直接采购"),
            "budget_yuan": _YUAN,
            "award_yuan": _YUAN,
            "announced_on": kinds.day(is_free=True),
            "is_small_firm": kinds.choice("Y", "中小", "0").optional,
        },
        twist="purchase_method",
        twist_values=_METHODS[:3],
        null="/",
    ),
    "sasac.state_firm_month": Dataset(
        state_firm_month,
        {
            "month": MONTH,
            "uscc": USCC,
            "org_name": _ORG_NAME,
            "firm_tier": kinds.choice("1", "集团", "四级"),
            "assets_wan": _STATE_WAN,
            "debts_wan": _STATE_WAN,
            "equity_wan": _STATE_WAN,
            "state_revenue_wan": _STATE_WAN,
            "profit_wan": kinds.decimal(-100_000_000, 100_000_000),
            "state_staff_count": kinds.whole(0, 500_000),
        },
        twist="state_staff_count",
        twist_values=("9001", "9002", "9003"),
        null="-",
    ),
    "ip.patent_pledge": Dataset(
        patent_pledge,
        {
            "pledge_no": kinds.code("Y2026", "质押1号", "y20260711000001"),
            "patent_no": kinds.code("ZL2020", "201910123456.7", "zl202010123456.7"),
            "patent_kind": kinds.choice("专利", "外观", "软件著作权"),
            "org_name": _ORG_NAME,
            "uscc": USCC,
            "pledgee_name": _ORG_NAME,
            "pledgee_uscc": USCC,
            "pledge_loan_wan": kinds.decimal(0, 10_000_000),
            "pledged_on": kinds.day(),
            "pledge_until": kinds.day(),
        },
        twist="pledge_loan_wan",
        twist_values=("11.5", "12.5", "13.5"),
        null="/",
    ),
    "fin_office.local_finance": Dataset(
        local_finance,
        {
            "uscc": USCC,
            "org_name": _ORG_NAME,
            "lender_kind": kinds.choice("银行", "小贷", "P2P"),
            "paid_capital_wan": _WAN,
            "business_balance_wan": _WAN,
            "overdue_percent": kinds.decimal(0, 100),
            "supervision_rating": kinds.choice("E", "优", "AAA").optional,
            "district_code": DISTRICT,
            "finance_licensed_on": kinds.day(is_free=True),
        },
        twist="overdue_percent",
        twist_values=("61.5", "62.5", "63.5"),
        null="-",
    ),
    "x_tax.tax_month": Dataset(
        tax_month,
        {
            "month": MONTH,
            "uscc": USCC,
            "org_name": _ORG_NAME,
            "taxpayer_kind": kinds.choice("小规模", "一般", "个人"),
            "industry_code": INDUSTRY,
            "district_code": DISTRICT,
            "turnover_band": kinds.choice("10-50万", "五百万以上", "1230000"),
            "invoice_count": kinds.whole(0, 10_000_000),
            "filing_state": kinds.choice("已报", "未报", "延期"),
        },
        twist="invoice_count",
        twist_values=("700001", "700002", "700003"),
        null="-",
    ),
}
