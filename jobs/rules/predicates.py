"""Row rules as Spark SQL predicates: true where a row violates the rule.

Pure text; every algorithm names its standard. The checks read the normalised text ``_n_<column>``
and the cast value ``_c_<column>``, so a rule never casts twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from contracts.reference import codes_in_force, column_rows, column_values, reference_csv
from jobs.spark.sql import identifier, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from contracts.model import Contract
    from contracts.rules import RowRule

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"
#: WGS84 bounds of Beijing with 0.02° slack (domain reference §2.6).
_LON: Final = (115.40, 117.53)
_LAT: Final = (39.42, 41.08)


def trimmed(column: str) -> str:
    """Name the column that holds a contract column's text without what does not count."""
    return identifier(f"_t_{column}")


def normalised(column: str) -> str:
    """Name the column that holds a contract column's normalised text."""
    return identifier(f"_n_{column}")


def cast(column: str) -> str:
    """Name the column that holds a contract column's cast value."""
    return identifier(f"_c_{column}")


def _digit(text: str, position: int) -> str:
    return f"(ascii(substring({text}, {position}, 1)) - 48)"


def resident_id_check_digit(first17: str) -> str:
    """Return SQL for the check character of 17 digits: ISO 7064 MOD 11-2 (GB 11643-1999)."""
    total = " + ".join(f"{_digit(first17, i)} * {w}" for i, w in enumerate(_ID_WEIGHTS, start=1))
    return f"substring({quoted(_ID_CHECKS)}, 1 + pmod({total}, 11), 1)"


def resident_id_of_15(text: str) -> str:
    """Return SQL that writes a 15-digit number in its 18-digit form (domain reference §2.1)."""
    first17 = f"concat(substring({text}, 1, 6), '19', substring({text}, 7))"
    return f"concat({first17}, {resident_id_check_digit(first17)})"


def _resident_id(text: str, business_date: date) -> str:
    birth = f"to_date(try_to_timestamp(substring({text}, 7, 8), 'yyyyMMdd'))"
    return (
        f"NOT ({text} RLIKE '^[1-9][0-9]{{16}}[0-9X]$'"
        f" AND {birth} IS NOT NULL AND {birth} <= DATE '{business_date}'"
        f" AND year({birth}) >= 1850"
        f" AND {resident_id_check_digit(text)} = substring({text}, 18, 1))"
    )


def _uscc(text: str) -> str:
    """GB 32100-2015: weights 3^i mod 31 over an alphabet without I, O, S, V, Z."""
    alphabet = quoted(_USCC_ALPHABET)
    total = " + ".join(
        f"(instr({alphabet}, substring({text}, {i}, 1)) - 1) * {w}"
        for i, w in enumerate(_USCC_WEIGHTS, start=1)
    )
    check = f"substring({alphabet}, 1 + pmod(31 - pmod({total}, 31), 31), 1)"
    return f"NOT ({text} RLIKE '^[{_USCC_ALPHABET}]{{18}}$' AND {check} = substring({text}, 18, 1))"


