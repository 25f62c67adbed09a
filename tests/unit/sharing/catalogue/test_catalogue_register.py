"""The catalogue's register: each step by each role in each state, rulings, limits, evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from jobs.verify.report import Report
from sharing import owed
from sharing.catalogue import lead, register
from sharing.catalogue.due import dues
from sharing.catalogue.entries import entries
from sharing.catalogue.lead import Ruling
from sharing.catalogue.register import History, RegisterStateError, Step, take
from sharing.catalogue.steps import ACTIONS, STATES, TRANSITIONS
from sharing.control import Control
from sharing.people import ROLES, ForbiddenError
from sharing.verify.catalogue import catalogue
from sharing.verify.lake import CityLake
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import TREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.layout import Home
    from sharing.catalogue.steps import Action, State
    from sharing.people import Actor, Role

ENTRY = next(e for e in entries(TREE) if e.code == "320003/000017")
CHANGED = replace(ENTRY, summary="another")
CDO, STEWARD = person("health", "cdo"), person("health", "steward")
AUTHORITY = person("gov_data", "authority")
PHONE = "手机号码"
#: What may be said with any step; each takes what it needs of it.
SAID = {"signed_by": ENTRY.signed_by, "pia_id": ENTRY.pia_id, "reason": "核对"}
#: The shortest way to each state.
WAYS: dict[State, tuple[Action, ...]] = {
    "unregistered": (),
    "assessed": ("clear",),
    "withheld": ("withhold",),
    "submitted": ("clear", "submit"),
    "returned": ("clear", "submit", "return"),
    "catalogued": ("clear", "submit", "approve"),
    "changed": ("clear", "submit", "approve", "change"),
}
#: Who may do what, written out a second time: permissions.csv must say the same.
MAY: dict[Action, set[tuple[str, Role]]] = {
    **{
        action: {("health", "steward"), ("health", "cdo")}
        for action in ("clear", "withhold", "submit", "change")
    },
    **{
        action: {("gov_data", "authority"), ("health", "authority"), ("civil", "authority")}
        for action in ("approve", "return", "extend")
    },
}
EVERYONE: list[tuple[str, Role]] = [
    (body, role) for body in ("health", "civil", "gov_data") for role in ROLES
]


def step(
    control: Control,
    action: Action,
    actor: Actor | None = None,
    said: Mapping[str, str] = MappingProxyType({}),
) -> State:
    own = AUTHORITY if TRANSITIONS[action].permission == "review_catalogue" else CDO
    return take(control, ENTRY, action, {**SAID, **said}, actor or own, MONDAY)


def walk(control: Control, *actions: Action) -> None:
    for action in actions:
        step(control, action)


def state(home: Home) -> State:
    return register.histories(home).get(ENTRY.code, History()).state


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(catalogue(CityLake(home, TREE)))
    return [f"{f.where}: {f.problem.en}" for f in report.broken]


@pytest.mark.parametrize("came_to", STATES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_step_is_taken_from_its_states_only(
    control: Control, came_to: State, action: Action
) -> None:
    walk(control, *WAYS[came_to])
    transition = TRANSITIONS[action]
    is_first_extension = action == "extend" and came_to != "changed"
    if came_to in transition.sources and not is_first_extension:
        assert step(control, action) == (transition.to or came_to)
    else:
        with pytest.raises(RegisterStateError):
            step(control, action)
        assert state(control.home) == came_to


@pytest.mark.parametrize("action", ACTIONS)
def test_a_step_is_taken_by_its_roles_only(control: Control, action: Action) -> None:
    walk(control, *next(WAYS[s] for s in reversed(STATES) if s in TRANSITIONS[action].sources))
    before = state(control.home)
    refused = set()
    for body, role in EVERYONE:
        if (body, role) in MAY[action]:
            continue
        with pytest.raises(ForbiddenError):
            step(control, action, person(body, role))
        refused.add((body, role))
    assert len(refused) == len(EVERYONE) - len(MAY[action])
    assert state(control.home) == before
    body, role = max(MAY[action])
    step(control, action, person(body, role))


@pytest.mark.parametrize("role", ["steward", "cdo"])
def test_both_keepers_of_a_provider_register(control: Control, role: str) -> None:
    assert step(control, "clear", person("health", role)) == "assessed"
    assert step(control, "submit", person("health", role)) == "submitted"


@pytest.mark.parametrize(
    ("way", "action", "said", "problem"),
    [
        ((), "clear", {"signed_by": ""}, "says its signed_by"),
        ((), "clear", {"signed_by": "li"}, "li is not the head who signs for health"),
        ((), "clear", {"pia_id": ""}, f"has the PIA id {ENTRY.pia_id}"),
        ((), "withhold", {"reason": " "}, "says its reason"),
        (("clear", "submit"), "return", {"reason": ""}, "says its reason"),
        (("clear", "submit", "approve"), "change", {"reason": ""}, "says its reason"),
    ],
)
def test_a_step_without_its_words_is_refused(
    control: Control, way: tuple[Action, ...], action: Action, said: dict[str, str], problem: str
) -> None:
    walk(control, *way)
    before = state(control.home)
    with pytest.raises(ValueError, match=problem):
        step(control, action, said=said)
    assert state(control.home) == before


def test_an_entry_that_lacks_a_mandatory_field_is_not_submitted(control: Control) -> None:
    bare = replace(ENTRY, secrecy_review="")
    take(control, bare, "clear", SAID, CDO, MONDAY)
    with pytest.raises(ValueError, match="does not state: secrecy_review"):
        take(control, bare, "submit", {}, CDO, MONDAY)


def test_an_entry_without_a_code_is_not_registered(control: Control) -> None:
    with pytest.raises(ValueError, match="has no code yet"):
        take(control, replace(ENTRY, code=""), "clear", SAID, CDO, MONDAY)


def test_what_was_assessed_is_what_is_submitted_and_approved(control: Control) -> None:
    walk(control, "clear", "submit", "approve", "change", "clear")
    # More time is given on the new wording: that assesses nothing.
    take(control, CHANGED, "extend", SAID, AUTHORITY, MONDAY)
    with pytest.raises(RegisterStateError, match="reads otherwise"):
        take(control, CHANGED, "submit", {}, CDO, MONDAY)
    step(control, "submit")
    with pytest.raises(RegisterStateError, match="reads otherwise"):
        take(control, CHANGED, "approve", {}, AUTHORITY, MONDAY)
    take(control, CHANGED, "return", SAID, AUTHORITY, MONDAY)
    assert state(control.home) == "returned"


def test_a_catalogued_entry_that_reads_otherwise_is_behind(control: Control) -> None:
    walk(control, "clear", "submit")
    assert not register.histories(control.home)[ENTRY.code].is_behind(CHANGED)
    step(control, "approve")
    history = register.histories(control.home)[ENTRY.code]
    assert history.is_behind(CHANGED)
    assert not history.is_behind(ENTRY)
    assert not history.is_behind(replace(ENTRY, lake=replace(ENTRY.lake, version=7)))


def test_more_time_is_given_once_a_change(control: Control) -> None:
    walk(control, *WAYS["changed"], "extend")
    with pytest.raises(RegisterStateError, match="was given more time already"):
        step(control, "extend")
    walk(control, "clear", "submit", "approve", "change", "extend")
    assert state(control.home) == "changed"


# ------------------------------------------------------------------------------ limits


def city(day: str, hour: int = 10) -> datetime:
    """Return a moment in UTC of a day and an hour in Beijing."""
    return datetime.fromisoformat(f"{day}T{hour:02d}:00:00+08:00").astimezone(UTC)


def history(*taken: tuple[Action, str]) -> History:
    return History(
        tuple(
            Step(seq, action, "changed", "1.0.0", "", {}, "li", city(day))
            for seq, (action, day) in enumerate(taken)
        )
    )


@pytest.mark.parametrize(
    ("taken", "what", "last_day"),
    [
        # Friday: Monday and Tuesday.
        ((("submit", "2026-07-17"),), "review", "2026-07-21"),
        # Saturday 27 September 2025: Sunday 28 is made up for, Monday 29.
        ((("submit", "2025-09-27"),), "review", "2025-09-29"),
        # 30 September 2025: holiday 1-8 October, then Thursday 9 and Friday 10.
        ((("submit", "2025-09-30"),), "review", "2025-10-10"),
        # 24-26, 28, 29, 30 September, 9, 10, 11 (Saturday, made up for), 13 October.
        ((("change", "2025-09-23"),), "update", "2025-10-13"),
        # … and 14, 15, 16, 17, 20.
        ((("change", "2025-09-23"), ("extend", "2025-10-10")), "update", "2025-10-20"),
    ],
)
def test_limits_by_hand(taken: tuple[tuple[Action, str], ...], what: str, last_day: str) -> None:
    (due,) = dues(history(*taken))
    assert due.what == what
    assert due.due_at is not None
    assert not due.is_overdue(city(last_day, 23))
    assert due.is_overdue(due.due_at.replace(microsecond=1))
    assert (due.due_at - city(last_day, 23)).total_seconds() == 3600  # the end of that day


def test_a_returned_submission_updates_nothing() -> None:
    changed: tuple[tuple[Action, str], ...] = (("change", "2026-07-13"), ("submit", "2026-07-14"))
    (update, review) = dues(history(*changed))
    assert (update.done_at, review.done_at) == (city("2026-07-14"), None)
    (update, review) = dues(history(*changed, ("return", "2026-07-15")))
    assert (update.done_at, review.done_at) == (None, city("2026-07-15"))


def test_more_time_for_an_earlier_change_is_not_for_this_one() -> None:
    earlier: tuple[tuple[Action, str], ...] = (
        ("change", "2026-06-01"),
        ("extend", "2026-06-02"),
        ("submit", "2026-06-03"),
        ("approve", "2026-06-04"),
    )
    update = dues(history(*earlier, ("change", "2026-07-13")))[0]
    assert update.due_at == dues(history(("change", "2026-07-13")))[0].due_at
    assert update.done_at is None


def test_a_year_without_a_calendar_is_said() -> None:
    (due,) = dues(history(("change", "2026-12-30")))
    assert due.due_at is None
    assert due.problem is not None
    assert "calendar_missing" in due.problem.en
    assert not due.is_overdue(city("2027-02-12")), "15 days of rest and 3 days a working day"
    assert due.is_overdue(city("2027-02-14"))


# ------------------------------------------------------------------------------ rulings


def ruling(**changes: str) -> Ruling:
    words = {"item": PHONE, "ruling": "lead", "body": "civil", "reason": "以其登记为准"}
    return Ruling(**{**words, "legal_basis": register.ART_19, **changes})  # type: ignore[arg-type]


def open_items(home: Home) -> set[str]:
    return {r.item for r in lead.repeated(TREE, register.all_rulings(home))}


def test_a_ruling_ends_the_repetition_and_the_newest_counts(control: Control) -> None:
    assert PHONE in open_items(control.home)
    register.rule(control, TREE, ruling(), AUTHORITY, MONDAY)
    assert PHONE not in open_items(control.home)
    register.rule(control, TREE, ruling(body="justice"), AUTHORITY, MONDAY)
    ruled = register.all_rulings(control.home)
    assert lead.lead_of(TREE, ruled)[PHONE] == "justice"
    register.rule(control, TREE, ruling(ruling="distinct", body=""), AUTHORITY, MONDAY)
    assert PHONE not in lead.lead_of(TREE, register.all_rulings(control.home))
    assert PHONE not in open_items(control.home)


def test_without_a_database_the_packaged_rulings_count(home: Home) -> None:
    assert register.all_rulings(home) == lead.rulings()
    assert register.histories(home) == {}
    assert not home.control_db.exists()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (ruling(item="没有"), "collected by nobody"),
        (ruling(body="health"), "health cannot lead"),
        (ruling(body=""), "Nobody cannot lead"),
        (ruling(ruling="distinct"), "civil cannot lead"),
        (ruling(reason=" "), "gives its reason"),
        (ruling(legal_basis=""), "gives its reason"),
    ],
)
def test_an_unsound_ruling_is_refused(control: Control, wrong: Ruling, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        register.rule(control, TREE, wrong, AUTHORITY, MONDAY)
    assert PHONE in open_items(control.home)


@pytest.mark.parametrize("role", [r for r in ROLES if r != "authority"])
def test_only_the_authority_rules(control: Control, role: str) -> None:
    with pytest.raises(ForbiddenError):
        register.rule(control, TREE, ruling(), person("gov_data", role), MONDAY)


# ------------------------------------------------------------------------------ evidence


def register_one(control: Control) -> None:
    walk(control, "clear", "submit", "approve")
    register.rule(control, TREE, ruling(), AUTHORITY, MONDAY)


def test_both_databases_keep_it_alike(control_url: str, home: Home) -> None:
    with Control(home) as control:
        register_one(control)
    assert findings(home) == []
    assert state(home) == "catalogued"


def test_no_database_is_no_register(home: Home) -> None:
    assert findings(home) == []
    assert not home.control_db.exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE share_catalogue_steps SET said = '{}' WHERE seq = 0", "said_sha256 is not what"),
        ("UPDATE share_catalogue_steps SET actor = 'li' WHERE seq = 2", "its actor is not what"),
        ("UPDATE share_catalogue_steps SET at = '2020-01-01' WHERE seq = 1", "its time is not"),
        ("DELETE FROM share_catalogue_steps WHERE seq = 2", "has no such catalogue any more"),
        ("DELETE FROM share_catalogue_steps WHERE seq = 0", "step 1 is submit, from unregistered"),
        ("UPDATE share_catalogue_steps SET action = 'x' WHERE seq = 1", "'x', which is no step"),
        ("UPDATE share_catalogue_steps SET state = 'assessed' WHERE seq = 2", "came to assessed"),
        ("UPDATE share_catalogue_rulings SET body = 'justice'", "its body is not what"),
        ("UPDATE share_catalogue_rulings SET reason = 'x'", "reason_sha256 is not what"),
        ("DELETE FROM share_catalogue_rulings", "has no such catalogue any more"),
    ],
)
def test_what_was_changed_is_found(control: Control, change: str, found: str) -> None:
    register_one(control)
    assert findings(control.home) == []
    with control.write() as session:
        session.execute(text(change))
    assert any(found in line for line in findings(control.home))


def test_a_step_that_owes_its_leaf_is_recovering_until_it_is_settled(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(owed, "settle", crash)
        with pytest.raises(SystemExit):
            step(control, "clear")
    report = Report()
    report.add(catalogue(CityLake(control.home, TREE)))
    assert (len(report.broken), len(report.recovering)) == (0, 1)
    owed.settle(control, register.EntryStepRow)
    report = Report()
    report.add(catalogue(CityLake(control.home, TREE)))
    assert (len(report.broken), len(report.recovering)) == (0, 0)
