from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from lineage.evidence import clock
from lineage.evidence.durable import Pending
from lineage.evidence.errors import (
    EvidenceConflictError,
    EvidenceError,
    EvidenceRollbackError,
    NoteError,
    TileError,
)
from lineage.evidence.hashing import leaf_hash, merkle_root
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import Appended, EvidenceLog
from lineage.evidence.note import Signer
from lineage.evidence.offline import verify_proof
from lineage.evidence.tiles import encode_entries
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.layout import Home

    Make = Callable[[int], Leaf]


def test_nothing_is_made_before_the_first_fact(home: Home, log: EvidenceLog) -> None:
    assert log.size == 0
    assert log.find("landing:x") is None
    assert log.keys_of("x") == []
    assert list(log.entries()) == []
    with pytest.raises(EvidenceError, match="no evidence log yet"):
        log.checkpoint()
    assert not home.root.exists()


def test_the_first_fact_makes_log_and_keys(home: Home, log: EvidenceLog, leaf: Make) -> None:
    appended = log.append([leaf(1)])
    [(_, entry)] = log.entries()
    assert appended == [Appended(0, leaf_hash(entry), is_new=True)]
    assert Leaf.parse(entry) == leaf(1)
    assert (home.evidence / "tile/entries/000.p/1").read_bytes() == (
        len(entry).to_bytes(2, "big") + entry
    )
    assert (home.evidence / "tile/0/000.p/1").read_bytes() == leaf_hash(entry)
    assert (home.evidence / "checkpoint").read_text().startswith("jingshu.local/evidence\n1\n")
    assert (home.evidence / "log.vkey").read_text().startswith("jingshu.local/evidence+")
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE((home.keys / "evidence.key").stat().st_mode) == 0o600
    seed = Signer.parse((home.keys / "evidence.key").read_text().rstrip("\n")).seed
    for path in home.evidence.rglob("*"):
        assert path.is_dir() or seed not in path.read_bytes()
    guard = (home.keys / "evidence.checkpoint").read_text()
    assert guard == (home.evidence / "checkpoint").read_text() == log.checkpoint().note


def test_a_folder_of_keys_that_was_open_to_others_is_closed(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    home.keys.mkdir(parents=True)
    home.keys.chmod(0o755)
    log.append([leaf(1)])
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700


def test_a_fact_is_logged_once(home: Home, log: EvidenceLog, leaf: Make) -> None:
    first = log.append([leaf(1), leaf(2)])
    before = (home.evidence / "checkpoint").read_bytes()
    again = EvidenceLog(home).append([replace(leaf(2), at="2026-12-01T00:00:00Z")])
    assert again == [replace(first[1], is_new=False)]
    assert (home.evidence / "checkpoint").read_bytes() == before
    mixed = log.append([leaf(3), leaf(1), leaf(3)])
    assert [(a.index, a.is_new) for a in mixed] == [(2, True), (0, False), (2, False)]
    assert log.size == 3
    assert log.append([]) == []


def test_the_same_subject_may_have_several_facts(log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1), replace(leaf(1), type="verdict")])
    subject = leaf(1).subject
    assert log.keys_of(subject) == [f"landing:{subject}", f"verdict:{subject}"]
    found = log.find(f"verdict:{subject}")
    assert found is not None
    assert (found.index, found.leaf.type) == (1, "verdict")
    assert found.leaf_hash == leaf_hash(found.leaf.canonical())


def test_another_story_about_a_fact_is_a_conflict(log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1)])
    other = replace(leaf(1), facts={"rows": 2})
    with pytest.raises(EvidenceConflictError) as caught:
        log.append([leaf(2), other])
    entries = [*(entry for _, entry in log.entries()), other.canonical()]
    logged, offered = (hashlib.sha256(entry).hexdigest() for entry in entries)
    assert (caught.value.logged_sha256, caught.value.offered_sha256) == (logged, offered)
    assert logged in str(caught.value)
    assert offered in str(caught.value)
    assert log.size == 1  # all or nothing
    with pytest.raises(EvidenceConflictError):
        log.append([leaf(3), replace(leaf(3), facts={})])
    assert log.find(leaf(3).key) is None


