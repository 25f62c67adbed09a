"""The row rules against a second implementation, written from the standards and not from the SQL.

Hypothesis makes the texts; each batch of them is one Spark query, so that thousands are compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.delivery import Delivery
from contracts.loading import load_tree
from contracts.model import EXCEL_SERIAL
from contracts.pattern import Pattern
from contracts.rules import NAMED_RULES
from jobs.rules.plan import make_plan
from jobs.spark.sql import quoted
from tests.support.small import column, custom, properties, set_custom, source, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from contracts.model import Contract
    from jobs.rules.plan import RefinePlan

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]
DAY = date(2026, 7, 15)
BATCH = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# ---------------------------------------------------------------- the standards, in Python


def resident_id_is_valid(text: str) -> bool:
    """GB 11643-1999 with ISO 7064 MOD 11-2; the area may be any, abolished ones too."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", text, re.ASCII):
        return False
    try:
        born = datetime.strptime(text[6:14], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return False
    remainder = 0
    for digit in text[:17]:
        remainder = (remainder + int(digit)) * 2 % 11
    check = (12 - remainder) % 11
    return born.year >= 1850 and born <= DAY and text[17] == ("X" if check == 10 else str(check))


def resident_id_of_15(text: str) -> str:
    first = f"{text[:6]}19{text[6:]}"
    return next(first + c for c in "0123456789X" if _mod_11_2(first + c) == 1)


def _mod_11_2(text: str) -> int:
    total = 0
    for i, char in enumerate(reversed(text)):
        total += (10 if char == "X" else int(char)) * pow(2, i, 11)
    return total % 11


LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_is_valid(text: str) -> bool:
    """GB 32100-2015, as the domain reference writes it."""
    if len(text) != 18 or any(c not in LETTERS for c in text):
        return False
    total = sum(LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(text[:17]))
    return LETTERS[(31 - total % 31) % 31] == text[17]


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def plate_is_valid(text: str) -> bool:
    """GA 36-2018: ordinary, with suffix, small and large new-energy."""
    if len(text) not in (7, 8) or text[0] not in PROVINCES or text[1] not in SERIAL:
        return False
    rest, any_of = text[2:], SERIAL + "0123456789"
    if len(rest) == 5:
        body, last = rest[:4], rest[4]
        return all(c in any_of for c in body) and last in any_of + "警学挂"
    is_small = rest[0] in "ABCDEFGHJK" and rest[1] in any_of and _digits(rest[2:])
    return is_small or (_digits(rest[:5]) and rest[5] in "ABCDEFGHJK")


def _digits(text: str) -> bool:
    return all(c in "0123456789" for c in text)


def mobile_is_valid(text: str) -> bool:
    text = re.sub(r"^(\+86|0086)", "", text).replace("-", "")
    return len(text) == 11 and _digits(text) and text[0] == "1" and text[1] in "3456789"


def phone_is_valid(text: str) -> bool:
    bare = re.sub(r"^(\+86|0086)", "", text).replace("-", "")
    local = bare.removeprefix("010") if len(bare) == 11 else bare
    is_line = len(local) == 8 and _digits(local) and local[0] in "2345678"
    return (
        mobile_is_valid(text) or is_line or (len(bare) == 5 and _digits(bare) and bare[0] in "19")
    )


def gb4754_is_valid(text: str) -> bool:
    return len(text) in (1, 3, 4, 5) and text[0] in "ABCDEFGHIJKLMNOPQRST" and _digits(text[1:])


def reads_as_identifier(text: str) -> str:
    """Full-width to half-width, no spaces of any kind, upper case."""
    half = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    return "".join(c for c in half if not c.isspace() and c not in "\u200b\ufeff").upper()


# ---------------------------------------------------------------- one query for many texts


@dataclass(frozen=True)
class Read:
    """What the plan makes of a text: the value, and the ids of the rules it breaks."""

    value: Any
    broken: frozenset[str]


def plan_of(
    root: Path, extra: dict[str, Any], day: date = DAY, nulls: tuple[str, ...] = ("", "/")
) -> tuple[Contract, RefinePlan]:
    contract = source()
    contract["servers"][0]["customProperties"] = custom(export={"null_tokens": list(nulls)})
    properties(contract)[:] = [extra]
    set_custom(contract, "grading", {"gb43697": "general", "level": "L1"})
    root.mkdir(exist_ok=True)
    made = load_tree(write(root, contract)).contract("town.visit")
    return made, make_plan(Delivery(made, "museum", day, root))


def read_all(plan: RefinePlan, texts: Iterable[str | None]) -> list[Read]:
    """Run the plan of a one-column contract over texts, in one query."""
    from jobs.spark.session import session

    given_texts = list(texts)
    table = pa.table(
        {
            "x": pa.array(given_texts, pa.string()),
            "_source_line": pa.array(range(len(given_texts)), pa.int64()),
            "_row_error": pa.nulls(len(given_texts), pa.string()),
            "_extra": pa.nulls(len(given_texts), pa.string()),
            "_batch_id": pa.array(["b"] * len(given_texts)),
        }
    )
    rows = session().createDataFrame(table)
    rows = (
        rows.selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
        .selectExpr(*plan.check)
    )
    found = rows.selectExpr("_source_line", "`_c_x` AS value", *plan.masks).toArrow().to_pylist()
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    return [
        Read(row["value"], frozenset(i for i, mask, bit in bits if row[mask] & bit))
        for row in sorted(found, key=lambda r: r["_source_line"])
    ]


def rule_plan(tmp_path_factory: pytest.TempPathFactory, rule: object) -> RefinePlan:
    return plan_of(
        tmp_path_factory.mktemp("tree"), column("x", customProperties=custom(rule=rule))
    )[1]


# ---------------------------------------------------------------- texts: right, bent, broken

digits = st.text("0123456789", min_size=17, max_size=17)
births = st.dates(date(1840, 1, 1), date(2030, 1, 1)).map(lambda d: f"{d:%Y%m%d}")


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["110105", "440524", "110228", "659004", "010101"]))
    born = draw(births | st.sampled_from(["20260230", "19000229", "20000229", "00010101"]))
    first = f"{area}{born}{draw(st.integers(0, 999)):03}"
    check = next(c for c in "0123456789X" if _mod_11_2(first + c) == 1)
    return first + draw(st.sampled_from([check] * 6 + list("0123456789X")))


