"""Who acts, and what each role may do: ``permissions.csv`` is the whole of it.

Three administrators share no right (三员分立, GB/T 22239-2019 §8.1.4.2): accounts, security, audit.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal[
    "requester", "steward", "cdo", "authority", "sysadmin", "secadmin", "auditor", "system"
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
#: What a person can hold; ``system`` is the machine's own.
GIVEN_ROLES: Final[tuple[Role, ...]] = tuple(r for r in ROLES if r != "system")
#: The provider that is the city's data authority (政务数据共享主管部门, domain reference §1).
DATA_AUTHORITY: Final = "gov_data"
#: Where a role's right holds: for its own body only, or for every body.
Reach = Literal["own", "any"]
_FILE: Final = Path(__file__).with_name("permissions.csv")


class ForbiddenError(JingshuError, PermissionError):
    """Somebody asked for what none of their roles may do."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: an account's name, its body (a provider's id or another's), its roles."""

    name: str
    body: str
    roles: frozenset[Role]


#: What the machine does by itself, such as noting a first read.
SYSTEM: Final = Actor("system", "system", frozenset({"system"}))


@cache
def permissions() -> Mapping[str, Mapping[Role, Reach]]:
    """Return, for each action, which roles may do it and for whom."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["action"]: {role: _reach(row[role]) for role in ROLES if row[role]}
            for row in csv.DictReader(file)
        }


def may(actor: Actor, action: str, of: str) -> bool:
    """Tell whether an actor may do an action that concerns a body; KeyError for no action."""
    rights = permissions()[action]
    return any(
        rights.get(role) == "any" or (rights.get(role) == "own" and actor.body == of)
        for role in actor.roles
    )


def require(actor: Actor, action: str, of: str) -> None:
    """Raise ForbiddenError where an actor may not do an action that concerns a body."""
    if may(actor, action, of):
        return
    reaches, held = permissions()[action].items(), sorted(actor.roles)
    roles_zh, roles_en = "、".join(held) or "无角色", ", ".join(held) or "no role"
    who_zh = "、".join(f"{of} 的 {r}" if reach == "own" else r for r, reach in reaches)
    who_en = ", ".join(f"{r} of {of}" if reach == "own" else r for r, reach in reaches)
    raise ForbiddenError(
        Words(
            f"{actor.name}（{actor.body}：{roles_zh}）没有权限为 {of} 办理 {action}。",
            f"{actor.name} ({roles_en} of {actor.body}) may not"
            f" {action.replace('_', ' ')} for {of}.",
        ),
        Words(f"请由以下角色办理：{who_zh}。", f"Ask those who may: {who_en}."),
    )


def _reach(text: str) -> Reach:
    if text not in get_args(Reach):
        raise ValueError(f"permissions.csv: {text!r} is neither own nor any")
    return text  # type: ignore[return-value]  # it was just compared
