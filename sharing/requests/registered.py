"""Whether the catalogue's register lets a dataset be asked for (Decree 809, Art. 13, 16–17, 20).

Departments ask for what the catalogue publishes. So an entry that the register knows holds a
request back until it is reviewed; one that it does not know yet holds back nothing, and the step
says so: a city registers its entries one by one, and shares meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.catalogue.entries import code_of
from sharing.catalogue.register import History, read_histories
from sharing.requests.parties import sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.catalogue.steps import State
    from sharing.requests.asked import Asked

#: What a step says of the contracts that the register has no entry of.
UNREGISTERED: Final = "unregistered"
#: States in which nothing is in force, whatever was approved before; and what has to be done.
_STOPPED: Final[Mapping[State, Words]] = {
    "withheld": Words(
        "请提供方重新评估（第十三条）。", "Its provider must assess it again (Art. 13)."
    ),
    "returned": Words(
        "请提供方改正后再报送（第十七条）。",
        "Its provider must mend it, and submit it again (Art. 17).",
    ),
}
#: States on the way to the review: what was approved before stays in force (Art. 17).
_UNDER_WAY: Final[Mapping[State, Words]] = {
    "assessed": Words(
        "请提供方向数据主管部门报送。", "Its provider must submit it to the data authority."
    ),
    "submitted": Words("请待数据主管部门审核。", "The data authority must review it first."),
}


class NotCataloguedError(JingshuError, RuntimeError):
    """A dataset whose entry the register knows, and which is not published."""


def check_registered(session: Session, asked: Asked, tree: Tree) -> tuple[str, ...]:
    """Return the contracts that the register has no entry of, each with its provider.

    Raises:
        NotCataloguedError: An entry is registered, and is not published: it says the state, and
            who has to do what.
    """
    unknown = []
    for contract_id, provider in sources_of(asked, tree):
        code = code_of(tree.contract(contract_id), provider)
        history = read_histories(session, code).get(code, History())
        if not history.steps:
            unknown.append(f"{contract_id} ({provider})")
        elif (remedy := _missing(history)) is not None:
            raise NotCataloguedError(
                Words(
                    f"{code}（{provider} 的 {contract_id}）在目录登记中为 {history.state}，"
                    "尚未发布，不能申请。",
                    f"{code} ({contract_id} of {provider}) is {history.state} in the catalogue's"
                    " register: it cannot be asked for.",
                ),
                remedy,
            )
    return tuple(unknown)


def _missing(history: History) -> Words | None:
    """Return what has to be done before an entry is published; None where it is."""
    if (remedy := _STOPPED.get(history.state)) is not None:
        return remedy
    return None if history.last("approve") else _UNDER_WAY.get(history.state)
