from __future__ import annotations

import random
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contracts.layout import Home
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.durable import Pending
from lineage.evidence.hashing import leaf_hash, merkle_root
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.note import Signer
from lineage.evidence.offline import verify_consistency, verify_log, verify_proof
from lineage.evidence.proof import Proof
from lineage.evidence.tilecheck import Finding
from lineage.evidence.tiles import ENTRIES, MISSING, Level, TileStore, TileWriter
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[[int], Leaf]

AT = "2026-11-22T00:30:00Z"


@pytest.fixture
def filled(home: Home, log: EvidenceLog, leaf: Make) -> Home:
    """Hold 515 leaves, with older partial tiles of both levels."""
    for start, end in ((0, 300), (300, 513), (513, 515)):
        log.append([leaf(n) for n in range(start, end)])
    return home


def put(store: TileStore, level: Level, index: int, items: list[bytes]) -> None:
    with Pending() as pending:
        TileWriter(store, pending).put(level, index, items)


def vkey_of(home: Home) -> str:
    return (home.evidence / "log.vkey").read_text().strip()


def log_files(home: Home) -> list[Path]:
    return sorted(p for p in home.evidence.rglob("*") if p.is_file() and p.name[0] != ".")


def test_a_sound_log_holds(filled: Home) -> None:
    assert verify_home(filled) == []
    assert verify_log(filled.evidence, vkey_of(filled)) == []


def test_no_log_is_nothing_to_find(home: Home) -> None:
    assert verify_home(home) == []


