"""Warming up: a whole try of made rows, of which nothing stays."""

from __future__ import annotations

import csv
import dataclasses
import io
import tempfile
from typing import TYPE_CHECKING

import pytest

from jobs.land.header import match_header
from jobs.warm import made_rows, warm
from tests.conftest import TREE

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract

SHEETS = [c for c in TREE.sources.values() if c.servers[0].format == "csv"]


@pytest.mark.spark
def test_a_warm_up_goes_through_every_stage_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark_remote: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path / "home"))
    tried = warm(TREE)
    assert tried is not None
    assert TREE.contract(tried).level == "L4", "sealing is warmed up too"
    assert list(tmp_path.iterdir()) == []


def test_a_tree_without_tables_in_text_warms_nothing() -> None:
    others = {i: c for i, c in TREE.sources.items() if c.servers[0].format != "csv"}
    assert warm(dataclasses.replace(TREE, sources=others)) is None


@pytest.mark.parametrize("contract", SHEETS, ids=lambda c: c.id)
def test_made_rows_have_the_layout_of_the_contract(contract: Contract) -> None:
    export = contract.servers[0].export
    rows = list(csv.reader(io.StringIO(made_rows(contract)), delimiter=export.delimiter))
    header, *data = rows[export.header_row - 1 :]
    assert set(match_header(contract, export, header).positions) == {
        c.name for c in contract.columns
    }
    assert data
    assert {len(row) for row in data} == {len(contract.columns)}
