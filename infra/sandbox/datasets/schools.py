"""Pupils, schools and their digital courses; care homes and the time bank of the elders."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from infra.sandbox import kinds
from infra.sandbox.checkdigits import USCC_ALPHABET, uscc
from infra.sandbox.dataset import Dataset
from infra.sandbox.kinds import LAT, LON, MOMENT, PHONE, STREET, USCC
from infra.sandbox.population import reference_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from infra.sandbox.dataset import Cells, Day
    from infra.sandbox.population import City

#: Teachers for a hundred seats, in the inner districts and in the others.
TEACHERS_PER_100: Final = {"inner": 8.1, "outer": 6.4}
#: Uses of digital resources by each pupil and week, and growth a week.
USES_A_PUPIL: Final = 0.9
USE_GROWTH_A_WEEK: Final = 0.004
#: Beds of care homes in use at the first load, and how many more a month later.
BEDS_USED_SHARE: Final = 0.47
BEDS_USED_GAIN_A_MONTH: Final = 0.004
#: The time bank: shares of spending, giving and expiry among what accounts do; the rest is earned.
SPENT_SHARE, GIVEN_SHARE, EXPIRED_SHARE = 0.27, 0.06, 0.02
TIME_ACCOUNTS: Final = 3000

_INNER: Final = ("110101", "110102", "110105", "110106", "110107", "110108")
_FIRST_GRADE: Final = {"小学": 1, "初中": 7, "高中": 10}
_RESOURCES: Final = {
    "空中课堂": 1.6, "双师课堂": 0.7, "数字教材": 2.0, "虚拟实验": 0.3, "数字阅读": 1.1,
    "在线题库": 1.4,
}  # fmt: skip
CARE_HOMES: Final = 570
_HOME_KINDS: Final = ("养老院", "养老照料中心", "社区养老服务驿站", "敬老院")
_BANK_HISTORY_DAYS: Final = 60
_TURNS_A_DAY, _FIRST_TURNS_A_DAY = 2000, 150


def school_year(day: date) -> tuple[int, int]:
    """Return the year in which a date's school year began, and the term (1 or 2)."""
    if day.month >= 8:  # noqa: PLR2004 - school years begin in August
        return day.year, 1
    return day.year - 1, 1 if day.month == 1 else 2


def student(day: Day) -> list[Cells]:
    """Report every enrolled pupil, whole each quarter."""
    rng = day.city.rng("enrolment")
    year, term = school_year(day.business_date)
    school_term = f"{year}-{term}"
    states = rng.choices(("在读", "借读", "休学"), (960, 35, 5), k=len(day.city.pupils))
    found = []
    for pupil, state in zip(day.city.pupils, states, strict=True):
        school = pupil.school
        boards = rng.random() < (0.3 if school.stage == "高中" else 0.03)
        found.append(
            {
                "pupil_token": pupil.token,
                "school_term": school_term,
                "school_id": school.place.number,
                "grade": str(pupil.grade),
                "class_no": str(int(rng.random() * 12) + 1),
                "entry_year": str(year - pupil.grade + _FIRST_GRADE[school.stage]),
                "enrol_status": state,
                "is_boarder": "是" if boards else "否",
                "district_code": school.place.street_code[:6],
            }
        )
    return found


def school(day: Day) -> list[Cells]:
    """Report the schools, whole each year."""
    rng = day.city.rng("teachers")
    found = []
    for one in day.city.schools:
        where = "inner" if one.place.street_code[:6] in _INNER else "outer"
        teachers = one.places * TEACHERS_PER_100[where] * rng.uniform(0.8, 1.2) / 100
        found.append(
            {
                "school_id": one.place.number,
                "year": str(day.business_date.year),
                "org_name": f"北京市{one.place.name}",
                "uscc": one.code,
                "school_stage": one.stage,
                "places": str(one.places),
                "teacher_count": str(max(5, round(teachers))),
                "lon": f"{one.place.lon:.6f}",
                "lat": f"{one.place.lat:.6f}",
                "street_code": one.place.street_code,
                "duty_phone": _landline(rng),
            }
        )
    return found


def _landline(rng: Random) -> str:
    return f"010-{rng.randint(2, 8)}{rng.randrange(10**7):07d}"


