"""Rights in tables: by origin, by grant, never beyond the grantor's, and ending with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from lineage.evidence.log import EvidenceLog
from sharing import owed
from sharing.control import Control
from sharing.people import ForbiddenError
from sharing.rights import register
from sharing.rights.register import Extent, RightRow, require_rights
from sharing.rights.terms import (
    ANY_USE,
    RIGHT_TYPES,
    Asked,
    Entry,
    NoRightError,
    Register,
    Right,
    RightType,
    Terms,
    city_day,
    is_within,
    origin_holder,
)
from tests.support.sharing.asking import MONDAY, person

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.people import Actor
    from sharing.rights.terms import Chain

TREE = load_tree(ROOT / "contracts")
TABLE: Final = "health__disease_case"
TODAY = city_day(MONDAY)
LAST = date(2026, 12, 31)
HEALTH = person("health", "cdo")
#: An operator of data that is no provider, and one that it passes rights on to.
DATA_CO, SHOP = person("x_data_co", "cdo"), person("x_shop", "cdo")
AUTHORITY = person("gov_data", "authority")


def terms(*scope: str, start: date = TODAY, end: date | None = LAST) -> Terms:
    return Terms("授权运营协议 2026-3", frozenset(scope or (ANY_USE,)), start, end)


def give(
    control: Control,
    right: RightType,
    who: Actor,
    to: str,
    what: Terms | None = None,
    days: int = 0,
) -> str:
    asked = Asked(TABLE, right, to, who.body, what or terms())
    return register.grant(control, TREE, asked, who, MONDAY + timedelta(days=days))


def chain(
    control: Control, holder: str, right: RightType, on: date = TODAY, use: str = ANY_USE
) -> Chain:
    return require_rights(control, TREE, holder, TABLE, right, on, use)


def has(control: Control, holder: str, right: RightType, on: date = TODAY, use: str = "*") -> bool:
    try:
        return bool(chain(control, holder, right, on, use))
    except NoRightError:
        return False


@pytest.mark.parametrize(
    ("dataset", "holder"),
    [
        (TABLE, "health"),
        ("dongcheng__grid_case", "dongcheng"),
        ("chaoyang__grid_case", "chaoyang"),
        ("heat_readiness", "emergency"),
    ],
)
def test_a_provider_holds_its_own_by_origin(control: Control, dataset: str, holder: str) -> None:
    assert origin_holder(TREE, dataset) == holder
    for right in RIGHT_TYPES:
        (link,) = require_rights(control, TREE, holder, dataset, right, TODAY)
        assert (link.right_id, link.holder, link.right_type) == (None, holder, "hold")
    with control.read() as session:
        assert session.scalars(select(RightRow)).all() == [], "origin needs no row"


def test_a_chain_leads_back_to_the_provider(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co")
    operate = give(control, "operate", HEALTH, "x_data_co")
    onward = give(control, "process", DATA_CO, "x_shop", terms("公益"))
    sold = give(control, "operate", DATA_CO, "x_shop", terms("公益"))
    links = chain(control, "x_shop", "operate", use="公益")
    assert [(link.right_id, link.grantor, link.holder) for link in links] == [
        (None, "health", "health"),
        (operate, "health", "x_data_co"),
        (sold, "x_data_co", "x_shop"),
    ]
    assert [link.right_id for link in chain(control, "x_shop", "process", use="公益")] == [
        None,
        process,
        onward,
    ]
    log = EvidenceLog(control.home)
    assert all(link.evidence_id and log.find(link.evidence_id) for link in links[1:])


@pytest.mark.parametrize(
    ("right", "grantor", "holder", "what", "error", "words"),
    [
        ("hold", HEALTH, "x_data_co", terms(), UsageError, "nobody grants that"),
        ("process", HEALTH, "health", terms(), UsageError, "from elsewhere"),
        ("process", DATA_CO, "x_shop", terms(), NoRightError, "no such right"),
        ("process", DATA_CO, "health", terms(), UsageError, "from elsewhere"),
        ("operate", HEALTH, "x_data_co", terms(), NoRightError, "may not process"),
        (
            "process",
            HEALTH,
            "x_data_co",
            terms(start=TODAY - timedelta(days=1)),
            UsageError,
            "back-dated",
        ),
        (
            "process",
            HEALTH,
            "x_data_co",
            terms(end=TODAY - timedelta(days=1)),
            UsageError,
            "before it begins",
        ),
        ("process", HEALTH, "x_data_co", terms("*", "公益"), UsageError, "scope"),
        ("process", HEALTH, "x_data_co", replace(terms(), scope=frozenset()), UsageError, "scope"),
        ("process", HEALTH, "x_data_co", replace(terms(), legal_basis=" "), UsageError, "basis"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_nobody_can_give(
    control: Control,
    right: RightType,
    grantor: Actor,
    holder: str,
    what: Terms,
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        give(control, right, grantor, holder, what)


def test_only_the_grantors_head_or_the_authority_grants(control: Control) -> None:
    asked = Asked(TABLE, "process", "x_data_co", "health", terms())
    for stranger in (person("civil", "cdo"), person("health", "steward"), DATA_CO):
        with pytest.raises(ForbiddenError):
            register.grant(control, TREE, asked, stranger, MONDAY)
    assert register.grant(control, TREE, asked, AUTHORITY, MONDAY) == "Q2026-0001"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (terms("公益", "商业"), "is for 公益 only"),
        (terms(), "is for 公益 only"),
        (terms("公益", end=LAST + timedelta(days=1)), "ends on 2026-12-31"),
        (terms("公益", end=None), "ends on 2026-12-31"),
        (terms("公益", start=LAST + timedelta(days=1), end=None), "no such right then"),
    ],
)
def test_nobody_gives_more_than_it_has(control: Control, wanted: Terms, words: str) -> None:
    give(control, "process", HEALTH, "x_data_co", terms("公益"))
    with pytest.raises(NoRightError, match=words):
        give(control, "process", DATA_CO, "x_shop", wanted)
    give(control, "process", DATA_CO, "x_shop", terms("公益"))


def test_a_right_ends_on_its_last_day(control: Control) -> None:
    start = TODAY + timedelta(days=2)
    give(control, "process", HEALTH, "x_data_co", terms(start=start))
    held = [has(control, "x_data_co", "process", d) for d in (TODAY, start, LAST)]
    assert held == [False, True, True]
    assert not has(control, "x_data_co", "process", LAST + timedelta(days=1))


def test_what_came_from_a_right_ends_with_it(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co")
    give(control, "operate", HEALTH, "x_data_co")
    give(control, "process", DATA_CO, "x_shop")
    assert has(control, "x_shop", "process")
    later = MONDAY + timedelta(days=3)
    register.cancel(control, TREE, process, "滥用", HEALTH, later)
    after = city_day(later)
    assert has(control, "x_data_co", "process", TODAY), "until then it was its own"
    for holder, right in (
        ("x_data_co", "process"),
        ("x_data_co", "operate"),
        ("x_shop", "process"),
    ):
        assert not has(control, holder, right, after)  # type: ignore[arg-type]  # of the three
    with pytest.raises(UsageError, match="is cancelled"):
        register.cancel(control, TREE, process, "再次", HEALTH, later)


def test_a_holder_may_give_up_and_a_stranger_may_not_cancel(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co")
    with pytest.raises(ForbiddenError):
        register.cancel(control, TREE, process, "…", SHOP, MONDAY)
    with pytest.raises(UsageError, match="says why"):
        register.cancel(control, TREE, process, " ", DATA_CO, MONDAY)
    register.cancel(control, TREE, process, "不再需要", DATA_CO, MONDAY)
    assert not has(control, "x_data_co", "process")


def test_a_change_counts_from_its_day_and_narrows_what_came_from_it(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co", terms("公益", "商业"))
    give(control, "process", DATA_CO, "x_shop", terms("公益", "商业"))
    later = MONDAY + timedelta(days=3)
    narrow = frozenset(("公益",))
    register.change(control, TREE, process, Extent(narrow, LAST), "调整", HEALTH, later)
    after = city_day(later)
    for holder in ("x_data_co", "x_shop"):
        assert has(control, holder, "process", TODAY, "商业")
        assert not has(control, holder, "process", after, "商业")
        assert has(control, holder, "process", after, "公益")


def test_a_change_cannot_go_beyond_the_grantor(control: Control) -> None:
    give(control, "process", HEALTH, "x_data_co", terms("公益"))
    child = give(control, "process", DATA_CO, "x_shop", terms("公益"))
    wide = frozenset(("公益", "商业"))
    with pytest.raises(NoRightError, match="is for 公益 only"):
        register.change(control, TREE, child, Extent(wide, LAST), "扩大", DATA_CO, MONDAY)
    before = TODAY - timedelta(days=1)
    with pytest.raises(UsageError, match="before it begins"):
        register.change(control, TREE, child, Extent(wide, before), "缩短", DATA_CO, MONDAY)


def test_a_correction_is_of_words_from_the_start(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co")
    later = MONDAY + timedelta(days=3)
    register.correct(control, TREE, process, "授权运营协议 2026-4", "笔误", HEALTH, later)
    assert chain(control, "x_data_co", "process", TODAY)[-1].legal_basis == "授权运营协议 2026-4"
    with control.read() as session:
        rows = session.scalars(select(RightRow).order_by(RightRow.seq)).all()
    assert [(r.seq, r.kind) for r in rows] == [(0, "first"), (1, "correct")]
    assert [r.legal_basis[-1] for r in rows] == ["3", "4"], "what was written stays"


def test_a_registration_that_crashed_before_its_leaf_is_settled(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("no space left")

    with Control(home) as control:
        with monkeypatch.context() as patched:
            patched.setattr(EvidenceLog, "append", crash)
            with pytest.raises(OSError, match="no space"):
                give(control, "process", HEALTH, "x_data_co")
        with control.read() as session:
            assert session.scalars(select(RightRow.leaf_at)).all() == [None]
        owed.settle(control, RightRow)
        owed.settle(control, RightRow)
        with control.read() as session:
            row = session.scalars(select(RightRow)).one()
        assert row.leaf_at is not None
        logged = EvidenceLog(home).find("rights:Q2026-0001#0")
        assert logged is not None
        assert logged.leaf == register.right_leaf(row)
        assert "协议" not in logged.leaf.canonical().decode(), "words stay out of the log"


def test_a_right_whose_parent_was_deleted_is_none(control: Control) -> None:
    process = give(control, "process", HEALTH, "x_data_co")
    give(control, "process", DATA_CO, "x_shop")
    with control.write() as session:
        session.execute(delete(RightRow).where(RightRow.id == process))
    assert not has(control, "x_shop", "process")


_days = st.integers(0, 40).map(lambda n: TODAY + timedelta(days=n))
_scopes = st.sets(st.sampled_from("abc"), min_size=1).map(frozenset) | st.just(frozenset("*"))
_terms = st.builds(
    lambda scope, days: Terms("依据", scope, min(days), max(days)),
    _scopes,
    st.tuples(_days, _days),
)


@given(st.lists(st.tuples(_terms, st.integers(0, 4), st.none() | _days), max_size=6), _days)
def test_no_right_in_force_is_wider_than_what_it_came_from(
    made: list[tuple[Terms, int, date | None]], on: date
) -> None:
    rights: dict[str, Right] = {}
    for i, (what, above, ended) in enumerate(made):
        parent = f"Q{above}" if above < i else None
        first = Entry("first", what, "", "li", MONDAY, f"rights:Q{i}#0")
        entries = [first]
        if ended:
            at = MONDAY + (ended - TODAY)
            entries.append(replace(first, kind="cancel", at=at))
        grantor = rights[parent].holder if parent else "health"
        rights[f"Q{i}"] = Right(f"Q{i}", TABLE, "process", f"h{i}", grantor, parent, tuple(entries))
    found = Register(TREE, rights)
    for right in rights.values():
        terms = found.in_force(right, on)
        if terms is None:
            continue
        assert not any(e.kind == "cancel" and city_day(e.at) <= on for e in right.entries)
        assert terms.covers(on)
        if right.parent is not None:
            above_terms = found.in_force(rights[right.parent], on)
            assert above_terms is not None
            assert is_within(terms.scope, above_terms.scope)
