"""A city whose suppliers of persons' data are companies, and a company that may use all of it.

State organs keep what is theirs at home, so counting persons is tried where no organ holds them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from sharing.crossborder import parties
from sharing.crossborder.decide import Destination, Scope
from sharing.crossborder.parties import Registration
from sharing.rights import register
from sharing.rights.terms import Asked, Terms
from tests.support.sharing.asking import person
from tests.support.sharing.lakes import BANK, CASES, CLAIMS, TREE

if TYPE_CHECKING:
    from sharing.control import Control

AUTHORITY: Final = person("gov_data", "authority")
COMPANY, OTHER, USCC, OTHER_USCC = (
    "x_data_co",
    "x_other",
    "91110000MA0012345C",
    "91110000MA0054321B",
)
STOCK: Final = "commerce__chain_stock"
TO: Final = Destination("Example Pte Ltd", "SG", "库存分析")
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
_HOLDERS: Final = {BANK: "civil", CASES: "health", CLAIMS: "med_ins", STOCK: "commerce"}
CITY: Final = replace(
    TREE,
    providers={
        **TREE.providers,
        **{
            name: TREE.providers[name].model_copy(update={"kind": "external", "legal": "processor"})
            for name in _HOLDERS.values()
        },
    },
)


def scope(exporter: str = COMPANY, table: str = BANK) -> Scope:
    return Scope(exporter, table, TO)


def known(control: Control, name: str = COMPANY, uscc: str = USCC, *, ftz: bool = False) -> None:
    """Register a company, in the zone or not."""
    asked = Registration(name, f"{name} 有限公司", uscc, is_in_ftz=ftz)
    parties.register(control, TREE, asked, AUTHORITY, LONG_AGO)


def may_use(control: Control, name: str, *tables: str, use: str = "*") -> None:
    """Let a company process tables, from long ago on."""
    terms = Terms("协议", frozenset({use}), date(2020, 1, 1))
    for table in tables:
        asked = Asked(table, "process", name, _HOLDERS[table], terms)
        register.grant(control, TREE, asked, AUTHORITY, LONG_AGO)


def ready(control: Control) -> None:
    """Register both companies, one of them in the zone, and let them process everything."""
    known(control, ftz=True)
    known(control, OTHER, OTHER_USCC)
    for name in (COMPANY, OTHER):
        may_use(control, name, *_HOLDERS)
