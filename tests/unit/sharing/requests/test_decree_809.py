"""State Council Decree 809 as tables: each article's limits, and each article's steps.

The numbers and the parties stand here once more, from the decree's text, so that neither a rule's
table nor its code can drift from it. Received on Tuesday 2025-09-23: 1 to 8 October is a holiday,
Sunday 28 September and Saturday 11 October are working days.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from sharing.catalogue.due import dues
from sharing.catalogue.register import History
from sharing.catalogue.register import Step as EntryStep
from sharing.control import Control
from sharing.people import may
from sharing.requests import corrections, records
from sharing.requests.corrections import Fault
from sharing.requests.parties import parties_of
from sharing.requests.records import Use
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import Ask
from sharing.requests.tables import Step as AskStep
from sharing.requests.timers import deadlines
from tests.support.sharing.asking import (
    ASKER,
    AUTHORITY,
    CDO_ASKER,
    OWNER,
    asked,
    begun,
    bring_to,
    person,
)
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.catalogue.steps import Action as EntryAction
    from sharing.requests.states import Action, Side, State

TREE: Final = load_tree(ROOT / "contracts")
TUESDAY: Final = datetime(2025, 9, 23, 2, tzinfo=UTC)


def last_day(due_at: datetime | None) -> date:
    """Return the last day in time: it ends at the city's midnight."""
    assert due_at is not None
    return (due_at + timedelta(hours=8) - timedelta(seconds=1)).date()


class Limit(NamedTuple):
    """What an article gives time for, after which steps, and the last day of it."""

    article: str
    what: str
    steps: tuple[str, ...]
    until: date


REQUESTS: Final = (
    Limit("21 一款", "unconditional", ("submit",), date(2025, 9, 24)),
    Limit("21 二款", "conditional", ("submit",), date(2025, 10, 13)),
    Limit("21 二款", "conditional", ("submit", "extend"), date(2025, 10, 27)),
    Limit("21 二款", "conditional", ("submit", "extend", "extend"), date(2025, 10, 27)),
    Limit("22", "delivery", ("submit", "agree"), date(2025, 10, 27)),
)


@pytest.mark.parametrize("limit", REQUESTS, ids=lambda of: f"Art. {of.article} {of.steps[-1]}")
def test_a_request_s_limit(limit: Limit) -> None:
    state: dict[str, State] = {"agree": "agreed"}
    steps = tuple(
        AskStep(seq, action, state.get(action, "submitted"), "who", ASKER, TUESDAY, {})  # type: ignore[arg-type]
        for seq, action in enumerate(limit.steps)
    )
    ask = Ask("R2025-0001", asked(until=date(2027, 1, 1)), steps)
    is_free = limit.what == "unconditional"
    parties = replace(parties_of(ask.asked, TREE), is_unconditional=is_free)
    owed = deadlines(ask, parties)[-1]
    assert owed.what == ("delivery" if limit.what == "delivery" else "answer")
    assert last_day(owed.due_at) == limit.until


CATALOGUE: Final = (
    Limit("17 一款", "update", ("change",), date(2025, 10, 13)),
    Limit("17 一款", "update", ("change", "extend"), date(2025, 10, 20)),
    Limit("17 二款", "review", ("submit",), date(2025, 9, 25)),
)


@pytest.mark.parametrize("limit", CATALOGUE, ids=lambda of: f"Art. {of.article} {of.steps[-1]}")
def test_a_catalogue_entry_s_limit(limit: Limit) -> None:
    def step(seq: int, action: EntryAction) -> EntryStep:
        return EntryStep(seq, action, "submitted", "1.0.0", "0" * 64, {}, "who", TUESDAY)

    steps = tuple(step(seq, action) for seq, action in enumerate(limit.steps, 1))  # type: ignore[arg-type]
    (owed,) = dues(History(steps))
    assert (owed.what, last_day(owed.due_at)) == (limit.what, limit.until)


def test_art_26_and_29_ten_working_days_to_correct_and_three_years_on_record(home: Home) -> None:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    with Control(home) as control:
        city = bring_to(begun(control), "delivered")
        said = (
            city.ask_id,
            Fault("emergency.heat_readiness", OWNER, "人数不对"),
            CDO_ASKER,
            TUESDAY,
        )
        corrections.ask_correction(control, TREE, *said)
        (issue,) = corrections.list_corrections(control)
        assert last_day(issue.due_at) == date(2025, 10, 13)
        actor = person(ASKER, "requester")
        records.record_use(control, city.ask_id, Use("s", "p", "e", "d"), actor, TUESDAY)
        with pytest.raises(records.RecordsKeptError):
            records.forget_uses(control, city.ask_id, actor, date(2028, 9, 23))
        assert records.forget_uses(control, city.ask_id, actor, date(2028, 9, 24)) == 1


class Duty(NamedTuple):
    """A step that an article gives to one side: by which roles, and what it must say."""

    article: str
    action: Action
    side: Side
    roles: tuple[str, ...]
    says: tuple[str, ...]


STEPS: Final = (
    Duty("20", "submit", "asker", ("cdo",), ()),
    Duty("21 三款", "ask_supplement", "provider", ("steward", "cdo"), ("missing",)),
    Duty("21 三款", "refuse", "provider", ("cdo",), ("reason", "legal_basis")),
    Duty("21 二款", "extend", "authority", ("authority",), ("reason",)),
    Duty("20", "agree", "provider", ("cdo",), ()),
    Duty("27", "end_service", "provider", ("cdo",), ("reason", "consultation", "filing")),
    Duty("27", "stop_service", "authority", ("authority",), ("reason", "legal_basis")),
    Duty("27", "destroy", "asker", ("requester", "cdo"), ("method", "proof")),
    Duty("28", "dispute", "either", ("cdo",), ("reason",)),
    Duty("28", "rule_on_dispute", "authority", ("authority",), ("outcome", "reason")),
    Duty("28", "note_government_ruling", "authority", ("authority",), ("outcome", "document")),
)


@pytest.mark.parametrize("duty", STEPS, ids=lambda of: f"Art. {of.article} {of.action}")
def test_whose_step_it_is_and_what_it_must_say(duty: Duty) -> None:
    step = TRANSITIONS[duty.action]
    assert (step.side, set(step.needs)) == (duty.side, set(duty.says))
    body = {"asker": ASKER, "provider": OWNER, "authority": AUTHORITY}.get(duty.side, OWNER)
    for role in duty.roles:
        assert may(person(body, role), step.permission, body), role
    for role in ("requester", "steward", "cdo"):
        stranger = person("civil", role)
        assert duty.side == "either" or not may(stranger, step.permission, body), role


@pytest.mark.parametrize("action", ["close", "withdraw"])
def test_art_27_no_provider_ends_what_another_body_asked(action: Action) -> None:
    assert TRANSITIONS[action].side == "asker"
    assert not may(person(OWNER, "cdo"), TRANSITIONS[action].permission, ASKER)
