"""Which columns of a contract are sealed, with whose key, and how. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.model import SEALED_LEVEL
from jobs.seal.columns import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Contract

#: Where landing keeps what has no column: in a table with sealed columns it may hold theirs.
EXTRA: Final = "_extra"
#: Delta metadata of a sealed column, and of its type in clear.
SEALED_KEY, TYPE_KEY = "jingshu.sealed", "jingshu.type"


def is_sealed(contract: Contract) -> bool:
    """Tell whether a contract has a sealed column: its files are sealed as a whole."""
    return any(c.effective_level == SEALED_LEVEL for c in contract.columns)


def key_name(provider: str) -> str:
    """Return the name of a provider's own key."""
    return f"bureau/{provider}"


def raw_seals(contract: Contract, provider: str) -> Mapping[str, Seal]:
    """Return the seals of bronze and quarantine: the text as it came, never twice the same."""
    if not is_sealed(contract):
        return {}
    names = [c.name for c in contract.columns if c.effective_level == SEALED_LEVEL]
    return {name: _seal(contract, provider, name, is_same=False) for name in (*names, EXTRA)}


def typed_seals(contract: Contract, table: str) -> Mapping[str, Seal]:
    """Return the seals of a silver or gold table: of the key's first sealed column, equal values.

    Rows are looked up and joined by that one: a person, an account. A key's further columns, a
    diagnosis or a kind, have few values, and how often each comes would tell which it is; like all
    others they are sealed anew in every row.
    """
    owner = contract.domain if contract.product is not None else table.partition("__")[0]
    looked_up = next((c.name for c in contract.key if c.effective_level == SEALED_LEVEL), None)
    return {
        c.name: _seal(contract, owner, c.name, is_same=c.name == looked_up)
        for c in contract.columns
        if c.effective_level == SEALED_LEVEL
    }


def _seal(contract: Contract, provider: str, column: str, *, is_same: bool) -> Seal:
    return Seal(key_name(provider), f"{contract.dataset}.{column}", is_same)
