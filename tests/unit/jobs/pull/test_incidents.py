"""A refused secret leaves an incident record and nothing else anywhere in the home."""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING

import pytest

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs.stages import Ended
from jobs.steps import land_delivery
from jobs.verify.lake import Lake
from jobs.verify.refusals import records
from tests.support.days import deliver
from tests.support.shop import DAY
from tests.support.small import set_custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree

SECRET = "机密★10年 内部名单".encode()
ROWS = b"VISIT_ID,GUESTS\n1,2\n"


def tree_of(root: Path, grade: str = "general") -> Tree:
    root.mkdir()
    contract = source()
    set_custom(contract, "grading", {"gb43697": grade, "level": "L4"})
    return load_tree(write(root, contract))


@pytest.mark.parametrize(
    ("grade", "name", "content", "mark"),
    [
        ("general", "visit.csv", ROWS + SECRET + b",1\n", "机密★"),
        ("general", "机密★名单.csv", ROWS, "机密★"),
        ("core", "visit.csv", ROWS, "核心数据"),
    ],
)
def test_a_refusal_keeps_a_record_and_no_byte(
    home: Home, tmp_path: Path, grade: str, name: str, content: bytes, mark: str
) -> None:
    tree = tree_of(tmp_path / "tree", grade)
    drop = tmp_path / "drop"
    delivery = Delivery(tree.contract("town.visit"), "museum", DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGSHU_DROP", str(drop))
        deliver(drop, f"museum/visit/{DAY}/{name}", content, manifest=False)
        for _ in range(2):  # a second run finds the record there
            ended = land_delivery(home, delivery)
            assert isinstance(ended, Ended)
            assert ended.state == "refused"
    (record,) = home.refused.iterdir()
    told = json.loads(record.read_text("utf-8"))
    assert told.pop("refused_at")
    assert told.pop("sm3")
    assert told == {
        "provider": "museum",
        "dataset": "visit",
        "contract_id": "town.visit",
        "business_date": DAY.isoformat(),
        "mark": mark,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.refused.stat().st_mode) == 0o700
    assert not home.raw("museum", "visit", "x").parent.exists()
    for file in (f for f in home.root.rglob("*") if f.is_file()):
        assert SECRET not in file.read_bytes()
        assert "名单" not in file.name
    assert [found for _, found in records(Lake(home, tree)) if found] == []


def test_verify_names_what_is_no_record(home: Home, tmp_path: Path) -> None:
    lake = Lake(home, tree_of(tmp_path / "tree"))
    assert list(records(lake)) == []
    home.refused.mkdir(parents=True)
    (home.refused / "visit.csv").write_bytes(ROWS)
    (home.refused / "link").symlink_to("/etc/hostname")
    found = [finding for _, finding in records(lake) if finding]
    assert [f.where for f in found] == ["refused/link", "refused/visit.csv"]
    assert all("no incident record" in f.problem.en for f in found)