def course_use(day: Day) -> list[Cells]:
    """Report the week before: what each school used of each digital resource."""
    monday = day.business_date - timedelta(day.business_date.weekday() + 7)
    rng, liking = day.rng("courses"), day.city.rng("liking of courses")
    pupils = Counter(p.school.place.number for p in day.city.pupils)
    weeks = (day.business_date - day.first_date).days // 7
    uses_a_pupil = USES_A_PUPIL * (1 + USE_GROWTH_A_WEEK) ** weeks
    found = []
    for one in day.city.schools:
        number = one.place.number
        keenness = liking.uniform(0.4, 1.6)
        for resource, weight in _RESOURCES.items():
            uses = int(pupils[number] * uses_a_pupil * keenness * weight * rng.uniform(0.8, 1.2))
            active = min(pupils[number], int(uses * rng.uniform(0.3, 0.7)))
            found.append(
                {
                    "week_start": monday.isoformat(),
                    "school_id": number,
                    "course_resource": resource,
                    "use_count": str(uses),
                    "active_pupils": str(active),
                    "use_minutes": f"{uses * rng.uniform(8, 30):.1f}",
                }
            )
    return found


def care_home(day: Day) -> list[Cells]:
    """Report the care homes, whole each month; the firms that serve elders come first."""
    rng, city = day.city.rng("care homes"), day.city
    names = dict(
        zip(reference_codes("divisions", "code"), reference_codes("divisions", "name"), strict=True)
    )
    months = (day.business_date.year - day.first_date.year) * 12
    months += day.business_date.month - day.first_date.month
    used = min(0.9, BEDS_USED_SHARE + BEDS_USED_GAIN_A_MONTH * months)
    known = {firm.code: firm.name for firm in city.care_firms}
    while len(known) < CARE_HOMES * city.scale:
        body = "MJ" + "".join(rng.choices(USCC_ALPHABET, k=6))
        known.setdefault(uscc("52", "110000", body), "")
    found = []
    for seq, (code, name) in enumerate(known.items(), start=1):
        street, kind = rng.choice(city.streets), rng.choice(_HOME_KINDS)
        district = names[street.district_code]
        beds = rng.randint(8, 40) if kind == "社区养老服务驿站" else rng.randint(40, 600)
        found.append(
            {
                "seq": str(seq),
                "district": district,
                "street_name": street.name,
                "org_name": name or f"北京市{district}{street.name}第{seq % 7 + 1}{kind}",
                "care_home_kind": kind,
                "care_home_address": f"北京市{district}{street.name}{rng.randint(1, 199)}号",
                "beds_total": str(beds),
                "beds_used": str(int(beds * min(1.0, used * rng.uniform(0.6, 1.4)))),
                "uscc": code,
                "duty_phone": _landline(rng),
            }
        )
    return found


class _Turn(NamedTuple):
    """One change of an account of the time bank; ``pair`` joins the two of a gift."""

    account: int
    what: str
    change: int
    before: int
    pair: int = 0


def time_bank_txn(day: Day) -> list[Cells]:
    """Report the day's turns of the time bank; the first load has all since it opened.

    Accounts begin with nothing and nothing is lost on the way: what an account holds today is what
    all days before left in it.
    """
    opened = day.first_date - timedelta(_BANK_HISTORY_DAYS - 1)
    balances: dict[int, int] = {}
    found: list[Cells] = []
    for past in range((day.business_date - opened).days + 1):
        on = opened + timedelta(past)
        is_reported = on == day.business_date or day.is_initial
        turns = list(_turns(day.city, on, balances, is_history=on <= day.first_date))
        if is_reported:
            found += _typed(day.city, on, turns)
    return found


def _turns(city: City, on: date, balances: dict[int, int], *, is_history: bool) -> Iterator[_Turn]:
    """Yield a day's turns and keep the balances up to date."""
    rng = city.rng("time bank", on)
    left = (_FIRST_TURNS_A_DAY if is_history else _TURNS_A_DAY) * city.scale
    accounts = TIME_ACCOUNTS * city.scale
    pair = 0
    while left > 0:
        account = int(rng.random() * accounts)
        before, draw, some = balances.get(account, 0), rng.random(), rng.random()
        minutes = 30 * (1 + int(some * 8))
        what = _what(draw) if before >= minutes else "存入"
        other = int(rng.random() * accounts)
        if what == "转赠" and (left == 1 or other == account):
            what = "存入"
        change = minutes if what == "存入" else -minutes
        balances[account] = before + change
        left -= 1
        if what != "转赠":
            yield _Turn(account, what, change, before)
            continue
        pair, got = pair + 1, balances.get(other, 0)
        balances[other] = got + minutes
        left -= 1
        yield _Turn(account, what, change, before, pair)
        yield _Turn(other, what, minutes, got, pair)


def _what(draw: float) -> str:
    if draw < SPENT_SHARE:
        return "支取"
    if draw < SPENT_SHARE + GIVEN_SHARE:
        return "转赠"
    return "过期" if draw < SPENT_SHARE + GIVEN_SHARE + EXPIRED_SHARE else "存入"


