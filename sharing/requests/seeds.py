"""A few requests of the recipient ``demo`` in different states, so that a new city has some to see.

Every step goes through the flow, as people's do; a run that was cut short goes on where it stopped,
and what people did with a request since is left as it is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from contracts.model import CITY_TZ
from contracts.words import Words
from sharing.grants.belonging import adopt, list_recipients
from sharing.people import Actor
from sharing.requests import flow
from sharing.requests.asked import parse_asked
from sharing.requests.registered import NotCataloguedError
from sharing.requests.tables import read_asks
from sharing.tables.names import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.asked import Asked
    from sharing.requests.states import Action

DEMO: Final = "demo"
_SEEDER: Final = "sandbox"
#: Who asks, where the tree has it; else the first body that is not the product's own.
_ASKER: Final = "med_ins"
_LIFE: Final = timedelta(days=180)
#: The joined request that waits for its providers, where the tree has both datasets.
_JOINED: Final = (("civil.elder_service", "elder_id"), ("health.disease_case", "person_id"))

#: Titles as clerks write them, in one text; by them a later run finds what is there: they stay.
_DELIVERED: Final = Words("演示：已交付", "delivered")
_REFUSED: Final = Words("演示：不予提供", "refused")
_DRAFT: Final = Words("演示：草稿", "draft")
_WAITING: Final = Words("演示：多方待同意", "waiting")
_READ: Final = Words("演示读取", "demonstration")

_Steps = tuple[tuple["Action", str, dict[str, str]], ...]


@dataclass(frozen=True)
class _Seed:
    """One request and the steps it is taken through: action, body, what is stated."""

    asked: Asked
    steps: _Steps


def seed(control: Control, tree: Tree, at: datetime) -> None:
    """Make the requests of ``demo`` that are not there yet, and take each as far as it goes.

    Where ``demo`` is another body's, or somebody's who gave it none, nothing is asked for it.
    """
    with control.read() as session:
        known = {a.asked.title: a for a in read_asks(session) if a.asked.recipient == DEMO}
    for planned in _seeds(control, tree, at):
        asked, found = planned.asked, known.get(planned.asked.title)
        adopt(control, DEMO, asked.body, _SEEDER)
        if any(r.name == DEMO and r.body != asked.body for r in list_recipients(control)):
            return
        ask_id = found.id if found else flow.draft(control, tree, asked, _person(asked.body), at)
        taken = len(found.steps) - 1 if found else 0
        with suppress(NotCataloguedError):  # the city's register holds it back: it stays a draft
            for action, body, statements in planned.steps[taken:]:
                flow.act(
                    control, tree, ask_id, action, _person(body), at, flow.Statement(statements)
                )


def _seeds(control: Control, tree: Tree, at: datetime) -> Iterator[_Seed]:
    shared = {table.name for table in Catalog(control).tables()}
    found = next(
        (
            (product, policy)
            for product in tree.products.values()
            for policy in product.product_plan.policies
            if f"{product.product_table}__{policy.name}" in shared
            and policy.name not in product.product_plan.returned_to
        ),
        None,
    )
    if found is None:
        return
    product, policy = found
    owner = product.domain
    body = (
        _ASKER
        if _ASKER in tree.providers
        else min({*tree.providers, owner} - {owner}, default=owner)
    )
    until = (at + _LIFE).astimezone(CITY_TZ).date()
    one: dict[str, Any] = {
        "recipient": DEMO,
        "body": body,
        "legal_basis": "政务数据共享条例 第二十条",
        "scenario": "值守席每日查看",
        "scope": "本部门",
        "until": until,
        "sources": [{"contract": product.id, "policy": policy.name}],
    }
    agreed: _Steps = (
        ("submit", body, {}),
        ("accept", owner, {}),
        ("agree", owner, {}),
        ("deliver", owner, {}),
    )
    reason = {"reason": "用途与职责无关", "legal_basis": "政务数据共享条例 第十五条"}
    refused: _Steps = (("submit", body, {}), ("accept", owner, {}), ("refuse", owner, reason))
    yield _Seed(_asked(one, str(_DELIVERED), str(_READ)), agreed)
    yield _Seed(_asked(one, str(_REFUSED), "商业推广"), refused)
    yield _Seed(_asked(one, str(_DRAFT), "汛期值守"), ())
    if all(name in tree.sources for name, _ in _JOINED):
        joined = {
            **one,
            "sources": [{"contract": name, "key": key} for name, key in _JOINED],
            "by": ["street_code"],
        }
        yield _Seed(_asked(joined, str(_WAITING), "慢病老人转移安置"), agreed[:1])


def _asked(one: dict[str, Any], title: str, purpose: str) -> Asked:
    return parse_asked({**one, "title": title, "purpose": purpose}, "seeds")


def _person(body: str) -> Actor:
    return Actor(_SEEDER, body, frozenset({"requester", "steward", "cdo"}))
