"""Service items, cases, hotline, app and health records: what the city does for people."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from contracts.digest import sha256
from infra.sandbox import kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import DISTRICT, MOBILE, MOMENT, MONTH, STREET, USCC
from infra.sandbox.population import DISTRICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City, Person

#: Service items that need no visit at the first load, and how many more a month later.
FULL_ONLINE_SHARE: Final = 0.66
FULL_ONLINE_GAIN_A_MONTH: Final = 0.012
#: What is promised shrinks by this share a month, as far as whole days show it.
PROMISE_CUT_A_MONTH: Final = 0.015
#: Materials that sharing spares the applicant: of all required, and how many more a month later.
REUSED_SHARE: Final = 0.34
REUSED_GAIN_A_MONTH: Final = 0.015
#: The hotline's three rates: tickets responded to, solved of those, satisfied of those solved.
RESPONDED, SOLVED, SATISFIED = 0.987, 0.93, 0.96
#: Logins in the elders' mode among those of 60 and above, and how many more a month later.
ELDER_MODE_SHARE: Final = 0.29
ELDER_MODE_GAIN_A_MONTH: Final = 0.01
#: Records used within a year, patients followed up, and residents with a family doctor.
ACTIVE_SHARE, FOLLOWED_SHARE, SIGNED_SHARE = 0.71, 0.64, 0.54
FOLLOWED_GAIN_A_MONTH, SIGNED_GAIN_A_MONTH = 0.008, 0.004

_CASES_A_DAY, _TICKETS_A_DAY = 8000, 5000
_DEPTS: Final = {
    "civil": "市民政局",
    "hrss": "市人力资源和社会保障局",
    "market_reg": "市市场监督管理局",
    "housing": "市住房和城乡建设委员会",
    "transport": "市交通委员会",
    "health": "市卫生健康委员会",
    "edu": "市教育委员会",
    "police": "市公安局",
}
_ITEM_KINDS: Final = ("行政许可", "行政确认", "行政给付", "其他行政权力", "公共服务")
_DEPTHS: Final = ("在线受理", "在线预审", "信息公开")
_CHANNELS: Final = ("网上", "移动端", "综合窗口", "自助终端")
_DEMAND_KINDS: Final = ("投诉", "求助", "咨询", "建议", "举报", "表扬")
#: What people call about, who handles it, and in which words it is noted.
_TOPICS: Final = (
    ("物业管理", "属地街道办事处", "反映小区电梯停运多日无人维修"),
    ("住房", "市住房和城乡建设委员会", "咨询公租房备案家庭的配租进度"),
    ("供暖供热", "市城市管理委员会", "反映家中暖气不热室温不达标"),
    ("噪声扰民", "属地街道办事处", "反映夜间施工噪声影响休息"),
    ("道路停车", "市交通委员会", "反映路侧停车占用盲道"),
    ("社会保障", "市人力资源和社会保障局", "咨询社保关系转移的办理时间"),
    ("教育", "市教育委员会", "咨询子女入学需要的材料"),
    ("医疗卫生", "市卫生健康委员会", "反映社区医院预约挂号困难"),
    ("市场消费", "市市场监督管理局", "反映预付卡商户停业不退款"),
    ("环境卫生", "属地街道办事处", "反映楼前垃圾清运不及时"),
)
_AGE_BANDS: Final = {
    "18岁至34岁": 900, "35岁至59岁": 1200, "60岁至69岁": 420, "70岁至79岁": 160, "80岁及以上": 35,
}  # fmt: skip
_ELDER_BANDS: Final = ("60岁至69岁", "70岁至79岁", "80岁及以上")
_MODULES: Final = (
    "社保查询", "医保服务", "预约挂号", "公积金", "交通出行", "养老助残", "热线诉求", "电子证照",
)  # fmt: skip
_NO_DISEASE: Final = "未见慢病"
_DISEASES: Final = ("高血压", "糖尿病", "冠心病", "脑卒中", "慢阻肺")
_PACKS: Final = ("基础包", "老年人包", "慢病包", "妇幼包")
_OLD: Final = 1966


def months_since(first: date, day: date) -> int:
    """Return the whole calendar months from one date to another."""
    return (day.year - first.year) * 12 + day.month - first.month


def grown(day: Day, base: float, a_month: float) -> float:
    """Return a share that grows month by month from the dataset's first load."""
    return min(0.98, base + a_month * months_since(day.first_date, day.business_date))


