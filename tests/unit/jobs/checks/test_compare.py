"""ODCS operators: a measured number against its bound, and the bound in words."""

from __future__ import annotations

import pytest

from jobs.checks.compare import holds, in_words

# operator, bound, what holds, what does not
OPERATORS: dict[str, tuple[object, list[float], list[float]]] = {
    "mustBe": (3.0, [3, 3.0], [2, 4, -3, 3.0001]),
    "mustNotBe": (3.0, [2, 4, -3], [3]),
    "mustBeGreaterThan": (3.0, [3.5, 100], [3, 2]),
    "mustBeGreaterOrEqualTo": (3.0, [3, 4], [2.999]),
    "mustBeLessThan": (3.0, [2, -1], [3, 4]),
    "mustBeLessOrEqualTo": (3.0, [3, 2], [3.001]),
    "mustBeBetween": ((1.0, 3.0), [1, 2, 3], [0.999, 3.001]),
    "mustNotBeBetween": ((1.0, 3.0), [0.999, 3.001], [1, 2, 3]),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator(operator: str) -> None:
    bound, right, wrong = OPERATORS[operator]
    assert [holds(v, operator, bound) for v in right] == [True] * len(right)  # type: ignore[arg-type]
    assert [holds(v, operator, bound) for v in wrong] == [False] * len(wrong)  # type: ignore[arg-type]


def test_without_operator_nothing_may_be_found() -> None:
    assert holds(0, None, None)
    assert not holds(1, None, None)
    assert not holds(-1, None, None)


@pytest.mark.parametrize("operator", OPERATORS)
def test_bound_of_the_wrong_shape(operator: str) -> None:
    bound = OPERATORS[operator][0]
    with pytest.raises(TypeError, match=r"^3\.0 is no interval$|^\(1\.0, 3\.0\) is no number$"):
        holds(1, operator, 3.0 if isinstance(bound, tuple) else (1.0, 3.0))
    with pytest.raises(TypeError, match=r"^None is no (interval|number)$"):
        holds(1, operator, None)


def test_unknown_operator() -> None:
    with pytest.raises(KeyError):
        holds(1, "mustBeNice", 1.0)


WORDS = {
    "number": ("mustBeLessThan", 5.0, "mustBeLessThan 5"),
    "fraction": ("mustBe", 0.25, "mustBe 0.25"),
    "interval": ("mustBeBetween", (1.0, 2.5), "mustBeBetween 1 … 2.5"),
    "nothing": (None, None, "mustBe 0"),
    "zero": ("mustNotBe", 0.0, "mustNotBe 0"),
}


@pytest.mark.parametrize(("operator", "bound", "words"), WORDS.values(), ids=WORDS)
def test_in_words(operator: str | None, bound: object, words: str) -> None:
    assert in_words(operator, bound) == words  # type: ignore[arg-type]
