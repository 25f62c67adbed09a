"""How many rows a task refines itself: a setting that says no number is refused in words."""

from __future__ import annotations

import pytest

from contracts.errors import UsageError
from jobs.refine.run import HERE_UP_TO_ROWS, _here_up_to


@pytest.mark.parametrize(
    ("told", "rows"), [(None, HERE_UP_TO_ROWS), ("", HERE_UP_TO_ROWS), ("0", 0), (" 500 ", 500)]
)
def test_the_setting_is_a_number_of_rows(
    told: str | None, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told is not None:
        monkeypatch.setenv("JINGSHU_REFINE_HERE_ROWS", told)
    assert _here_up_to() == rows


@pytest.mark.parametrize("told", ["many", "-1", "1e6", "１０", "9" * 5000 + "x"])
def test_another_setting_is_refused(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_REFINE_HERE_ROWS", told)
    with pytest.raises(UsageError, match="no number of rows"):
        _here_up_to()