old_ids = st.builds(
    lambda area, born, n: f"{area}{born[2:]}{n:03}",
    st.sampled_from(["110105", "440524"]),
    births,
    st.integers(0, 999),
)


@st.composite
def usccs(draw: st.DrawFn) -> str:
    first = draw(st.text(LETTERS, min_size=17, max_size=17))
    total = sum(LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(first))
    right = LETTERS[(31 - total % 31) % 31]
    return first + draw(st.sampled_from([right] * 6 + list(LETTERS + "IOSVZ*")))


plates = st.builds(
    lambda p, a, rest: p + a + rest,
    st.sampled_from("京津冀沪港台A"),
    st.sampled_from("ABCDGHJKLNQIO1"),
    st.text("ADFKO0123456789", min_size=4, max_size=7)
    | st.from_regex(r"[ABCDEFGHJKL][A-HJ-NP-Z0-9][0-9]{4}", fullmatch=True)
    | st.from_regex(r"[0-9]{5}[A-L]", fullmatch=True)
    | st.from_regex(r"[A-Z0-9]{4}[警学挂领]", fullmatch=True),
)
phones = st.builds(
    lambda head, body, dash: head + (f"{body[:3]}-{body[3:]}" if dash else body),
    st.sampled_from(["", "", "+86", "0086", "010", "010-", "86", "021"]),
    st.from_regex(r"1[2-9][0-9]{8,10}|[1-9][0-9]{7}|[0-9]{5}|95598|12345", fullmatch=True),
    st.booleans(),
)
industries = st.from_regex(r"[A-Z]?[0-9]{0,5}", fullmatch=True)

_SPACES = [" ", "\u3000", "\u00a0", "\ufeff", "\u2003", "\u200b", "\u2028", "\u0085", "\t"]