def service_item(day: Day) -> list[Cells]:
    """Report the list of service items, whole each month."""
    rng = day.city.rng("service item list")
    online = grown(day, FULL_ONLINE_SHARE, FULL_ONLINE_GAIN_A_MONTH)
    kept = (1 - PROMISE_CUT_A_MONTH) ** months_since(day.first_date, day.business_date)
    found = []
    for item in day.city.service_items:
        is_online = rng.random() < online
        depth = "全程网办" if is_online else rng.choices(_DEPTHS, (5, 3, 2))[0]
        visits = rng.choices((1, 2, 3), (7, 2, 1))[0]
        changed = day.first_date - timedelta(rng.randrange(500))
        found.append(
            {
                "service_item_code": item.code,
                "service_item_name": item.name,
                "impl_dept": _DEPTS[item.dept],
                "service_item_kind": rng.choice(_ITEM_KINDS),
                "statutory_days": str(item.statutory_days),
                "promised_days": str(max(1, round(item.promised_days * kept))),
                "online_depth": depth,
                "materials": str(item.materials),
                "visits_needed": "0" if is_online else str(visits),
                "updated_on": changed.isoformat(),
            }
        )
    return found


def service_case(day: Day) -> list[Cells]:
    """Report the cases closed on the day."""
    rng, city = day.rng("cases"), day.city
    reused = grown(day, REUSED_SHARE, REUSED_GAIN_A_MONTH)
    opens = datetime.combine(day.business_date, time(9, 0))
    districts = [code for code, _ in DISTRICTS.values()]
    found = []
    for number in range(1, _CASES_A_DAY * city.scale + 1):
        item = rng.choice(city.service_items)
        closed = opens + timedelta(seconds=rng.randrange(8 * 3600))
        applied = closed - timedelta(hours=2 + 24 * item.promised_days * rng.random())
        mobile = f"1{rng.choice('3456789')}{rng.randrange(10**9):09d}"
        spared = sum(rng.random() < reused for _ in range(item.materials))
        found.append(
            {
                "case_id": f"BJ{day.business_date:%Y%m%d}{number:06d}",
                "service_item_code": item.code,
                "applicant_kind": "自然人" if rng.random() < 0.7 else "法人",  # noqa: PLR2004
                "contact_phone": mobile,
                "applied_at": f"{applied:%Y-%m-%d %H:%M:%S}",
                "closed_at": f"{closed:%Y-%m-%d %H:%M:%S}",
                "channel": rng.choices(_CHANNELS, (45, 30, 20, 5))[0],
                "handling_result": rng.choices(("准予", "不予", "申请人撤回"), (94, 3, 3))[0],
                "materials_reused": str(spared),
                "rating": rng.choices(("", "5", "4", "3", "2", "1"), (40, 50, 6, 2, 1, 1))[0],
                "district_code": rng.choice(districts),
            }
        )
    return found


def hotline_ticket(day: Day) -> list[Cells]:
    """Report the tickets whose callers were called back on the day."""
    rng, city = day.rng("tickets"), day.city
    opens = datetime.combine(day.business_date, time(8, 0))
    found = []
    for number in range(1, _TICKETS_A_DAY * city.scale + 1):
        topic, dept, words = rng.choice(_TOPICS)
        street = rng.choice(city.streets)
        caller = rng.choice(city.residents[street.code])
        replied = opens + timedelta(seconds=rng.randrange(12 * 3600))
        called = replied - timedelta(minutes=rng.randint(60, 15 * 24 * 60))
        is_responded = rng.random() < RESPONDED
        is_solved = is_responded and rng.random() < SOLVED
        is_satisfied = rng.random() < (SATISFIED if is_solved else 0.3)
        kind = rng.choices(_DEMAND_KINDS, (40, 25, 22, 6, 5, 2))[0]
        found.append(
            {
                "case_id": f"RX{day.business_date:%Y%m%d}{number:06d}",
                "demanded_at": f"{called:%Y-%m-%d %H:%M:%S}",
                "demand_kind": kind,
                "demand_topic": topic,
                "street_code": street.code,
                "demand_summary": f"{street.name}居民{words}",
                "contact_phone": caller.mobile,
                "handling_dept": dept,
                "is_responded": _yes(is_responded),
                "is_solved": "" if kind in ("建议", "表扬") else _yes(is_solved),
                "is_satisfied": "" if rng.random() < 0.12 else _yes(is_satisfied),  # noqa: PLR2004
                "replied_at": f"{replied:%Y-%m-%d %H:%M:%S}",
            }
        )
    return found


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "是" if is_so else "否"


