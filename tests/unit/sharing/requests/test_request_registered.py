"""The catalogue's register and requests: what is known and not published is not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.digest import sha256
from contracts.layout import ROOT
from contracts.loading import load_tree
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.catalogue.entries import entries
from sharing.catalogue.register import take
from sharing.requests import seeds
from sharing.requests.registered import NotCataloguedError
from sharing.requests.tables import read_asks
from tests.support.sharing.asking import CDO_ASKER, JOINED, MONDAY, STEWARD, asked, begun, person
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from sharing.catalogue.entries import Entry
    from sharing.catalogue.steps import Action
    from sharing.control import Control
    from tests.support.sharing.asking import City

TREE = load_tree(ROOT / "contracts")
AUTHORITY = person("gov_data", "authority")
CATALOGUED: tuple[Action, ...] = ("clear", "submit", "approve")


def of(contract: str, provider: str) -> Entry:
    return next(e for e in entries(TREE) if (e.contract, e.provider) == (contract, provider))


PRODUCT = of("emergency.heat_readiness", "emergency")
ELDERS = of("civil.elder_service", "civil")


def register(control: Control, entry: Entry, *actions: Action) -> None:
    said = {"signed_by": entry.signed_by, "pia_id": entry.pia_id, "reason": "核对"}
    cdo = person(entry.provider, "cdo")
    for action in actions:
        take(
            control,
            entry,
            action,
            said,
            AUTHORITY if action in ("approve", "return") else cdo,
            MONDAY,
        )


def submitted(city: City) -> dict[str, str]:
    city.act("submit", CDO_ASKER)
    return dict(city.ask.steps[-1].statements)


def test_what_is_not_registered_is_let_through_and_said(control: Control) -> None:
    city = begun(control)
    said = submitted(city)
    assert said == {"unregistered": "emergency.heat_readiness (emergency)"}
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(control.home).entries()]
    (leaf,) = [x for x in leaves if x.subject == f"{city.ask_id}#1"]
    words = '{"unregistered": "emergency.heat_readiness (emergency)"}'
    assert leaf.facts["said_sha256"] == sha256(words)


@pytest.mark.parametrize(
    "way",
    [
        CATALOGUED,
        (*CATALOGUED, "change"),
        (*CATALOGUED, "change", "clear"),
        (*CATALOGUED, "change", "clear", "submit"),
    ],
    ids=lambda way: way[-1],
)
def test_what_is_published_is_asked_for_while_it_is_changed_too(
    control: Control, way: tuple[Action, ...]
) -> None:
    register(control, PRODUCT, *way)
    assert submitted(begun(control)) == {}


@pytest.mark.parametrize(
    ("way", "state", "remedy"),
    [
        (("clear",), "assessed", "must submit it"),
        (("withhold",), "withheld", "assess it again"),
        (("clear", "submit"), "submitted", "must review it"),
        (("clear", "submit", "return"), "returned", "mend it"),
        ((*CATALOGUED, "change", "withhold"), "withheld", "assess it again"),
        ((*CATALOGUED, "change", "clear", "submit", "return"), "returned", "mend it"),
    ],
)
def test_what_is_registered_and_not_published_is_not(
    control: Control, way: tuple[Action, ...], state: str, remedy: str
) -> None:
    register(control, PRODUCT, *way)
    city = begun(control)
    with pytest.raises(NotCataloguedError, match=remedy) as refused:
        city.act("submit", CDO_ASKER)
    assert f"{PRODUCT.code} (emergency.heat_readiness of emergency)" in refused.value.words.en
    assert f"is {state} in the catalogue's register" in refused.value.words.en
    assert city.state == "draft"


def test_every_source_is_looked_up(control: Control) -> None:
    register(control, ELDERS, *CATALOGUED)
    city = begun(control, asked(JOINED))
    assert submitted(city) == {"unregistered": "health.disease_case (health)"}
    register(control, ELDERS, "change", "withhold")
    with pytest.raises(NotCataloguedError, match="elder_service"):
        begun(control, asked(JOINED, title="再要")).act("submit", CDO_ASKER)


def test_of_several_providers_each_has_its_own_entry(control: Control) -> None:
    several = next(c for c in TREE.sources.values() if len(c.servers) > 1)
    first, second = (s.provider for s in several.servers[:2])
    column = next(c for c in several.columns if c.effective_level == "L1")
    source = {"contract": several.id, "columns": {column.name: {"mask": "keep"}}}
    register(control, of(several.id, first), "withhold")
    other = asked(sources=[{**source, "providers": [second]}])
    assert submitted(begun(control, other)) == {"unregistered": f"{several.id} ({second})"}
    with pytest.raises(NotCataloguedError, match=f"{several.id} of {first}"):
        submitted(begun(control, asked(sources=[{**source, "providers": [first]}])))


def test_a_resubmission_is_held_against_the_register_too(control: Control) -> None:
    city = begun(control)
    city.act("submit", CDO_ASKER)
    city.act("ask_supplement", STEWARD, missing="范围")
    register(control, PRODUCT, "withhold")
    with pytest.raises(NotCataloguedError, match="withheld"):
        city.act("resubmit", CDO_ASKER)


def test_seeds_leave_what_the_register_holds_back(control: Control) -> None:
    write_shared(control.home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    register(control, PRODUCT, "withhold")
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        states = [ask.state for ask in read_asks(session)]
    assert states == ["draft", "draft", "draft", "submitted"]
    register(control, PRODUCT, *CATALOGUED)
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        states = [ask.state for ask in read_asks(session)]
    assert states == ["delivered", "refused", "draft", "submitted"]


def test_the_register_has_the_word(control: Control) -> None:
    city = begun(control)
    city.act("submit", CDO_ASKER, unregistered="none")
    assert city.ask.steps[-1].statements["unregistered"] == "emergency.heat_readiness (emergency)"
