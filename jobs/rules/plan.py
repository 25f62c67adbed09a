"""The one Spark plan of a batch, as SQL text: normalise, cast, check, find exact duplicates.

Pure: a delivery gives the same text every time, and tests read it without Spark. One
projection a step, because long chains of dependent projections explode Spark's plans.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.model import EXCEL_SERIAL
from contracts.rules import KEY_CONFLICT, is_identifier, row_rules
from jobs.rules.predicates import cast, normalised, resident_id_of_15, trimmed, violation
from jobs.spark.sql import identifier, quoted
from jobs.spark.types import spark_type
from jobs.tables.silver import BAD, GOOD

if TYPE_CHECKING:
    from datetime import date

    from contracts.delivery import Delivery
    from contracts.model import Column, Contract
    from contracts.rules import RowRule

#: Bits of one mask column; a contract with more rules gets several columns.
MASK_BITS: Final = 62

#: All that shows as nothing: Unicode's spaces and line ends, the zero-width ones, the BOM.
_SPACES: Final = "[\\\\s\\\\p{Z}\\\\u0085\\\\u200B-\\\\u200D\\\\u2060\\\\uFEFF]"
_FULL_WIDTH: Final = "".join(chr(c) for c in range(0xFF01, 0xFF5F))
_HALF_WIDTH: Final = "".join(chr(c) for c in range(0x21, 0x7F))
_NUMBER: Final = "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$"
#: Serials below are off by one: spreadsheets count a 29 February 1900 that never was.
_FIRST_SERIAL, _LAST_SERIAL = 61, 2958465
#: Years of four digits; others are typing errors, and most readers cannot hold them.
_FIRST_DAY, _LAST_DAY = "DATE '1000-01-01'", "DATE '9999-12-31'"
_SCALE: Final = re.compile(r"decimal\(\d+(?:,(\d+))?\)")
_MAX_DOUBLE: Final = "1.7976931348623157E308D"


@dataclass(frozen=True)
class RefinePlan:
    """The SQL of a batch's refinement, and the rules whose bits the masks hold."""

    rules: tuple[RowRule, ...]
    trim: tuple[str, ...]
    normalise: tuple[str, ...]
    cast: tuple[str, ...]
    check: tuple[str, ...]
    conflict: tuple[str, ...]
    output: tuple[str, ...]
    masks: tuple[str, ...]

    @property
    def projections(self) -> tuple[tuple[str, ...], ...]:
        """The steps from bronze's text to the stage's rows, in order."""
        steps = (self.trim, self.normalise, self.cast, self.check, self.conflict, self.output)
        return tuple(step for step in steps if step)

    def bit(self, rule: RowRule) -> tuple[str, int]:
        """Return the mask column and the bit value of a rule."""
        index = self.rules.index(rule)
        return self.masks[index // MASK_BITS], 1 << (index % MASK_BITS)


def make_plan(delivery: Delivery) -> RefinePlan:
    """Compile a delivery's contract into the plan of its batch."""
    contract, business_date = delivery.contract, delivery.business_date
    null_tokens = contract.server(delivery.provider).export.null_tokens
    rules = row_rules(contract)
    masks = tuple(f"_mask_{i}" for i in range(1 + (len(rules) - 1) // MASK_BITS))
    return RefinePlan(
        rules=rules,
        trim=_trim(contract),
        normalise=_normalise(contract, null_tokens),
        cast=_cast(contract),
        check=_check(rules, masks, delivery),
        conflict=_conflict(rules, masks, contract),
        output=_output(contract, business_date, masks, rules),
        masks=masks,
    )


def _trim(contract: Contract) -> tuple[str, ...]:
    """Find the first of each row by its raw text, and its text without what does not count."""
    raw = ", ".join(identifier(c.name) for c in contract.columns)
    return (
        "_source_line",
        "_row_error",
        "_batch_id",
        (
            f"row_number() OVER (PARTITION BY {raw}, _row_error, _extra ORDER BY _source_line)"
            " > 1 AS _duplicate"
        ),
        *(f"{_trimmed_text(c)} AS {trimmed(c.name)}" for c in contract.columns),
    )


def _trimmed_text(column: Column) -> str:
    """Trim; read an identifier in ASCII upper case without spaces."""
    raw = identifier(column.name)
    if not is_identifier(column) and column.type == "string":
        return f"regexp_replace({raw}, '^{_SPACES}+|{_SPACES}+$', '')"
    text = f"translate({raw}, {quoted(_FULL_WIDTH)}, {quoted(_HALF_WIDTH)})"
    spaces = _SPACES if is_identifier(column) else f"^{_SPACES}+|{_SPACES}+$"
    text = f"regexp_replace({text}, '{spaces}', '')"
    return f"upper({text})" if is_identifier(column) else text


def _normalise(contract: Contract, null_tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return the text that rules read: a step of its own, so that no trimming is done twice."""
    return (
        "_source_line",
        "_row_error",
        "_batch_id",
        "_duplicate",
        *(f"{_normal_text(c, null_tokens)} AS {normalised(c.name)}" for c in contract.columns),
    )


def _normal_text(column: Column, null_tokens: tuple[str, ...]) -> str:
    """Null tokens become NULL; a resident number of 15 digits gets its 18-digit form."""
    text = trimmed(column.name)
    tokens = {*null_tokens, ""}
    if is_identifier(column):  # its text is compared in upper case
        tokens = {t.upper() for t in tokens}
    is_null = f"WHEN {text} IN ({', '.join(quoted(t) for t in sorted(tokens))}) THEN NULL"
    if column.rule is not None and column.rule.name == "resident_id":
        is_old = f"WHEN {text} RLIKE '^[0-9]{{15}}$' THEN {resident_id_of_15(text)}"
        return f"CASE {is_null} {is_old} ELSE {text} END"
    return f"CASE {is_null} ELSE {text} END"


def _cast(contract: Contract) -> tuple[str, ...]:
    return ("*", *(f"{_cast_text(c)} AS {cast(c.name)}" for c in contract.columns))


def _cast_text(column: Column) -> str:  # noqa: PLR0911  (one a type)
    text, form = normalised(column.name), column.options.format
    match column.type:
        case "string":
            return text
        case "integer":
            return f"CASE WHEN {text} RLIKE '^[+-]?[0-9]+$' THEN try_cast({text} AS BIGINT) END"
        case "number":
            number = f"try_cast({text} AS {spark_type(column)})"
            fits = f"{text} RLIKE '{_NUMBER}'{_no_digit_lost(text, column)}"
            read = f"CASE WHEN {fits} THEN {number} END"
            # 1e999 is written as a number and reads as infinity
            return f"CASE WHEN abs({read}) <= {_MAX_DOUBLE} THEN {read} END"
        case "date" if form == EXCEL_SERIAL:
            return _serial(text)
        case "date":
            day = f"to_date(try_to_timestamp({text}, {quoted(form or 'yyyy-MM-dd')}))"
            return f"CASE WHEN {day} BETWEEN {_FIRST_DAY} AND {_LAST_DAY} THEN {day} END"
        case "timestamp":
            return _timestamp(text, form or "yyyy-MM-dd HH:mm:ss")
        case "boolean":
            return (
                f"CASE WHEN {text} IN ('是', '1', 'true', 'TRUE', 'Y') THEN true"
                f" WHEN {text} IN ('否', '0', 'false', 'FALSE', 'N') THEN false END"
            )


def _no_digit_lost(text: str, column: Column) -> str:
    """Tell that a decimal keeps every digit: Spark rounds what is beyond its scale in silence.

    Digits needed after the point = those written − the exponent − zeros at the end.
    """
    scale = _SCALE.fullmatch(spark_type(column))
    if scale is None:
        return ""
    digits = f"regexp_replace(regexp_replace({text}, '[eE].*$', ''), '[^0-9]', '')"
    zeros = f"char_length({digits}) - char_length(regexp_replace({digits}, '0+$', ''))"
    after = f"char_length(regexp_extract({text}, '[.]([0-9]+)', 1))"
    exponent = f"regexp_extract({text}, '[eE]([+-]?[0-9]+)$', 1)"
    power = f"CASE WHEN {text} RLIKE '[eE]' THEN try_cast({exponent} AS INT) ELSE 0 END"
    return f" AND {after} - ({power}) - ({zeros}) <= {int(scale.group(1) or 0)}"


def _serial(text: str) -> str:
    """Read a spreadsheet's day number, counted from 1899-12-30."""
    number = f"CASE WHEN {text} RLIKE '{_NUMBER}' THEN try_cast({text} AS DOUBLE) END"
    in_range = f"{number} BETWEEN {_FIRST_SERIAL} AND {_LAST_SERIAL}"
    return f"CASE WHEN {in_range} THEN date_add(DATE '1899-12-30', CAST({number} AS INT)) END"


def _timestamp(text: str, form: str) -> str:
    """Read local time as the city's; a format that carries an offset says it itself."""
    read = f"try_to_timestamp({text}, {quoted(form)})"
    parsed = f"CASE WHEN to_date({read}) BETWEEN {_FIRST_DAY} AND {_LAST_DAY} THEN {read} END"
    if form.rstrip("']").endswith(("X", "x", "Z", "z", "V")):
        return parsed
    return f"to_utc_timestamp({parsed}, 'Asia/Shanghai')"


def _check(
    rules: tuple[RowRule, ...], masks: tuple[str, ...], delivery: Delivery
) -> tuple[str, ...]:
    """All rules into mask columns at once; a ragged row answers for its shape alone."""
    contract, business_date, root = delivery.contract, delivery.business_date, delivery.root
    columns = ["*"]
    for m, mask in enumerate(masks):
        terms = [
            f"CASE WHEN {violation(rule, contract, business_date, root)} THEN {1 << i}L ELSE 0L END"
            for i, rule in enumerate(rules[m * MASK_BITS : (m + 1) * MASK_BITS])
            if rule.id != KEY_CONFLICT and rule.kind != "shape"
        ]
        shape, total = ("1L" if m == 0 else "0L"), " + ".join(terms) or "0L"
        columns.append(f"CASE WHEN _row_error IS NOT NULL THEN {shape} ELSE {total} END AS {mask}")
    return tuple(columns)


def quarantining(rules: tuple[RowRule, ...], masks: tuple[str, ...]) -> str:
    """Return the predicate of a row that some ``error`` rule violates."""
    parts = []
    for m, mask in enumerate(masks):
        bits = sum(
            1 << i
            for i, rule in enumerate(rules[m * MASK_BITS : (m + 1) * MASK_BITS])
            if rule.severity == "error"
        )
        parts.append(f"({mask} & {bits}L) != 0L")
    return f"({' OR '.join(parts)})"


def _conflict(
    rules: tuple[RowRule, ...], masks: tuple[str, ...], contract: Contract
) -> tuple[str, ...]:
    """Set the key-conflict bit on otherwise good rows that share a key with another such row."""
    if not contract.key:
        return ()
    index = next(i for i, r in enumerate(rules) if r.id == KEY_CONFLICT)
    mask, bit = masks[index // MASK_BITS], 1 << (index % MASK_BITS)
    good = f"(NOT _duplicate AND NOT {quarantining(rules, masks)})"
    key = ", ".join(cast(c.name) for c in contract.key)
    others = f"sum(CASE WHEN {good} THEN 1 ELSE 0 END) OVER (PARTITION BY {key})"
    flagged = f"{mask} + CASE WHEN {good} AND {others} > 1 THEN {bit}L ELSE 0L END AS {mask}"
    kept = (m for m in masks if m != mask)
    names = (cast(c.name) for c in contract.columns)
    return ("_source_line", "_batch_id", "_duplicate", *names, *kept, flagged)


def _output(
    contract: Contract, business_date: date, masks: tuple[str, ...], rules: tuple[RowRule, ...]
) -> tuple[str, ...]:
    bad = f"_duplicate OR {quarantining(rules, masks)}"
    return (
        *(f"{cast(c.name)} AS {identifier(c.name)}" for c in contract.columns),
        "_source_line",
        "_batch_id",
        f"DATE '{business_date}' AS _business_date",
        "_duplicate",
        *masks,
        f"CASE WHEN {bad} THEN '{BAD}' ELSE '{GOOD}' END AS _ok",
    )
