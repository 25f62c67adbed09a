"""What offices watch over: pharmacies, penalties, village broadcasting, heritage sites, visits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.checkdigits import uscc
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets.economy import alive, month_before
from infra.sandbox.kinds import DISTRICT, LAT, LON, MOMENT, MONTH, STREET, USCC, VILLAGE
from infra.sandbox.population import DISTRICTS, reference_codes
from infra.sandbox.registers import place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day

#: Households that hear village broadcasting: at first, and how many more each year.
BROADCAST_SHARE: Final = 0.86
BROADCAST_GAIN_A_YEAR: Final = 0.021
#: Penalties that come with a fine, and pharmacies that medical insurance pays.
FINED_SHARE: Final = 0.82
DESIGNATED_SHARE: Final = 0.47
_PHARMACIES, _SITES, _VISITS = 5000, 1000, 120
_PENALTIES_FIRST, _PENALTIES_A_DAY = 6000, 500
_HISTORY_DAYS: Final = 12
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙"
_GIVEN: Final = "伟芳娜敏静强磊军洋勇艳杰娟涛"
_OFFENCES: Final = (
    ("占道经营", "擅自占用城市道路经营", "《北京市市容环境卫生条例》第三十五条"),
    ("违规处置建筑垃圾", "未取得准运许可运输建筑垃圾", "《城市建筑垃圾管理规定》第七条"),
    ("违规设置户外广告", "未按规划设置户外广告设施", "《北京市户外广告设施管理办法》第九条"),
    ("施工噪声扰民", "夜间施工产生噪声污染", "《中华人民共和国噪声污染防治法》第四十三条"),
    ("生活垃圾未分类", "未按规定分类投放生活垃圾", "《北京市生活垃圾管理条例》第三十三条"),
)
_ERAS: Final = ("元", "明", "清", "民国", "近现代", "辽金")
_LEVELS: Final = ("全国重点文物保护单位", "市级文物保护单位", "区级文物保护单位")
_REMAINS: Final = ("旧址", "寺", "桥", "故居", "城墙")
_RANKS: Final = ("国家级", "省部级", "市级", "其他")
_COUNTRIES: Final = (
    "美国", "德国", "日本", "韩国", "法国", "英国", "俄罗斯", "巴西", "泰国", "新加坡", "埃及",
)  # fmt: skip
_TOPICS: Final = ("经贸合作", "科技创新", "友好城市", "文化交流", "城市治理", "教育合作")


def district_names() -> dict[str, str]:
    """Return the names of county-level and higher divisions by code."""
    codes, names = (reference_codes("divisions", column) for column in ("code", "name"))
    return dict(zip(codes, names, strict=True))


def pharmacy(day: Day) -> list[Cells]:
    """Report every pharmacy with a licence; a licence holds five years and is then renewed."""
    rng = day.city.rng("pharmacies")
    firms = alive(day.city, "FQ")
    found = []
    for number in range(1, _PHARMACIES * day.city.scale + 1):
        street, firm = rng.choice(day.city.streets), rng.choice(firms)
        spot = place(rng, street, f"{number}", "")
        is_chain = rng.random() < 0.6  # noqa: PLR2004
        first = date(2016, 1, 1) + timedelta(rng.randrange(3800))
        age = max(0, (day.business_date - first).days) // 1826
        licensed = first + timedelta(1826 * age)
        found.append(
            {
                "pharmacy_licence_no": f"京{'CB' if is_chain else 'DB'}{number:07d}",
                "pharmacy_name": f"{street.name}{firm.name[2:5]}大药房{number % 97 + 1}店",
                "uscc": firm.code,
                "pharmacy_kind": "连锁门店" if is_chain else "单体药店",
                "district_code": street.district_code,
                "street_code": street.code,
                "pharmacy_address": f"北京市{street.name}{number % 300 + 1}号",
                "lon": f"{spot.lon:.6f}",
                "lat": f"{spot.lat:.6f}",
                "pharmacy_phone": f"010-{rng.randint(2, 8)}{rng.randrange(10**7):07d}"
                if rng.random() < 0.8  # noqa: PLR2004
                else f"1{rng.choice('3578')}{rng.randrange(10**9):09d}",
                "pharmacy_licensed_on": licensed.isoformat(),
                "pharmacy_licence_until": (licensed + timedelta(1825)).isoformat(),
                "is_designated": "是" if rng.random() < DESIGNATED_SHARE else "否",
            }
        )
    return found


def penalty(day: Day) -> list[Cells]:
    """Report the penalties decided; the first load has the days before as well."""
    rng = day.rng("penalties")
    firms, names = alive(day.city, "EFGHIK"), district_names()
    offices = [
        (f"北京市{names[code]}城市管理综合行政执法局", uscc("11", code, f"MB{n:06d}"))
        for n, (code, _) in enumerate(DISTRICTS.values(), start=1)
    ]
    own = uscc("11", "110000", "MB000000")
    count = _PENALTIES_FIRST if day.is_initial else _PENALTIES_A_DAY
    found = []
    for number in range(1, count * day.city.scale + 1):
        firm, (office, code) = rng.choice(firms), rng.choice(offices)
        kind, fact, basis = rng.choice(_OFFENCES)
        ago = rng.randrange(_HISTORY_DAYS) if day.is_initial else 0
        decided = day.business_date - timedelta(ago)
        is_fined = rng.random() < FINED_SHARE
        fine = round(min(50.0, 0.05 + rng.lognormvariate(-1.2, 1.0)), 4) if is_fined else 0.0
        sent = datetime.combine(decided, time(8)) + timedelta(seconds=rng.randrange(36_000))
        found.append(
            {
                "penalty_id": f"CF{day.business_date:%Y%m%d}{number:06d}",
                "party_name": firm.name,
                "uscc": firm.code,
                "legal_representative": _person(rng),
                "decision_no": f"京城管罚字〔{decided.year}〕{decided:%m%d}{number:05d}号",
                "offence_kind": kind,
                "offence_fact": f"当事人{fact}，经责令改正逾期未改",
                "penalty_basis": basis,
                "penalty_kind": "罚款" if is_fined else rng.choice(("警告", "通报批评")),
                "penalty_content": f"罚款{fine * 10000:.0f}元整" if is_fined else "予以警告",
                "fine_wan": f"{fine:.4f}" if is_fined else "",
                "decided_on": decided.isoformat(),
                "penalty_valid_until": (decided + timedelta(1095)).isoformat(),
                "publicity_until": (decided + timedelta(365)).isoformat(),
                "penalty_office": office,
                "penalty_office_uscc": code,
                "source_office": "北京市城市管理综合行政执法局",
                "source_office_uscc": own,
                "is_deleted": "是" if rng.random() < 0.004 else "否",  # noqa: PLR2004
                "party_kind": rng.choices(("法人及非法人组织", "个体工商户"), (85, 15))[0],
                "penalty_updated_at": f"{sent:%Y-%m-%d %H:%M:%S}",
            }
        )
    return found


def _person(rng: Random) -> str:
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.randint(1, 2)))


def rural_broadcast(day: Day) -> list[Cells]:
    """Report every village's broadcasting; coverage grows with the years."""
    rng = day.city.rng("broadcasting")
    years = (day.business_date - day.first_date).days / 365
    share = min(0.99, BROADCAST_SHARE + BROADCAST_GAIN_A_YEAR * years)
    found = []
    for village in day.city.villages:
        households, own = rng.randint(80, 1500), rng.uniform(-0.1, 0.1)
        visited = day.business_date - timedelta(rng.randint(1, 89))
        found.append(
            {
                "village_code": village.number,
                "broadcast_village": village.name,
                "street_code": village.street_code,
                "signal_kind": rng.choices(("有线", "无线", "卫星"), (70, 22, 8))[0],
                "speaker_count": str(rng.randint(1, 40)),
                "broadcast_households": str(households),
                "covered_households": str(int(households * min(1.0, share + own))),
                "has_emergency_link": rng.choices(("是", "否"), (88, 12))[0],
                "speakers_checked_on": visited.isoformat(),
            }
        )
    return found


