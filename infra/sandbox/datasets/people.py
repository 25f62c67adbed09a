"""Insurance, funds, benefits, certificates and petitions: what offices know of persons."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from infra.sandbox import kinds
from infra.sandbox.dataset import Dataset
from infra.sandbox.datasets.economy import alive, month_before, years_between
from infra.sandbox.kinds import MOBILE, MOMENT, MONTH, RESIDENT, STREET, USCC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City, Person

#: What the fund pays of a bill, and what a visit costs on average, by type of hospital.
FUND_SHARE: Final = {
    "三级医院": 0.61, "二级医院": 0.68, "一级医院": 0.74, "社区卫生服务机构": 0.81,
}  # fmt: skip
VISIT_YUAN: Final = {
    "三级医院": 690, "二级医院": 430, "一级医院": 260, "社区卫生服务机构": 180,
}  # fmt: skip
#: Growth of wages, and so of what is paid in on them, a year.
WAGE_GROWTH_A_YEAR: Final = 0.047
#: What employer and employee pay in, as a share of the base.
INSURANCE_RATES: Final = {
    "养老保险": (0.16, 0.08), "失业保险": (0.005, 0.005), "工伤保险": (0.004, 0.0),
}  # fmt: skip
PETITION_HISTORY_DAYS: Final = 25
_PETITIONS_A_DAY: Final = 100
_DISABILITIES: Final = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_DEGREES: Final = ("一级", "二级", "三级", "四级")
_BENEFITS: Final = ("伤残抚恤金", "定期抚恤金", "老年生活补助", "优待金")
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林"
_GIVEN: Final = "伟芳娜敏静强磊军洋勇艳杰娟涛明超霞平刚桂英华建国玉兰"
_LAST_BIRTH_YEAR_AT_WORK: Final = 2004


def person_name(rng: Random) -> str:
    """Draw a person's name."""
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))


def inhabitants(city: City) -> list[Person]:
    """Return every resident and elder, street by street, elders last."""
    return [*(p for street in city.streets for p in city.residents[street.code]), *city.elders]


def _working(city: City) -> list[Person]:
    return [
        p
        for p in inhabitants(city)[: -len(city.elders)]
        if int(p.number[6:10]) <= _LAST_BIRTH_YEAR_AT_WORK
    ]


def _wages(day: Day, month: str) -> float:
    return float((1 + WAGE_GROWTH_A_YEAR) ** years_between(month_before(day.first_date), month))


def claim_month(day: Day) -> list[Cells]:
    """Report the month before: who settled bills at what type of hospital, elders more often."""
    month = month_before(day.business_date)
    rng = day.city.rng("claims", month)
    people = inhabitants(day.city)
    elders = {p.number for p in day.city.elders}
    rng.shuffle(people)
    found: list[Cells] = []
    for person in people:
        is_elder = person.number in elders
        if rng.random() > (0.95 if is_elder else 0.7):
            continue
        types = rng.sample(tuple(VISIT_YUAN), rng.choices((1, 2, 3), (5, 3, 1))[0])
        for hospital in types:
            visits = 1 + int(rng.expovariate(0.5 if is_elder else 1.2))
            total = round(100 * visits * VISIT_YUAN[hospital] * rng.uniform(0.4, 1.6))
            fund = round(total * FUND_SHARE[hospital] * rng.uniform(0.93, 1.07))
            found.append(
                {
                    "person_id": person.number,
                    "month": month,
                    "hospital_type": hospital,
                    "med_insurance_plan": rng.choices(("城镇职工医保", "城乡居民医保"), (4, 1))[0],
                    "street_code": person.street_code,
                    "claim_visit_count": str(min(200, visits)),
                    "claim_total_yuan": f"{total / 100:.2f}",
                    "fund_paid_yuan": f"{fund / 100:.2f}",
                    "self_paid_yuan": f"{(total - fund) / 100:.2f}",
                    "last_settled_on": f"{month.replace('-', '')}{rng.randint(1, 28):02d}",
                }
            )
    return found[: 15_000 * day.city.scale]


