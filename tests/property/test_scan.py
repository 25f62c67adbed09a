"""The scanner finds personal information anywhere in a text, and not what only looks like it."""

from __future__ import annotations

from datetime import date
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.sandbox.checkdigits import resident_id, uscc
from jobs.scan.cells import are_resident_ids, has_resident_id, is_luhn
from jobs.scan.run import scan

#: A scan compiles its patterns anew: some tens of milliseconds an example.
FEW = settings(max_examples=30, deadline=None)
_DIGITS = "0123456789"
#: Text of a remark: no digits at the seam, so that what is planted stands for itself.
_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Nd", "Cs"], exclude_characters=".-X０x \0"),
    max_size=12,
)
_AREAS = st.sampled_from(["110105", "370102", "440524", "650104", "820000"])


@st.composite
def ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2026, 7, 1)))
    body = f"{draw(_AREAS)}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return _checked(body)


def _checked(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def kinds(*cells: str | None) -> dict[str, int]:
    return {s.kind: s.matching for s in scan(pa.table({"c": pa.array(cells, pa.string())}))}


@pytest.mark.parametrize("sample", ["11010519491231002X", "440524188001010014"])
def test_the_standards_samples_are_found(sample: str) -> None:
    assert kinds(sample) == {"resident_id": 1}


@FEW
@given(before=_WORDS, number=ids(), after=_WORDS, others=st.lists(st.text(max_size=9), max_size=9))
def test_an_id_is_found_anywhere_in_a_text(
    before: str, number: str, after: str, others: list[str]
) -> None:
    assert kinds(*others, f"{before}{number}{after}", None)["resident_id"] == 1


@FEW
@given(
    number=ids(),
    spelling=st.sampled_from(
        [
            str.lower,
            lambda n: f"{n[:6]} {n[6:14]} {n[14:]}",
            lambda n: f"{n[:6]}-{n[6:14]}-{n[14:]}",
            lambda n: n.translate({ord(c): ord(c) - 0x30 + 0xFF10 for c in _DIGITS}),
        ]
    ),
)
def test_an_id_is_found_however_it_is_written(number: str, spelling: object) -> None:
    assert callable(spelling)
    assert kinds(f"证件{spelling(number)}。")["resident_id"] == 1


@FEW
@given(number=ids(), near=ids())
def test_an_id_behind_a_near_miss_is_found(number: str, near: str) -> None:
    wrong = near[:-1] + ("1" if near[-1] != "1" else "2")
    assert kinds(f"{wrong},{number}")["resident_id"] == 1


@FEW
@given(number=ids(), digit=st.sampled_from(_DIGITS + "X"), place=st.integers(0, 16))
def test_a_number_with_another_digit_is_none(number: str, digit: str, place: int) -> None:
    """One changed character breaks the check: ISO 7064 MOD 11-2 finds every single error."""
    bent = number[:place] + digit + number[place + 1 :]
    if bent != number:
        assert not has_resident_id(bent)
        assert "resident_id" not in kinds(f"编号 {bent} 号")


@FEW
@given(number=ids(), digits=st.text(_DIGITS, min_size=1, max_size=6))
def test_an_id_inside_a_longer_number_is_none(number: str, digits: str) -> None:
    assert "resident_id" not in kinds(f"{digits}{number}")
    if number[-1] != "X":
        assert "resident_id" not in kinds(f"{number}{digits}")


@FEW
@given(
    born=st.sampled_from(["20260230", "19991301", "19000229", "20000431", "19990100"]),
    area=_AREAS,
    tail=st.integers(0, 999),
)
def test_a_date_that_never_was_makes_no_id(born: str, area: str, tail: int) -> None:
    assert "resident_id" not in kinds(_checked(f"{area}{born}{tail:03d}"))


@settings(max_examples=4, deadline=None)
@given(number=ids())
def test_one_id_in_fifty_thousand_cells_is_found(number: str) -> None:
    where = Random(number).randrange(50_000)
    cells = [f"第 {i} 件，{20260000000000000 + i}" for i in range(50_000)]
    cells[where] += f"（{number}）"
    assert kinds(*cells)["resident_id"] == 1


@FEW
@given(st.lists(ids(), min_size=1, max_size=40))
def test_ids_are_checked_together_as_they_are_alone(numbers: list[str]) -> None:
    wrong = [n[:-1] + ("X" if n[-1] != "X" else "3") for n in numbers]
    assert are_resident_ids(pa.array(numbers)).all()
    assert not are_resident_ids(pa.array(wrong)).any()
    assert len(are_resident_ids(pa.array(numbers).slice(1))) == len(numbers) - 1


def test_permits_that_begin_with_area_and_date_are_no_ids() -> None:
    """A construction permit is area, date and four digits: one in eleven passes the check."""
    rng = Random(11)
    permits = [f"110105202{rng.randint(0, 6)}07{rng.randint(10, 28)}{i:04d}" for i in range(2_000)]
    assert sum(map(has_resident_id, permits)) > 100
    assert "resident_id" not in kinds(*permits)
    people = [resident_id("110105", date(1950 + i % 50, 5, 6), i) for i in range(120)]
    assert kinds(*permits, *people)["resident_id"] > 120, "people among them stand out"


def test_firms_codes_are_no_ids() -> None:
    rng = Random(7)
    codes = [uscc("91", "110105", f"{rng.randrange(10**8):08d}") for _ in range(3_000)]
    assert "resident_id" not in kinds(*codes)
    assert "bank_card" not in kinds(*codes)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请联系13812345678", "mobile"),
        ("tel +86 138-1234-5678 。", "mobile"),
        ("138 1234 5678", "mobile"),
        ("电话：１３８１２３４５６７８", "mobile"),
        ("京A12345", "plate"),
        ("车牌京AD12345已登记", "plate"),
        ("沪A·D1234警", "plate"),
        ("卡号 6222 0212 3456 7890 128", "bank_card"),
        ("邮箱 zhang.san@example.org.cn，", "email"),
        ("护照号：E12345678", "passport"),
        ("passport no. EA1234567", "passport"),
    ],
)
def test_one_cell_is_enough(text: str, kind: str) -> None:
    assert kind in kinds("无", text)


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "010-65123456",
        "2026-07-15 12:30:00",
        "20260715123000",
        "1381234567",
        "138123456789",
        "12812345678",
        "0.13812345678",
        "京I12345",
        "京AO1234",
        "E12345678",
        "6222021234567890129",
        "a@b",
        "A@1:B@2",
        "1234567890123456",
        "12100000400000624D",
        "91110000802100433B",
        "DG-2026-0007",
        "a3f91b13812345678cdd",
    ],
)
def test_what_only_looks_like_it_is_nothing(text: str) -> None:
    assert kinds(text) == {}