@st.composite
def bent(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text as people type it: full-width, spaced, in small letters, or with a character hurt."""
    text = draw(texts)
    match draw(st.sampled_from(["as it is", "as it is", "full", "space", "small", "hurt", "cut"])):
        case "full":
            return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
        case "space":
            at = draw(st.integers(0, len(text)))
            return text[:at] + draw(st.sampled_from(_SPACES)) + text[at:]
        case "small":
            return text.lower()
        case "hurt" if text:
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + draw(st.sampled_from("0123456789AXxIOZ*李京-.")) + text[at + 1 :]
        case "cut":
            return text[: draw(st.integers(0, len(text)))]
        case _:
            return text


def batches(*texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(bent(st.one_of(*texts)), min_size=150, max_size=400)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RefinePlan]:
    names = ("resident_id", "uscc", "plate", "mobile", "phone", "gb4754")
    return {name: rule_plan(tmp_path_factory, name) for name in names}


def assert_alike(
    plan: RefinePlan, rule: str, texts: list[str], is_valid: Callable[[str], bool]
) -> None:
    for text, read in zip(texts, read_all(plan, texts), strict=True):
        plain = reads_as_identifier(text)
        if plain in ("", "/"):
            assert read == Read(None, frozenset()), repr(text)
            continue
        if rule == "resident_id" and re.fullmatch(r"[0-9]{15}", plain):
            plain = resident_id_of_15(plain)
        assert read.value == plain, repr(text)
        assert (f"x.{rule}" in read.broken) is not is_valid(plain), repr(text)


@BATCH
@given(texts=batches(resident_ids(), old_ids, digits))
def test_resident_ids(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["resident_id"], "resident_id", texts, resident_id_is_valid)


@BATCH
@given(texts=batches(usccs()))
def test_usccs(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["uscc"], "uscc", texts, uscc_is_valid)


@BATCH
@given(texts=batches(plates))
def test_plates(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["plate"], "plate", texts, plate_is_valid)


@BATCH
@given(texts=batches(phones))
def test_mobiles(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["mobile"], "mobile", texts, mobile_is_valid)


@BATCH
@given(texts=batches(phones))
def test_phones(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["phone"], "phone", texts, phone_is_valid)


@BATCH
@given(texts=batches(industries))
def test_industries(plans: dict[str, RefinePlan], texts: list[str]) -> None:
    assert_alike(plans["gb4754"], "gb4754", texts, gb4754_is_valid)


# ---------------------------------------------------------------- the reference's worked examples

EXAMPLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "resident_id": (
        {
            "standard_sample": "11010519491231002X",
            "second_sample": "440524188001010014",
            "small_x": "11010519491231002x",
            "full_width": "１１０１０５１９４９１２３１００２Ｘ",
            "spaces": " 110105 19491231\u3000002X\u00a0",
            "line_end": "11010519491231002X\u0085",
            "fifteen_digits": "110105491231002",
            "abolished_area": "110228199001010010",
        },
        {
            "wrong_check": "110105194912310021",
            "two_swapped": "11010591491231002X",
            "masked": "110105********002X",
            "seventeen": "1101051949123100",
            "nineteen": "11010519491231002X0",
            "excel": "1.10105E+17",
            "no_such_day": "110105194902300027",
            "x_inside": "1101051949123X002X",
            "zero_first": "01010519491231002X",
            "other_digits": "११०१०५१९४९१२३१००२X",
        },
    ),
    "uscc": (
        {
            "three_kinds_of_digit": "91110000802100433B",
            "standard_sample": "91350100M000100Y43",
            "institution": "12100000400000624D",
            "small_letters": "91350100m000100y43",
        },
        {
            "wrong_check": "91110000802100433C",
            "letter_i": "9111000080210043IB",
            "letter_o": "9111000O802100433B",
            "masked": "9111****802100433B",
            "short": "91110000802100433",
            "long": "91110000802100433BB",
            "registration_number": "110000002345678",
        },
    ),
    "plate": (
        {
            "ordinary": "京A12345",
            "small_new_energy": "京AD12345",
            "large_new_energy": "京A12345D",
            "police": "京A1234警",
            "other_province": "粤B12345",
            "trailer": "冀F123A挂",
        },
        {
            "letter_i": "京I12345",
            "letter_o": "京AO1234",
            "short": "京A1234",
            "no_province": "AA12345",
            "letter_l_is_no_energy": "京A12345L",
        },
    ),
    "mobile": (
        {
            "plain": "13912345678",
            "prefixed": "+86 139-1234-5678",
            "full_width": "１３９１２３４５６７８",
        },
        {
            "twelve": "139123456789",
            "ten": "1391234567",
            "one_two": "12345678901",
            "starred": "139****5678",
            "land_line": "010-62345678",
        },
    ),
    "phone": (
        {
            "land_line": "010-62345678",
            "no_dash": "01062345678",
            "no_area": "62345678",
            "hotline": "12345",
            "mobile": "13912345678",
        },
        {"begins_with_1": "12345678", "begins_with_9": "010-92345678", "seven": "6234567"},
    ),
    "gb4754": (
        {"class": "I6513", "group": "I651", "division": "I65", "section": "A", "small": "i6513"},
        {"old_class": "4411", "no_section": "U6513", "one_digit": "I6", "five": "I65131"},
    ),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_worked_examples(plans: dict[str, RefinePlan], rule: str) -> None:
    right, wrong = EXAMPLES[rule]
    texts = [*right.values(), *wrong.values()]
    found = dict(zip([*right, *wrong], read_all(plans[rule], texts), strict=True))
    broken = {name for name, read in found.items() if f"x.{rule}" in read.broken}
    assert broken == set(wrong)


def test_every_named_rule_is_tried() -> None:
    tried = set(EXAMPLES) | {"division_code", "lon_beijing", "lat_beijing"}
    assert tried == set(NAMED_RULES)


DIVISIONS = {
    # digits, code, business date → in force
    "district": (6, "110101", DAY, True),
    "full_width": (6, "１１０１０１", DAY, True),
    "merged_2010": (6, "110103", DAY, False),
    "merged_2010_before": (6, "110103", date(2010, 6, 30), True),
    "county_before_2015": (6, "110228", date(2015, 11, 12), True),
    "county_after": (6, "110228", date(2015, 11, 13), False),
    "district_before_2015": (6, "110118", date(2015, 11, 12), False),
    "unused": (6, "110110", DAY, False),
    "street": (9, "110101001", DAY, True),
    "street_unknown": (9, "110101999", DAY, False),
    "street_as_six": (9, "110101", DAY, False),
    "village": (12, "110101001001", DAY, True),
    "village_of_no_street": (12, "110101999001", DAY, False),
    "village_too_short": (12, "11010100100", DAY, False),
    "village_in_letters": (12, "110101001ABC", DAY, False),
}


@pytest.mark.parametrize("digits_and_day", sorted({(d, on) for d, _, on, _ in DIVISIONS.values()}))
def test_division_codes(tmp_path: Path, digits_and_day: tuple[int, date]) -> None:
    length, on = digits_and_day
    extra = column("x", customProperties=custom(rule={"division_code": {"digits": length}}))
    plan = plan_of(tmp_path, extra, on)[1]
    mine = {k: v for k, v in DIVISIONS.items() if (v[0], v[2]) == digits_and_day}
    reads = read_all(plan, [v[1] for v in mine.values()])
    found = {k: "x.division_code" not in r.broken for k, r in zip(mine, reads, strict=True)}
    assert found == {k: v[3] for k, v in mine.items()}


def test_coordinates(tmp_path: Path) -> None:
    bounds = {"lon_beijing": (115.40, 117.53), "lat_beijing": (39.42, 41.08)}
    for rule, (low, high) in bounds.items():
        extra = column("x", "number", customProperties=custom(rule=rule))
        plan = plan_of(tmp_path / rule, extra)[1]
        inside = [low, high, (low + high) / 2, low + 0.02]
        outside = [low - 0.001, high + 0.001, 0.0, -116.4, 90.0, 139.7]
        reads = read_all(plan, [str(v) for v in (*inside, *outside)])
        assert [f"x.{rule}" in r.broken for r in reads] == [False] * 4 + [True] * 6
        swapped = read_all(plan, ["39.9042" if rule == "lon_beijing" else "116.4074"])
        assert f"x.{rule}" in swapped[0].broken


# ---------------------------------------------------------------- casting: nothing is guessed


def cast_all(root: Path, kind: str, texts: list[str], **more: Any) -> list[Any]:
    plan = plan_of(root, column("x", kind, **more))[1]
    reads = read_all(plan, texts)
    for text, read in zip(texts, reads, strict=True):
        is_empty = text.strip(" \u3000") in ("", "/")
        assert ("x.type" in read.broken) is (read.value is None and not is_empty), repr(text)
    return [r.value for r in reads]


DATES: dict[str, tuple[str, dict[str, date | None]]] = {
    "iso": (
        "yyyy-MM-dd",
        {
            "2026-07-15": date(2026, 7, 15),
            " 2026-07-15\u3000": date(2026, 7, 15),
            "２０２６-０７-１５": date(2026, 7, 15),
            "2024-02-29": date(2024, 2, 29),
            "2026-02-29": None,
            "2026-02-30": None,
            "2026-13-01": None,
            "2026-7-5": None,
            "2026/07/15": None,
            "15-07-2026": None,
            "2026-07-15 00:00:00": None,
            "2026-07": None,
            "2026": None,
            "20260715": None,
            "46218": None,
            "2.02607E+07": None,
            "0026-07-15": None,
            "+12026-07-15": None,
            "今天": None,
            "": None,
            "/": None,
        },
    ),
    "day_first": (
        "d/M/yyyy",
        {
            "1/7/2026": date(2026, 7, 1),
            "13/7/2026": date(2026, 7, 13),
            "7/13/2026": None,
            "01/07/2026": date(2026, 7, 1),
            "1/7/26": None,
        },
    ),
    "month_first": (
        "M/d/yyyy",
        {"1/7/2026": date(2026, 1, 7), "7/13/2026": date(2026, 7, 13), "13/7/2026": None},
    ),
    "chinese": (
        "yyyy年M月d日",
        {"2026年7月5日": date(2026, 7, 5), "2026年07月05日": date(2026, 7, 5), "2026年7月": None},
    ),
    "compact": ("yyyyMMdd", {"20260715": date(2026, 7, 15), "2026715": None, "20261301": None}),
    "dotted": ("yyyy.M.d", {"2026.7.5": date(2026, 7, 5), "2026.7": None}),
    "serial": (
        EXCEL_SERIAL,
        {
            "46218": date(1899, 12, 30) + timedelta(46218),
            "46218.75": date(1899, 12, 30) + timedelta(46218),
            "61": date(1900, 3, 1),
            "60": None,
            "0": None,
            "-5": None,
            "2958466": None,
            "2026-07-15": None,
            "NaN": None,
            "46218d": None,
            "1e999": None,
        },
    ),
}


@pytest.mark.parametrize(("form", "texts"), DATES.values(), ids=DATES)
def test_dates_follow_the_declared_format(
    tmp_path: Path, form: str, texts: dict[str, date | None]
) -> None:
    found = cast_all(tmp_path, "date", list(texts), logicalTypeOptions={"format": form})
    assert dict(zip(texts, found, strict=True)) == texts


NUMBERS: dict[str, float | None] = {
    "1": 1.0,
    "-1.5": -1.5,
    "+2": 2.0,
    ".5": 0.5,
    "5.": 5.0,
    "1e3": 1000.0,
    "１２.５": 12.5,
    " 7 ": 7.0,
    "0": 0.0,
    "NaN": None,
    "nan": None,
    "Infinity": None,
    "-inf": None,
    "1e999": None,
    "-1e999": None,
    "1d": None,
    "1f": None,
    "0x1F": None,
    "1,234": None,
    "1，234": None,
    "1_000": None,
    "1 000": None,
    "12O": None,
    "约三次": None,
    "--1": None,
    ".": None,
    "e5": None,
    "17500元整": None,
    "50%": None,
}


def test_numbers(tmp_path: Path) -> None:
    assert dict(zip(NUMBERS, cast_all(tmp_path, "number", list(NUMBERS)), strict=True)) == NUMBERS


INTEGERS: dict[str, int | None] = {
    "1": 1,
    "-12": -12,
    "+3": 3,
    "007": 7,
    "９": 9,
    "9223372036854775807": 2**63 - 1,
    "9223372036854775808": None,
    "1.0": None,
    "1.": None,
    "1e3": None,
    "1,000": None,
    "一": None,
    "1 2": None,
    "0x10": None,
    "-": None,
}


def test_integers(tmp_path: Path) -> None:
    found = cast_all(tmp_path, "integer", list(INTEGERS))
    assert dict(zip(INTEGERS, found, strict=True)) == INTEGERS


BOOLEANS: dict[str, bool | None] = {
    "是": True,
    "1": True,
    "true": True,
    "Y": True,
    "否": False,
    "0": False,
    "FALSE": False,
    "N": False,
    "yes": None,
    "2": None,
    "对": None,
}


def test_booleans(tmp_path: Path) -> None:
    found = cast_all(tmp_path, "boolean", list(BOOLEANS))
    assert dict(zip(BOOLEANS, found, strict=True)) == BOOLEANS


DECIMALS: dict[str, str | None] = {
    "1.5": "1.50",
    "12345678.91": "12345678.91",
    "1.230": "1.23",
    "1.": "1.00",
    ".5": "0.50",
    "-0.00": "0.00",
    "100E-2": "1.00",
    "1.2345e2": "123.45",
    "1E3": "1000.00",
    "123456789012": None,  # more digits than there are
    "1.239": None,  # Spark alone reads 1.24
    "1.235": None,
    "0.001": None,
    "1239E-3": None,
    "1.23e-1": None,
    "1e99999999999": None,
    "x": None,
}


def test_decimals_keep_every_digit_or_are_none(tmp_path: Path) -> None:
    found = cast_all(tmp_path, "number", list(DECIMALS), physicalType="decimal(10,2)")
    read = dict(zip(DECIMALS, (None if v is None else str(v) for v in found), strict=True))
    assert read == DECIMALS


@BATCH
@given(
    st.lists(
        st.builds(
            "{}{}.{}{}".format,
            st.sampled_from(("", "-", "+")),
            st.integers(0, 99999),
            st.text("0123456789", max_size=5),
            st.sampled_from(("", "e1", "E-2", "e+3", "E-4")),
        ),
        min_size=200,
        max_size=300,
    )
)
def test_no_decimal_is_another_number_than_was_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    root = tmp_path_factory.mktemp("decimals")
    found = cast_all(root, "number", texts, physicalType="numeric(12, 3)")
    for text, value in zip(texts, found, strict=True):
        written = Decimal(text)
        is_whole = written == written.quantize(Decimal("0.001")) and abs(written) < 10**9
        assert value == (written if is_whole else None), text


@BATCH
@given(
    moments=st.lists(
        st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001  (city time)
            lambda t: t.replace(microsecond=0)
        ),
        min_size=100,
        max_size=200,
    )
)
def test_city_time_becomes_utc(
    tmp_path_factory: pytest.TempPathFactory, moments: list[datetime]
) -> None:
    """Beijing had summer time from 1986 to 1991: the zone's history counts, not just +08:00."""
    form = {"format": "yyyy-MM-dd HH:mm:ss"}
    city = ZoneInfo("Asia/Shanghai")
    shown = [m for m in moments if _clock_showed(m, city)]
    found = cast_all(
        tmp_path_factory.mktemp("t"),
        "timestamp",
        [f"{m:%Y-%m-%d %H:%M:%S}" for m in shown],
        logicalTypeOptions=form,
    )
    for moment, value in zip(shown, found, strict=True):
        assert value.astimezone(UTC) in {
            moment.replace(tzinfo=city, fold=fold).astimezone(UTC) for fold in (0, 1)
        }, moment


def _clock_showed(moment: datetime, zone: ZoneInfo) -> bool:
    """Clocks skip an hour when summer time begins."""
    there_and_back = moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there_and_back.replace(tzinfo=None) == moment


TIMES = {
    "2026-07-15T10:00:00+08:00": datetime(2026, 7, 15, 2, tzinfo=UTC),
    "2026-07-15T10:00:00Z": datetime(2026, 7, 15, 10, tzinfo=UTC),
    "2026-07-15T10:00:00": None,
    "2026-07-15T25:00:00Z": None,
}


def test_written_offset_counts(tmp_path: Path) -> None:
    form = {"format": "yyyy-MM-dd'T'HH:mm:ssXXX"}
    found = cast_all(tmp_path, "timestamp", list(TIMES), logicalTypeOptions=form)
    assert [v and v.astimezone(UTC) for v in found] == list(TIMES.values())


# --------------------------------------------------- plain rules, nulls and exact duplicates


def broken_by(root: Path, extra: dict[str, Any], texts: list[str | None]) -> list[set[str]]:
    return [
        {b.removeprefix("x.") for b in r.broken} for r in read_all(plan_of(root, extra)[1], texts)
    ]


def test_required_and_null_tokens(tmp_path: Path) -> None:
    texts = [None, "", " ", "\u3000", "/", " / ", "//", "无", "a"]
    found = broken_by(tmp_path, column("x", required=True), texts)
    assert found == [{"required"}] * 6 + [set()] * 3


def test_a_null_token_in_letters_is_one_in_a_column_of_identifiers_too(tmp_path: Path) -> None:
    extra = column("x", required=True, customProperties=custom(rule="mobile"))
    plan = plan_of(tmp_path, extra, nulls=("", "null", "N/a"))[1]
    found = [set(r.broken) for r in read_all(plan, ["null", "NULL", "n/A", "无", "13912345678"])]
    assert found == [{"x.required"}] * 3 + [{"x.mobile"}, set()]


def test_an_empty_cell_breaks_no_rule_but_required(tmp_path: Path) -> None:
    options = {"pattern": "^a+$", "minLength": 2, "maxLength": 3}
    extra = column("x", logicalTypeOptions=options, customProperties=custom(enum=["aa", "aaa"]))
    found = broken_by(tmp_path, extra, ["", None, "/", "aa", "a", "aaaa", "bb"])
    assert found == [
        set(),
        set(),
        set(),
        set(),
        {"min_length", "enum"},
        {"max_length", "enum"},
        {"pattern", "enum"},
    ]


def test_free_text_is_trimmed_and_otherwise_left(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, column("x"))[1]
    texts = ["　（甲） 乙，丙\u00a0", "a\tb", "ＡＢ", "\ufeffx"]
    assert [r.value for r in read_all(plan, texts)] == ["（甲） 乙，丙", "a\tb", "ＡＢ", "x"]


def test_range_holds_its_bounds(tmp_path: Path) -> None:
    extra = column("x", "number", logicalTypeOptions={"minimum": -1.5, "maximum": 200})
    texts = ["-1.5", "200", "-1.51", "200.001", "x", "0"]
    found = broken_by(tmp_path, extra, list(texts))
    assert found == [set(), set(), {"range"}, {"range"}, {"type"}, set()]
    low = column("x", "integer", logicalTypeOptions={"minimum": 1})
    assert broken_by(tmp_path / "low", low, ["1", "0", "99999"]) == [set(), {"range"}, set()]


def test_exclusive_bounds_and_multiples(tmp_path: Path) -> None:
    options = {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.1}
    texts = ["0.3", "0", "1", "0.25", "1.05", "x"]
    found = broken_by(tmp_path, column("x", "number", logicalTypeOptions=options), list(texts))
    out, part = {"exclusive_range"}, {"multiple_of"}
    assert found == [set(), out, out, part, out | part, {"type"}]
    whole = column("x", "integer", logicalTypeOptions={"multipleOf": 5})
    assert broken_by(tmp_path / "whole", whole, ["10", "12"]) == [set(), part]


def test_columns_that_refer_together(tmp_path: Path) -> None:
    """Each value stands in the table, and the pair does not: one column alone would pass."""
    from jobs.spark.session import session

    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "streets.csv").write_text("district,street\nA,1\nB,2\n", "utf-8")
    to = "reference/streets.odcs.yaml#schema/streets/properties"
    contract = source()
    properties(contract)[:] = [column("d"), column("s")]
    contract["schema"][0]["relationships"] = [
        {"from": ["visit.d", "visit.s"], "to": [f"{to}/district", f"{to}/street"]}
    ]
    made = load_tree(write(tmp_path, contract)).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    pairs = [("A", "1"), ("A", "2"), ("B", "2"), ("C", "3"), ("A", None)]
    rows = session().createDataFrame(
        [(d, s, i, None, None, "b") for i, (d, s) in enumerate(pairs)],
        "d STRING, s STRING, _source_line BIGINT, _row_error STRING, _extra STRING,"
        " _batch_id STRING",
    )
    for projection in plan.projections:
        rows = rows.selectExpr(*projection)
    found = {r._source_line: r._ok for r in rows.collect()}
    assert found == {0: "true", 1: "false", 2: "true", 3: "false", 4: "true"}
    [rule] = [r for r in plan.rules if r.kind == "table_reference"]
    assert (rule.id, rule.column) == ("row.reference.d+s", None)