def test_a_log_copied_elsewhere_holds_by_its_files_alone(filled: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(filled.evidence, copy, ignore=shutil.ignore_patterns(".*"))
    assert verify_log(copy, vkey_of(filled)) == []


def test_any_changed_byte_is_found_and_its_file_is_named(filled: Home) -> None:
    dice = random.Random(6962)
    files = [*log_files(filled), filled.keys / "evidence.checkpoint", filled.keys / "evidence.key"]
    assert len(files) == 14
    for path in files:
        sound = path.read_bytes()
        places = {0, len(sound) - 1, *(dice.randrange(len(sound)) for _ in range(6))}
        for place in places:
            changed = bytearray(sound)
            changed[place] ^= 1 << dice.randrange(8)
            path.write_bytes(bytes(changed))
            named = [finding.where.partition(",")[0] for finding in verify_home(filled)]
            assert named == [str(path.relative_to(filled.root))], (path, place)
        path.write_bytes(sound)
    assert verify_home(filled) == []


def test_any_missing_or_cut_file_is_found_and_named(filled: Home) -> None:
    # Parts that no newer tile has made needless; their absence is allowed, their change is not.
    older = {"evidence/tile/0/002.p/1", "evidence/tile/entries/002.p/1", "evidence/tile/1/000.p/1"}
    for path in log_files(filled):
        sound, name = path.read_bytes(), str(path.relative_to(filled.root))
        path.write_bytes(sound[:-1])
        assert [finding.where for finding in verify_home(filled)] == [name]
        path.unlink()
        assert {finding.where for finding in verify_home(filled)} == {name} - older
        path.write_bytes(sound)


def test_the_entry_is_named_that_was_changed(filled: Home) -> None:
    bundle = filled.evidence / "tile/entries/001"
    data = bundle.read_bytes()
    place = data.index(b"%012x" % 300)
    bundle.write_bytes(data[:place] + b"f" + data[place + 1 :])
    [found] = verify_log(filled.evidence, vkey_of(filled))
    assert found.where == "tile/entries/001, entry 300"


def test_an_entry_and_a_leaf_hash_changed_together_are_found(filled: Home) -> None:
    entry = (filled.evidence / "tile/entries/000").read_bytes()
    length = int.from_bytes(entry[:2], "big")
    forged = entry[2 : 2 + length].replace(b'"rows":0', b'"rows":9')
    (filled.evidence / "tile/entries/000").write_bytes(entry[:2] + forged + entry[2 + length :])
    tile = filled.evidence / "tile/0/000"
    tile.write_bytes(leaf_hash(forged) + tile.read_bytes()[32:])
    assert "checkpoint" in {f.where for f in verify_log(filled.evidence, vkey_of(filled))}


def test_damage_in_both_copies_names_every_place(filled: Home) -> None:
    for name, place in (("tile/0/000", 3 * 32), ("tile/entries/001", 40)):
        path = filled.evidence / name
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(bytes(data))
    found = verify_log(filled.evidence, vkey_of(filled))
    assert [finding.where for finding in found] == [
        "checkpoint",
        "tile/entries/000, entry 3",
        "tile/entries/001, entry 256",
    ]
    assert "tile/0/000, entry 3" in found[1].problem.en


def signed_over(home: Home, entries: list[bytes]) -> None:
    """Put entries in the place of a log's own and sign them with its key."""
    EvidenceLog(home).append([Leaf("landing", "first", {}, AT)])
    keeping = Keeping.of(home)
    hashes = [leaf_hash(entry) for entry in entries]
    for name in ("tile/entries/000.p/1", "tile/0/000.p/1"):
        (home.evidence / name).unlink()
    put(keeping.store, ENTRIES, 0, entries)
    put(keeping.store, 0, 0, hashes)
    head = Checkpoint.sign(keeping.signer(), len(entries), merkle_root(hashes))
    keeping.checkpoint.write_text(head.note)
    keeping.guard.write_text(head.note)


def test_a_log_of_the_version_before_holds_and_goes_on_with_times(home: Home, leaf: Make) -> None:
    signed_over(home, [leaf(1).canonical(), leaf(2).canonical()])
    assert verify_home(home) == []
    log = EvidenceLog(home)
    log.append([leaf(1), leaf(3)])
    times = [Leaf.parse(entry).machine_time for _, entry in log.entries()]
    assert [time is None for time in times] == [True, True, False]
    assert verify_home(home) == []


def test_machine_times_that_do_not_rise_are_named(home: Home, leaf: Make) -> None:
    seconds = ("05", "06", None, "06", "07")
    times = [None if s is None else f"2026-11-22T00:30:{s}.000000Z" for s in seconds]
    leaves = [replace(leaf(n), machine_time=time) for n, time in enumerate(times)]
    signed_over(home, [one.canonical() for one in leaves])
    found = verify_home(home)
    assert [finding.where for finding in found] == [
        "evidence/tile/entries/000.p/5, entry 2",
        "evidence/tile/entries/000.p/5, entry 3",
    ]
    assert "lacks the machine's time" in found[0].problem.en
    assert "is not after 2026-11-22T00:30:06.000000Z" in found[1].problem.en


def test_a_log_signed_over_other_entries_is_named(home: Home, leaf: Make) -> None:
    """A thief of the key may sign anything; facts logged twice and strange entries still show."""
    entries = [leaf(1).canonical(), b"no leaf", leaf(2).canonical(), leaf(1).canonical()]
    signed_over(home, entries)
    found = verify_home(home)
    assert [finding.where for finding in found] == [
        "evidence/tile/entries/000.p/4, entry 1",
        "evidence/tile/entries/000.p/4, entry 3",
    ]
    assert "logged already, as entry 0" in found[1].problem.en
    assert verify_log(home.evidence, vkey_of(home)) == []  # as a log of any bytes it holds


def test_the_wrong_key_is_said_at_once(filled: Home) -> None:
    other = Signer.generate("jingshu.local/evidence").verifier.encode()
    [found] = verify_log(filled.evidence, other)
    assert found.where == "checkpoint"
    assert "not signed by" in found.problem.en
    assert verify_log(filled.evidence, "rubbish")[0].where == "log.vkey"


def test_a_rollback_is_found_though_every_file_is_genuine(
    home: Home, log: EvidenceLog, leaf: Make, tmp_path: Path
) -> None:
    log.append([leaf(1), leaf(2)])
    shutil.copytree(home.evidence, tmp_path / "backup")
    log.append([leaf(3)])
    shutil.rmtree(home.evidence)
    shutil.copytree(tmp_path / "backup", home.evidence)
    assert verify_log(home.evidence, vkey_of(home)) == []
    [found] = verify_home(home)
    assert found.where == "evidence/checkpoint"
    assert "rolled back: keys/evidence.checkpoint signed 3 leaves, it shows 2" in found.problem.en


def test_a_fork_is_found_though_every_file_is_genuine(
    home: Home, log: EvidenceLog, leaf: Make, tmp_path: Path
) -> None:
    log.append([leaf(1), leaf(2)])
    twin = Home(tmp_path / "twin")
    shutil.copytree(home.keys, twin.keys)
    (twin.keys / "evidence.checkpoint").unlink()
    EvidenceLog(twin).append([leaf(1), leaf(8), leaf(9)])
    shutil.rmtree(home.evidence)
    shutil.copytree(twin.evidence, home.evidence)
    [found] = verify_home(home)
    assert found.where == "evidence/checkpoint"
    assert "forked: its first 2 leaves" in found.problem.en


@pytest.mark.parametrize(
    "name",
    ["evidence/checkpoint", "evidence/log.vkey", "keys/evidence.key", "keys/evidence.checkpoint"],
)
def test_a_missing_part_is_named(filled: Home, name: str) -> None:
    (filled.root / name).unlink()
    assert verify_home(filled) == [Finding(name, MISSING)]


def test_a_log_whose_folder_is_gone_is_missed(filled: Home) -> None:
    shutil.rmtree(filled.evidence)
    assert {finding.where for finding in verify_home(filled)} == {
        "evidence/checkpoint",
        "evidence/log.vkey",
    }


def test_tiles_without_anything_else_are_no_log(filled: Home) -> None:
    shutil.rmtree(filled.keys)
    for name in ("checkpoint", "log.vkey"):
        (filled.evidence / name).unlink()
    assert len(verify_home(filled)) == 4


def test_a_key_that_others_may_read_is_named(filled: Home) -> None:
    (filled.keys / "evidence.key").chmod(0o640)
    [found] = verify_home(filled)
    assert found.where == "keys/evidence.key"
    assert "0600" in found.problem.en


def test_another_log_s_public_key_is_named(filled: Home) -> None:
    other = Signer.generate("jingshu.local/evidence").verifier.encode()
    (filled.evidence / "log.vkey").write_text(other + "\n")
    assert [finding.where for finding in verify_home(filled)] == ["evidence/log.vkey"]


def test_leftovers_beyond_the_checkpoint_are_no_part_of_the_log(
    filled: Home, log: EvidenceLog, leaf: Make
) -> None:
    store = Keeping.of(filled).store
    for level in (0, 1, 2):
        put(store, level, 0, [b"\0" * 32] * 9) if level else put(store, 0, 2, [b"\0" * 32] * 9)
    put(store, ENTRIES, 2, [b"rubbish"] * 9)
    put(store, ENTRIES, 3, [b"rubbish"] * 256)
    assert verify_home(filled) == []
    log.append([leaf(n) for n in range(515, 600)])
    assert verify_home(filled) == []
    assert not (filled.evidence / "tile/entries/003").exists()
    assert not (filled.evidence / "tile/2").exists() or not list(
        (filled.evidence / "tile/2").iterdir()
    )


def test_a_proof_holds_for_its_leaf_only(filled: Home, log: EvidenceLog, leaf: Make) -> None:
    vkey, proof = vkey_of(filled), log.prove(leaf(77).key)
    entries = [entry for _, entry in log.entries()]
    assert verify_proof(proof, entries[77], vkey) == []
    [found] = verify_proof(proof, entries[78], vkey)
    assert found.where == "proof, index 77"
    parsed = Proof.parse(proof)
    assert parsed.encode() == proof
    assert parsed.extra == entries[77]
    bare = replace(parsed, extra=None).encode()
    assert verify_proof(bare, entries[77], vkey) == []
    assert "no leaf" in verify_proof(bare, None, vkey)[0].problem.en


def test_any_changed_byte_breaks_a_proof(filled: Home, log: EvidenceLog, leaf: Make) -> None:
    vkey, proof = vkey_of(filled), log.prove(leaf(514).key).encode()
    for place in range(len(proof)):
        changed = proof[:place] + bytes([proof[place] ^ 1]) + proof[place + 1 :]
        assert verify_proof(changed.decode(errors="replace"), None, vkey) != [], place


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2", "no c2sp.org"),
        ("index 77", "index 077", "no index line"),
        ("index 77", "index -1", "no index line"),
        ("index 77", "leaf 77", "no index line"),
        ("index 77\n", "index 77\nAAAA\n", "not 32 bytes"),
        ("extra ", "extra !", "base64"),
        ("\n\n", "\n", "no c2sp.org"),
    ],
)
def test_malformed_proofs_are_refused(filled: Home, old: str, new: str, problem: str) -> None:
    log = EvidenceLog(filled)
    key = next(Leaf.parse(entry).key for _, entry in log.entries(start=77))
    [found] = verify_proof(log.prove(key).replace(old, new), None, vkey_of(filled))
    assert found.where == "proof"
    assert problem in found.problem.en


