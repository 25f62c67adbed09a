"""Casts of the plan against Python's own types: nothing is guessed, and no value is another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import EXCEL_SERIAL
from tests.support.small import column

if TYPE_CHECKING:
    from pathlib import Path


from tests.support.plans import BATCH, plan_of, read_all


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