READ_ALIKE = (
    "^[0-9]{4}-[0-9]+$", "^(?<year>[0-9]{4})\\k<year>$", "^\\p{Lu}\\P{L}+$", "\\p{Script=Han}",
    "^[^\\]\\[]+$", "^(?:a|b)(?=c)(?!d).*", "(?<=a)b(?<!c)", "^\\u4EAC\\x41\\t?$", "(?i)^abc$",
    "a++b?+c*?", "^[\\w.\\-]{1,64}@\\w+$", "[a\\&&]", "^[京津]$", "a{2,}", "\\bx\\B", "^(a)\\1$",
    "^'\\\\$",
)  # fmt: skip
READ_OTHERWISE = (
    "(?P<year>x)", "(?P=year)", "(a)(?(1)b|c)", "(?#note)a", "a{,3}", "{", "a{b}", "[[:alpha:]]",
    "[a-z&&[^b]]", "[]a]", "[^]", "\\Qa\\E", "\\Aa\\Z", "\\0", "\\p{Han}", "\\pX", "\\u{4EAC}",
    "(?<my_year>x)", "[", "(", "*a", "a\\", "(?<y>a)(?<y>b)", "\\N{DIGIT ONE}", "[b-a]",
)  # fmt: skip


def test_every_pattern_that_lint_takes_is_one_that_spark_runs() -> None:
    from jobs.spark.session import session

    taken = TypeAdapter(Pattern)
    for pattern in READ_OTHERWISE:
        with pytest.raises(ValidationError, match="no regular expression"):
            taken.validate_python(pattern)
    terms = (f"'京A' RLIKE {quoted(taken.validate_python(p))}" for p in READ_ALIKE)
    [found] = session().sql(f"SELECT {', '.join(terms)}").collect()
    assert len(found) == len(READ_ALIKE)
    assert found[READ_ALIKE.index("\\p{Script=Han}")]


