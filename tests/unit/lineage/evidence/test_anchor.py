"""Receipts against a chain that is kept in memory; the real one runs in tests/e2e."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from lineage.evidence.anchor import (
    anchor_checkpoint,
    key_of,
    transaction,
    verify_on_chain,
    verify_receipts,
)
from lineage.evidence.errors import ChainError
from lineage.evidence.keeping import Keeping
from lineage.evidence.log import EvidenceLog
from lineage.evidence.verify import verify_home
from tests.support.lineage.chains import Chain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf

    Make = Callable[[int], Leaf]


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def anchored(home: Home, log: EvidenceLog, leaf: Make, chain: Chain) -> Home:
    """Hold 300 leaves, anchored at 10 and at 290."""
    keeping = Keeping.of(home)
    for start, end in ((0, 10), (10, 290)):
        log.append([leaf(n) for n in range(start, end)])
        anchor_checkpoint(home.evidence, keeping.verifier(), chain)
    log.append([leaf(n) for n in range(290, 300)])
    return home


def offline(home: Home) -> list[tuple[str, str]]:
    found = verify_receipts(home.evidence, Keeping.of(home).verifier())
    return [(finding.where, finding.problem.en) for finding in found]


def online(home: Home, chain: Chain) -> list[tuple[str, str]]:
    found = verify_on_chain(home.evidence, Keeping.of(home).verifier(), chain)
    return [(finding.where, finding.problem.en) for finding in found]


FIRST, SECOND = "anchors/000000000010-test-chain.json", "anchors/000000000290-test-chain.json"


def test_anchors_hold(anchored: Home, chain: Chain) -> None:
    assert {str(p.relative_to(anchored.evidence)) for p in anchored.evidence.glob("anchors/*")} == {
        FIRST,
        SECOND,
    }
    assert verify_home(anchored) == []
    assert online(anchored, chain) == []


def test_anchoring_again_changes_nothing(anchored: Home, chain: Chain) -> None:
    verifier = Keeping.of(anchored).verifier()
    first = anchor_checkpoint(anchored.evidence, verifier, chain)
    assert anchor_checkpoint(anchored.evidence, verifier, chain) == first
    assert (first.size, first.height, len(chain.texts)) == (300, 3, 3)


def test_any_edited_field_of_a_receipt_is_found(anchored: Home, chain: Chain) -> None:
    path = anchored.evidence / SECOND
    sound = json.loads(path.read_text())
    seen_offline = set()
    for name, value in sound.items():
        other = (
            value + 1
            if isinstance(value, int)
            else f"{value[:-1]}{'1' if value[-1] == '0' else '0'}"
        )
        path.write_text(json.dumps({**sound, name: other}))
        if offline(anchored):
            seen_offline.add(name)
            assert offline(anchored)[0][0] == SECOND
        assert SECOND in {where for where, _ in offline(anchored) + online(anchored, chain)}, name
    assert seen_offline == set(sound) - {"height", "time", "block_hash", "validators_hash"}
    for text in ("", "{}", "[]", path.read_text()[:-9], json.dumps({**sound, "more": 1})):
        path.write_text(text)
        assert [where for where, _ in offline(anchored)] == [SECOND]
        assert [f.where for f in verify_home(anchored)] == [f"evidence/{SECOND}"]


def test_a_fork_does_not_begin_with_what_was_anchored(
    anchored: Home, chain: Chain, leaf: Make, tmp_path: Path
) -> None:
    twin = type(anchored)(tmp_path / "twin")
    shutil.copytree(anchored.keys, twin.keys)
    (twin.keys / "evidence.checkpoint").unlink()
    EvidenceLog(twin).append([leaf(n) for n in range(1000, 1400)])
    shutil.copytree(anchored.evidence / "anchors", twin.evidence / "anchors")
    assert [where for where, _ in offline(twin)] == [FIRST, SECOND]
    assert all("forked" in problem for _, problem in offline(twin))
    assert {f.where for f in verify_home(twin)} == {f"evidence/{FIRST}", f"evidence/{SECOND}"}
    shutil.rmtree(twin.evidence / "anchors")  # and the chain remembers without receipts
    assert verify_home(twin) == []
    [(where, problem)] = online(twin, chain)
    assert where == "checkpoint"
    assert "chain's newest checkpoint disagrees: The log forked" in problem


def test_a_log_set_back_with_all_its_parts_meets_the_chain(
    anchored: Home, chain: Chain, leaf: Make, tmp_path: Path
) -> None:
    old = type(anchored)(tmp_path / "old")
    shutil.copytree(anchored.keys, old.keys)
    (old.keys / "evidence.checkpoint").unlink()
    EvidenceLog(old).append([leaf(n) for n in range(10)])
    assert verify_home(old) == []
    [(where, problem)] = online(old, chain)
    assert where == "checkpoint"
    assert "rolled back from 290 to 10" in problem


def test_a_chain_that_answers_otherwise_is_found(anchored: Home, chain: Chain) -> None:
    other = Chain("test-chain")
    other.texts = [*reversed(chain.texts)]
    problems = dict(online(anchored, other))
    assert set(problems) == {FIRST, SECOND}
    assert "does not hold it" in problems[FIRST]
    renamed = Chain("other-chain")
    renamed.texts = chain.texts
    assert {p for _, p in online(anchored, renamed)} == {
        "The chain says otherwise of height 1.",
        "The chain says otherwise of height 2.",
    }
    gone = Chain("test-chain")
    assert {p for _, p in online(anchored, gone)} == {
        "There is no height 1.",
        "There is no height 2.",
    }


@pytest.mark.parametrize("value", ["rubbish", "00ff", "61"])
def test_a_newest_text_that_is_no_checkpoint_is_named(
    anchored: Home, chain: Chain, value: str
) -> None:
    chain.save(key_of("jingshu.local/evidence"), value)
    assert len(online(anchored, chain)) == 1


def test_what_is_read_back_must_be_what_was_saved(
    home: Home, log: EvidenceLog, leaf: Make, chain: Chain
) -> None:
    log.append([leaf(1)])
    chain.texts = ["another=text"]
    chain.save = lambda key, value: 1  # type: ignore[method-assign]
    with pytest.raises(ChainError, match="does not hold the checkpoint"):
        anchor_checkpoint(home.evidence, Keeping.of(home).verifier(), chain)
    assert not (home.evidence / "anchors").exists()


def test_a_receipt_s_name_cannot_leave_its_folder(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1)])
    with pytest.raises(ChainError, match="cannot name a receipt"):
        anchor_checkpoint(home.evidence, Keeping.of(home).verifier(), Chain("../../up"))


def test_a_transaction_is_one_that_the_built_in_application_takes(home: Home, leaf: Make) -> None:
    log = EvidenceLog(home, origin="localhost:8080/a=b 京枢".replace(" ", "_"))
    log.append([leaf(1)])
    tx = transaction(log.checkpoint())
    assert tx.count(b"=") == 1
    assert b":" not in tx
