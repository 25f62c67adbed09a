"""The grading model: the standard's matrix, what raises a table, and who may lower a column."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, get_args

import pytest
import yaml

from contracts.document import ContractError
from contracts.errors import UsageError
from contracts.grading import (
    IMPORTANT_PERSONS,
    MANY_PERSONS,
    Degree,
    Grade,
    HarmedObject,
    grade,
    grade_of,
    is_below,
    measures,
    table_grade,
)
from contracts.lint import lint
from contracts.loading import load_tree
from contracts.model import LEVELS, Contract, Level
from tests.conftest import TREE
from tests.support.small import Node, column, custom, product, properties, set_custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.vocabulary import QuasiIdentifier

each = pytest.mark.parametrize(
    "contract", [*TREE.sources.values(), *TREE.products.values()], ids=lambda c: c.id
)


@pytest.mark.parametrize(
    ("harmed", "degree", "expected"),
    [
        ("national_security", "very_serious", Grade("core", None)),
        ("national_security", "serious", Grade("core", None)),
        ("national_security", "slight", Grade("important", "L4")),
        ("economy", "very_serious", Grade("core", None)),
        ("social_order", "serious", Grade("important", "L4")),
        ("public_interest", "slight", Grade("general", "L4")),
        ("organisation", "very_serious", Grade("general", "L4")),
        ("individual", "serious", Grade("general", "L3")),
        ("individual", "slight", Grade("general", "L2")),
        ("individual", "none", Grade("general", "L1")),
    ],
)
def test_the_matrix_is_the_standards(harmed: HarmedObject, degree: Degree, expected: Grade) -> None:
    assert grade(harmed, degree) == expected


def test_the_matrix_knows_every_harm_and_worse_harm_is_never_less() -> None:
    for harmed in get_args(HarmedObject):
        cells = [grade(harmed, d) for d in get_args(Degree)]
        for worse, milder in itertools.pairwise(cells):
            assert not is_below(worse.gb43697, milder.gb43697)
            assert (worse.level or "L5") >= (milder.level or "L5")
    with pytest.raises(UsageError, match="no harm 'huge'"):
        grade("individual", "huge")  # type: ignore[arg-type]


def test_every_level_has_its_measures() -> None:
    assert [measures(level).name for level in LEVELS] == ["公开", "内部", "敏感", "高敏"]
    assert "SM4" in measures("L3").at_rest
    assert "k≥20" in measures("L4").release_form
    assert "市级" in measures("important").approval
    assert "不写入" in measures("core").at_rest
    with pytest.raises(UsageError):
        measures("secret")  # type: ignore[arg-type]


MEETING: tuple[QuasiIdentifier, ...] = ("district", "birth_date", "sex")


@pytest.mark.parametrize(
    ("columns", "roles", "persons", "level", "gb43697"),
    [
        (("L1", "L2"), (), None, "L2", "general"),
        ((), (), None, "L3", "general"),
        (("L1", "L2"), MEETING[:2], None, "L2", "general"),
        (("L1", "L2"), MEETING, None, "L3", "general"),
        (("L4",), MEETING, None, "L4", "general"),
        (("L2",), (), MANY_PERSONS, "L2", "general"),
        (("L2",), (), MANY_PERSONS + 1, "L3", "general"),
        (("L2",), MEETING, MANY_PERSONS + 1, "L3", "general"),
        (("L2",), (), IMPORTANT_PERSONS - 1, "L3", "general"),
        (("L2",), (), IMPORTANT_PERSONS, "L4", "important"),
    ],
)
def test_what_raises_a_table(
    columns: tuple[Level, ...],
    roles: tuple[QuasiIdentifier, ...],
    persons: int | None,
    level: Level,
    gb43697: str,
) -> None:
    found = table_grade(columns, roles, persons)
    assert (found.level, found.gb43697) == (level, gb43697)
    assert bool(found.reasons) == (bool(columns) and found.level > max(columns)) or "L4" in columns


@each
def test_every_packaged_table_is_graded_at_least_as_what_it_comes_to(contract: Contract) -> None:
    assert contract.grading is not None
    found = grade_of(contract, TREE.glossary)
    assert contract.grading.level >= found.level
    assert not is_below(contract.grading.gb43697, found.gb43697)


def person_columns() -> list[Node]:
    return [
        column("street", customProperties=custom(quasi_identifier="district")),
        column("born", customProperties=custom(quasi_identifier="birth_date")),
        column("gender", customProperties=custom(quasi_identifier="sex")),
    ]


def told(root: Path, *contracts: Node) -> list[str]:
    """What lint says, which is what reading the tree says first."""
    write(root, *contracts)
    _, errors = lint(root)
    if errors:
        with pytest.raises(ContractError) as stopped:
            load_tree(root)
        assert str(stopped.value) in [str(e) for e in errors]
        assert all(e.line for e in errors)
    return [str(e) for e in errors]


def test_quasi_identifiers_that_meet_raise_what_a_contract_must_declare(tmp_path: Path) -> None:
    contract = source()
    properties(contract).extend(person_columns())
    (said,) = told(tmp_path, contract)
    assert "graded L1, below" in said
    assert "L2 (district, birth date and sex meet in it)" in said
    assert said.endswith("Grade the table L2: the highest counts.")
    set_custom(contract, "grading", {"gb43697": "general", "level": "L2"})
    assert told(tmp_path, contract) == []


def test_names_of_the_glossary_are_quasi_identifiers_too(tmp_path: Path) -> None:
    contract = source()
    street = {
        "businessName": "街道",
        "description": "街道",
        "logicalType": "string",
        "physicalType": "string",
        "classification": "L1",
        "quasi_identifier": "district",
    }
    (tmp_path / "glossary.yaml").write_text(yaml.safe_dump({"columns": {"street": street}}))
    columns = person_columns()
    columns[0] = column("street", businessName="街道", physicalType="string")
    properties(contract).extend(columns)
    assert "birth date and sex meet" in told(tmp_path, contract)[0]


@pytest.mark.parametrize(
    ("grading", "words"),
    [
        ({"gb43697": "general", "level": "L1", "persons": 1_000_001}, "L2 (its rows are about"),
        ({"gb43697": "general", "level": "L4", "persons": 10_000_000}, "it is important data"),
    ],
)
def test_many_persons_raise_it(tmp_path: Path, grading: Node, words: str) -> None:
    contract = source()
    set_custom(contract, "grading", grading)
    assert words in told(tmp_path, contract)[0]


LOWERING = {
    "function": "partial",
    "approval": "A-1",
    "approved_by": "cdo",
    "approved_on": "2026-01-01",
    "reason": "统计",
}
APPROVAL = {
    "id": "A-1",
    "function": "partial",
    "column": "town.busy_days.guests",
    "from": "L3",
    "to": "L1",
    "approver": "cdo",
    "date": "2026-01-01",
    "reason": "统计",
}


def lowered(root: Path, approvals: object, **changes: object) -> list[str]:
    made = product()
    properties(made)[0]["customProperties"] = custom(lowering=LOWERING | changes)
    if approvals is not None:
        (root / "approvals.yaml").write_text(yaml.safe_dump({"approvals": approvals}), "utf-8")
    return told(root, source(), made)


def test_a_lowering_that_is_registered_is_right(tmp_path: Path) -> None:
    assert lowered(tmp_path, [APPROVAL]) == []
    assert load_tree(tmp_path).approvals


@pytest.mark.parametrize(
    ("approvals", "changes", "words"),
    [
        (None, {}, "the tree has no approvals.yaml Write approvals.yaml at the tree's root"),
        ([], {}, "has no approval 'A-1' for town.busy_days.guests"),
        ([APPROVAL | {"column": "town.busy_days.other"}], {}, "has no approval 'A-1'"),
        ([APPROVAL], {"approval": "A-2"}, "has no approval 'A-2'"),
        ([APPROVAL], {"function": "generalise"}, "approved was partial"),
        ([APPROVAL], {"approved_by": "me"}, "it names me, the register cdo"),
        ([APPROVAL], {"approved_on": "2026-01-02"}, "dated 2026-01-02, the register 2026-01-01"),
        ([APPROVAL | {"to": "L2"}], {}, "its level is L1, approved was L2"),
        ([APPROVAL], {"reason": ""}, "at least 1 character"),
        ([APPROVAL], {"function": "rot13"}, "none of the words"),
        ([APPROVAL | {"to": "L3"}], {}, "lowers nothing"),
        ([APPROVAL, APPROVAL], {}, "twice"),
        ({"a": 1}, {}, "no list of approvals"),
    ],
)
def test_a_lowering_that_nobody_approved_so_is_told(
    tmp_path: Path, approvals: object, changes: Node, words: str
) -> None:
    said = lowered(tmp_path, approvals, **changes)
    assert any(
        words in one.replace("approvals.yaml. Write", "approvals.yaml Write") for one in said
    )


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"policies": [{"name": "p", "columns": {}, "sensitive": ["guests"]}]}, "not release"),
        (
            {"policies": [{"name": "p", "columns": {"guests": {"mask": "keep"}}, "l": 2}]},
            "l = 2 of nothing",
        ),
        ({"totals": [{"column": "guest", "by": ["guests"]}]}, "'guest', which is no column"),
        ({"totals": [{"column": "guests", "by": []}]}, "no group"),
    ],
)
def test_what_is_measured_must_be_there(tmp_path: Path, plan: Node, words: str) -> None:
    made = product()
    whole = {"inputs": ["town.visit"], "sql": "busy_days.sql", "k": 20}
    set_custom(made, "product", whole | plan)
    assert words in told(tmp_path, source(), made)[0]
