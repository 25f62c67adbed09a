"""What steps are called: in open intents, in the transactions of tables, in governance appends.

A step that runs again finds by this name what it did before, and ``verify`` what was cut short.
"""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """The first word of a name; what the step was done to follows."""

    DELIVER = "deliver"
    LAND = "land"
    SCAN = "scan"
    AUDIT = "audit"
    PUBLISH = "publish"
    QUARANTINE = "quarantine"
    MARK = "mark"
    RETRY = "retry"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    BUILD = "build"
    SHARE = "share"
    SHOW = "show"
    HIDE = "hide"
    # What a governance row states: a delivery's state, a batch's status, its checks, a product's.
    DELIVERY = "delivery"
    BATCH = "batch"
    CHECKS = "checks"
    PRODUCT = "product"

    def of(self, *what: object) -> str:
        """Return the step's name for a batch or a stage, its parts joined by colons."""
        return ":".join((self.value, *map(str, what)))
