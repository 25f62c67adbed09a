"""The holidays of a year that nobody has announced yet, as an operator would add them."""

from __future__ import annotations

NOTICE_2027 = "date,kind,name\n" + "".join(
    f"2027-{day},{kind},节\n"
    for kind, days in {
        "holiday": ("01-01 01-02 01-03 02-06 02-07 02-08 02-09 04-05 05-01 05-02 06-09 09-15"
                    " 10-01 10-02 10-03 10-04"),
        "workday": "10-09",
    }.items()
    for day in days.split()
)  # fmt: skip
