"""``jingshu land``: one export as text, offline; refusals in words."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from contracts.loading import load_tree
from tests.support.shop import shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calling import Jingshu, Said

TEXT = "CODE,QTY,BUYER,GONE\nA1,1,张三,否\nA2,2\nA3,3,李四,否\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sale.csv"
    path.write_bytes(TEXT.encode("gb18030"))
    return path


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return shop_tree(tmp_path / "contracts").root


def land(jingshu: Jingshu, file: Path, contracts: Path, out: Path, *more: object) -> Said:
    return jingshu(
        "land", file, "--contract", "shop.sale", "--out", out, *more, contracts=contracts
    )


def test_every_cell_lands_as_text_with_its_line(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = land(jingshu, file, contracts, out, "--simulated", "--json", "--date", "2026-07-01")
    assert said.code == 0, said.err
    told = said.json
    assert (told["rows"], told["rows_ragged"], told["encoding"]) == (3, 1, "gb18030")
    assert (told["contract"], told["provider"], told["origin"]) == (
        "shop.sale",
        "shop",
        "simulated",
    )
    assert told["business_date"] == "2026-07-01"
    rows = DeltaTable(str(out)).to_pyarrow_table().sort_by("_source_line").to_pylist()
    assert [(r["_source_line"], r["code"], r["qty"], r["buyer"]) for r in rows] == [
        (2, "A1", "1", "张三"),
        (3, None, None, None),
        (4, "A3", "3", "李四"),
    ]
    assert [r["_row_error"] is None for r in rows] == [True, False, True]
    # Whose cell a shifted one is, nobody knows: none stands under a name of a lower level.
    assert json.loads(json.loads(rows[1]["_extra"])["_cells"]) == ["A2", "2"]
    assert list(out.glob("*.parquet"))


def test_the_same_file_again_writes_nothing(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert land(jingshu, file, contracts, out, "--simulated").code == 0
    table = DeltaTable(str(out))
    assert table.version() == 0
    file.write_text(TEXT.replace("A1", "B1"), "utf-8")
    assert land(jingshu, file, contracts, out, "--simulated").code == 0
    assert DeltaTable(str(out)).to_pyarrow_table().num_rows == 6


def test_a_file_below_a_sandbox_is_simulated_and_names_its_date(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path
) -> None:
    (tmp_path / ".jingshu-sandbox.json").write_text('{"origin": "simulated"}')
    folder = tmp_path / "shop" / "sale" / "2026-07-03"
    folder.mkdir(parents=True)
    moved = file.rename(folder / file.name)
    told = land(jingshu, moved, contracts, tmp_path / "out", "--json").json
    assert (told["origin"], told["business_date"]) == ("simulated", "2026-07-03")


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (b"", ("--simulated",), "empty"),
        (b"CODE,QTY,BUYER,GONE\n", ("--simulated",), "no rows"),
        (b"CODE,QTY\nA1,1\n", ("--simulated",), "lacks BUYER"),
        ("机密★1年\nCODE,QTY,BUYER,GONE\n".encode(), ("--simulated",), "机密★"),
    ],
    ids=["empty", "header-only", "other-columns", "secret"],
)
def test_refusals_are_words_and_leave_nothing(
    jingshu: Jingshu,
    file: Path,
    contracts: Path,
    tmp_path: Path,
    content: bytes,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    file.write_bytes(content)
    said = land(jingshu, file, contracts, tmp_path / "out", *arguments)
    assert said.code == 1
    assert words in said.err
    assert "shop/sale" in said.err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_things_is_left_alone(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    said = land(jingshu, file, contracts, out, "--simulated")
    assert said.code == 1
    assert "holds something else" in said.err
    assert [p.name for p in out.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--contract", "shop.nothing"), "no contract 'shop.nothing'"),
        (("--contract", "shop.totals"), "has no servers"),
        (("--contract", "shop.sale", "--provider", "museum"), "It has: shop"),
        (("--contract", "shop.sale", "--date", "2126-01-01"), "lies in the future"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_usage(
    jingshu: Jingshu,
    file: Path,
    contracts: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    said = jingshu("land", file, "--out", tmp_path / "out", *arguments, contracts=contracts)
    assert said.code == 2
    assert words in said.err


def test_a_contract_may_be_a_file_of_its_own(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft.odcs.yaml"
    text = (contracts / "sale.odcs.yaml").read_text("utf-8")
    draft.write_text(text.replace("L3", "L1"), "utf-8")
    said = jingshu(
        "land", file, "--contract", draft, "--out", tmp_path / "out", contracts=contracts
    )
    assert said.code == 0, said.err
    draft.write_text(text.replace("bad_rows_percent", "bad_rows"), "utf-8")
    said = jingshu(
        "land", file, "--contract", draft, "--out", tmp_path / "out", contracts=contracts
    )
    assert said.code == 1
    assert "draft.odcs.yaml:" in said.err
    assert "shop.sale" in load_tree(contracts).sources


@pytest.mark.parametrize(("rows", "code"), [(3, 0), (6, 1)])
def test_rows_announced_beside_the_file_are_held_against_it(
    jingshu: Jingshu, file: Path, contracts: Path, tmp_path: Path, rows: int, code: int
) -> None:
    """A quote that swallows lines leaves fewer rows than the provider wrote down."""
    told = {
        "file": file.name,
        "size_bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rows": rows,
    }
    file.with_name(f"{file.name}.manifest.json").write_text(json.dumps(told), "utf-8")
    said = land(jingshu, file, contracts, tmp_path / "out", "--simulated")
    assert said.code == code, said.err
    if code:
        assert "6 rows announced, 3 in the file" in said.err
        assert not (tmp_path / "out").exists()
