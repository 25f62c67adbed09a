"""The values that rules allow, read from contracts and code lists where a plan is made.

Workers of a cluster get them with the plan: the lists' files are on the machine of the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.reference import codes_in_force, column_rows, column_values, reference_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from contracts.rules import RowRule

#: Stands between values of one row that are compared together.
UNIT: Final = "\x1f"


def allowed(rule: RowRule, business_date: date, root: Path) -> tuple[str, ...] | None:
    """Return the texts that a rule allows; None of a rule that is no list of texts."""
    given = rule.arguments
    match rule.kind:
        case "enum":
            return tuple(given["values"])
        case "reference":
            return column_values(reference_csv(root, given["file"]), str(given["column"]))
        case "table_reference":
            rows = column_rows(reference_csv(root, given["file"]), tuple(given["targets"]))
            return tuple(map(joined, rows))
        case "division_code" if int(given.get("digits", 6)) == 6:  # noqa: PLR2004  (GB/T 2260)
            return codes_in_force(reference_csv(root, "reference/divisions.csv"), business_date)
        case "division_code":
            return column_values(reference_csv(root, "reference/streets.csv"), "code")
        case _:
            return None


def joined(values: Iterable[str]) -> str:
    """Return the values of a row as one text; other rows give other texts."""
    return UNIT.join(value.replace(UNIT, " ") for value in values)
