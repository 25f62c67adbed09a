"""A city that asks: the packaged contracts, a shared table, and people of every side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.layout import ROOT
from contracts.loading import load_tree
from sharing.people import ROLES, Actor
from sharing.requests import flow
from sharing.requests.asked import Asked, parse_asked
from sharing.requests.tables import read_ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.states import Action, State
    from sharing.requests.tables import Ask

#: A Monday; every deadline from here on lies in 2026, whose calendar is known.
MONDAY = datetime(2026, 7, 13, 2, 0, tzinfo=UTC)
ASKER, OWNER, AUTHORITY = "med_ins", "emergency", "gov_data"
POLICY: dict[str, Any] = {
    "title": "高温应对",
    "recipient": "med_ins",
    "body": ASKER,
    "purpose": "高温期间医保值守",
    "legal_basis": "突发事件应对法 第七条",
    "scenario": "值守席每日查看",
    "scope": "医保局应急处",
    "until": date(2026, 9, 30),
    "sources": [{"contract": "emergency.heat_readiness", "policy": "demo"}],
}
JOINED: dict[str, Any] = {
    **POLICY,
    "sources": [
        {"contract": "civil.elder_service", "key": "elder_id"},
        {"contract": "health.disease_case", "key": "person_id", "rows": "icd10 LIKE 'T67%'"},
    ],
    "by": ["street_code"],
}

#: What a step of a dispute follows (Decree 809, Art. 28).
BEFORE: dict[str, tuple[Action, ...]] = {
    "settle_dispute": ("dispute",),
    "bring_to_authority": ("dispute",),
    "rule_on_dispute": ("dispute", "bring_to_authority"),
    "refer_to_government": ("dispute", "bring_to_authority"),
    "note_government_ruling": ("dispute", "bring_to_authority", "refer_to_government"),
}


def asked(parts: Mapping[str, Any] = POLICY, **others: Any) -> Asked:
    return parse_asked({**parts, **others}, "test")


def person(body: str, *roles: str) -> Actor:
    return Actor(f"{body}.{'.'.join(roles)}", body, frozenset(roles))  # type: ignore[arg-type]


CDO_ASKER, CDO_OWNER = person(ASKER, "cdo"), person(OWNER, "cdo")
STEWARD = person(OWNER, "steward")
DATA_AUTHORITY = person(AUTHORITY, "authority")
EVERYONE = [person(body, role) for body in (ASKER, OWNER, AUTHORITY) for role in ROLES]


@dataclass
class City:
    """A request under way, on a clock that moves by an hour a step."""

    control: Control
    tree: Tree
    ask_id: str
    at: datetime

    @property
    def ask(self) -> Ask:
        with self.control.read() as session:
            return read_ask(session, self.ask_id)

    @property
    def state(self) -> State:
        return self.ask.state

    def act(self, action: Action, actor: Actor, **said: str) -> State:
        self.at += timedelta(hours=1)
        return flow.act(
            self.control, self.tree, self.ask_id, action, actor, self.at, flow.Statement(said)
        )


def begun(control: Control, what: Asked | None = None, tree: Tree | None = None) -> City:
    tree = tree or load_tree(ROOT / "contracts")
    what = what or asked()
    ask_id = flow.draft(control, tree, what, person(what.body, "requester"), MONDAY)
    return City(control, tree, ask_id, MONDAY)


def bring_to(city: City, state: State) -> City:
    """Take the shortest way from a draft to a state of a policy's request."""
    steps: dict[State, list[tuple[Action, Actor, dict[str, str]]]] = {
        "draft": [],
        "submitted": [("submit", CDO_ASKER, {})],
    }
    steps["supplement"] = [*steps["submitted"], ("ask_supplement", STEWARD, {"missing": "范围"})]
    steps["accepted"] = [*steps["submitted"], ("accept", STEWARD, {})]
    refusal = {"reason": "超出职责", "legal_basis": "条例 第十四条"}
    steps["refused"] = [*steps["accepted"], ("refuse", CDO_OWNER, refusal)]
    steps["agreed"] = [*steps["accepted"], ("agree", CDO_OWNER, {})]
    steps["delivered"] = [*steps["agreed"], ("deliver", STEWARD, {})]
    system = replace(CDO_OWNER, name="system", body="system", roles=frozenset({"system"}))
    steps["in_use"] = [*steps["delivered"], ("note_first_read", system, {})]
    steps["suspended"] = [*steps["delivered"], ("suspend", CDO_OWNER, {"reason": "核查用途"})]
    steps["closed"] = [*steps["delivered"], ("close", CDO_ASKER, {"reason": "用毕"})]
    for action, actor, said in steps[state]:
        city.act(action, actor, **said)
    return city