def certificate(day: Day) -> list[Cells]:
    """Report every disability certificate; the number holds the person's, kind and degree."""
    rng = day.city.rng("disability certificates")
    found = []
    for person in rng.sample(inhabitants(day.city), 3_000 * day.city.scale):
        kind = rng.choices(range(7), (12, 9, 1, 55, 9, 11, 3))[0]
        degree = rng.choices(range(4), (12, 20, 28, 40))[0]
        issued = date(2017, 1, 1) + timedelta(rng.randrange(3400))
        status = rng.choices(("有效", "冻结", "过期"), (95, 2, 3))[0]
        is_cared_for = degree < 2 and rng.random() < 0.86  # noqa: PLR2004 - the two severe degrees
        found.append(
            {
                "disability_cert_no": f"{person.number}{kind + 1}{degree + 1}",
                "person_id": person.number,
                "disability_kind": _DISABILITIES[kind],
                "disability_degree": _DEGREES[degree],
                "cert_issued_on": issued.isoformat(),
                "cert_valid_until": (issued + timedelta(3652)).isoformat(),
                "disability_cert_status": status,
                "has_care_subsidy": "是" if is_cared_for else "否",
                "street_code": person.street_code,
                "contact_phone": person.mobile if rng.random() < 0.9 else "",  # noqa: PLR2004
            }
        )
    return found


def social_insurance(day: Day) -> list[Cells]:
    """Report the month before: what was paid in for each employee by kind of insurance."""
    month = month_before(day.business_date)
    jobs, now = day.city.rng("jobs"), day.city.rng("insurance", month)
    employers = alive(day.city, "CDEFGHIJKLMNOPQR")[: 1_500 * day.city.scale]
    growth = _wages(day, month)
    found = []
    for person in jobs.sample(_working(day.city), 5_000 * day.city.scale):
        employer = jobs.choice(employers)
        base = min(36_000, round(max(7_200, jobs.lognormvariate(9.4, 0.5)) * growth))
        for kind, (of_employer, of_person) in INSURANCE_RATES.items():
            found.append(
                {
                    "person_id": person.number,
                    "month": month,
                    "social_insurance_kind": kind,
                    "employer_uscc": employer.code,
                    "si_base_yuan": f"{base:.2f}",
                    "si_employer_yuan": f"{base * of_employer:.2f}",
                    "si_personal_yuan": f"{base * of_person:.2f}",
                    "si_payment_status": now.choices(("正常缴费", "补缴", "欠缴"), (96, 2, 2))[0],
                }
            )
    return found


def account_month(day: Day) -> list[Cells]:
    """Report the month before: deposits into and balances of housing fund accounts."""
    month = month_before(day.business_date)
    jobs = day.city.rng("fund accounts")
    employers = alive(day.city, "CDEFGHIJKLMNOPQR")[: 1_500 * day.city.scale]
    growth = _wages(day, month)
    months = round(12 * years_between(month_before(day.first_date), month))
    found = []
    for number in range(10_000 * day.city.scale):
        base = min(36_000, round(max(2_600, jobs.lognormvariate(9.3, 0.5)) * growth))
        percent, is_open = jobs.randint(5, 12), jobs.random() < 0.94  # noqa: PLR2004
        deposit = base * percent / 50 if is_open else 0.0
        balance = jobs.lognormvariate(10.6, 1) + deposit * months
        found.append(
            {
                "fund_account_token": f"GJ{jobs.getrandbits(20):05x}{number:07x}",
                "month": month,
                "employer_uscc": jobs.choice(employers).code,
                "fund_base_yuan": f"{base:.2f}",
                "fund_ratio_percent": str(percent),
                "fund_deposit_yuan": f"{deposit:.2f}",
                "fund_balance_yuan": f"{balance:.2f}",
                "fund_account_status": "正常" if is_open else "封存",
            }
        )
    return found


