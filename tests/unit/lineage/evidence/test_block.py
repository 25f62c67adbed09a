"""Answers of a real CometBFT 1.0.1 chain of four validators, kept in ``chain/``."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from lineage.evidence.block import checked_block
from lineage.evidence.errors import ChainError

FOLDER = Path(__file__).parent / "chain"
COMMIT, VALIDATORS, NEXT = (
    json.loads((FOLDER / f"{name}.json").read_text()) for name in ("commit", "validators", "block")
)
HASH = "FDCE4BADEDAA15ECC7B6998C6676716D8234DCD046458D22F75B1355FA03343F"


def block(commit: Any = COMMIT, validators: Any = VALIDATORS, txs: Any = ()) -> Any:
    return checked_block(commit["signed_header"], validators["validators"], txs)


def changed(answer: Any, *path: Any, value: Any) -> Any:
    whole = copy.deepcopy(answer)
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return whole


def test_a_real_block_is_recomputed() -> None:
    found = block()
    assert (found.chain_id, found.height, found.block_hash) == ("chain-V6XZoV", 1, HASH)
    assert found.time == "2026-11-25T22:44:51.573639049Z"
    assert NEXT["block"]["header"]["last_block_id"]["hash"] == HASH


def leaves(answer: Any, *path: Any) -> list[tuple[Any, ...]]:
    if isinstance(answer, dict):
        return [found for name in answer for found in leaves(answer[name], *path, name)]
    if isinstance(answer, list):
        return [found for n, part in enumerate(answer) for found in leaves(part, *path, n)]
    return [path]


HEADER = [p for p in leaves(COMMIT) if p[:2] == ("signed_header", "header")]


@pytest.mark.parametrize("path", HEADER, ids=lambda path: ".".join(path[2:]))
def test_any_changed_field_of_the_header_is_found(path: tuple[str, ...]) -> None:
    value = COMMIT
    for step in path:
        value = value[step]
    for other in ({"0": "1"}.get(str(value)[-1:], "0"), "x"):
        text = str(value)[:-1] + other if str(value)[-1:] != "Z" else "2026-11-25T22:44:52Z"
        with pytest.raises(ChainError):
            block(changed(COMMIT, *path, value=text))


def test_three_of_four_signatures_are_needed() -> None:
    signatures = COMMIT["signed_header"]["commit"]["signatures"]
    path = ("signed_header", "commit", "signatures")
    absent = {**signatures[0], "block_id_flag": 1, "signature": None}
    assert block(changed(COMMIT, *path, value=[absent, *signatures[1:]])).height == 1
    for two in ([absent, absent, *signatures[2:]], signatures[:2], [signatures[0]] * 4):
        with pytest.raises(ChainError, match=r"Only \d of 4 of the voting power"):
            block(changed(COMMIT, *path, value=two))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", "2026-11-25T22:44:53.521151634Z"),
        ("signature", b64encode(bytes(64)).decode()),
        ("validator_address", "00" * 20),
    ],
)
def test_a_signature_of_something_else_does_not_count(name: str, value: str) -> None:
    answer = COMMIT
    for n in (0, 1):
        answer = changed(answer, "signed_header", "commit", "signatures", n, name, value=value)
    with pytest.raises(ChainError, match="Only 2 of 4"):
        block(answer)


def test_other_validators_or_transactions_are_found() -> None:
    for path, value in (
        (("pub_key", "value"), b64encode(bytes(32)).decode()),
        (("voting_power",), "9"),
    ):
        with pytest.raises(ChainError, match="validators of height 1"):
            block(validators=changed(VALIDATORS, "validators", 0, *path, value=value))
    with pytest.raises(ChainError, match="transactions of height 1"):
        block(txs=["YT1i"])


@pytest.mark.parametrize(
    "answer",
    [
        {"signed_header": None},
        {"signed_header": []},
        {"signed_header": {"header": {}, "commit": {}}},
        changed(COMMIT, "signed_header", "header", "height", value="-1"),
        changed(COMMIT, "signed_header", "header", "time", value="1960-01-01T00:00:00Z"),
        changed(COMMIT, "signed_header", "header", "time", value="9999-99-99T00:00:00Z"),
        changed(COMMIT, "signed_header", "header", "height", value=str(2**80)),
    ],
)
def test_answers_that_are_no_blocks_are_refused(answer: Any) -> None:
    with pytest.raises(ChainError):
        block(answer)
