"""Sorts of columns: what goes wrong with a cell of each, and what only looks wrong.

Validity is stated here a second time on purpose: this is what the sandbox believes, not what our
rules say, so that a test comparing the two can fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra.sandbox import dirt
from infra.sandbox.dirt import on, to
from infra.sandbox.faults import Catalogue, CellFault, NearMiss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.sandbox.dirt import CellChange


@dataclass(frozen=True)
class Wrong:
    """A wrong cell: the kind of dirt, and the kinds of rule that have to find it.

    The first rule is the point of it.
    """

    kind: str
    rules: tuple[str, ...]
    change: CellChange


@dataclass(frozen=True)
class Odd:
    """An odd cell that is right."""

    kind: str
    change: CellChange


@dataclass(frozen=True)
class Kind:
    """A sort of column."""

    wrong: tuple[Wrong, ...] = ()
    odd: tuple[Odd, ...] = ()
    is_required: bool = True

    @property
    def optional(self) -> Kind:
        """The same sort where the cell may be empty."""
        return Kind(self.wrong, self.odd, is_required=False)

    @property
    def plain(self) -> Kind:
        """The same sort without odd cells, where another check of the dataset would mind them."""
        return Kind(self.wrong, (), self.is_required)

    def and_odd(self, **changes: CellChange) -> Kind:
        """Add odd cells of one dataset, by kind."""
        odd = (*self.odd, *(Odd(kind, change) for kind, change in changes.items()))
        return Kind(self.wrong, odd, self.is_required)

    def and_wrong(self, *rules: str, **changes: CellChange) -> Kind:
        """Add wrong cells of one dataset, by kind, all found by every one of ``rules``."""
        wrong = (*self.wrong, *(Wrong(k, rules, change) for k, change in changes.items()))
        return Kind(wrong, self.odd, self.is_required)


def _kind(rule: str, wrong: Mapping[str, CellChange], odd: Mapping[str, CellChange]) -> Kind:
    return Kind(
        tuple(Wrong(kind, (rule,), change) for kind, change in wrong.items()),
        tuple(Odd(kind, change) for kind, change in odd.items()),
    )


#: GB 11643-1999 (domain reference §2.1).
RESIDENT: Final = _kind(
    "resident_id",
    {
        "check_digit": dirt.id_check_digit,
        "digits_swapped": dirt.id_digit_swapped,
        "no_such_birthday": dirt.id_no_such_day,
        "born_in_future": dirt.id_born_later,
        "masked": dirt.id_masked,
        "too_short": dirt.id_short,
        "excel_number": dirt.excel_ruined,
    },
    {
        "lower_case_x": dirt.lower_case,
        "full_width": dirt.full_width,
        "ideographic_space": dirt.ideographic_space,
        "no_break_space": dirt.no_break_space,
        "byte_order_mark": dirt.byte_order_mark,
        "abolished_area": dirt.abolished_area,
        "other_province": dirt.other_province,
        "leap_day_birth": dirt.leap_day,
    },
)
#: GB 32100-2015 (domain reference §2.2).
USCC: Final = _kind(
    "uscc",
    {
        "check_digit": dirt.uscc_check_digit,
        "illegal_letter": dirt.uscc_illegal_letter,
        "masked": dirt.uscc_masked,
        "wrong_length": dirt.uscc_length,
        "excel_number": dirt.excel_ruined,
    },
    {
        "lower_case": dirt.lower_case,
        "full_width": dirt.full_width,
        "ideographic_space": dirt.ideographic_space,
        "other_prefix": dirt.other_prefix,
    },
)
#: The city's 9-digit street-level units (GB/T 2260 and the local extension).
STREET: Final = _kind(
    "division_code",
    {
        "no_such_county": to("119901001", "999999001"),
        "too_short": lambda cell, _: cell[:6],
        "a_name_instead": to("东华门街道", "望京街道"),
    },
    {"full_width": dirt.full_width, "plain_space": dirt.plain_space},
)
#: A county-level code in force (GB/T 2260).
DISTRICT: Final = _kind(
    "division_code",
    {
        "abolished_county": to("110103", "110104", "110228"),
        "no_such_county": to("119901", "999999"),
        "a_name_instead": to("宣武区", "朝阳"),
    },
    {"full_width": dirt.full_width, "plain_space": dirt.plain_space},
)
#: A village or community: a street's nine digits and three more.
VILLAGE: Final = _kind(
    "division_code",
    {
        "no_such_street": to("119901001201", "999999001001"),
        "too_short": lambda cell, _: cell[:9],
    },
    {"full_width": dirt.full_width},
)
#: GB/T 4754-2017 (domain reference §2.8).
INDUSTRY: Final = _kind(
    "gb4754",
    {"no_section": to("Z6513", "6513"), "too_long": to("I65131"), "a_name_instead": to("软件业")},
    {"lower_case": dirt.lower_case, "section_only": to("I", "C")},
)
MOBILE: Final = _kind(
    "mobile",
    {"no_mobile": to("12345678901", "1391234567", "139123456789", "010-62345678", "138****5678")},
    {"prefixed_or_grouped": dirt.mobile_prefixed, "full_width": dirt.full_width},
)
#: A mobile or a Beijing land line (domain reference §2.5).
PHONE: Final = _kind(
    "phone",
    {"no_phone": to("1391234567", "010-123", "值班室")},
    {"prefixed_or_grouped": dirt.mobile_prefixed, "landline_forms": dirt.landline_forms},
)
#: GA 36-2018 (domain reference §2.4).
PLATE: Final = _kind(
    "plate",
    {"no_plate": to("京I12345", "京AO1234", "A12345")},
    {"other_kinds": dirt.plate_forms, "full_width": dirt.full_width},
)
LON: Final = Kind(
    (
        Wrong("other_city", ("lon_beijing",), to("121.473701", "113.264385")),
        Wrong("degrees_and_minutes", ("type",), to("116°23′", "东经116.4")),
    ),
    (Odd("on_the_bound", to("115.42", "117.51")),),
)
LAT: Final = Kind(
    (
        Wrong("other_city", ("lat_beijing",), to("31.230416", "23.129112")),
        Wrong("degrees_and_minutes", ("type",), to("39°54′", "北纬39.9")),
    ),
    (Odd("on_the_bound", to("39.44", "41.06")),),
)
#: ``yyyy-MM-dd HH:mm:ss``, city time.
MOMENT: Final = _kind(
    "type",
    {"no_moment": to("2026-02-30 08:00:00", "2026-07-01 25:61:00", "2.02206E+13", "昨天下午")},
    {},
)
#: ``yyyy-MM``, by pattern.
MONTH: Final = _kind("pattern", {"no_month": to("2026-13", "2026年7月", "202607", "7月")}, {})
_NO_DATES: Final = {
    "yyyy-MM-dd": ("2026-02-30", "2026-13-01", "45659.0", "1/7/2026", "不详"),
    "yyyy/MM/dd": ("2027-01-01", "2026/02/30", "46023.0"),
    "yyyyMMdd": ("20260230", "2026-07-01", "46023.0"),
}
_LEAP_DAYS: Final = {
    "yyyy-MM-dd": "2024-02-29", "yyyy/MM/dd": "2024/02/29", "yyyyMMdd": "20240229",
}  # fmt: skip


def day(pattern: str = "yyyy-MM-dd", *, is_free: bool = False) -> Kind:
    """Return dates of a format; ``is_free`` where no check would mind 29 February 2024."""
    odd = {"leap_day": to(_LEAP_DAYS[pattern])} if is_free else {}
    return _kind("type", {"no_date": to(*_NO_DATES[pattern])}, odd)


#: Ten times this is no 32-bit integer.
_HUGE: Final = 10**8


def whole(low: int | None = None, high: int | None = None, *, is_free: bool = True) -> Kind:
    """Return whole numbers in a range; ``is_free`` where no other check minds the bounds."""
    bounds = [str(b) for b in (low, high) if b is not None]
    outside = [
        *([str(low - 1)] if low is not None else []),
        *([str(high + 1), f"{high}9"] if high is not None and high < _HUGE else []),
    ]
    wrong = [Wrong("no_number", ("type",), to("若干", "12箱", "12O", "1,2,3"))]
    if outside:
        wrong.append(Wrong("out_of_range", ("range",), to(*outside)))
    odd = (Odd("on_the_bound", to(*bounds)),) if bounds and is_free else ()
    return Kind(tuple(wrong), odd)


def decimal(low: float | None = None, high: float | None = None, *, is_free: bool = True) -> Kind:
    """Return numbers in a range; ``is_free`` where no other check minds the bounds."""
    bounds = [f"{b:.12g}" for b in (low, high) if b is not None]
    outside = [
        *([f"{low - 0.5:.12g}"] if low is not None else []),
        *([f"{high + 0.5:.1f}", f"{high * 10 + 1:.1f}"] if high is not None else []),
    ]
    wrong = [Wrong("no_number", ("type",), to("不详", "35km", "#REF!", "1.2.3"))]
    if outside:
        wrong.append(Wrong("out_of_range", ("range",), to(*outside)))
    odd = (Odd("on_the_bound", to(*bounds)),) if bounds and is_free else ()
    return Kind(tuple(wrong), odd)


def code(*wrong: str, odd: tuple[str, ...] = ()) -> Kind:
    """Return codes of a pattern: some that break it, and some strange ones that do not."""
    return _kind("pattern", {"no_code": to(*wrong)}, {"strange_code": to(*odd)} if odd else {})


def words(most: int, least: int = 0, filler: str = "城") -> Kind:
    """Return text of ``least`` to ``most`` characters, with what text may hold."""
    wrong = [Wrong("too_long", ("max_length",), dirt.lengthened(filler, most))]
    if least > 1:
        wrong.append(Wrong("too_short", ("min_length",), to(filler * (least - 1))))
    return Kind(
        tuple(wrong),
        (
            Odd("on_the_bound", lambda text, _: (text + filler * most)[:most]),
            Odd("rare_character", lambda text, rng: (rng.choice("喆䶮𠮷") + text)[:most]),
        ),
    )


def choice(*wrong: str) -> Kind:
    """Return one of a list of words; ``wrong`` are not on it."""
    return _kind("enum", {"not_on_the_list": to(*wrong)}, {})


def known(*wrong: str) -> Kind:
    """Return a code of a reference table; ``wrong`` are not in it."""
    return _kind("reference", {"no_such_code": to(*wrong)}, {})


#: Text that nothing is asked of.
ANY: Final = Kind()


def catalogue(
    kinds: Mapping[str, Kind], twist: str, twist_values: tuple[str, ...], null: str = ""
) -> Catalogue:
    """Return what can happen to a dataset of these columns.

    ``null`` is what its provider writes for nothing, beside leaving the cell empty.
    """
    faults = [
        CellFault("missing", (f"{column}.required",), on(column, to("", null)))
        for column, kind in kinds.items()
        if kind.is_required
    ]
    near = []
    for column, kind in kinds.items():
        faults += [
            CellFault(w.kind, tuple(f"{column}.{rule}" for rule in w.rules), on(column, w.change))
            for w in kind.wrong
        ]
        near += [NearMiss(o.kind, column, on(column, o.change)) for o in kind.odd]
        if not kind.is_required:
            near.append(NearMiss("null_token", column, on(column, to("", null))))
    if {"lon", "lat"} <= set(kinds):
        both = ("lon.lon_beijing", "lat.lat_beijing")
        faults += [
            CellFault("swapped", both, dirt.swapped_coordinates),
            CellFault("zero", both, dirt.zero_coordinates),
        ]
    return Catalogue(tuple(faults), tuple(near), twist, twist_values)
