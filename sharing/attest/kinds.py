"""Every kind of attested row: those that give or take a right of coming in, and the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sharing.accounts.tables import Account, AccountEvent, LoginSession
from sharing.control import Activation, AttestedRow, Recipient, Token
from sharing.rights.ledger import ApprovalRow, ClosedMonthRow, CostRow, MeasureRow

if TYPE_CHECKING:
    from lineage.evidence.leaf import LeafType

RIGHTS: Final[tuple[type[AttestedRow], ...]] = (
    Recipient,
    Activation,
    Token,
    Account,
    AccountEvent,
    LoginSession,
)
BOOKS: Final[tuple[type[AttestedRow], ...]] = (CostRow, ClosedMonthRow, ApprovalRow, MeasureRow)
KINDS: Final = (*RIGHTS, *BOOKS)


@dataclass(frozen=True)
class Adopted:
    """Kinds whose rows of an earlier version are taken over together, once.

    ``subject`` is what the one leaf over them is about; ``mark`` is the file in ``keys/`` that
    shuts the door for good.
    """

    subject: str
    mark: str
    kinds: tuple[type[AttestedRow], ...]

    @property
    def types(self) -> frozenset[LeafType]:
        """The types of their leaves."""
        return frozenset(kind.leaf_type for kind in self.kinds)


#: Rights have been attested since the control database has a key, whose file is their mark.
ADOPTIONS: Final = (
    Adopted("control.db", "control.key", RIGHTS),
    Adopted("control.db/books", "control.books", BOOKS),
)