def protected_site(day: Day) -> list[Cells]:
    """Report the list of protected sites."""
    rng = day.city.rng("protected sites")
    sorts = ("古建筑", "古遗址", "古墓葬", "石窟寺及石刻", "近现代重要史迹及代表性建筑")
    found = []
    for number in range(1, _SITES * day.city.scale + 1):
        street = rng.choice(day.city.streets)
        spot = place(rng, street, "", "")
        level, sort, batch = rng.choices(_LEVELS, (14, 36, 50))[0], rng.choice(sorts), number % 8
        found.append(
            {
                "relic_no": f"WB{number:06d}",
                "relic_name": f"{street.name}{rng.choice(_REMAINS)}{number}",
                "protection_level": level,
                "relic_kind": sort,
                "relic_era": rng.choice(_ERAS) if rng.random() < 0.9 else "",  # noqa: PLR2004
                "protection_batch": str(batch + 1),
                "protected_on": (date(1957, 10, 28) + timedelta(batch * 3000)).isoformat(),
                "district_code": street.district_code,
                "relic_address": f"北京市{street.name}{number % 200 + 1}号",
                "lon": f"{spot.lon:.6f}",
                "lat": f"{spot.lat:.6f}",
                "relic_keeper": f"{street.name}文物管理所",
            }
        )
    return found


def visit(day: Day) -> list[Cells]:
    """Report the delegations of the month before."""
    month = month_before(day.business_date)
    rng = day.city.rng("visits", month)
    first = date.fromisoformat(f"{month}-01")
    found = []
    for number in range(1, _VISITS * day.city.scale + 1):
        start = first + timedelta(rng.randrange(28))
        found.append(
            {
                "visit_no": f"WS{month.replace('-', '')}{number:04d}",
                "month": month,
                "visit_direction": rng.choices(("来访", "出访"), (65, 35))[0],
                "visit_country": rng.choice(_COUNTRIES),
                "delegation_level": rng.choices(_RANKS, (1, 4, 10, 5))[0],
                "delegation_size": str(rng.randint(2, 60)),
                "visit_started_on": start.isoformat(),
                "visit_ended_on": (start + timedelta(rng.randint(0, 9))).isoformat(),
                "visit_topic": rng.choice(_TOPICS),
            }
        )
    return found