def test_reference(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "kinds.csv").write_text("code\nA'1\nB\\2\n", "utf-8")
    to = "reference/kinds.odcs.yaml#schema/kinds/properties/code"
    extra = column("x", relationships=[{"type": "foreignKey", "to": to}])
    found = broken_by(tmp_path, extra, ["A'1", "B\\2", "C", ""])
    assert found == [set(), set(), {"reference"}, set()]


def test_pattern_with_quotes_and_backslashes(tmp_path: Path) -> None:
    extra = column("x", logicalTypeOptions={"pattern": "^\\d'\\\\$"})
    assert broken_by(tmp_path, extra, ["1'\\", "d'\\", "1'"]) == [set(), {"pattern"}, {"pattern"}]


def test_repeated_rows_and_conflicting_keys(tmp_path: Path) -> None:
    """Rows of the same raw text are exact duplicates; one key with other content is a conflict."""
    from jobs.spark.session import session

    made = load_tree(write(tmp_path, source())).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    rows = [
        ("k1", "1", None),  # 0 first of three exact duplicates
        ("k1", "1", None),
        ("k1", "1", None),
        ("k2", "1", None),  # 3 and 4 conflict
        ("k2", "2", None),
        ("k3", "1", None),  # 5 good: its rival has a fault of its own
        ("k3", "x", None),
        ("k4", "7", "6 cells, 2 expected"),  # 7 ragged
        (" k5 ", "1", None),  # 8 and 9: other text, the same key and content
        ("k5", "1", None),
        ("", "1", None),  # 10 no key
    ]
    table = pa.table(
        {
            "visit_id": [r[0] for r in rows],
            "guests": [r[1] for r in rows],
            "_source_line": pa.array(range(len(rows)), pa.int64()),
            "_row_error": pa.array([r[2] for r in rows], pa.string()),
            "_extra": pa.nulls(len(rows), pa.string()),
            "_batch_id": ["b"] * len(rows),
        }
    )
    frame = (
        session()
        .createDataFrame(table)
        .selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
    )
    frame = frame.selectExpr(*plan.check).selectExpr(*plan.conflict).selectExpr(*plan.output)
    found = sorted(frame.toArrow().to_pylist(), key=lambda r: r["_source_line"])
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    broken = [{i for i, m, b in bits if r[m] & b} for r in found]
    assert [r["_duplicate"] for r in found] == [False, True, True] + [False] * 8
    conflict = {"row.key_conflict"}
    assert broken == [
        set(),
        set(),
        set(),
        conflict,
        conflict,
        set(),
        {"guests.type"},
        {"row.shape"},
        conflict,
        conflict,
        {"visit_id.required"},
    ]
    good = [r["_source_line"] for r in found if r["_ok"] == "true"]
    assert good == [0, 5]
    assert {r["_business_date"] for r in found} == {DAY}


def test_more_rules_than_one_mask_holds(tmp_path: Path) -> None:
    contract = source()
    wide = [
        column(f"c{i}", "integer", required=True, logicalTypeOptions={"minimum": 1})
        for i in range(30)
    ]
    properties(contract)[:] = wide
    made = load_tree(write(tmp_path, contract)).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    assert len(plan.masks) == 2
    from jobs.spark.session import session

    values: dict[str, Any] = {f"c{i}": ["1", "1"] for i in range(30)}
    values["c29"] = ["0", ""]
    table = pa.table(
        values
        | {
            "_source_line": pa.array([0, 1], pa.int64()),
            "_row_error": pa.nulls(2, pa.string()),
            "_extra": pa.nulls(2, pa.string()),
            "_batch_id": ["b", "b"],
        }
    )
    frame = (
        session()
        .createDataFrame(table)
        .selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
    )
    found = frame.selectExpr(*plan.check).selectExpr(*plan.output).toArrow().to_pylist()
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    broken = {r["_source_line"]: {i for i, m, b in bits if r[m] & b} for r in found}
    assert broken == {0: {"c29.range"}, 1: {"c29.required"}}
    assert {r["_ok"] for r in found} == {"false"}
