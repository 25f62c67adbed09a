"""What the pages refuse, and with which HTTP status: the words are the error's own."""

from __future__ import annotations

from typing import Final

from contracts.errors import JingshuError, UsageError
from contracts.words import Words

#: What there may not be.
PAGE: Final = Words("页面", "page")
DATASET: Final = Words("数据集", "dataset")
REQUEST: Final = Words("申请", "request")
CORRECTION: Final = Words("纠错", "correction")


class NotThereError(JingshuError, LookupError):
    """Something that is not there, or that this reader may not know of: one answer to both."""


class RefusedError(JingshuError, PermissionError):
    """A request that did not come from one of our own pages, or from nobody who is logged in."""


class TooOftenError(JingshuError, RuntimeError):
    """Something that was tried too often, or by too many at once; ``wait_s`` says for how long."""

    def __init__(self, problem: Words, remedy: Words, wait_s: int) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, wait_s)
        self.wait_s = wait_s


class TooLargeError(JingshuError, ValueError):
    """A form that is larger than any of ours."""


def not_there(what: Words) -> NotThereError:
    """Return the one answer to what there is not and to what somebody may not know of."""
    return NotThereError(
        Words(f"没有您可以查看的这个{what.zh}。", f"There is no such {what.en} for you."),
        Words("请从首页开始。", "Begin at the start."),
    )


def status_of(error: JingshuError) -> int:
    """Return the HTTP status that says what kind of refusal an error is."""
    match error:
        case NotThereError():
            return 404
        case TooLargeError():
            return 413
        case TooOftenError():
            return 429
        case UsageError():
            return 400
        case PermissionError():
            return 403
        case _:  # what the state of things does not allow now
            return 409
