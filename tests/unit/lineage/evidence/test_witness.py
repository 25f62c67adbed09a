"""A witness that remembers: a log that was rebuilt with its own key does not pass it."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cli.main import jingshu
from contracts.errors import UsageError
from infra.witness import local
from lineage.evidence.anchored import anchoring
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.cosignature import Cosigner, WitnessKey
from lineage.evidence.errors import NoteError, WitnessError
from lineage.evidence.keeping import Keeping
from lineage.evidence.log import EvidenceLog
from lineage.evidence.note import Signer
from lineage.evidence.tree import TileTree
from lineage.evidence.verify import verify_home
from lineage.evidence.witness import Witness, request_of
from lineage.evidence.witnesses import VARIABLE, Pinned, hand_over, pinned_witnesses
from tests.support.lineage.witnessing import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf

    Make = Callable[[int], Leaf]

AT_S = 1_784_000_000


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def pinned(home: Home) -> Iterator[Pinned]:
    with serving(home) as found:
        yield found


def rebuild(home: Home, leaves: list[Leaf]) -> None:
    """Do what somebody does who has the log's folder and its keys: make another log, signed."""
    keeping = Keeping.of(home)
    shutil.rmtree(keeping.directory / "tile")
    for path in (keeping.checkpoint, keeping.guard, keeping.index):
        path.unlink(missing_ok=True)
    EvidenceLog(home).append(leaves)


def problems(home: Home) -> list[str]:
    return [f"{f.where}: {f.problem.en}" for f in verify_home(home)]


def test_a_rebuilt_log_passes_unwitnessed_and_no_longer_when_witnessed(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned
) -> None:
    log.append([leaf(n) for n in range(20)])
    rebuild(home, [leaf(n) for n in range(100, 130)])
    assert problems(home) == []
    assert hand_over(home, pinned) == 30
    assert problems(home) == []
    rebuild(home, [leaf(n) for n in range(200, 260)])
    found = problems(home)
    assert len(found) == 2  # the public copy, and the witness's own memory
    assert all("not what was witnessed: The log forked: its first 30 leaves" in f for f in found)
    with pytest.raises(WitnessError, match="HTTP 422"):
        hand_over(home, pinned)


def test_a_rebuilt_log_without_its_copies_meets_the_witness(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned
) -> None:
    log.append([leaf(n) for n in range(20)])
    hand_over(home, pinned)
    rebuild(home, [leaf(n) for n in range(100, 140)])
    shutil.rmtree(home.evidence / "witnessed")
    assert len(problems(home)) == 1, "the witness's own memory stays"
    with pytest.raises(WitnessError, match="HTTP 422"):
        hand_over(home, pinned)
    rebuild(home, [leaf(n) for n in range(10)])
    with pytest.raises(WitnessError, match="saw 20 leaves of this log, which has 10"):
        hand_over(home, pinned)


def test_a_log_that_grows_is_cosigned_again(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned
) -> None:
    for end in (1, 2, 300, 301):
        log.append([leaf(n) for n in range(end)])
        assert hand_over(home, pinned) == end
        assert hand_over(home, pinned) == end
    shutil.rmtree(home.evidence / "witnessed")  # a copy that was lost is asked for again
    assert hand_over(home, pinned) == 301
    assert problems(home) == []


def test_the_local_witness_keeps_to_the_first_key_it_saw(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned
) -> None:
    log.append([leaf(1)])
    hand_over(home, pinned)
    shutil.rmtree(home.evidence)
    for path in home.keys.glob("evidence.*"):
        path.unlink()
    EvidenceLog(home).append([leaf(1), leaf(2)])
    with pytest.raises(WitnessError, match="HTTP 403"):
        hand_over(home, pinned)


def test_another_s_signature_is_not_believed(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned
) -> None:
    log.append([leaf(1)])
    stranger = replace(pinned, key=Cosigner.generate(local.NAME).key)
    with pytest.raises(WitnessError, match="not signed by the key that is pinned"):
        hand_over(home, stranger)
    assert not (home.evidence / "witnessed").exists()


def test_an_edited_copy_is_named(home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned) -> None:
    log.append([leaf(1)])
    hand_over(home, pinned)
    path = pinned.file_in(home)
    sound = path.read_bytes()
    for edited in (sound[:-9], sound.replace(b"\n1\n", b"\n2\n"), b"", b"rubbish"):
        path.write_bytes(edited)
        assert [f.where for f in verify_home(home)] == [f"witnessed/{path.name}"], edited


# ---------------------------------------------------------------- the protocol


@pytest.fixture
def signer() -> Signer:
    return Signer.generate("example.com/log")


@pytest.fixture
def witness(tmp_path: Path, signer: Signer) -> Witness:
    return Witness(Cosigner.generate("example.com/w"), tmp_path / "w", (signer.verifier,))