_PLATE: Final = (
    "^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    "([A-HJ-NP-Z][A-HJ-NP-Z0-9]{5}|[A-HJ-NP-Z][A-HJ-NP-Z0-9]{4}[警学挂]"
    "|[A-HJ-NP-Z][A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[A-HJ-NP-Z][0-9]{5}[A-HJK])$"
)
_MOBILE: Final = "1[3-9][0-9]{9}"
_LAND_LINE: Final = "(010)?[2-8][0-9]{7}"
#: GB/T 4754-2017: the letter's divisions, then group and class.
_GB4754: Final = "^[A-T]([0-9]{2}([0-9]([0-9])?)?)?$"


def _phone_digits(text: str) -> str:
    return f"regexp_replace(regexp_replace({text}, '^(\\\\+86|0086)', ''), '[-－]', '')"


def _not_like(text: str, pattern: str) -> str:
    return f"NOT {text} RLIKE {quoted(pattern)}"


def _outside(value: str, low: float | None, high: float | None) -> str:
    parts = [f"{value} < {low!r}D"] if low is not None else []
    parts += [f"{value} > {high!r}D"] if high is not None else []
    return f"({' OR '.join(parts) or 'false'} OR isnan({value}))"


def _not_within(value: str, low: float | None, high: float | None) -> str:
    parts = [f"{value} <= {low!r}D"] if low is not None else []
    parts += [f"{value} >= {high!r}D"] if high is not None else []
    return f"({' OR '.join(parts) or 'false'} OR isnan({value}))"


def _not_multiple(text: str, value: str, of: float) -> str:
    """Divide as decimals: 0.3 is a multiple of 0.1, which no two doubles tell."""
    step = f"CAST('{Decimal(repr(of)):f}' AS DECIMAL(38,10))"
    is_rest = f"try_cast({text} AS DECIMAL(38,10)) % {step} != 0"
    return f"({value} IS NOT NULL AND coalesce({is_rest}, true))"


def _not_together(rule: RowRule, root: Path) -> str:
    """Tell that several columns, none of them empty, stand in no row of a reference table."""
    columns = [normalised(name) for name in rule.arguments["columns"]]
    rows = column_rows(
        reference_csv(root, rule.arguments["file"]), tuple(rule.arguments["targets"])
    )

    def named(values: Iterable[str]) -> str:
        parts = ", ".join(f"'c{i}', {value}" for i, value in enumerate(values))
        return f"named_struct({parts})"

    listed = ", ".join(named(map(quoted, row)) for row in rows)
    is_whole = " AND ".join(f"{c} IS NOT NULL" for c in columns)
    return f"({is_whole} AND {named(columns)} NOT IN ({listed}))"


def _not_in(text: str, values: tuple[str, ...]) -> str:
    """Of no allowed values none is allowed: an empty list never passes a row."""
    return f"{text} NOT IN ({', '.join(quoted(v) for v in values)})" if values else "true"


def violation(rule: RowRule, contract: Contract, business_date: date, root: Path) -> str:
    """Return the predicate, never NULL, that is true where a row violates ``rule``.

    ``row.key_conflict`` is not here: it looks at other rows and is one window in the plan.
    """
    if rule.kind == "shape":
        return "_row_error IS NOT NULL"
    if rule.kind == "table_reference":
        return _not_together(rule, root)
    if rule.column is None:
        raise TypeError(f"{rule.id} is no rule of a column")
    text, value = normalised(rule.column), cast(rule.column)
    if rule.kind == "required":
        return f"{text} IS NULL"
    if rule.kind == "type":
        return f"({text} IS NOT NULL AND {value} IS NULL)"
    is_number = contract.column(rule.column).type in ("integer", "number")
    number = f"CAST({value} AS DOUBLE)" if is_number else f"try_cast({text} AS DOUBLE)"
    made: Mapping[str, Callable[[], str]] = {
        "resident_id": lambda: _resident_id(text, business_date),
        "uscc": lambda: _uscc(text),
        "division_code": lambda: _division(
            text, int(rule.arguments.get("digits", 6)), business_date, root
        ),
        "plate": lambda: _not_like(text, _PLATE),
        "mobile": lambda: _not_like(_phone_digits(text), f"^{_MOBILE}$"),
        "phone": lambda: _not_like(
            _phone_digits(text), f"^({_MOBILE}|{_LAND_LINE}|[19][0-9]{{4}})$"
        ),
        "lon_beijing": lambda: _outside(number, *_LON),
        "lat_beijing": lambda: _outside(number, *_LAT),
        "gb4754": lambda: _not_like(text, _GB4754),
        "pattern": lambda: _not_like(text, str(rule.arguments["pattern"])),
        "min_length": lambda: f"char_length({text}) < {int(rule.arguments['length'])}",
        "max_length": lambda: f"char_length({text}) > {int(rule.arguments['length'])}",
        "range": lambda: _outside(number, rule.arguments["minimum"], rule.arguments["maximum"]),
        "exclusive_range": lambda: _not_within(
            number, rule.arguments["minimum"], rule.arguments["maximum"]
        ),
        "multiple_of": lambda: _not_multiple(text, value, rule.arguments["of"]),
        "enum": lambda: _not_in(text, tuple(rule.arguments["values"])),
        "reference": lambda: _not_in(
            text,
            column_values(
                reference_csv(root, rule.arguments["file"]), str(rule.arguments["column"])
            ),
        ),
    }
    # An empty cell is the business of `required` alone: NOT (NULL AND false) would be true.
    return f"({text} IS NOT NULL AND coalesce({made[rule.kind]()}, false))"


def _division(text: str, digits: int, business_date: date, root: Path) -> str:
    """GB/T 2260 for six digits; the city's street-level units for nine; their children for 12."""
    if digits == 6:  # noqa: PLR2004  (the standard's own lengths)
        codes = codes_in_force(reference_csv(root, "reference/divisions.csv"), business_date)
        return _not_in(text, codes)
    streets = column_values(reference_csv(root, "reference/streets.csv"), "code")
    if digits == 9:  # noqa: PLR2004
        return _not_in(text, streets)
    return f"({_not_like(text, '^[0-9]{12}$')} OR {_not_in(f'substring({text}, 1, 9)', streets)})"
