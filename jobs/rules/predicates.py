"""Row rules: which cells of a column break one, a whole column at once.

Every function is given the column's cells without NULL and returns a flag for each; an empty cell
breaks no rule but ``required``. Every algorithm names its standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.pattern import re2
from jobs.arrays import flags
from jobs.rules.casts import NUMBER, doubles
from jobs.rules.identifiers import are_like, are_resident_ids, are_usccs
from jobs.rules.lists import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from contracts.rules import RowRule
    from jobs.arrays import Flags
    from jobs.rules.plan import RefinePlan

#: WGS84 bounds of Beijing with 0.02° slack (domain reference §2.6).
_LON: Final = (115.40, 117.53)
_LAT: Final = (39.42, 41.08)
_PLATE: Final = (
    "^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    "([A-HJ-NP-Z][A-HJ-NP-Z0-9]{5}|[A-HJ-NP-Z][A-HJ-NP-Z0-9]{4}[警学挂]"
    "|[A-HJ-NP-Z][A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[A-HJ-NP-Z][0-9]{5}[A-HJK])$"
)
_MOBILE: Final = "1[3-9][0-9]{9}"
_LAND_LINE: Final = "(010)?[2-8][0-9]{7}"
#: Divisions below a street: the first nine of their digits are the street's (GB/T 10114).
_CHILD_DIGITS: Final = 12
#: GB/T 4754-2017: the letter's divisions, then group and class.
_GB4754: Final = "^[A-T]([0-9]{2}([0-9]([0-9])?)?)?$"


@dataclass(frozen=True)
class Cells:
    """A column's cells without NULL texts: as rules read them, and as they were cast."""

    texts: pa.Array
    values: pa.Array

    @cached_property
    def numbers(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The cells as numbers; what is none is not a number."""
        kind = self.values.type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        values = self.values if is_number or pa.types.is_decimal(kind) else doubles(self.texts)
        return np.asarray(pc.cast(values, pa.float64(), safe=False).fill_null(np.nan))


def broken(rule: RowRule, cells: Cells, plan: RefinePlan) -> Flags:
    """Tell of each cell whether it breaks a rule of its column.

    Rules of several columns are not here, nor is ``required``, which is about cells that are not.
    """
    return _RULES[rule.kind](rule, cells, plan)


def not_together(rule: RowRule, columns: Mapping[str, pa.Array], plan: RefinePlan) -> Flags:
    """Tell of each row whether its values, none of them NULL, stand together in no listed row."""
    texts = [columns[name] for name in rule.arguments["columns"]]
    plain = [pc.replace_substring(text, UNIT, " ") for text in texts]
    rows = pc.binary_join_element_wise(*plain, UNIT, null_handling="emit_null")
    return flags(pc.is_valid(rows)) & _not_in(rows, plan.allowed[rule.id])


def _not_in(texts: pa.Array, values: Iterable[str]) -> Flags:
    """Of no allowed values none is allowed: an empty list never passes a row."""
    return ~flags(pc.is_in(texts, pa.array(sorted(values), pa.string())))


def _type(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
    return flags(pc.is_null(cells.values))


def _resident_id(_: RowRule, cells: Cells, plan: RefinePlan) -> Flags:
    return ~are_resident_ids(cells.texts, plan.business_date)


def _uscc(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
    return ~are_usccs(cells.texts)


def _division(rule: RowRule, cells: Cells, plan: RefinePlan) -> Flags:
    """GB/T 2260 for six digits; the city's street-level units for nine; their children for 12."""
    texts, codes = cells.texts, plan.allowed[rule.id]
    if int(rule.arguments.get("digits", 6)) < _CHILD_DIGITS:
        return _not_in(texts, codes)
    return ~are_like(texts, "^[0-9]{12}$") | _not_in(pc.utf8_slice_codeunits(texts, 0, 9), codes)


def _phone_digits(texts: pa.Array) -> pa.Array:
    bare = pc.replace_substring_regex(texts, r"^(?:\+86|0086)", "")
    return pc.replace_substring_regex(bare, "[-－]", "")


def _mobile(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
    return ~are_like(_phone_digits(cells.texts), f"^{_MOBILE}$")


def _phone(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
    return ~are_like(_phone_digits(cells.texts), f"^({_MOBILE}|{_LAND_LINE}|[19][0-9]{{4}})$")


def _like(pattern: str) -> Callable[[RowRule, Cells, RefinePlan], Flags]:
    def is_broken(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
        return ~are_like(cells.texts, pattern)

    return is_broken


def _pattern(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    return ~are_like(cells.texts, re2(str(rule.arguments["pattern"])))


def _within(low: float, high: float) -> Callable[[RowRule, Cells, RefinePlan], Flags]:
    def is_broken(_: RowRule, cells: Cells, __: RefinePlan) -> Flags:
        return _outside(cells.numbers, low, high)

    return is_broken


def _outside(numbers: np.ndarray, low: float | None, high: float | None) -> Flags:
    """Tell what is below or above; what was not read as a number breaks its type alone."""
    found = np.zeros(len(numbers), dtype=bool)
    if low is not None:
        found |= numbers < low
    if high is not None:
        found |= numbers > high
    return found


def _range(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    return _outside(cells.numbers, rule.arguments["minimum"], rule.arguments["maximum"])


def _exclusive_range(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    found = np.zeros(len(cells.texts), dtype=bool)
    if (low := rule.arguments["minimum"]) is not None:
        found |= cells.numbers <= low
    if (high := rule.arguments["maximum"]) is not None:
        found |= cells.numbers >= high
    return found


def _multiple_of(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    """Divide as decimals: 0.3 is a multiple of 0.1, which no two doubles tell."""
    step = Decimal(repr(rule.arguments["of"]))
    is_read = ~flags(pc.is_null(cells.values))
    if pa.types.is_integer(cells.values.type) and step == int(step):
        return np.asarray(is_read & (np.asarray(cells.values.fill_null(0)) % int(step) != 0))
    is_number = are_like(cells.texts, NUMBER) & is_read
    coded = cells.texts.filter(pa.array(is_number)).dictionary_encode()
    rest = pa.array([_has_rest(Decimal(t), step) for t in coded.dictionary.to_pylist()], pa.bool_())
    found = np.zeros(len(cells.texts), dtype=bool)
    found[is_number] = flags(pc.take(rest, coded.indices))
    return found


def _has_rest(value: Decimal, step: Decimal) -> bool:
    """Tell whether no whole number of steps makes the value; exact, however long its digits."""
    top, bottom = value.as_integer_ratio()
    step_top, step_bottom = step.as_integer_ratio()
    return (top * step_bottom) % (bottom * step_top) != 0


def _min_length(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    return flags(pc.less(pc.utf8_length(cells.texts), int(rule.arguments["length"])))


def _max_length(rule: RowRule, cells: Cells, _: RefinePlan) -> Flags:
    return flags(pc.greater(pc.utf8_length(cells.texts), int(rule.arguments["length"])))


def _listed(rule: RowRule, cells: Cells, plan: RefinePlan) -> Flags:
    return _not_in(cells.texts, plan.allowed[rule.id])


_RULES: Final[Mapping[str, Callable[[RowRule, Cells, RefinePlan], Flags]]] = {
    "type": _type,
    "resident_id": _resident_id,
    "uscc": _uscc,
    "division_code": _division,
    "plate": _like(_PLATE),
    "mobile": _mobile,
    "phone": _phone,
    "lon_beijing": _within(*_LON),
    "lat_beijing": _within(*_LAT),
    "gb4754": _like(_GB4754),
    "pattern": _pattern,
    "min_length": _min_length,
    "max_length": _max_length,
    "range": _range,
    "exclusive_range": _exclusive_range,
    "multiple_of": _multiple_of,
    "enum": _listed,
    "reference": _listed,
}