def app_login(day: Day) -> list[Cells]:
    """Report the day's logins by district, age band and module."""
    rng, size = day.rng("logins"), day.city.rng("size of districts")
    elder_mode = grown(day, ELDER_MODE_SHARE, ELDER_MODE_GAIN_A_MONTH)
    found = []
    for district, _ in DISTRICTS.values():
        weight = size.uniform(0.3, 2.0) * day.city.scale
        for band, usual in _AGE_BANDS.items():
            for module in _MODULES:
                logins = max(1, int(usual * weight * rng.uniform(0.6, 1.4)))
                large = elder_mode if band in _ELDER_BANDS else 0.004
                found.append(
                    {
                        "stat_date": day.business_date.isoformat(),
                        "district_code": district,
                        "user_age_band": band,
                        "app_module": module,
                        "login_count": str(logins),
                        "user_count": str(max(1, int(logins * rng.uniform(0.5, 0.9)))),
                        "elder_mode_count": str(int(logins * large * rng.uniform(0.9, 1.1))),
                    }
                )
    return found


def people(city: City) -> list[Person]:
    """Return everyone with a health record: the residents, then the elders."""
    return [*(p for of in city.residents.values() for p in of), *city.elders]


def pid_token(city: City, person: Person) -> str:
    """Return the health system's own token of a person, which tells nothing of the number."""
    whole = sha256(f"{city.seed}/health/{person.number}")
    return f"H{whole[:16].upper()}"


def health_record(day: Day) -> list[Cells]:
    """Report every resident's health record, whole each week."""
    rng = day.city.rng("health records")
    followed = grown(day, FOLLOWED_SHARE, FOLLOWED_GAIN_A_MONTH)
    found = []
    for person in people(day.city):
        born = int(person.number[6:10])
        opened = date(2012, 1, 1) + timedelta(rng.randrange(4700))
        use, ago, ill, plan = rng.random(), rng.randrange(360), rng.random(), rng.random()
        disease = rng.choice(_DISEASES) if ill < (0.55 if born < _OLD else 0.12) else _NO_DISEASE
        used = day.business_date - timedelta(ago if use < ACTIVE_SHARE else 366 + ago)
        is_used = use < 0.93 and used > opened  # noqa: PLR2004 - the rest was never looked at
        found.append(
            {
                "pid_token": pid_token(day.city, person),
                "year_birth": str(born),
                "sex": "男" if int(person.number[16]) % 2 else "女",
                "street_code": person.street_code,
                "record_opened_on": f"{opened:%Y/%m/%d}",
                "last_used_on": f"{used:%Y/%m/%d}" if is_used else "",
                "chronic_kind": disease,
                "has_followup": _yes(disease != _NO_DISEASE and plan < followed),
            }
        )
    return found


def fd_contract(day: Day) -> list[Cells]:
    """Report the month's contracts between residents and teams of family doctors."""
    rng = day.city.rng("family doctors")
    signed = grown(day, SIGNED_SHARE, SIGNED_GAIN_A_MONTH)
    month = day.business_date.replace(day=1)
    clinics = [e for e in day.city.entities if e.industry == "Q8513"]
    streets = {s.code: n for n, s in enumerate(day.city.streets)}
    found = []
    for person in people(day.city):
        place, ago, years = rng.random(), rng.randrange(700), rng.choices((1, 2, 3), (2, 3, 5))[0]
        team, is_left = rng.randrange(3), rng.random() < 0.02  # noqa: PLR2004
        is_old = int(person.number[6:10]) < _OLD
        pack = (
            rng.choice(("老年人包", "慢病包")) if is_old else rng.choices(_PACKS, (7, 0, 2, 1))[0]
        )
        if place >= signed:
            continue
        start = day.first_date - timedelta(ago)
        end = start + timedelta(365 * years)
        street = streets[person.street_code]
        found.append(
            {
                "month": f"{month:%Y-%m}",
                "pid_token": pid_token(day.city, person),
                "team_code": f"FD{street * 3 + team + 1:06d}",
                "provider_uscc": clinics[street % len(clinics)].code,
                "street_code": person.street_code,
                "signed_from": f"{start:%Y%m%d}",
                "signed_to": f"{end:%Y%m%d}",
                "service_pack": pack,
                "contract_state": "已解约" if is_left else "有效" if end >= month else "已到期",
            }
        )
    return found


