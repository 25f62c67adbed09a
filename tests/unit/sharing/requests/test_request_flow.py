"""The legal path: every step by everyone from every state, and what each leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from contracts.errors import JingshuError, UsageError
from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing import owed
from sharing.control import AccessRecord, Control, Grant
from sharing.grants import grants
from sharing.people import SYSTEM, ForbiddenError, may
from sharing.requests import flow
from sharing.requests.allowing import RequestStateError
from sharing.requests.disputes import STEPS, stage_of
from sharing.requests.flow import Statement
from sharing.requests.parties import NotSharedError, parties_of
from sharing.requests.states import STATES, TRANSITIONS
from sharing.requests.tables import StepRow, read_asks
from tests.support.sharing.asking import (
    ASKER,
    BEFORE,
    CDO_ASKER,
    CDO_OWNER,
    DATA_AUTHORITY,
    EVERYONE,
    JOINED,
    MONDAY,
    STEWARD,
    asked,
    begun,
    bring_to,
    person,
)
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sharing.people import Actor
    from sharing.requests.states import Action, State

SAID = {
    "reason": "r",
    "legal_basis": "政务数据共享条例 第十四条",
    "missing": "m",
    "consultation": "与医保局 7 月 13 日会商，同意终止",
    "filing": "备案 2026-17",
    "outcome": "o",
    "document": "d",
    "method": "overwritten",
    "proof": "p",
    "pia_id": "PIA-1",
}

LAW = SAID["legal_basis"]
DISPUTE = frozenset(STEPS)


@pytest.fixture
def city_home(home: Home) -> Home:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    return home


@pytest.fixture
def control(city_home: Home) -> Iterator[Control]:
    with Control(city_home) as opened:
        yield opened


@pytest.mark.parametrize("state", STATES)
def test_only_the_table_leads_from_a_state(control: Control, state: State) -> None:
    """Everyone tries every step; each is taken just where table and permissions say so."""
    city = bring_to(begun(control), state)
    for action, step in TRANSITIONS.items():
        for actor in (*EVERYONE, SYSTEM):
            bodies = {"asker": [ASKER], "provider": ["emergency"]}.get(step.side)
            bodies = bodies or [ASKER, "emergency"]
            of = actor.body if actor.body in bodies else bodies[0]
            if action == "agree_as_authority":
                of = actor.body
            is_known = action != "draft" and state in step.sources
            is_known &= action not in DISPUTE or action == "dispute"  # that one comes first
            is_known |= actor == SYSTEM and state in step.by_time
            is_right = is_known and may(actor, step.permission, of)
            offered = action in flow.allowed(city.ask, city.tree, actor)
            if is_right:
                assert offered or state in step.by_time, (action, actor)
                continue
            with pytest.raises((RequestStateError, ForbiddenError)):
                city.act(action, actor, **SAID)
            assert not offered or action == "agree_as_authority", (action, actor)
    assert city.state == state


@pytest.mark.parametrize(
    ("action", "state"), [(t.action, state) for t in TRANSITIONS.values() for state in t.sources]
)
def test_a_step_leads_where_the_table_says(control: Control, action: Action, state: State) -> None:
    step = TRANSITIONS[action]
    city = bring_to(begun(control), state)
    for earlier in BEFORE.get(action, ()):
        actor = DATA_AUTHORITY if TRANSITIONS[earlier].side == "authority" else CDO_ASKER
        city.act(earlier, actor, **SAID)
    actors = [a for a in (*EVERYONE, SYSTEM) if action in flow.allowed(city.ask, city.tree, a)]
    assert actors
    to = city.act(action, actors[0], **SAID)
    own_way = {"agree": "agreed", "agree_as_authority": "accepted", "resume": "delivered"}
    assert to == own_way.get(action, step.to or state) == city.state


def test_each_step_leaves_its_leaf(control: Control) -> None:
    city = bring_to(begun(control), "closed")
    city.act("destroy", CDO_ASKER, method="覆写", proof="签字单 17")
    leaves = logged(control)
    with control.read() as session:
        rows = session.scalars(select(StepRow).order_by(StepRow.seq)).all()
        assert [r.action for r in rows][-2:] == ["close", "destroy"]
        for row in rows:
            assert flow.step_leaf(row) == leaves[flow.step_leaf(row).key]


def test_what_people_say_stays_out_of_the_log(control: Control) -> None:
    city = bring_to(begun(control), "accepted")
    city.act("refuse", CDO_OWNER, reason="张三不同意", legal_basis="条例 第十五条")
    assert not [leaf for leaf in logged(control).values() if "张三" in str(leaf.facts)]


def test_a_leaf_that_a_crash_left_owing_is_written(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = begun(control)
    with monkeypatch.context() as patch:
        patch.setattr(owed, "settle", lambda *_: None)
        city.act("submit", CDO_ASKER)
    assert "request:R2026-0001#1" not in logged(control)
    owed.settle(control, StepRow, Grant)
    assert "request:R2026-0001#1" in logged(control)


def test_two_at_once_take_one_step(control: Control) -> None:
    city = bring_to(begun(control), "accepted")

    def answer(action: Action) -> str:
        try:
            return flow.act(
                control, city.tree, city.ask_id, action, CDO_OWNER, city.at, Statement(SAID)
            )
        except RequestStateError as late:
            return str(late)

    with ThreadPoolExecutor(6) as threads:
        said = list(threads.map(answer, ["agree", "refuse"] * 3))
    taken = [s for s in said if s in ("agreed", "refused")]
    assert len(taken) == 1
    assert all(taken[0] in s for s in said)


def test_delivery_grants_and_the_end_takes_back(control: Control) -> None:
    city = bring_to(begun(control), "delivered")
    assert grants.granted_tables(control, "med_ins", MONDAY) == {"heat_readiness__demo"}
    city.act("suspend", CDO_OWNER, reason="核查")
    assert grants.granted_tables(control, "med_ins", MONDAY) == set()
    city.act("resume", CDO_OWNER, reason="无误")
    assert grants.granted_tables(control, "med_ins", MONDAY) == {"heat_readiness__demo"}
    city.act("close", CDO_ASKER, reason="用毕")
    assert grants.granted_tables(control, "med_ins", MONDAY) == set()


def test_a_grant_of_ones_own_is_not_taken_with_a_request(control: Control) -> None:
    city = bring_to(begun(control), "delivered")
    grants.grant(control, "med_ins", "heat_readiness__demo", "另一用途", actor="x")
    city.act("close", CDO_ASKER, reason="用毕")
    assert grants.granted_tables(control, "med_ins", MONDAY) == {"heat_readiness__demo"}


def test_nothing_is_delivered_that_is_not_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Control(Home(tmp_path_factory.mktemp("empty"))) as control:
        city = bring_to(begun(control), "agreed")
        with pytest.raises(UsageError, match="no shared table"):
            city.act("deliver", STEWARD)
        assert city.state == "agreed"


def test_what_is_missing_is_said_once(control: Control) -> None:
    city = bring_to(begun(control), "supplement")
    city.act("resubmit", CDO_ASKER)
    with pytest.raises(RequestStateError, match="one ask_supplement"):
        city.act("ask_supplement", STEWARD, missing="另一样")


@pytest.mark.parametrize("lacking", ["reason", "legal_basis"])
def test_a_refusal_says_why_and_by_which_law(control: Control, lacking: str) -> None:
    city = bring_to(begun(control), "accepted")
    said = {"reason": "r", "legal_basis": "数据安全法 第二十一条", lacking: "  "}
    with pytest.raises(UsageError, match=lacking):
        city.act("refuse", CDO_OWNER, **said)


@pytest.mark.parametrize(
    ("basis", "words"),
    [
        ("x", "names no law"),
        ("数据安全法", "names no law"),
        ("第十四条", "names no law"),
        ("本局内部规定 第三条", "names no law"),
        ("依《本局规定》第三条，参照数据安全法", "names no law"),
        ("本局管理条例 第三条", "names no law"),
        ("数据安全法 第五十六条", "no article 56"),
        ("政务数据共享条例 第0条", "no article 0"),
    ],
)
def test_what_is_no_law_is_no_ground_to_refuse(control: Control, basis: str, words: str) -> None:
    city = bring_to(begun(control), "accepted")
    with pytest.raises(UsageError, match=words):
        city.act("refuse", CDO_OWNER, reason="r", legal_basis=basis)
    assert city.state == "accepted"


@pytest.mark.parametrize(
    "basis",
    [
        "政务数据共享条例 第十四条",
        "《中华人民共和国数据安全法》第二十一条第二款",
        "条例 第15条",
        "民法典 第一千零三十四条",
        "网络数据安全管理条例 第六十二条",
    ],
)
def test_a_law_and_its_article_are_a_ground(control: Control, basis: str) -> None:
    city = bring_to(begun(control), "accepted")
    assert city.act("refuse", CDO_OWNER, reason="r", legal_basis=basis) == "refused"


@pytest.mark.parametrize("state", ["submitted", "supplement", "accepted", "agreed"])
@pytest.mark.parametrize("action", ["withdraw", "close", "end_service"])
def test_no_provider_ends_what_it_owes_an_answer_to(
    control: Control, state: State, action: Action
) -> None:
    city = bring_to(begun(control), state)
    with pytest.raises((RequestStateError, ForbiddenError)):
        city.act(action, CDO_OWNER, **SAID)
    assert action not in flow.allowed(city.ask, city.tree, CDO_OWNER)
    assert city.act("withdraw", CDO_ASKER, reason="不再需要") == "closed"


@pytest.mark.parametrize("lacking", ["consultation", "filing"])
def test_a_provider_ends_a_service_after_talks_and_on_file(control: Control, lacking: str) -> None:
    city = bring_to(begun(control), "delivered")
    with pytest.raises(UsageError, match=lacking):
        city.act("end_service", CDO_OWNER, **{**SAID, lacking: " "})
    assert grants.granted_tables(control, "med_ins", city.at)
    assert city.act("end_service", CDO_OWNER, **SAID) == "closed"
    assert grants.granted_tables(control, "med_ins", city.at) == set()


def test_a_dispute_goes_from_talks_to_the_authority_and_to_the_government(
    control: Control,
) -> None:
    city = bring_to(begun(control), "suspended")
    with pytest.raises(RequestStateError, match="bring_to_authority"):
        city.act("bring_to_authority", CDO_ASKER, reason="r")
    city.act("dispute", CDO_ASKER, reason="暂停无理由")
    with pytest.raises(RequestStateError, match="rule_on_dispute"):
        city.act("rule_on_dispute", DATA_AUTHORITY, outcome="恢复", reason="r")
    city.act("bring_to_authority", CDO_ASKER, reason="协商不成")
    city.act("refer_to_government", DATA_AUTHORITY, reason="意见不一")
    with pytest.raises(RequestStateError, match="settle_dispute"):
        city.act("settle_dispute", CDO_OWNER, outcome="o")
    city.act("note_government_ruling", DATA_AUTHORITY, outcome="恢复服务", document="京政函 9 号")
    assert stage_of(city.ask) == "settled"
    assert city.state == "suspended"  # what is decided is then done: resume, or end
    assert city.act("dispute", CDO_OWNER, reason="再议") == "suspended"


def test_an_extension_after_the_limit_is_refused_and_cures_nothing(control: Control) -> None:
    city = bring_to(begun(control), "accepted")
    city.at = MONDAY + timedelta(days=60)
    with pytest.raises(RequestStateError, match="it is late"):
        city.act("extend", DATA_AUTHORITY, reason="r")


def test_every_provider_signs_and_the_authority_on_an_assessment(control: Control) -> None:
    city = begun(control, asked(JOINED))
    assert parties_of(city.ask.asked, city.tree).providers == ("civil", "health")
    city.act("submit", CDO_ASKER)
    city.act("accept", person("health", "steward"))
    assert city.act("agree", person("civil", "cdo")) == "accepted"
    with pytest.raises(RequestStateError, match="civil has agreed"):
        city.act("agree", person("civil", "cdo"))
    assert city.act("agree", person("health", "cdo")) == "accepted"
    with pytest.raises(UsageError, match="assessment"):
        city.act("agree_as_authority", DATA_AUTHORITY)
    assert city.act("agree_as_authority", DATA_AUTHORITY, pia_id="PIA-7") == "agreed"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("submitted", "extend"),
        ("submitted", "ask_supplement"),
        ("accepted", "refuse"),
        ("delivered", "suspend"),
        ("delivered", "stop_service"),
    ],
)
def test_what_the_authority_does_is_on_record_as_its_own(
    control: Control, state: State, action: Action
) -> None:
    city = bring_to(begun(control), state)
    city.act(action, DATA_AUTHORITY, **SAID)
    done = city.ask.steps[-1]
    assert (done.action, done.body) == (action, "gov_data")
    leaf = logged(control)[f"{TRANSITIONS[action].leaf}:{city.ask_id}#{done.seq}"]
    assert leaf.facts["body"] == "gov_data"


def test_what_the_machine_does_is_on_record_for_whom_it_concerns(control: Control) -> None:
    city = bring_to(begun(control), "agreed")
    city.act("deliver", SYSTEM)
    assert city.ask.steps[-1].body == "emergency"


def test_the_authority_is_whose_turn_an_extension_is(control: Control) -> None:
    city = bring_to(begun(control), "submitted")
    assert flow.turn(city.ask, city.tree, "extend") == "gov_data"
    assert "extend" not in flow.allowed(city.ask, city.tree, CDO_OWNER)


def test_a_new_wording_needs_new_signatures(control: Control) -> None:
    city = begun(control, asked(JOINED))
    city.act("submit", CDO_ASKER)
    city.act("ask_supplement", person("civil", "steward"), missing="k")
    city.at += timedelta(hours=1)
    rewritten = asked(JOINED, k=30)
    flow.act(
        control, city.tree, city.ask_id, "resubmit", CDO_ASKER, city.at, Statement(asked=rewritten)
    )
    assert city.ask.asked.k == 30


def test_one_refusal_refuses_the_whole(control: Control) -> None:
    city = begun(control, asked(JOINED))
    city.act("submit", CDO_ASKER)
    city.act("accept", person("civil", "steward"))
    city.act("agree", person("civil", "cdo"))
    refused = city.act("refuse", person("health", "cdo"), reason="r", legal_basis=LAW)
    assert refused == "refused"


def test_what_is_unconditional_is_agreed_when_accepted(control: Control) -> None:
    tree = load_tree(ROOT / "contracts")
    free = next(
        c for c in tree.sources.values() if c.sharing and c.sharing.attribute == "unconditional"
    )
    source = {"contract": free.id, "columns": {free.columns[0].name: {"mask": "keep"}}}
    city = begun(control, asked(sources=[source]), tree)
    city.act("submit", CDO_ASKER)
    steward = person(free.servers[0].provider, "steward")
    assert city.act("accept", steward) == "agreed"


def test_what_is_not_shared_cannot_be_submitted_and_the_law_is_named(control: Control) -> None:
    tree = load_tree(ROOT / "contracts")
    closed = next(
        c for c in tree.sources.values() if c.sharing and c.sharing.attribute == "not_shared"
    )
    source = {"contract": closed.id, "columns": {closed.columns[0].name: {"mask": "keep"}}}
    city = begun(control, asked(sources=[source]), tree)
    assert closed.sharing is not None
    with pytest.raises(NotSharedError, match=closed.sharing.legal_basis):
        city.act("submit", CDO_ASKER)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"until": date(2026, 7, 12)}, "is over"),
        ({"sources": [{"contract": "no.such"}]}, "nothing is asked for"),
        ({"sources": [{"contract": "no.such", "policy": "x"}]}, "no contract 'no.such'"),
        ({"sources": [{"contract": "emergency.heat_readiness", "policy": "x"}]}, "no share policy"),
        ({"purpose": " "}, "purpose"),
        ({"mode": "usb"}, "mode"),
        ({"sources": [*JOINED["sources"], JOINED["sources"][0]], "by": ["month"]}, "twice"),
        ({"sources": JOINED["sources"], "by": ["no_such"]}, "no column 'no_such'"),
        ({"sources": JOINED["sources"], "by": ["street_code"], "k": 19}, "k"),
        ({"recipient": "Not A Name"}, "cannot name a recipient"),
        ({"more": 1}, "more"),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_what_cannot_be_meant_is_refused_in_words(
    control: Control, others: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        begun(control, asked(**others))
    with control.read() as session:
        assert read_asks(session) == []


def test_the_end_comes_by_itself(control: Control) -> None:
    city = bring_to(begun(control, asked(until=date(2026, 7, 20))), "delivered")
    last = MONDAY.replace(day=20)
    assert flow.sweep(control, city.tree, last) == []
    assert flow.sweep(control, city.tree, last + timedelta(days=1)) == [(city.ask_id, "close")]
    assert city.state == "closed"
    assert grants.granted_tables(control, "med_ins", MONDAY) == set()


def test_an_urgent_request_ends_when_it_said(control: Control) -> None:
    urgent = {"reason": "红色预警", "answer_within_hours": 4, "expires_on": date(2026, 7, 15)}
    city = bring_to(begun(control, asked(urgent=urgent)), "delivered")
    assert flow.sweep(control, city.tree, MONDAY + timedelta(days=3)) == [(city.ask_id, "close")]


def test_the_first_read_is_noted_once(control: Control) -> None:
    city = bring_to(begun(control), "delivered")
    path = "/delta-sharing/shares/jingshu/schemas/emergency/tables/{}/query"
    read_at = city.at + timedelta(hours=1)
    for minutes, table, files in ((0, "other", 1), (1, "heat_readiness__demo", 0)):
        _read(control, path.format(table), files, read_at + timedelta(minutes=minutes))
    assert flow.sweep(control, city.tree, read_at) == []
    _read(control, path.format("heat_readiness__demo"), 2, read_at + timedelta(minutes=5))
    assert flow.sweep(control, city.tree, read_at) == [(city.ask_id, "note_first_read")]
    noted = city.ask.last("note_first_read")
    assert noted is not None
    assert noted.at == read_at + timedelta(minutes=5)
    assert flow.sweep(control, city.tree, read_at) == []


def logged(control: Control) -> dict[str, Leaf]:
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(control.home).entries()]
    return {leaf.key: leaf for leaf in leaves}


def _read(control: Control, path: str, files: int, at: object) -> None:
    with control.write() as session:
        session.add(
            AccessRecord(
                at=at, recipient="med_ins", method="POST", path=path, status=200, files=files
            )
        )


def test_another_body_cannot_ask_for_it(control: Control) -> None:
    actor: Actor = person("health", "requester")
    with pytest.raises(JingshuError, match="may not draft request"):
        flow.draft(control, load_tree(ROOT / "contracts"), asked(), actor, MONDAY)
