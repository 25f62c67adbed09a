"""Headers as people see them: what shows as nothing counts for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.header import header_key, shown
from contracts.loading import load_tree
from contracts.words import Words
from jobs.land.header import HeaderError, match_header
from jobs.land.parsed import Parsed
from tests.support.small import source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract

#: A mark, zero-width space and joiner, directions, soft hyphen, word joiner, a line end, no-break.
UNSEEN = (
    "\ufeff",
    "\u200b",
    "\u200d",
    "\u200e",
    "\u202a",
    "\u00ad",
    "\u2060",
    "\n",
    "\u00a0",
    "\t",
)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    (tmp_path / "contracts").mkdir()
    return load_tree(write(tmp_path / "contracts", source())).contract("town.visit")


@pytest.mark.parametrize("mark", UNSEEN, ids=ascii)
def test_what_nobody_sees_makes_no_other_header(contract: Contract, mark: str) -> None:
    header = [f"{mark}VISIT_ID", f"GU{mark}ESTS{mark}*"]
    found = match_header(contract, contract.servers[0].export, header)
    assert found.positions == {"visit_id": 0, "guests": 1}
    assert match_header(contract, contract.servers[0].export, [*header, mark]).unnamed
    assert header_key(f"{mark}Ｐｍ₂ *") == "pm2"
    assert shown(f"{mark}某{mark}") == "某"


MARK = "\ufeff"
FILES = {
    "two_marks": (MARK * 2 + "VISIT_ID,GUESTS\n1,2\n").encode(),
    "two_marks_before_a_quote": (MARK * 2 + '"VISIT_ID","GUESTS"\n1,2\n').encode(),
    "three_marks": (MARK * 3 + "VISIT_ID,GUESTS\n1,2\n").encode(),
    "mark_of_gb18030": (MARK + '"VISIT_ID",GUESTS\n1,参\n').encode("gb18030"),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_marks_before_the_header_count_for_nothing(
    contract: Contract, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "visit.csv"
    file.write_bytes(content)
    parsed = Parsed(contract, contract.servers[0], "batch")
    [batch] = parsed.batches(file)
    assert [row["visit_id"] for row in batch.to_pylist()] == ["1"]
    assert parsed.findings == []


def test_a_header_that_lacks_a_column_is_told_with_those_that_are_there(contract: Contract) -> None:
    with pytest.raises(HeaderError) as told:
        match_header(contract, contract.servers[0].export, ["\ufeffVISIT_ID", "GUEST\u200bS人"])
    assert told.value.problem == Words(
        "表头缺少 GUESTS；现有 VISIT_ID、GUESTS人。",
        "The header lacks GUESTS; it has VISIT_ID, GUESTS人.",
    )
    with pytest.raises(HeaderError, match="The column 'guests' stands in the header twice"):
        match_header(contract, contract.servers[0].export, ["VISIT_ID", "GUESTS", "\u200bguests"])