def benefit(day: Day) -> list[Cells]:
    """Report the month before: what was paid to veterans and their families."""
    month = month_before(day.business_date)
    rng = day.city.rng("veterans")
    people = rng.sample(inhabitants(day.city), 1_800 * day.city.scale)
    found = []
    for number in range(2_000 * day.city.scale):
        person = people[number % len(people)]
        # Whoever has two has them of different kinds.
        kind = _BENEFITS[(number // len(people) + number) % len(_BENEFITS)]
        found.append(
            {
                "person_id": person.number,
                "month": month,
                "benefit_kind": kind,
                "benefit_yuan": f"{rng.randint(600, 9000)}.{rng.choice(('00', '50'))}",
                "benefit_paid_on": f"{month.replace('-', '/')}/{rng.randint(8, 15):02d}",
                "street_code": person.street_code,
                "contact_phone": person.mobile if rng.random() < 0.85 else "",  # noqa: PLR2004
            }
        )
    return found


def legal_aid(day: Day) -> list[Cells]:
    """Report the month before: the cases in which legal aid was granted."""
    month = month_before(day.business_date)
    rng = day.city.rng("legal aid", month)
    people = rng.sample(inhabitants(day.city), 1_200 * day.city.scale)
    groups = ("农民工", "老年人", "残疾人", "妇女", "其他")
    matters = ("劳动报酬", "工伤赔偿", "婚姻家庭", "交通事故", "刑事辩护")
    offices = alive(day.city, "L")[:80]
    found = []
    for number, person in enumerate(people, start=1):
        accepted = date.fromisoformat(f"{month}-{rng.randint(1, 28):02d}")
        closed = accepted + timedelta(rng.randint(5, 40))
        is_closed = closed < day.business_date.replace(day=1)
        found.append(
            {
                "case_id": f"FY{month.replace('-', '')}{number:05d}",
                "month": month,
                "aid_applicant_name": person_name(rng),
                "contact_phone": person.mobile if rng.random() < 0.92 else "",  # noqa: PLR2004
                "aid_applicant_group": rng.choices(groups, (40, 22, 10, 18, 10))[0],
                "aid_matter": rng.choices(matters, (38, 14, 22, 12, 14))[0],
                "provider_uscc": rng.choice(offices).code,
                "street_code": person.street_code,
                "aid_accepted_on": accepted.isoformat(),
                "aid_closed_on": closed.isoformat() if is_closed else "",
            }
        )
    return found


def petition_case(day: Day) -> list[Cells]:
    """Report the day's petitions; the first load reaches some weeks back."""
    back = PETITION_HISTORY_DAYS if day.is_initial else 1
    return [
        cells
        for ago in range(back - 1, -1, -1)
        for cells in _petitions_of(day.city, day.business_date - timedelta(ago))
    ]


def _petitions_of(city: City, received: date) -> list[Cells]:
    rng = city.rng("petitions", received)
    topics = ("城乡建设", "劳动社保", "物业管理", "交通出行", "生态环境", "涉法涉诉")
    found = []
    for number in range(1, _PETITIONS_A_DAY * city.scale + 1):
        at = datetime.combine(received, time(8, 0)) + timedelta(seconds=rng.randrange(36_000))
        channel = rng.choices(("来信", "来访", "网上信访", "来电"), (15, 20, 50, 15))[0]
        found.append(
            {
                "case_id": f"XF{received:%Y%m%d}{number:05d}",
                "petition_received_at": f"{at:%Y-%m-%d %H:%M:%S}",
                "petition_channel": channel,
                "petition_topic": rng.choices(topics, (22, 24, 20, 12, 10, 12))[0],
                "street_code": rng.choice(city.streets).code,
                "petitioner_count": str(min(500, 1 + int(rng.expovariate(0.8)))),
                "petitioner_name": person_name(rng) if rng.random() < 0.9 else "",  # noqa: PLR2004
                "is_repeat_petition": rng.choices(("是", "否"), (18, 82))[0],
                "petition_handling": rng.choices(("转送", "交办", "自办"), (60, 25, 15))[0],
                "reply_due_on": (received + timedelta(rng.choice((15, 30, 60)))).isoformat(),
            }
        )
    return found


_YUAN: Final = kinds.decimal(0, 100_000, is_free=False)
_YES_NO: Final = kinds.choice("Y", "0", "未知")

DATASETS: Final[Mapping[str, Dataset]] = {
    "med_ins.claim_month": Dataset(
        claim_month,
        {
            "person_id": RESIDENT,
            "month": MONTH,
            "hospital_type": kinds.choice("三甲", "药店", "诊所"),
            "med_insurance_plan": kinds.choice("职工", "新农合", "自费"),
            "street_code": STREET,
            "claim_visit_count": kinds.whole(1, 200),
            "claim_total_yuan": kinds.decimal(0, 1_000_000, is_free=False),
            "fund_paid_yuan": kinds.decimal(0, 1_000_000, is_free=False),
            "self_paid_yuan": kinds.decimal(0, 1_000_000, is_free=False),
            "last_settled_on": kinds.day("yyyyMMdd"),
        },
        twist="claim_visit_count",
        twist_values=("41", "42", "43"),
        null="/",
    ),
    "disabled.certificate": Dataset(
        certificate,
        {
            "disability_cert_no": kinds.code("1101051949123100", "残疾证7号", "110105194912310X4"),
            "person_id": RESIDENT,
            "disability_kind": kinds.choice("下肢", "耳聋", "其他"),
            "disability_degree": kinds.choice("重度", "五级", "1级"),
            "cert_issued_on": kinds.day(),
            "cert_valid_until": kinds.day(),
            "disability_cert_status": kinds.choice("正常", "注销", "1"),
            "has_care_subsidy": _YES_NO,
            "street_code": STREET,
            "contact_phone": MOBILE.optional,
        },
        twist="disability_cert_status",
        twist_values=("有效", "冻结", "过期"),
        null="-",
    ),
    "hrss.social_insurance": Dataset(
        social_insurance,
        {
            "person_id": RESIDENT,
            "month": MONTH,
            "social_insurance_kind": kinds.choice("医疗保险", "养老", "五险"),
            "employer_uscc": USCC,
            "si_base_yuan": _YUAN,
            "si_employer_yuan": kinds.decimal(0, 50_000, is_free=False),
            "si_personal_yuan": kinds.decimal(0, 20_000, is_free=False),
            "si_payment_status": kinds.choice("已缴", "停保", "正常"),
        },
        twist="si_base_yuan",
        twist_values=("7201.01", "7201.02", "7201.03"),
        null="/",
    ),
    "hpf.account_month": Dataset(
        account_month,
        {
            "fund_account_token": kinds.code("GJ12", "gj0000000000ab", "GJ00000000XYZW"),
            "month": MONTH,
            "employer_uscc": USCC,
            "fund_base_yuan": _YUAN,
            "fund_ratio_percent": kinds.whole(5, 12, is_free=False),
            "fund_deposit_yuan": kinds.decimal(0, 30_000, is_free=False),
            "fund_balance_yuan": kinds.decimal(0, 10_000_000),
            "fund_account_status": kinds.choice("销户", "冻结", "在缴"),
        },
        twist="fund_balance_yuan",
        twist_values=("11.01", "12.01", "13.01"),
        null="-",
    ),
    "veterans.benefit": Dataset(
        benefit,
        {
            "person_id": RESIDENT,
            "month": MONTH,
            "benefit_kind": kinds.choice("低保", "抚恤", "补助金"),
            "benefit_yuan": kinds.decimal(0, 100_000),
            "benefit_paid_on": kinds.day("yyyy/MM/dd").plain,
            "street_code": STREET,
            "contact_phone": MOBILE.optional,
        },
        twist="benefit_yuan",
        twist_values=("11.01", "12.01", "13.01"),
        null="/",
    ),
    "justice.legal_aid": Dataset(
        legal_aid,
        {
            "case_id": kinds.code("FY2026", "无编号", "fy20260600001"),
            "month": MONTH,
            "aid_applicant_name": kinds.words(20, least=2, filler="明"),
            "contact_phone": MOBILE.optional,
            "aid_applicant_group": kinds.choice("学生", "职工", "外国人"),
            "aid_matter": kinds.choice("借贷", "房产", "继承纠纷"),
            "provider_uscc": USCC,
            "street_code": STREET,
            "aid_accepted_on": kinds.day(),
            "aid_closed_on": kinds.day().optional,
        },
        twist="aid_matter",
        twist_values=("劳动报酬", "工伤赔偿", "婚姻家庭"),
        null="无",
    ),
    "petition.petition_case": Dataset(
        petition_case,
        {
            "case_id": kinds.code("XF2026", "无编号", "xf2026070100001"),
            "petition_received_at": MOMENT,
            "petition_channel": kinds.choice("短信", "微博", "走访"),
            "petition_topic": kinds.choice("其他类", "教育", "民政"),
            "street_code": STREET,
            "petitioner_count": kinds.whole(1, 500),
            "petitioner_name": kinds.words(20, least=2, filler="明").optional,
            "is_repeat_petition": _YES_NO,
            "petition_handling": kinds.choice("不受理", "督办", "存档"),
            "reply_due_on": kinds.day(),
        },
        twist="petition_topic",
        twist_values=("城乡建设", "劳动社保", "物业管理"),
        null="/",
    ),
}