def test_what_a_witness_answers(home: Home, leaf: Make, witness: Witness, tmp_path: Path) -> None:
    """Statuses of c2sp.org/tlog-witness § add-checkpoint."""
    log = EvidenceLog(home, "example.com/log")
    heads = []
    for end in (4, 7):
        log.append([leaf(n) for n in range(end)])
        heads.append(log.checkpoint())
    first, second = heads
    own = replace(witness, logs=(Keeping.of(home).verifier(),))
    proof = TileTree(Keeping.of(home).store, 7).consistency(4)
    other = Signer.generate("example.com/log")
    forged = Checkpoint.sign(other, 7, second.root)
    forked = Checkpoint.sign(Keeping.of(home).signer(), 7, first.root)

    def status(old: int, path: list[bytes], head: Checkpoint) -> tuple[int, str]:
        reply = own.add_checkpoint(request_of(old, path, head.note), AT_S)
        return reply.status, reply.body if reply.status != 200 else ""

    assert own.add_checkpoint(b"rubbish", AT_S).status == 400
    assert own.add_checkpoint(b"old 04\n\n" + first.note.encode(), AT_S).status == 400
    assert own.add_checkpoint(b"old 4\n!\n\n" + first.note.encode(), AT_S).status == 400
    assert replace(own, logs=()).add_checkpoint(request_of(0, [], first.note), AT_S).status == 404
    assert status(0, [], forged) == (403, "")
    assert status(9, [], second) == (400, "")
    assert status(4, proof, second) == (409, "0\n")
    assert status(0, proof, first) == (422, "")
    assert status(0, [], first) == (200, "")
    assert status(0, [], second) == (409, "4\n")
    assert status(4, [], second) == (422, "")
    assert status(4, proof, forked) == (422, "")
    assert status(4, proof, second) == (200, "")
    assert status(7, [], second) == (200, "")
    assert status(7, [], forked) == (422, "")
    assert status(4, [], first) == (409, "7\n")


def test_a_cosignature_is_what_the_specification_says(witness: Witness, signer: Signer) -> None:
    """cosignature/v1: key id, time and signature over the header, the time and the note's text."""
    text = "example.com/log\n3\n" + base64.b64encode(b"r" * 32).decode() + "\n"
    line = witness.cosigner.cosign(text, AT_S)
    dash, name, blob = line.removesuffix("\n").split(" ")
    data = base64.b64decode(blob)
    key = witness.cosigner.key
    assert (dash, name, data[:4]) == ("—", "example.com/w", key.key_id)
    assert int.from_bytes(data[4:12], "big") == AT_S
    signed = f"cosignature/v1\ntime {AT_S}\n{text}".encode()
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(data[12:], signed)
    assert WitnessKey.parse(key.encode()) == key
    assert key.cosigned_at(text, line) == AT_S
    assert Cosigner.generate("example.com/w").key.cosigned_at(text, line) is None
    with pytest.raises(NoteError, match="does not fit"):
        key.cosigned_at(text.replace("3", "4"), line)
    with pytest.raises(NoteError):
        WitnessKey.parse(signer.verifier.encode())


@pytest.mark.parametrize(
    "line", ["witness a", "quorum any", "witness a b http://127.0.0.1:1", "log x y"]
)
def test_a_line_that_is_not_understood_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "pins"))
    with pytest.raises(UsageError, match="There is no file"):
        pinned_witnesses(home)
    (tmp_path / "pins").write_text(f"# ours\n\n{line}\n")
    with pytest.raises(UsageError):
        pinned_witnesses(home)


# ---------------------------------------------------------------- what verify says


def said(home: Home, *arguments: str) -> str:
    result = CliRunner().invoke(
        jingshu, ["evidence", *arguments], env={"JINGSHU_HOME": str(home.root)}
    )
    return result.output


def test_what_the_log_is_anchored_to_stands_beside_holds(
    home: Home, log: EvidenceLog, leaf: Make, pinned: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    assert anchoring(home, now) is None
    log.append([leaf(1)])
    told = said(home, "verify")
    [first, *_] = told.splitlines()
    assert first.startswith("成立 HOLDS  origin=")
    assert first.endswith("  未锚定 not anchored")
    assert "重建整本日志" in told
    assert "whoever has its key could rebuild the log unseen" in told
    assert json.loads(said(home, "verify", "--json"))["anchor"] == {"kind": "none", "leaves": 1}
    assert "cosigned 1" in said(home, "witness")
    log.append([leaf(2)])
    told = said(home, "verify")
    assert told.splitlines()[0].endswith("  仅在本机锚定 anchored on this machine only")
    assert "guards against little" in told
    assert "所防有限" in told
    later = anchoring(home, now + timedelta(hours=30))
    assert later is not None
    assert later.to_json() | {"at": "", "age_seconds": 0} == {
        "kind": "witness",
        "name": "local",
        "covers": 1,
        "leaves": 2,
        "at": "",
        "age_seconds": 0,
        "local": True,
    }
    assert "29 hours old" in later.sentences()[1] or "30 hours old" in later.sentences()[1]
    line = replace(pinned, name="archive", url="https://witness.example/x").line()
    (home.root / "pins").write_text(line)
    monkeypatch.setenv(VARIABLE, str(home.root / "pins"))
    elsewhere = anchoring(home, now)
    assert elsewhere is not None
    assert str(elsewhere.mark) == "已锚定 anchored"
    assert "见证者 archive 联署了前 1 条（共 2 条）" in elsewhere.sentences()[0]
    assert not local.is_wanted(home)


def test_a_witness_that_is_away_is_said_and_fails_the_command(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    with serving(home):
        log.append([leaf(1)])
    result = CliRunner().invoke(
        jingshu, ["evidence", "witness"], env={"JINGSHU_HOME": str(home.root)}
    )
    assert result.exit_code == 1
    assert "does not answer" in result.output
