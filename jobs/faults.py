"""What may be told of an error that is not ours: what and where it is, never its words.

Spark, Arrow, pydantic and Python quote the cell that they could not take, and what a task raises is
kept in logs that more people read than may see the cell.
"""

from __future__ import annotations

import builtins
import re
import traceback
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from contracts.errors import JingshuError
from contracts.layout import ROOT
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Taken = ParamSpec("Taken")
Given = TypeVar("Given")

#: Spark's conditions that are about the text of a query: they are raised before a row is read.
_OF_THE_QUERY: Final = (
    "AMBIGUOUS_",
    "DATATYPE_MISMATCH",
    "MISSING_",
    "PARSE_",
    "TABLE_OR_VIEW_NOT_FOUND",
    "UNRESOLVED_",
    "WRONG_NUM_ARGS",
)
#: How the last line of a traceback begins.
_RAISED: Final = re.compile(r"^(\w+(?:Error|Exception))\b", re.MULTILINE)
_MOST_FRAMES: Final = 4
_MOST_CHARS: Final = 200


class StageFailedError(JingshuError, RuntimeError):
    """An error of another's making that ended a stage, without its words."""


def cause(error: BaseException) -> Words:
    """Return an error's class and Spark's name for it; its words only if they are ours.

    Of a query that Spark could not read, also what it says about the query.
    """
    if isinstance(error, JingshuError):
        return error.words
    name = _named(error)
    return Words(name, name)


def _named(error: BaseException) -> str:
    name = type(error).__name__
    condition = _condition(error)
    if condition is None:
        return f"{name}{_in_a_worker(str(error))}"
    if condition.startswith(_OF_THE_QUERY):
        lines = (line.strip() for line in str(error).splitlines())
        return f"{name}: {next(filter(None, lines), condition)[:_MOST_CHARS]}"
    return f"{name} [{condition}]"


def _condition(error: BaseException) -> str | None:
    """Return PySpark's name of an error, without importing it for others' sake."""
    ask = getattr(error, "getCondition", None)
    found = ask() if callable(ask) else None
    return found if isinstance(found, str) else None


def _in_a_worker(text: str) -> str:
    """Name what ended a Python worker of Spark: Python's own names only, a cell may look alike."""
    found = [n for n in _RAISED.findall(text) if hasattr(builtins, n)]
    return f" of {found[-1]}" if found else ""


def places(error: BaseException) -> Words:
    """Return where an error arose: the last lines of this project on its way, innermost first."""
    own = [
        f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_own(frame.filename)
    ]
    told = ", ".join(own[::-1][:_MOST_FRAMES])
    return Words(told, told) if told else Words("本项目之外", "outside of this project")


def _is_own(file: str) -> bool:
    path = Path(file)
    return path.is_relative_to(ROOT) and "site-packages" not in path.parts


@contextmanager
def without_words(what: str) -> Iterator[None]:
    """Let no error leave with words that are not ours, nor with an error behind it that has some.

    Raises StageFailedError for one that is no JingshuError.
    """
    try:
        yield
    except JingshuError as ours:
        raise ours from None
    except Exception as error:  # noqa: BLE001  (whatever it is, its words may be a cell)
        told, where = cause(error), places(error)
        raise StageFailedError(
            Words(
                f"{what} 中止：{told.zh}，位置：{where.zh}。",
                f"{what} stopped: {told.en}, at {where.en}.",
            ),
            Words(
                "请修复其所指之处，或附此行报告；其原文可能引用数据，故不留存。",
                "Mend what it names, or report it with this line; its words may quote data and are"
                " not kept.",
            ),
        ) from None


def wordless(function: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """Run a stage ``without_words`` of other people's errors."""

    @wraps(function)
    def run(*args: Taken.args, **kwargs: Taken.kwargs) -> Given:
        with without_words(function.__name__):
            return function(*args, **kwargs)

    return run
