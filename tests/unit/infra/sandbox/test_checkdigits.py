from __future__ import annotations

from datetime import date

import pytest

from infra.sandbox.checkdigits import organisation_check, resident_id, uscc


@pytest.mark.parametrize(
    ("area", "birth", "sequence", "number"),
    [
        ("110105", date(1949, 12, 31), 2, "11010519491231002X"),
        ("440524", date(1880, 1, 1), 1, "440524188001010014"),
    ],
    ids=["standard's sample", "check digit 4"],
)
def test_resident_id(area: str, birth: date, sequence: int, number: str) -> None:
    assert resident_id(area, birth, sequence) == number


@pytest.mark.parametrize(
    ("kind", "area", "body", "code"),
    [
        ("91", "110000", "80210043", "91110000802100433B"),
        ("91", "350100", "M000100Y", "91350100M000100Y43"),
        ("12", "100000", "40000062", "12100000400000624D"),
    ],
    ids=["firm", "standard's sample", "public institution"],
)
def test_uscc(kind: str, area: str, body: str, code: str) -> None:
    assert uscc(kind, area, body) == code


def test_organisation_check_writes_10_as_x_and_11_as_0() -> None:
    checks = {organisation_check(f"MA{n:06d}") for n in range(200)}
    assert checks == set("0123456789X")
