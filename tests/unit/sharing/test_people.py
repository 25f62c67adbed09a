"""Roles and actions: every cell of the table is tried, and three administrators share no right."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import pytest

import sharing.people
from sharing.people import ROLES, Actor, ForbiddenError, Role, may, permissions, require

TABLE = list(
    csv.DictReader(
        Path(sharing.people.__file__).with_name("permissions.csv").read_text("utf-8").splitlines()
    )
)
CELLS = [(row["action"], role, row[role]) for row in TABLE for role in ROLES]


@pytest.mark.parametrize(("action", "role", "reach"), CELLS, ids=lambda value: value or "-")
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    action: str, role: Role, reach: str
) -> None:
    actor = Actor("li", "health", frozenset({role}))
    assert may(actor, action, "health") == (reach in {"own", "any"})
    assert may(actor, action, "civil") == (reach == "any")
    assert not may(Actor("li", "health", frozenset()), action, "health")


def test_a_refusal_says_who_may() -> None:
    with pytest.raises(ForbiddenError, match="cdo of civil") as refused:
        require(Actor("li", "health", frozenset({"cdo"})), "submit_request", "civil")
    assert "li (cdo of health)" in str(refused.value)


def test_three_administrators_share_no_right() -> None:
    administrators: tuple[Role, ...] = ("sysadmin", "secadmin", "auditor")
    for first, second in combinations(administrators, 2):
        assert not [a for a, rights in permissions().items() if {first, second} <= set(rights)]
    for action, rights in permissions().items():
        others = set(rights) - set(administrators) - {"requester", "steward", "cdo", "authority"}
        assert not (set(rights) & {"sysadmin", "secadmin"} and others), action