_ORG_NAME: Final = kinds.words(60, least=4, filler="业")
_YES: Final = kinds.choice("Y", "1", "有")
_NOTE: Final = kinds.words(200, least=2, filler="事")
_ADDRESS: Final = kinds.words(80, least=4, filler="号")

DATASETS: Final[Mapping[str, Dataset]] = {
    "drug.pharmacy": Dataset(
        pharmacy,
        {
            "pharmacy_licence_no": kinds.code("京CB123", "CB0100001", "京食药0001"),
            "pharmacy_name": _ORG_NAME,
            "uscc": USCC,
            "pharmacy_kind": kinds.choice("连锁", "直营店", "网店"),
            "district_code": DISTRICT,
            "street_code": STREET,
            "pharmacy_address": _ADDRESS,
            "lon": LON,
            "lat": LAT,
            "pharmacy_phone": kinds.PHONE,
            "pharmacy_licensed_on": kinds.day(),
            "pharmacy_licence_until": kinds.day(),
            "is_designated": _YES,
        },
        twist="pharmacy_name",
        twist_values=("惠民大药房", "康宁大药房", "同春大药房"),
        null="-",
    ),
    "urban_law.penalty": Dataset(
        penalty,
        {
            "penalty_id": kinds.code("CF2026", "罚0001", "cf20260701000001"),
            "party_name": _ORG_NAME,
            "uscc": USCC,
            "legal_representative": kinds.words(20, least=2, filler="华"),
            "decision_no": kinds.words(60, least=6, filler="号"),
            "offence_kind": kinds.words(40, least=2, filler="类"),
            "offence_fact": _NOTE.and_odd(
                quoted_newline=lambda text, _: f"{text}\n另案处理",
                quotes_and_commas=lambda text, _: f'{text},"再犯"',
            ),
            "penalty_basis": _NOTE,
            "penalty_kind": kinds.choice("罚金", "处罚", "没收"),
            "penalty_content": _NOTE,
            "fine_wan": kinds.decimal(0, 1000, is_free=False).plain.optional,
            "decided_on": kinds.day(),
            "penalty_valid_until": kinds.day(),
            "publicity_until": kinds.day(),
            "penalty_office": _ORG_NAME,
            "penalty_office_uscc": USCC,
            "source_office": _ORG_NAME,
            "source_office_uscc": USCC,
            "is_deleted": kinds.choice("0", "N", "未删除"),
            "party_kind": kinds.choice("法人", "企业", "自然人"),
            "penalty_updated_at": MOMENT,
        },
        twist="offence_kind",
        twist_values=("暴露垃圾", "违规停车", "私搭乱建"),
        null="/",
    ),
    "radio_tv.rural_broadcast": Dataset(
        rural_broadcast,
        {
            "village_code": VILLAGE,
            "broadcast_village": kinds.words(40, least=2, filler="村"),
            "street_code": STREET,
            "signal_kind": kinds.choice("网络", "光纤", "5G"),
            "speaker_count": kinds.whole(0, 1000),
            "broadcast_households": kinds.whole(0, 20_000, is_free=False),
            "covered_households": kinds.whole(0, 20_000, is_free=False),
            "has_emergency_link": _YES,
            "speakers_checked_on": kinds.day(is_free=True),
        },
        twist="speaker_count",
        twist_values=("77", "78", "79"),
        null="-",
    ),
    "relics.protected_site": Dataset(
        protected_site,
        {
            "relic_no": kinds.code("WB12", "wb000001", "文保1号"),
            "relic_name": kinds.words(60, least=2, filler="址"),
            "protection_level": kinds.choice("国保", "省级", "市级文保"),
            "relic_kind": kinds.choice("建筑", "遗址", "其它"),
            "relic_era": kinds.words(20, filler="代").optional,
            "protection_batch": kinds.whole(1, 20),
            "protected_on": kinds.day(is_free=True),
            "district_code": DISTRICT,
            "relic_address": _ADDRESS,
            "lon": LON,
            "lat": LAT,
            "relic_keeper": _ORG_NAME,
        },
        twist="relic_address",
        twist_values=("北京市景山前街1号", "北京市前门大街2号", "北京市成府路3号"),
        null="/",
    ),
    "foreign.visit": Dataset(
        visit,
        {
            "visit_no": kinds.code("WS2026", "ws2026060001", "外访1号"),
            "month": MONTH,
            "visit_direction": kinds.choice("访问", "接待"),
            "visit_country": kinds.words(20, least=2, filler="国"),
            "delegation_level": kinds.choice("部级", "县级", "高级"),
            "delegation_size": kinds.whole(1, 1000),
            "visit_started_on": kinds.day(),
            "visit_ended_on": kinds.day(),
            "visit_topic": kinds.words(40, least=2, filler="题"),
        },
        twist="delegation_size",
        twist_values=("71", "72", "73"),
        null="-",
    ),
}