def test_growing_over_the_border_of_a_tile(home: Home, log: EvidenceLog, leaf: Make) -> None:
    for start, end in ((0, 200), (200, 255), (255, 256), (256, 257), (257, 800)):
        log.append([leaf(n) for n in range(start, end)])
        assert verify_home(home) == []
        hashes = [leaf_hash(entry) for _, entry in log.entries()]
        assert log.checkpoint().root == merkle_root(hashes)
    tiles = {str(p.relative_to(home.evidence)) for p in home.evidence.glob("tile/*/*")}
    level_0 = {"tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003.p"}
    assert tiles == level_0 | {name.replace("/0/", "/entries/") for name in level_0} | {
        "tile/1/000.p"
    }
    assert {p.name for p in (home.evidence / "tile/1/000.p").iterdir()} == {"1", "3"}
    assert [index for index, _ in log.entries(start=510)] == list(range(510, 800))
    assert [Leaf.parse(entry) for _, entry in log.entries()] == [leaf(n) for n in range(800)]


def test_the_machine_s_times_rise_with_the_log_whatever_the_facts_times_are(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    before = datetime.now(UTC)
    log.append([replace(leaf(n), at="2026-11-22T00:30:00Z") for n in range(13)])
    log.append([replace(leaf(13), at="2026-11-21T00:00:00Z")])
    log.append([replace(leaf(0), at="2026-11-23T00:00:00Z")])  # logged already: stays as it is
    times = [Leaf.parse(entry).machine_time or "" for _, entry in log.entries()]
    assert len(times) == 14
    assert all(earlier < later for earlier, later in pairwise(times))
    assert before <= datetime.fromisoformat(times[0]) <= datetime.now(UTC)
    assert verify_home(home) == []


def test_a_clock_that_was_set_back_goes_on_from_the_newest_entry(
    home: Home, log: EvidenceLog, leaf: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SetBack(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> SetBack:
            return cls(2020, 1, 1, tzinfo=tz)

    log.append([leaf(1)])
    monkeypatch.setattr(clock, "datetime", SetBack)
    log.append([leaf(2), leaf(3)])
    times = [datetime.fromisoformat(Leaf.parse(e).machine_time or "") for _, e in log.entries()]
    assert [(t - times[0]).microseconds for t in times] == [0, 1, 2]
    assert verify_home(home) == []


def test_a_partial_tile_stays_while_its_tile_is_not_full(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    for n in range(3):
        log.append([leaf(n)])
    assert {p.name for p in (home.evidence / "tile/0/000.p").iterdir()} == {"1", "2", "3"}


def test_every_fact_can_be_proved(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(n) for n in range(300)])
    vkey = (home.evidence / "log.vkey").read_text().strip()
    for n in (0, 1, 255, 256, 298, 299):
        proof = log.prove(leaf(n).key)
        assert proof.startswith("c2sp.org/tlog-proof@v1\nextra ")
        assert f"\nindex {n}\n" in proof
        assert proof.endswith("\n\n" + log.checkpoint().note)
        [(_, entry)] = islice(log.entries(n), 1)
        assert verify_proof(proof, entry, vkey) == []
        assert verify_proof(proof, None, vkey) == []
    with pytest.raises(UsageError, match="landing:nothing is not in"):
        log.prove("landing:nothing")


@pytest.mark.parametrize("damage", ["delete", "rubbish", "empty", "lies", "behind", "other"])
def test_the_index_is_only_a_cache(
    home: Home, log: EvidenceLog, leaf: Make, damage: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log.append([leaf(n) for n in range(300)])
    index = home.evidence / ".index.sqlite"
    if damage == "delete":
        index.unlink()
    elif damage == "rubbish":
        index.write_bytes(b"rubbish" * 2000)
    elif damage == "empty":
        index.write_bytes(b"")
    else:
        base = sqlite3.connect(index)
        if damage == "lies":
            base.execute("UPDATE fact SET position = (position + 1) % 300")
        elif damage == "behind":
            base.execute("DELETE FROM fact WHERE position >= 10")
            root = merkle_root(leaf_hash(entry) for _, entry in islice(log.entries(), 10))
            base.execute("UPDATE covered SET size = 10, root = ?", (root,))
        else:
            base.execute("UPDATE covered SET root = ?", (b"x" * 32,))
            base.execute("DELETE FROM fact")
        base.commit()
        base.close()
    found = log.find(leaf(7).key)
    assert found is not None
    assert found.index == 7
    again = log.append([leaf(n) for n in range(301)])
    assert [a.index for a in again] == list(range(301))
    assert [a.is_new for a in again] == [False] * 300 + [True]
    assert verify_home(home) == []


def test_an_index_that_points_beyond_the_log_is_made_anew(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    log.append([leaf(n) for n in range(300)])
    base = sqlite3.connect(home.evidence / ".index.sqlite")
    base.execute("UPDATE fact SET position = 300 WHERE position = 2")
    base.commit()
    base.close()
    assert log.append([leaf(2)])[0].index == 2


def test_a_log_that_was_cut_back_signs_nothing(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1)])
    old = (home.evidence / "checkpoint").read_bytes()
    log.append([leaf(2)])
    (home.evidence / "checkpoint").write_bytes(old)
    with pytest.raises(EvidenceRollbackError, match="shows 1 leaves, but 2 were signed"):
        log.append([leaf(3)])
    assert (home.evidence / "checkpoint").read_bytes() == old


def test_a_log_that_forked_signs_nothing(
    home: Home, log: EvidenceLog, leaf: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log.append([leaf(1)])
    twin = type(home)(tmp_path_factory.mktemp("twin"))
    twin.keys.mkdir(mode=0o700)
    (twin.keys / "evidence.key").write_bytes((home.keys / "evidence.key").read_bytes())
    EvidenceLog(twin).append([leaf(8), leaf(9)])
    for path in twin.evidence.rglob("*"):
        if path.is_file():
            target = home.evidence / path.relative_to(twin.evidence)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    with pytest.raises(EvidenceRollbackError, match="first 1 leaves are not those signed"):
        log.append([leaf(3)])


@pytest.mark.parametrize("lost", ["checkpoint", "guard", "key", "vkey"])
def test_a_lost_part_is_never_made_anew(
    home: Home, log: EvidenceLog, leaf: Make, lost: str
) -> None:
    log.append([leaf(1)])
    path = {
        "checkpoint": home.evidence / "checkpoint",
        "guard": home.keys / "evidence.checkpoint",
        "key": home.keys / "evidence.key",
        "vkey": home.evidence / "log.vkey",
    }[lost]
    path.unlink()
    with pytest.raises(EvidenceRollbackError, match="gone"):
        log.append([leaf(2)])
    assert not path.exists()


def test_a_damaged_edge_is_not_signed_over(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1), leaf(2), leaf(3)])
    tile, bundle = (home.evidence / name for name in ("tile/0/000.p/3", "tile/entries/000.p/3"))
    for path in (tile, bundle):
        sound = path.read_bytes()
        path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        with pytest.raises(TileError, match="differs from its leaf hash"):
            log.append([leaf(4)])
        path.write_bytes(sound)
    entry = replace(leaf(9), machine_time="2026-11-22T00:30:00.000000Z").canonical()
    tile.write_bytes(tile.read_bytes()[:-32] + leaf_hash(entry))
    body = bundle.read_bytes()
    size_bytes = 2 * (2 + len(entry))
    bundle.write_bytes(body[:size_bytes] + len(entry).to_bytes(2, "big") + entry)
    (home.evidence / ".index.sqlite").unlink()
    with pytest.raises(EvidenceError, match="do not hash to its checkpoint"):
        log.append([leaf(4)])
    assert log.size == 3


def test_a_damaged_log_proves_nothing(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(n) for n in range(300)])
    bundle, tile = (home.evidence / name for name in ("tile/entries/000", "tile/0/000"))
    entries = [entry for _, entry in islice(log.entries(), 256)]
    entries[5] = replace(leaf(5), facts={"rows": 9}).canonical()
    bundle.write_bytes(encode_entries(entries))
    with pytest.raises(TileError, match=r"tile/entries/000: its entry 5 differs"):
        log.prove(leaf(1).key)
    tile.write_bytes(b"".join(leaf_hash(entry) for entry in entries))
    for n in (1, 5):
        with pytest.raises(EvidenceError, match="do not hash to its checkpoint"):
            log.prove(leaf(n).key)
    (home.evidence / "tile/1/000.p/1").write_bytes(b"x" * 32)
    with pytest.raises(EvidenceError, match="do not hash to its checkpoint"):
        log.prove(leaf(299).key)


def test_the_key_signs_for_one_origin(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(1)])
    with pytest.raises(EvidenceError, match=r"signs for jingshu.local/evidence, not for a.example"):
        EvidenceLog(home, origin="a.example").append([leaf(2)])


