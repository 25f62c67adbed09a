"""The catalogue, and the form that asks for a dataset: only what may be asked for is on offer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.model import SHARE_CEILING
from portal.web.asking import askable
from sharing.requests.parties import AboveCeilingError, level_under, parties_of
from sharing.requests.tables import read_ask, read_asks
from tests.support.sharing.asking import ASKER, JOINED, asked

if TYPE_CHECKING:
    from contracts.model import Contract
    from tests.support.town import Town

_SOURCES = sorted(load_tree(ROOT / "contracts").sources)
_WORDS = {
    "title": "病例",
    "recipient": "med_ins",
    "purpose": "监测",
    "legal_basis": "条例 第十四条",
    "scenario": "s",
    "scope": "s",
    "mode": "api",
    "until": "2026-09-30",
    "contract": "health.disease_case",
}


@pytest.mark.parametrize("contract_id", _SOURCES)
def test_what_is_offered_can_be_asked_for_and_nothing_above_the_ceiling(contract_id: str) -> None:
    tree = load_tree(ROOT / "contracts")
    contract: Contract = tree.sources[contract_id]
    offered = [(a.column, c) for a in askable(contract) for c in a.choices]
    for column, choice in offered:
        source = {"contract": contract_id, "columns": {column.name: choice.release.model_dump()}}
        parties_of(asked(sources=[source]), tree)  # raises where it may not be
        assert level_under(column.effective_level, choice.release.mask) <= SHARE_CEILING
    keys = {(column.name, choice.key) for column, choice in offered}
    assert len(keys) == len(offered)
    for column in contract.columns:
        if (column.name, "keep") in keys or getattr(column.release, "mask", None) == "keep":
            continue
        source = {"contract": contract_id, "columns": {column.name: {"mask": "keep"}}}
        with pytest.raises(AboveCeilingError):
            parties_of(asked(sources=[source]), tree)


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("q=高温", "emergency.heat_readiness", "health.disease_case"),
        ("provider=health", "health.disease_case", "emergency.heat_readiness"),
        ("level=L2", "civil.care_home", "agri.village"),
        ("attribute=unconditional", "agri.village", "health.disease_case"),
        ("q=no-such-thing-anywhere", "No entry matches", "/catalogue/"),
    ],
)
def test_the_catalogue_is_searched(town: Town, query: str, there: str, not_there: str) -> None:
    shown = town.asker.in_english().get(f"/catalogue?{query}").text
    assert there in shown
    assert not_there not in shown


def test_an_entry_shows_its_columns_and_levels(town: Town) -> None:
    shown = town.asker.get("/catalogue/health.disease_case").text
    assert re.search(r">person_id</th>.*?居民身份号码", shown)
    assert "有条件共享" in shown
    assert town.asker.get("/catalogue/no.such").status_code == 404
    reader = town.person("gov_data", "auditor").get("/catalogue/health.disease_case")
    assert "/requests/new" not in reader.text


def test_what_is_not_shared_says_by_which_law(town: Town) -> None:
    closed = next(
        c for c in town.tree.sources.values() if c.sharing and c.sharing.attribute == "not_shared"
    )
    assert closed.sharing
    shown = town.asker.get(f"/catalogue/{closed.id}").text
    assert str(closed.sharing.legal_basis) in shown
    assert "/requests/new" not in shown


def test_columns_are_asked_for_under_the_masks_that_were_chosen(town: Town) -> None:
    chosen = {
        **_WORDS,
        "column.onset_date": "owner",
        "column.street_code": "keep",
        "column.person_id": "",
        "rows": "street_code LIKE '110101%'",
        "body": "health",
    }
    kept = town.asker.post("/requests/new", chosen)
    assert kept.status_code == 303, kept.text
    with town.control.read() as session:
        made = read_ask(session, kept.headers["location"].rpartition("/")[2]).asked
    (source,) = made.sources
    masks = {name: release.model_dump() for name, release in source.columns.items()}
    assert masks == {
        "onset_date": {"mask": "truncate_date", "to": "month"},
        "street_code": {"mask": "keep"},
    }
    assert source.rows == "street_code LIKE '110101%'"
    assert made.body == ASKER
    assert "日期取整" in town.asker.get(kept.headers["location"]).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"column.person_id": "hmac_sm3"}, "person_id cannot be asked for"),
        ({"column.street_code": "partial"}, "street_code cannot be asked for"),
        ({"column.no_such": "keep"}, "no_such cannot be asked for"),
        ({"column.street_code": ""}, "nothing is asked for"),
        ({"rows": "1; DROP TABLE x"}, "is refused"),
        ({"until": "2026-07-12"}, "is over"),
        ({"until": "morgen"}, "until"),
        ({"purpose": " "}, "purpose"),
        ({"mode": "usb"}, "mode"),
        ({"recipient": "No Name"}, "cannot name a recipient"),
        ({"providers": "civil"}, "no provider"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_form_that_cannot_be_meant_comes_back_with_what_was_typed(
    town: Town, change: dict[str, str], words: str
) -> None:
    sent = {**_WORDS, "column.street_code": "keep", "scenario": "值守席", **change}
    answer = town.asker.in_english().post("/requests/new", sent)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'value="值守席"' in answer.text
    with town.control.read() as session:
        assert read_asks(session) == []


@pytest.mark.parametrize("contract", ["", "no.such", "requests.request_r2026_0001"])
def test_what_is_not_in_the_catalogue_is_not_asked_for(town: Town, contract: str) -> None:
    assert town.asker.get(f"/requests/new?contract={contract}").status_code == 404
    assert town.asker.post("/requests/new", _WORDS, contract=contract).status_code == 404


def test_several_providers_are_asked_in_a_text(town: Town) -> None:
    shown = town.asker.get("/requests/text").text
    assert f"body: {ASKER}" in shown
    written = asked(JOINED).model_dump_json()
    kept = town.asker.post("/requests/text", text=written)
    assert kept.status_code == 303, kept.text
    with town.control.read() as session:
        (made,) = read_asks(session)
    assert made.asked == asked(JOINED)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", 400, "no mapping"),
        ("[1]", 400, "no mapping"),
        ("a: [", 400, "not readable"),
        ("a: !!python/object/apply:os.system [ls]", 400, "not readable"),
        ("a: &a [x]\nb: *a", 400, "Field required"),
        ("[" * 500, 400, "nested too deeply"),
        (asked(JOINED, body="health").model_dump_json(), 403, "may not draft request for health"),
    ],
    ids=["empty", "list", "broken", "tag", "alias", "deep", "another body"],
)
def test_a_text_that_cannot_be_meant_comes_back(
    town: Town, text: str, status: int, words: str
) -> None:
    answer = town.asker.in_english().post("/requests/text", text=text)
    assert answer.status_code == status
    assert words in answer.text
    assert "/申请.yaml" not in answer.text  # where it lay for a moment is nobody's to know
