"""Requests: the list, one with all its steps, and the steps themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from portal.web import words
from portal.web.asking import parse_wording
from portal.web.errors import CORRECTION, not_there
from portal.web.forms import AnswerForm, CorrectionForm, UseForm
from portal.web.pages import go, refuse, render
from portal.web.seen import corrections_of, offered, shown_ask, shown_asks
from sharing.joined.make import retire_ended
from sharing.requests import flow
from sharing.requests.allowing import RequestStateError
from sharing.requests.corrections import Fault, answer_correction, ask_correction, list_corrections
from sharing.requests.parties import sources_of
from sharing.requests.reading import reading_of
from sharing.requests.records import Use, record_use, uses
from sharing.requests.states import STATES, TRANSITIONS

if TYPE_CHECKING:
    from starlette.responses import Response

    from portal.web.seen import Seen
    from portal.web.site import Visit
    from sharing.requests.asked import Asked
    from sharing.requests.corrections import Answer
    from sharing.requests.states import Action

_ON_A_PAGE: Final = 50
_ANSWERS: Final = ("corrected", "rejected")


@dataclass(frozen=True)
class Offer:
    """A step the visitor may take: what has to be stated, and what may be."""

    action: Action
    needs: tuple[str, ...]
    may_say: tuple[str, ...]


def list_page(visit: Visit) -> Response:
    """List the requests that the visitor may know of, the newest first."""
    state, page = visit.query("state"), visit.number("page") or 1
    if state and state not in STATES:
        raise UsageError(
            Words(f"没有状态 {state!r}。", f"There is no state {state!r}."),
            Words(f"可选：{'、'.join(STATES)}。", f"States: {', '.join(STATES)}."),
        )
    found = [s for s in shown_asks(visit) if state in ("", s.ask.state)]
    first = (page - 1) * _ON_A_PAGE
    return render(
        visit,
        "requests.html",
        at=visit.at,
        states=STATES,
        state=state,
        shown=found[first : first + _ON_A_PAGE],
        count=len(found),
        page=page,
        has_more=len(found) > first + _ON_A_PAGE,
        may_draft=visit.may("draft_request", visit.actor.body),
    )


def detail(visit: Visit) -> Response:
    """Show a request: what is asked, every step, what is owed, and what the visitor may do."""
    seen = shown_ask(visit, visit.path("ask_id"))
    return render(visit, "request.html", **_found(visit, seen))


def step(action: Action, visit: Visit) -> Response:
    """Take one step of a request."""
    seen = shown_ask(visit, visit.path("ask_id"))
    try:
        _take(action, visit, seen)
    except JingshuError as wrong:
        return _again(visit, seen, wrong)
    return go(f"/requests/{seen.ask.id}")


def use(visit: Visit) -> Response:
    """Keep the record of one use (Decree 809, Art. 29)."""
    seen = shown_ask(visit, visit.path("ask_id"))
    try:
        form = UseForm.read(visit.fields)
        record_use(visit.web.control, seen.ask.id, Use(**form.model_dump()), visit.actor, visit.at)
    except JingshuError as wrong:
        return _again(visit, seen, wrong)
    return go(f"/requests/{seen.ask.id}")


def correct(visit: Visit) -> Response:
    """Open a correction at a provider of a source (Art. 26)."""
    seen, web = shown_ask(visit, visit.path("ask_id")), visit.web
    try:
        form = CorrectionForm.read(visit.fields)
        contract, _, provider = form.source.partition("/")
        fault = Fault(contract, provider, form.said)
        ask_correction(web.control, visit.tree, seen.ask.id, fault, visit.actor, visit.at)
    except JingshuError as wrong:
        return _again(visit, seen, wrong)
    return go(f"/requests/{seen.ask.id}")


def answer(visit: Visit) -> Response:
    """Answer a correction: corrected, or rejected; either way with a reason."""
    issue_id = visit.path("issue_id")
    issue = next((c for c in list_corrections(visit.web.control) if c.id == issue_id), None)
    if issue is None:
        raise not_there(CORRECTION)
    seen = shown_ask(visit, issue.ask)
    try:
        form = AnswerForm.read(visit.fields)
        if form.answer not in _ANSWERS:
            raise UsageError(
                Words(f"答复 {form.answer!r} 无效。", f"{form.answer!r} answers nothing."),
                Words(f"可选：{'、'.join(_ANSWERS)}。", f"Say one of {', '.join(_ANSWERS)}."),
            )
        how = cast("Answer", form.answer)
        answer_correction(visit.web.control, issue_id, how, form.reason, visit.actor, visit.at)
    except JingshuError as wrong:
        return _again(visit, seen, wrong)
    return go(f"/requests/{seen.ask.id}")


def _take(action: Action, visit: Visit, seen: Seen) -> None:
    web, ask = visit.web, seen.ask
    if action == "deliver" and ask.asked.is_joined:
        command = f"./jingshu share request deliver {ask.id}"
        raise RequestStateError(
            Words(
                f"{ask.id} 的表要先由 Spark 生成。",
                f"A table is made for {ask.id} first, on Spark.",
            ),
            Words(f"请在服务器上运行：{command}", f"Run on the machine: {command}"),
        )
    names = (*TRANSITIONS[action].needs, *words.OPTIONAL.get(action, ()))
    wording = _reworded(visit, ask.asked) if action == "resubmit" else None
    statement = flow.Statement({name: visit.fields.one(name) for name in names}, wording)
    flow.act(web.control, visit.tree, ask.id, action, visit.actor, visit.at, statement)
    retire_ended(web.home, web.control)


def _reworded(visit: Visit, asked: Asked) -> Asked | None:
    """Return the new wording of a resubmission; None where it is left as it was."""
    text = visit.fields.one("wording")
    if not text.strip():
        return None
    wording = parse_wording(text)
    return None if wording == asked else wording


def _again(visit: Visit, seen: Seen, wrong: JingshuError) -> Response:
    """Show the request again, as it is now, with what was wrong and what had been typed."""
    now = shown_ask(visit, seen.ask.id)
    return refuse(visit, "request.html", wrong, **_found(visit, now))


def _found(visit: Visit, seen: Seen) -> dict[str, Any]:
    asked, body = seen.ask.asked, seen.ask.asked.body
    was_delivered = seen.ask.last("deliver") is not None
    issues = corrections_of(visit, seen.ask.id)
    return {
        "at": visit.at,
        "seen": seen,
        "asked": asked,
        "typed": visit.fields,
        "sent_to": visit.request.url.path,
        "offers": [
            Offer(action, TRANSITIONS[action].needs, words.OPTIONAL.get(action, ()))
            for action in offered(seen, visit)
        ],
        "wording": wording_of(asked),
        "reading": reading_of(visit.web.control, visit.tree, seen.ask),
        "uses": uses(visit.web.control, seen.ask.id),
        "may_record": was_delivered and visit.may("record_use", body),
        "issues": [(c, visit.may("answer_correction", c.provider)) for c in issues],
        "sources": sources_of(asked, visit.tree)
        if was_delivered and seen.parties and visit.may("ask_correction", body)
        else (),
    }


def wording_of(asked: Asked) -> str:
    """Write a request as people edit it."""
    parts = asked.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(parts, allow_unicode=True, sort_keys=False, width=100)
