"""What the pages refuse, and with which HTTP status: the words are the error's own."""

from __future__ import annotations

from contracts.errors import JingshuError, UsageError


class NotThereError(JingshuError, LookupError):
    """Something that is not there, or that this reader may not know of: one answer to both."""


class RefusedError(JingshuError, PermissionError):
    """A request that did not come from one of our own pages, or from nobody who is logged in."""


class TooOftenError(JingshuError, RuntimeError):
    """Something that was tried too often, or by too many at once; ``wait_s`` says for how long."""

    def __init__(self, problem: str, remedy: str, wait_s: int) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, wait_s)
        self.wait_s = wait_s


class TooLargeError(JingshuError, ValueError):
    """A form that is larger than any of ours."""


def not_there(what: str) -> NotThereError:
    """Return the one answer to what there is not and to what somebody may not know of."""
    return NotThereError(
        f"没有这个页面或事项 There is no such {what} for you.", "回首页 Begin at the start."
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
