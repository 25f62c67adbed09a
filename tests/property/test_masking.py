"""What a mask releases, over many values at once: never more than it says."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.product import Release
from contracts.words import Words
from jobs.seal import columns, on_spark
from jobs.seal.keys import keys_of
from jobs.share.masking import MASKS, MaskError, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contracts.layout import Home

BATCH = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
texts = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="*\0"), max_size=24) | st.none(),
    min_size=50,
    max_size=200,
)


def release(mask: str, **more: object) -> Release:
    return Release.model_validate({"mask": mask, **more})


def released(kind: pa.DataType, values: Sequence[Any], wanted: Release) -> list[Any]:
    """Mask values in one query; the column's name is one that must be quoted."""
    from jobs.spark.session import session

    table = pa.table(
        {"a`b c": pa.array(values, kind), "n": pa.array(range(len(values)), pa.int64())}
    )
    expression = masked("a`b c", wanted)
    assert expression is not None
    found = session().createDataFrame(table).selectExpr("n", expression).toArrow()
    assert found.column_names == ["n", "a`b c"]
    return [r["a`b c"] for r in found.sort_by("n").to_pylist()]


@pytest.mark.spark
@BATCH
@given(values=texts, first=st.integers(0, 6), last=st.integers(0, 6))
def test_partial_never_shows_the_middle(
    spark_remote: str, values: list[str | None], first: int, last: int
) -> None:
    wanted = release("partial", keep_first=first, keep_last=last)
    for value, shown in zip(values, released(pa.string(), values, wanted), strict=True):
        if value is None:
            assert shown is None
            continue
        assert len(shown) == len(value)
        hidden = len(value) - first - last
        if hidden <= 0:
            assert shown == "*" * len(value), "too short to have a middle"
        else:
            end = len(value) - last
            assert shown == value[:first] + "*" * hidden + value[end:]


@pytest.mark.spark
@BATCH
@given(values=texts, length=st.integers(0, 8))
def test_prefix_shows_no_more_than_its_length(
    spark_remote: str, values: list[str | None], length: int
) -> None:
    wanted = release("prefix", length=length)
    for value, shown in zip(values, released(pa.string(), values, wanted), strict=True):
        assert shown == (None if value is None else value[:length])


@pytest.mark.spark
@BATCH
@given(
    values=st.lists(st.floats(-180, 180) | st.none(), min_size=50, max_size=200),
    step=st.sampled_from([0.0001, 0.001, 0.01, 0.02, 0.25, 0.1, 1, 5]),
)
def test_rounded_coordinates_lie_on_the_grid(
    spark_remote: str, values: list[float | None], step: float
) -> None:
    found = released(pa.float64(), values, release("round_coordinate", to=step))
    for value, shown in zip(values, found, strict=True):
        if value is None:
            assert shown is None
            continue
        assert abs(shown - value) <= step / 2 * (1 + 1e-9) + 1e-9
        assert math.isclose(shown / step, round(shown / step), abs_tol=1e-6)