def _typed(city: City, on: date, turns: list[_Turn]) -> Iterator[Cells]:
    """Yield a day's turns as they are typed, in the order of their time."""
    opens = datetime.combine(on, time(8, 0))
    for number, turn in enumerate(turns, start=1):
        at = opens + timedelta(seconds=number * 12 * 3600 // (len(turns) + 1))
        yield {
            "txn_id": f"SJ{on:%Y%m%d}{number:06d}",
            "account_token": f"ZH{turn.account + 1:08d}",
            "txn_type": turn.what,
            "txn_direction": "增" if turn.change > 0 else "减",
            "minutes": str(abs(turn.change)),
            "balance_before": str(turn.before),
            "balance_after": str(turn.before + turn.change),
            "transfer_no": f"ZZ{on:%Y%m%d}{turn.pair:06d}" if turn.pair else "",
            "traded_at": f"{at:%Y-%m-%d %H:%M:%S}",
            "street_code": city.streets[turn.account % len(city.streets)].code,
        }


_SCHOOL_ID: Final = kinds.code("XX12", "xx000001", "第一小学")
_NAME: Final = kinds.words(60, least=4, filler="院")
_MINUTES: Final = kinds.whole(0, 1_000_000, is_free=False)

DATASETS: Final[Mapping[str, Dataset]] = {
    "edu.student": Dataset(
        student,
        {
            "pupil_token": kinds.code("P123", "p00000001", "学生甲"),
            "school_term": kinds.code("2025-3", "2025春", "20252"),
            "school_id": _SCHOOL_ID,
            "grade": kinds.whole(1, 12),
            "class_no": kinds.whole(1, 40),
            "entry_year": kinds.whole(2010, 2100),
            "enrol_status": kinds.choice("正常", "在校", "毕业"),
            "is_boarder": kinds.choice("Y", "0", "住校"),
            "district_code": kinds.DISTRICT,
        },
        twist="class_no",
        twist_values=("31", "32", "33"),
        null="/",
    ),
    "edu.school": Dataset(
        school,
        {
            "school_id": _SCHOOL_ID,
            "year": kinds.whole(2000, 2100, is_free=False),
            "org_name": _NAME,
            "uscc": USCC,
            "school_stage": kinds.choice("小学部", "中学", "九年一贯制"),
            "places": kinds.whole(50, 10_000, is_free=False),
            "teacher_count": kinds.whole(1, 2000, is_free=False),
            "lon": LON,
            "lat": LAT,
            "street_code": STREET,
            "duty_phone": PHONE,
        },
        twist="places",
        twist_values=("3001", "3002", "3003"),
        null="/",
    ),
    "edu.course_use": Dataset(
        course_use,
        {
            "week_start": kinds.day(),
            "school_id": _SCHOOL_ID,
            "course_resource": kinds.choice("直播课", "双师", "其他资源"),
            "use_count": kinds.whole(0, 1_000_000, is_free=False),
            "active_pupils": kinds.whole(0, 10_000, is_free=False),
            "use_minutes": kinds.decimal(0, 50_000_000),
        },
        twist="use_minutes",
        twist_values=("11.5", "12.5", "13.5"),
        null="/",
    ),
    "civil.care_home": Dataset(
        care_home,
        {
            "seq": kinds.whole(1, is_free=False),
            "district": kinds.choice("宣武区", "崇文区", "亦庄"),
            "street_name": kinds.words(30, least=2, filler="街"),
            "org_name": _NAME,
            "care_home_kind": kinds.choice("福利院", "驿站", "照料中心"),
            "care_home_address": kinds.words(80, least=4, filler="号"),
            "beds_total": kinds.whole(1, 3000, is_free=False),
            "beds_used": kinds.whole(0, 3000, is_free=False),
            "uscc": USCC,
            "duty_phone": PHONE,
        },
        twist="street_name",
        twist_values=("东华门街道", "望京街道", "中关村街道"),
        null="-",
    ),
    "civil.time_bank_txn": Dataset(
        time_bank_txn,
        {
            "txn_id": kinds.code("SJ2026", "sj20260701000001", "流水7"),
            "account_token": kinds.code("ZH123", "zh00000001", "王奶奶"),
            "txn_type": kinds.choice("兑换", "赚取", "冻结"),
            "txn_direction": kinds.choice("+", "收入", "借"),
            "minutes": kinds.whole(1, 1440, is_free=False),
            "balance_before": _MINUTES,
            "balance_after": _MINUTES,
            "transfer_no": kinds.code("ZZ2026", "zz20260701000001", "转赠1").optional,
            "traded_at": MOMENT,
            "street_code": STREET,
        },
        twist="street_code",
        twist_values=("110101001", "110105002", "110108001"),
        null="-",
    ),
}
