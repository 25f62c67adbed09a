"""Entries: every mandatory field, codes that are unique and stay, lead sources, repetition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from sharing.catalogue import lead
from sharing.catalogue.entries import CODE, Entry, entries, findings, missing, search
from sharing.catalogue.figures import figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.tree import Tree

TREE = load_tree(ROOT / "contracts")
FOUND = entries(TREE)


@pytest.mark.parametrize("entry", FOUND, ids=lambda e: f"{e.contract}-{e.provider}")
def test_every_entry_states_every_mandatory_field(entry: Entry) -> None:
    assert list(missing(entry)) == []
    assert CODE.fullmatch(entry.code)


def test_codes_name_one_entry_each_and_stay_when_a_contract_is_gone() -> None:
    codes = {(e.contract, e.provider): e.code for e in FOUND}
    assert len(set(codes.values())) == len(FOUND) == len(codes)
    fewer = {i: c for i, c in TREE.sources.items() if i != "agri.village"}
    for entry in entries(replace(TREE, sources=fewer)):
        assert entry.code == codes[entry.contract, entry.provider]
    assert codes["health.disease_case", "health"] == "320003/000017"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"title": ""}, "name"),
        ({"items": ()}, "data_items"),
        ({"provider_code": ""}, "provider"),
        ({"format": ""}, "format"),
        ({"cycle": None}, "update_frequency"),
        ({"source_dept": ""}, "source_dept"),
        ({"attribute": ""}, "sharing_attribute"),
        ({"mode": ""}, "sharing_mode"),
        ({"use_conditions": ()}, "use_conditions"),
        ({"scope": ()}, "scope_and_purpose"),
        ({"gb43697_grade": ""}, "grade"),
        ({"secrecy_review": ""}, "secrecy_review"),
        ({"pia_id": ""}, "pi_impact_assessment"),
        ({"signed_by": ""}, "signed_by"),
        ({"attribute": "not_shared", "legal_basis": ""}, "legal_basis"),
        ({"code": "17"}, "code"),
    ],
)
def test_what_is_missing_is_named_with_its_file(change: Mapping[str, object], field: str) -> None:
    (entry,) = search(FOUND, "320003/000017")
    (finding,) = missing(replace(entry, **change))  # type: ignore[arg-type]
    assert (finding.field, finding.file) == (field, entry.file)
    assert finding.remedy.zh
    assert finding.remedy.en


def test_a_code_that_names_two_datasets_is_found() -> None:
    first, second = FOUND[:2]
    (finding,) = findings([first, replace(second, code=first.code)])
    assert (finding.field, first.contract in finding.problem.en) == ("code", True)


@pytest.mark.parametrize("words", ["疾病病例", "HEALTH icd10", "居民身份号码 突发公共卫生"])
def test_search_finds_by_name_item_and_summary(words: str) -> None:
    assert "health.disease_case" in {e.contract for e in search(FOUND, words)}
    assert search(FOUND, words + " 无此词") == ()


def test_rulings_name_items_and_bodies_there_are() -> None:
    assert list(lead.unfounded(TREE)) == []
    wrong = {"无": lead.Ruling("无", "lead", "health", "第十九条", "")}
    assert len(list(lead.unfounded(TREE, wrong))) == 1


def _two_bodies() -> Tree:
    ids = ("civil.elder_service", "disabled.certificate")
    return replace(TREE, sources={i: TREE.sources[i] for i in ids})


def test_what_two_bodies_collect_is_found_until_it_is_ruled() -> None:
    tree = _two_bodies()
    (found,) = lead.repeated(tree, {})
    assert (found.item, found.bodies) == ("手机号码", ("civil", "disabled"))
    ruling = lead.Ruling("手机号码", "lead", "civil", "政务数据共享条例 第十九条", "")
    assert lead.repeated(tree, {"手机号码": ruling}) == ()
    assert lead.lead_of(tree, {"手机号码": ruling})["手机号码"] == "civil"
    assert "手机号码" not in lead.lead_of(tree, {})


def test_a_key_is_no_collected_fact_only_because_the_glossary_says_so() -> None:
    tree = _two_bodies()
    bare = {n: t.model_copy(update={"role": None}) for n, t in tree.glossary.items()}
    found = {r.item for r in lead.repeated(replace(tree, glossary=bare), {})}
    assert {"街道（乡镇）代码", "手机号码"} <= found


def test_figures_show_both_parts() -> None:
    by_id = {f.id: (f.numerator, f.denominator) for f in figures(TREE, FOUND)}
    assert by_id["completeness"] == (len(FOUND), len(FOUND))
    assert by_id["mounted"] == (0, len(FOUND))
    broken = [replace(FOUND[0], title=""), *FOUND[1:]]
    assert figures(TREE, broken)[0].numerator == len(FOUND) - 1
