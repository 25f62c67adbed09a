"""Anchors on a real BFT chain: four CometBFT validators on loopback, one of them stopped.

Marked ``full``: without Go it fails, and says what is missing.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from infra.chain.network import Network
from infra.chain.program import COMETBFT
from infra.stack.processes import Ledger, is_listening
from lineage.evidence.anchor import anchor_checkpoint
from lineage.evidence.cometbft import CometBft
from lineage.evidence.errors import ChainError
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.layout import Home
    from infra.chain.network import Validator

    Run = Callable[..., tuple[int, str]]

pytestmark = [pytest.mark.e2e, pytest.mark.full]


@pytest.fixture
def chain(home: Home) -> Iterator[tuple[Validator, ...]]:
    network = Network(home)
    try:
        yield network.start()
    finally:
        network.stop()


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["evidence", *arguments])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call


def append(home: Home, first: int, last: int) -> None:
    facts = [Leaf("build", f"t@{n}", {"n": n}, "2026-11-22T00:00:00Z") for n in range(first, last)]
    EvidenceLog(home).append(facts)


def test_roots_are_anchored_while_one_validator_is_stopped(
    home: Home, chain: tuple[Validator, ...], run: Run
) -> None:
    network = Network(home)
    assert len(chain) == 4
    append(home, 0, 300)
    code, text = run("anchor", "--rpc", chain[0].rpc, "--json")
    assert code == 0, text
    first = json.loads(text)

    network.stop([chain[3].name])
    assert not is_listening(chain[3].rpc_port)
    append(home, 300, 310)
    code, text = run("anchor", "--rpc", chain[0].rpc, "--json")
    assert code == 0, text
    second = json.loads(text)
    assert (first["size"], second["size"]) == (300, 310)
    assert second["height"] > first["height"]
    assert json.loads(run("anchor", "--rpc", chain[1].rpc, "--json")[1]) == second  # once is enough
    for validator in chain[:3]:
        code, text = run("verify", "--rpc", validator.rpc)
        assert code == 0, text
    assert run("verify", "--rpc", chain[3].rpc)[0] == 1  # it is stopped, and that is said

    path = home.evidence / f"anchors/{310:012}-{second['chain_id']}.json"
    for changes in ({"height": second["height"] - 1}, {"block_hash": first["block_hash"]}):
        path.write_text(json.dumps({**second, **changes}))
        code, text = run("verify", "--rpc", chain[2].rpc)
        assert code == 1
        assert path.name in text
    path.write_text(json.dumps(second))

    network.start_one(chain[3], COMETBFT.path())
    deadline = time.monotonic() + 60
    while run("verify", "--rpc", chain[3].rpc)[0]:  # it catches up with the others
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_two_of_four_sign_nothing(home: Home, chain: tuple[Validator, ...]) -> None:
    append(home, 0, 3)
    Network(home).stop([chain[2].name, chain[3].name])
    node = CometBft(chain[0].rpc, included_s=2.0)
    with pytest.raises(ChainError, match="did not include"):
        anchor_checkpoint(home.evidence, Keeping.of(home).verifier(), node)
    assert not (home.evidence / "anchors").exists()


def test_another_chain_does_not_know_the_anchors(
    home: Home, chain: tuple[Validator, ...], run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    append(home, 0, 3)
    assert run("anchor", "--rpc", chain[0].rpc)[0] == 0
    other = Network(type(home)(tmp_path_factory.mktemp("other")))
    try:
        code, text = run("verify", "--rpc", other.start()[0].rpc)
    finally:
        other.stop()
    assert code == 1
    assert "anchors/000000000003-" in text


def test_the_chain_is_brought_up_and_down(home: Home, run: Run) -> None:
    code, text = run("chain", "up", "--json")
    try:
        assert code == 0, text
        assert sorted(json.loads(text)) == ["chain-0", "chain-1", "chain-2", "chain-3"]
        parts = Ledger(home).parts()
        assert len(parts) == 4
    finally:
        code, text = run("chain", "down")
    assert code == 0
    assert not any(part.members() for part in parts)
    assert Ledger(home).parts() == []
