"""Each district is granted what products return to it, and nothing of another's."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from contracts.loading import load_tree
from contracts.words import Words
from sharing.grants import grants
from sharing.grants.returned import PURPOSE, grant_returned
from tests.support.returning import returning_tree
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.tree import Tree
    from sharing.control import Control

TABLE = "returned_pharmacy__{}"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return load_tree(returning_tree(tmp_path / "tree"))


def test_a_district_is_granted_its_own_table_once_it_is_there(control: Control, tree: Tree) -> None:
    assert grant_returned(control, tree) == []
    for name in ("haidian", "miyun"):
        write_shared(control.home, TABLE.format(name), districts(("110108", "中关村", 1)))
    new = [(name, TABLE.format(name)) for name in ("haidian", "miyun")]
    assert grant_returned(control, tree) == new
    assert grant_returned(control, tree) == []
    for name, table in new:
        assert grants.granted_tables(control, name) == {table}
    assert len(grants.list_grants(control)) == 2


def test_a_grant_of_an_earlier_version_stays_and_is_taken_back(
    control: Control, tree: Tree
) -> None:
    table = TABLE.format("haidian")
    write_shared(control.home, table, districts(("110108", "中关村", 1)))
    before = "区级数据回流 Returned to the district (Decree 809, Art. 24)"
    grants.grant(control, "haidian", table, before, actor="system", body="haidian")
    assert grant_returned(control, tree) == []
    assert [g.purpose for g in grants.list_grants(control)] == [before]
    shutil.rmtree(tree.root / "products")
    assert grant_returned(control, load_tree(tree.root)) == []
    assert {g.purpose: g.state for g in grants.list_grants(control)} == {before: "revoked"}


def test_the_purpose_is_kept_whole_in_each_language() -> None:
    words = Words.read(PURPOSE)
    assert (words.zh[:6], words.en[:8]) == ("区级数据回流", "Returned")


def test_what_is_returned_no_more_is_taken_back(control: Control, tree: Tree) -> None:
    write_shared(control.home, TABLE.format("haidian"), districts(("110108", "中关村", 1)))
    grant_returned(control, tree)
    grants.grant(control, "haidian", TABLE.format("haidian"), "另有用途", actor="test")
    shutil.rmtree(tree.root / "products")
    without = load_tree(tree.root)
    assert grant_returned(control, without) == []
    assert {g.purpose: g.state for g in grants.list_grants(control)} == {
        "另有用途": "active",
        PURPOSE: "revoked",
    }
