"""The row rules against a second implementation, written from the standards and not from the SQL.

Hypothesis makes the texts; each batch of them is one Spark query, so that thousands are compared.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.rules import NAMED_RULES
from tests.support.small import column, custom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.rules.plan import RefinePlan

from tests.support.plans import BATCH, Read, plan_of, read_all, rule_plan
from tests.support.standards import (
    DAY,
    LETTERS,
    gb4754_is_valid,
    mobile_is_valid,
    mod_11_2,
    phone_is_valid,
    plate_is_valid,
    reads_as_identifier,
    resident_id_is_valid,
    resident_id_of_15,
    uscc_is_valid,
)

# ---------------------------------------------------------------- texts: right, bent, broken

digits = st.text("0123456789", min_size=17, max_size=17)
births = st.dates(date(1840, 1, 1), date(2030, 1, 1)).map(lambda d: f"{d:%Y%m%d}")


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["110105", "440524", "110228", "659004", "010101"]))
    born = draw(births | st.sampled_from(["20260230", "19000229", "20000229", "00010101"]))
    first = f"{area}{born}{draw(st.integers(0, 999)):03}"
    check = next(c for c in "0123456789X" if mod_11_2(first + c) == 1)
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