def test_codes_of_eleven_digits_are_no_mobiles() -> None:
    rng = Random(3)
    codes = [f"{rng.randrange(10**11):011d}" for _ in range(500)]
    assert "mobile" not in kinds(*codes)
    assert kinds(*[f"139{rng.randrange(10**8):08d}" for _ in range(500)]) == {"mobile": 500}


def test_long_numbers_are_no_cards_because_a_tenth_of_them_pass_luhn() -> None:
    rng = Random(3)
    numbers = [f"62{rng.randrange(10**14):014d}" for _ in range(3_000)]
    assert "bank_card" not in kinds(*numbers)
    cards = [n for n in numbers if is_luhn(n)]
    assert kinds(*cards)["bank_card"] >= len(cards)


NAMES = ["王小明", "李四", "张三丰", "欧阳修", "赵敏", "孙权", "周瑜", "吴用", "郑和", "陈平安"] * 3
PLACES = ["海淀区", "朝阳区", "丰台区", "东华门街道", "石景山区", "高碑店", "马连道", "温泉镇"] * 3


def test_a_column_of_names_is_seen_by_most_of_its_cells() -> None:
    assert kinds(*NAMES) == {"name": len(NAMES)}
    assert kinds(*[f"{n}街道" for n in NAMES]) == {}
    assert kinds(*PLACES, *"甲乙丙丁戊己庚辛") == {}
    assert kinds(*["高温", "黄色", "方案"] * 20) == {}, "an enumeration has few values"


def test_addresses_births_and_places_are_seen_by_most_of_their_cells() -> None:
    rng = Random(1)
    homes = [f"建国路{i}号院{i % 9 + 1}号楼" for i in range(30)]
    births = [date(rng.randint(1930, 2015), rng.randint(1, 12), 3).isoformat() for _ in range(200)]
    permits = [date(rng.randint(2015, 2026), rng.randint(1, 12), 3).isoformat() for _ in range(200)]
    places = [f"{rng.uniform(115.5, 117.4):.6f}" for _ in range(50)]
    coarse = [f"{rng.uniform(115.5, 117.4):.2f}" for _ in range(50)]
    assert list(kinds(*homes)) == ["address"]
    assert list(kinds(*births)) == ["birth_date"]
    assert kinds(*permits) == {}
    assert list(kinds(*places)) == ["coordinate"]
    assert kinds(*coarse) == {}


def test_empty_null_and_large_columns_are_read_like_any_other() -> None:
    number = resident_id("110105", date(1980, 1, 1), 12)
    table = pa.table(
        {
            "empty": pa.array([], pa.string()),
        }
    )
    assert scan(table) == []
    cells = pa.array([None, "", number, None])
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        found = scan(pa.table({"c": cells.cast(kind), "n": pa.array([1, 2, 3, 4])}))
        assert [(s.kind, s.checked, s.matching) for s in found] == [("resident_id", 1, 1)]
    parts = pa.chunked_array([cells.slice(0, 2), cells.slice(2)])
    assert scan(pa.table({"c": parts}))[0].matching == 1