_ITEM_CODE: Final = kinds.code("11000000001", "1100000000012", "事项12")
_TOKEN: Final = kinds.code("H1234", "h0123456789abcdef", "11010119491231002X", "H0123456789ABCDEG")
_YES: Final = kinds.choice("Y", "1", "已办")
_COUNT: Final = kinds.whole(0, 10_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "gov_data.service_item": Dataset(
        service_item,
        {
            "service_item_code": _ITEM_CODE,
            "service_item_name": kinds.words(60, least=2, filler="项"),
            "impl_dept": kinds.choice("民政局", "市人社局", "市卫健委"),
            "service_item_kind": kinds.choice("许可", "行政处罚", "便民服务"),
            "statutory_days": kinds.whole(0, 365, is_free=False),
            "promised_days": kinds.whole(0, 365, is_free=False),
            "online_depth": kinds.choice("可网办", "四级", "全程网办理"),
            "materials": kinds.whole(0, 50, is_free=False),
            "visits_needed": kinds.whole(0, 5, is_free=False),
            "updated_on": kinds.day(is_free=True),
        },
        twist="materials",
        twist_values=("31", "32", "33"),
        null="-",
    ),
    "gov_data.service_case": Dataset(
        service_case,
        {
            "case_id": kinds.code("BJ2026", "bj20260701000001", "补录12"),
            "service_item_code": _ITEM_CODE,
            "applicant_kind": kinds.choice("个人", "企业"),
            "contact_phone": MOBILE,
            "applied_at": MOMENT,
            "closed_at": MOMENT,
            "channel": kinds.choice("网厅", "电话", "邮寄"),
            "handling_result": kinds.choice("同意", "办结", "退回"),
            "materials_reused": kinds.whole(0, 50, is_free=False),
            "rating": kinds.whole(1, 5).optional,
            "district_code": DISTRICT,
        },
        twist="materials_reused",
        twist_values=("21", "22", "23"),
        null="-",
    ),
    "gov_data.hotline_ticket": Dataset(
        hotline_ticket,
        {
            "case_id": kinds.code("RX2026", "rx20260701000001", "12345"),
            "demanded_at": MOMENT,
            "demand_kind": kinds.choice("抱怨", "其他"),
            "demand_topic": kinds.choice("停车", "供暖", "其他问题"),
            "street_code": STREET,
            "demand_summary": kinds.words(200, least=4, filler="诉").and_odd(
                quoted_newline=lambda n, _: f"{n}\n（来电人要求保密）",
                quotes_and_commas=lambda n, _: f'{n},自称"老住户"',
            ),
            "contact_phone": MOBILE,
            "handling_dept": kinds.words(40, least=2, filler="局"),
            "is_responded": _YES,
            "is_solved": _YES.optional,
            "is_satisfied": _YES.optional,
            "replied_at": MOMENT,
        },
        twist="handling_dept",
        twist_values=("市水务局", "市公安局", "市民政局"),
        null="无",
    ),
    "gov_data.app_login": Dataset(
        app_login,
        {
            "stat_date": kinds.day(),
            "district_code": DISTRICT,
            "user_age_band": kinds.choice("60岁以上", "18-34", "未知"),
            "app_module": kinds.choice("社保", "首页", "其他"),
            "login_count": _COUNT,
            "user_count": _COUNT,
            "elder_mode_count": _COUNT,
        },
        twist="elder_mode_count",
        twist_values=("0", "1", "2"),
        null="/",
    ),
    "health.health_record": Dataset(
        health_record,
        {
            "pid_token": _TOKEN,
            "year_birth": kinds.whole(1900, 2030),
            "sex": kinds.choice("M", "1", "男性"),
            "street_code": STREET,
            "record_opened_on": kinds.day("yyyy/MM/dd"),
            "last_used_on": kinds.day("yyyy/MM/dd").optional,
            "chronic_kind": kinds.choice("高血压病", "I10", "血压高"),
            "has_followup": _YES,
        },
        twist="year_birth",
        twist_values=("1951", "1952", "1953"),
        null="/",
    ),
    "health.fd_contract": Dataset(
        fd_contract,
        {
            "month": MONTH,
            "pid_token": _TOKEN,
            "team_code": kinds.code("FD12", "fd000001", "张医生团队"),
            "provider_uscc": USCC,
            "street_code": STREET,
            "signed_from": kinds.day("yyyyMMdd"),
            "signed_to": kinds.day("yyyyMMdd"),
            "service_pack": kinds.choice("普通包", "老人包"),
            "contract_state": kinds.choice("正常", "签约", "无效"),
        },
        twist="contract_state",
        twist_values=("有效", "已到期", "已解约"),
        null="-",
    ),
}