@pytest.mark.spark
@BATCH
@given(values=st.lists(st.dates(date(1900, 1, 1), date(2200, 1, 1)) | st.none(), min_size=50))
def test_truncated_dates_are_the_first_of_their_span(
    spark_remote: str, values: list[date | None]
) -> None:
    starts: dict[str, Callable[[date], date]] = {
        "month": lambda d: d.replace(day=1),
        "quarter": lambda d: d.replace(month=(d.month - 1) // 3 * 3 + 1, day=1),
        "year": lambda d: d.replace(month=1, day=1),
    }
    for to, start in starts.items():
        found = released(pa.date32(), values, release("truncate_date", to=to))
        assert found == [None if v is None else start(v) for v in values]


@pytest.mark.spark
def test_kept_is_kept(spark_remote: str) -> None:
    values = ["a", None, "", "京A12345"]
    assert released(pa.string(), values, release("keep")) == values


@pytest.mark.spark
@BATCH
@given(
    values=st.lists(st.integers(-200, 200) | st.none(), min_size=50, max_size=200),
    step=st.sampled_from([1, 5, 10, 25]),
)
def test_generalised_numbers_are_the_start_of_their_band(
    spark_remote: str, values: list[int | None], step: int
) -> None:
    found = released(pa.int64(), values, release("generalise", step=step))
    assert found == [None if v is None else v // step * step for v in values]


@pytest.mark.spark
@BATCH
@given(values=texts)
def test_one_purpose_joins_what_is_equal_and_two_join_nothing(
    spark_remote: str, home: Home, values: list[str | None]
) -> None:
    on_spark.register(home)
    heat = released(pa.string(), values, release("hmac_sm3", purpose="高温应急"))
    care = released(pa.string(), values, release("hmac_sm3", purpose="养老服务"))
    assert [v is None for v in heat] == [v is None for v in values]
    pairs = set(zip(values, heat, strict=True))
    assert len(pairs) == len(set(values)) == len(set(heat))
    assert not set(heat) & set(care) - {None}
    assert (
        heat
        == columns.pseudonyms(
            pa.array(values, pa.string()), "purpose/高温应急", keys_of(home)
        ).to_pylist()
    )


@pytest.mark.spark
@BATCH
@given(values=texts)
def test_sm4_opens_for_its_bureau_alone(
    spark_remote: str, home: Home, values: list[str | None]
) -> None:
    on_spark.register(home)
    shown = released(pa.string(), values, release("sm4", bureau="civil"))
    seal = columns.Seal("bureau/civil", "released", is_same=True)
    assert columns.opened(pa.array(shown, pa.string()), seal, keys_of(home)).to_pylist() == values
    keys_of(home).newest("bureau/health")
    if any(v is not None for v in values):
        other = columns.Seal("bureau/health", "released", is_same=True)
        with pytest.raises(columns.SealError):
            columns.opened(pa.array(shown, pa.string()), other, keys_of(home))


EXPRESSIONS: dict[str, tuple[Release, str | None]] = {
    "drop": (release("drop"), None),
    "keep": (release("keep"), "`c` AS `c`"),
    "prefix": (release("prefix", length=6), "substring(`c`, 1, 6) AS `c`"),
    "partial": (
        release("partial", keep_first=3, keep_last=4),
        (
            "CASE WHEN `c` IS NULL THEN NULL WHEN char_length(`c`) - 7 <= 0"
            " THEN repeat('*', char_length(`c`)) ELSE concat(substring(`c`, 1, 3),"
            " repeat('*', char_length(`c`) - 7), right(`c`, 4)) END AS `c`"
        ),
    ),
    "round_hundredth": (
        release("round_coordinate", to=0.01),
        "round(round(`c` / 0.01D) * 0.01D, 2) AS `c`",
    ),
    "round_ten": (release("round_coordinate", to=10), "round(round(`c` / 10D) * 10D, 0) AS `c`"),
    **{
        to: (
            release("truncate_date", to=to),
            f"CAST(date_trunc('{to}', `c`) AS DATE) AS `c`",
        )
        for to in ("month", "quarter", "year")
    },
}


@pytest.mark.parametrize(("wanted", "sql"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expression(wanted: Release, sql: str | None) -> None:
    assert masked("c", wanted) == sql


REFUSED: dict[str, tuple[Release, str]] = {
    "unknown": (release("rot13"), "asks for the mask 'rot13'"),
    "empty": (release(""), "asks for the mask ''"),
    "pseudonym_without_purpose": (release("hmac_sm3"), "names no purpose"),
    "pseudonym_of_nothing": (release("hmac_sm3", purpose=" "), "names no purpose"),
    "sm4_without_bureau": (release("sm4", purpose="x"), "names no bureau"),
    "no_band": (release("generalise", step=0), "steps of 0"),
    "capitals": (release("KEEP"), "asks for the mask 'KEEP'"),
    "prefix_without_length": (release("prefix"), "length=None"),
    "prefix_below_zero": (release("prefix", length=-1), "length=-1"),
    "prefix_true": (release("prefix", length=True), "length=True"),
    "prefix_in_words": (release("prefix", length="6); DROP"), "length='6); DROP'"),
    "partial_without_end": (release("partial", keep_first=3), "keep_last=None"),
    "partial_infinite": (release("partial", keep_first=math.inf, keep_last=1), "keep_first=inf"),
    "partial_nan": (release("partial", keep_first=math.nan, keep_last=1), "keep_first=nan"),
    "round_to_nothing": (release("round_coordinate", to=0), "rounds to 0"),
    "round_too_fine": (release("round_coordinate", to=1e-12), "rounds to 1e-12"),
    "round_without_step": (release("round_coordinate"), "to=None"),
    "truncate_to_day": (release("truncate_date", to="day"), "cannot cut to 'day'"),
    "truncate_to_nothing": (release("truncate_date"), "cannot cut to None"),
    "truncate_with_sql": (release("truncate_date", to="month', x)--"), "cannot cut to"),
}


@pytest.mark.parametrize(("wanted", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_registered_or_lacks_an_argument_is_refused(
    wanted: Release, words: str
) -> None:
    with pytest.raises(MaskError) as refused:
        masked("c", wanted)
    assert words in refused.value.words.en
    remedy = refused.value.remedy
    assert isinstance(remedy, Words)
    assert remedy.en in {
        f"Use a registered one: drop, {', '.join(MASKS)}.",
        "Give purpose: name.",
        "Give bureau: name.",
        "Give the band's width as step.",
        "Use month, quarter or year.",
        "Give the step, say to: 0.01.",
        *(f"Give {name} as a number ≥ 0." for name in ("length", "keep_first", "keep_last", "to")),
    }


def test_masks_are_the_registered_ones() -> None:
    assert set(MASKS) == {
        "keep",
        "prefix",
        "partial",
        "round_coordinate",
        "truncate_date",
        "generalise",
        "hmac_sm3",
        "sm4",
    }
