"""``jingshu land`` takes every format that a contract can name, offline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from contracts.loading import load_tree
from infra.sandbox.layouts import Layout
from infra.sandbox.planting import Row
from infra.sandbox.rendering import render
from tests.support.shop import day
from tests.support.small import source, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calling import Jingshu

VISITS = [{"visit_id": f"V{n}", "guests": str(n)} for n in range(5)]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "xml", "parquet"])
def test_every_format_lands_the_same_rows(jingshu: Jingshu, tmp_path: Path, kind: str) -> None:
    contract = source()
    contract["servers"][0]["format"] = kind
    (tmp_path / "contracts").mkdir()
    tree = load_tree(write(tmp_path / "contracts", contract))
    layout = Layout.of(tree.contract("town.visit"), "museum", drifted=False, secret=False)
    made = render(layout, [Row(cells) for cells in VISITS], day(1))
    file, out = tmp_path / made.name, tmp_path / "out"

    file.write_bytes(made.content)
    arguments = ("--contract", "town.visit", "--out", out)
    said = jingshu("land", file, *arguments, "--json", contracts=tree.root)
    assert said.code == 0, said.err
    told = said.json
    assert (told["rows"], told["rows_ragged"], told["findings"]) == (5, 0, [])
    assert told["kind"] == ("text" if kind == "csv" else kind)
    rows = DeltaTable(str(out)).to_pyarrow_table().sort_by("_source_line").to_pylist()
    assert [{n: r[n] for n in ("visit_id", "guests")} for r in rows] == VISITS
    assert tuple(r["_source_line"] for r in rows) == made.lines

    file.write_bytes(render(replace(layout, is_secret=True), [Row(VISITS[0])], day(1)).content)
    marked = jingshu(
        "land", file, "--contract", "town.visit", "--out", tmp_path / "marked", contracts=tree.root
    )
    assert marked.code == 1
    assert "机密" in marked.err
    assert not (tmp_path / "marked").exists()

    file.write_bytes(made.content[:-4])
    arguments = ("--contract", "town.visit", "--out", tmp_path / "cut")
    cut = jingshu("land", file, *arguments, "--json", contracts=tree.root)
    if kind in ("csv", "jsonl"):  # the last line alone has lost its end
        assert (cut.code, cut.json["rows_ragged"]) == (0, 1)
    else:
        assert cut.code == 1
        assert "museum/visit" in cut.err
        assert not (tmp_path / "cut").exists()
