"""Every kind of row that gives or takes a right of coming in."""

from __future__ import annotations

from typing import Final

from sharing.accounts.tables import Account, AccountEvent, LoginSession
from sharing.control import Activation, AttestedRow, Recipient, Token

KINDS: Final[tuple[type[AttestedRow], ...]] = (
    Recipient,
    Activation,
    Token,
    Account,
    AccountEvent,
    LoginSession,
)