def test_the_public_key_must_be_that_of_the_private_one(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    log.append([leaf(1)])
    other = Signer.generate("jingshu.local/evidence").verifier.encode()
    (home.evidence / "log.vkey").write_text(other + "\n")
    with pytest.raises(EvidenceError, match="not the public half"):
        log.append([leaf(2)])


@pytest.mark.parametrize("name", ["evidence/log.vkey", "keys/evidence.key"])
def test_key_files_are_read_to_the_byte(
    home: Home, log: EvidenceLog, leaf: Make, name: str
) -> None:
    log.append([leaf(1)])
    path = home.root / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NoteError, match="newline"):
        log.append([leaf(2)])
    path.write_bytes(b"\xff\n")
    with pytest.raises(NoteError, match="UTF-8"):
        log.append([leaf(2)])


def test_another_origin_is_the_caller_s_choice(home: Home, leaf: Make) -> None:
    log = EvidenceLog(home, origin="beijing.example/evidence")
    log.append([leaf(1)])
    assert log.checkpoint().origin == "beijing.example/evidence"
    assert verify_home(home) == []


def test_a_reader_needs_the_leaf_only(log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(5)])
    assert [json.loads(entry)["subject"] for _, entry in log.entries()] == [leaf(5).subject]


def test_the_index_may_lag_behind_the_log(home: Home, log: EvidenceLog, leaf: Make) -> None:
    log.append([leaf(n) for n in range(300)])
    index = (home.evidence / ".index.sqlite").read_bytes()
    for n in range(300, 310):
        log.append([leaf(n)])
    assert (home.evidence / ".index.sqlite").read_bytes() == index
    for n in (299, 305, 309):
        assert log.keys_of(leaf(n).subject) == [leaf(n).key]
        assert [a.is_new for a in log.append([leaf(n)])] == [False]
    log.append([leaf(n) for n in range(310, 600)])
    assert (home.evidence / ".index.sqlite").read_bytes() != index
    assert [a.is_new for a in log.append([leaf(n) for n in range(600)])] == [False] * 600


def test_what_a_power_cut_left_behind_a_gap_does_not_shine_through(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    log.append([leaf(n) for n in range(10)])
    for level in ("0", "entries"):
        stray = home.evidence / f"tile/{level}/002.p/30"
        stray.parent.mkdir()
        stray.write_bytes(b"\0" * 32 * 30)
    log.append([leaf(n) for n in range(10, 550)])
    log.append([leaf(550)])
    assert verify_home(home) == []
    assert {p.name for p in (home.evidence / "tile/0/002.p").iterdir()} == {"38", "39"}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_files_at_once_need_few_handles(tmp_path: Path) -> None:
    before = open_files()
    with Pending() as pending:
        for n in range(600):
            pending.write(tmp_path / f"a/{n}", b"%d" % n)
            assert open_files() <= before + 256
        pending.sync()
    assert open_files() == before
    assert all((tmp_path / f"a/{n}").read_bytes() == b"%d" % n for n in range(600))