def test_a_proof_that_is_no_text_is_refused(filled: Home, log: EvidenceLog, leaf: Make) -> None:
    text = log.prove(leaf(7).key) + "\ud800"
    assert verify_proof(text, None, vkey_of(filled))[0].where == "proof"


def test_a_proof_s_header_alone_is_refused(filled: Home) -> None:
    assert "no index" in verify_proof("c2sp.org/tlog-proof@v1\n\n", None, "x")[0].problem.en


def test_a_log_is_consistent_with_all_it_ever_signed(
    home: Home, log: EvidenceLog, leaf: Make
) -> None:
    heads = []
    for start, end in ((0, 1), (1, 250), (250, 257), (257, 513), (513, 600)):
        log.append([leaf(n) for n in range(start, end)])
        heads.append(log.checkpoint().note)
    for head in heads:
        assert verify_consistency(head, home.evidence, vkey_of(home)) == []


def test_inconsistencies_are_named(filled: Home, leaf: Make, tmp_path: Path) -> None:
    signer = Keeping.of(filled).signer()
    vkey = vkey_of(filled)
    longer = Checkpoint.sign(signer, 516, b"\0" * 32).note
    assert "rolled back" in verify_consistency(longer, filled.evidence, vkey)[0].problem.en
    other = Checkpoint.sign(signer, 300, b"\0" * 32).note
    assert "forked" in verify_consistency(other, filled.evidence, vkey)[0].problem.en
    found = verify_consistency("rubbish", filled.evidence, vkey)
    assert [finding.where for finding in found] == ["older checkpoint"]
    (filled.evidence / "tile/0/001").unlink()
    assert verify_consistency(other, filled.evidence, vkey)[0].where == "tile"
    (filled.evidence / "checkpoint").unlink()
    assert verify_consistency(other, filled.evidence, vkey)[0].where == "checkpoint"
