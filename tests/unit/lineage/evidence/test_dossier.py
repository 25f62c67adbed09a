"""A dossier is verified by a program that finds nothing of Jingshu on its way."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from base64 import b64encode
from datetime import date
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.main import main
from contracts.delivery import Delivery
from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.record import deliveries
from lineage.evidence import verify_dossier
from lineage.evidence.digests import digest_bytes
from lineage.evidence.dossier import ANCHORS, VERIFIER, compile_dossier
from lineage.evidence.durable import Pending
from lineage.evidence.errors import TreeError
from lineage.evidence.hashing import leaf_hash
from lineage.evidence.keeping import Keeping
from lineage.evidence.log import EvidenceLog
from lineage.evidence.note import Signer
from lineage.evidence.scope import DatasetScope, GrantScope
from lineage.evidence.tiles import ENTRIES, TileWriter
from sharing.grants.grants import grant_leaf, revoke_leaf
from tests.support.lineage.dossiers import AT, JULY, awaited, batch, granted, resigned

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

GRANT = "街道办/city.main.elder_care__street#3f2a9c41"
AFTER = date(2025, 12, 31)
ELDERS = load_tree(ROOT / "contracts").contract("civil.elder_service")


@pytest.fixture
def told(home: Home) -> Home:
    """A city's log with one affair in it, between many others, and heads of three sizes.

    What a leaf states comes from the code whose leaf it is; the lake itself is not there.
    """
    log = EvidenceLog(home)
    log.append([batch(home, "landing", "20260714", 1), batch(home, "landing", "20260715", 2)])
    (home.root / "first").write_text(log.checkpoint().note)
    log.append([awaited(JULY.first, number) for number in range(300)])
    (home.root / "second").write_text(log.checkpoint().note)
    log.append(
        [
            batch(home, "verdict", "20260715", 2),
            batch(home, "publication", "20260716", 3),
            batch(home, "landing", "20260717", 4),
        ]
    )
    refused = Delivery(ELDERS, "civil", JULY.first)
    deliveries.ended(home, refused, "refused", "密级：机密")
    grant = granted("3f2a9c41", "助老 elder care")
    grants = [grant_leaf(grant), grant_leaf(granted("77777777", "x"))]
    grant.revoked_at, grant.revoked_by = grant.granted_at, "test"
    log.append([*grants, revoke_leaf(grant)])
    return home


def run(*arguments: str | Path, cwd: Path) -> tuple[int, str]:
    """Run the verifier of the tree as a stranger would: no site, no environment, another folder."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stderr == b""
    return done.returncode, done.stdout.decode()


def subjects(home: Home, scope: GrantScope | DatasetScope) -> list[str]:
    made = compile_dossier(home, scope, [], AT)
    return [f"{leaf.type}:{leaf.subject}" for leaf in made.leaves]


def test_a_dataset_s_days_are_brought_together(told: Home) -> None:
    expected = [
        "landing:civil__elder_service@20260715-000000000002",
        "verdict:civil__elder_service@20260715-000000000002/000000000000",
        "publication:civil__elder_service@20260716-000000000003",
        "delivery:civil__elder_service@2026-07-15#1",
        "refusal:civil__elder_service@2026-07-15#1",
    ]
    for name in ("civil.elder_service", "civil__elder_service", "elder_service"):
        scope = DatasetScope(name, JULY.first, JULY.last)
        assert subjects(told, scope) == expected
    with pytest.raises(UsageError, match="Nothing is logged"):
        compile_dossier(told, DatasetScope("elder_service", date(2025, 1, 1), AFTER), [], AT)


def test_a_grant_is_named_by_its_subject_or_its_id(told: Home) -> None:
    for name in (GRANT, "3f2a9c41", "3f2a"):
        assert subjects(told, GrantScope(name)) == [f"grant:{GRANT}", f"revoke:{GRANT}"]
    with pytest.raises(UsageError, match="names 2 grants"):
        compile_dossier(told, GrantScope(GRANT.partition("#")[0]), [], AT)
    for nothing in ("4", "", "街道办"):
        with pytest.raises(UsageError, match="Nothing is logged"):
            compile_dossier(told, GrantScope(nothing), [], AT)


def test_a_zip_and_a_folder_are_verified_anywhere(
    told: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(told.root))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bundle, folder = elsewhere / "a.zip", elsewhere / "b"
    days = ("--from", "2026-07-15", "--to", "2026-07-16")
    older = ("--checkpoint", str(told.root / "first"), "--checkpoint", str(told.root / "second"))
    asked = ["evidence", "dossier", "--dataset", "civil.elder_service", *days, *older]
    for out in (bundle, folder):
        with pytest.raises(SystemExit) as caught:
            main([*asked, "--out", str(out)])
        assert not caught.value.code
        said = capsys.readouterr().out
        assert "的 5 条存证" in said
        assert "5 leaves of " in said
    with pytest.raises(SystemExit) as caught:
        main([*asked, "--out", str(bundle)])
    assert caught.value.code == 2  # never written over
    shutil.copy(VERIFIER, elsewhere / "v.py")
    code, text = run("v.py", "a.zip", cwd=elsewhere)
    assert code == 0
    assert "成立 HOLDS  5 条 leaves" in text
    assert "裁决：对批次 civil__elder_service@20260715-000000000002" in text
    assert "verdict given: civil__elder_service@20260715-000000000002" in text
    assert run("v.py", "b", told.evidence / "log.vkey", cwd=elsewhere)[0] == 0
    assert run(folder / "verify_dossier.py", cwd=tmp_path)[0] == 0  # beside its bundle
    other = elsewhere / "other.vkey"
    other.write_text(Signer.generate("jingshu.local/evidence").verifier.encode() + "\n")
    code, text = run("v.py", "b", other, cwd=elsewhere)
    assert code == 1
    assert "BROKEN  log.vkey" in text
    assert sorted(p.name for p in (folder / "older").iterdir()) == [
        "000000002.consistency",
        "000000302.consistency",
    ]


@pytest.mark.parametrize("program", [VERIFIER, ANCHORS], ids=lambda path: path.name)
def test_the_verifier_is_short_and_old_pythons_read_it(program: Path) -> None:
    text = program.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    tree = ast.parse(text, feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        if name
    }
    assert imported <= sys.stdlib_module_names


@pytest.fixture
def files(told: Home) -> dict[str, bytes]:
    older = [(told.root / name).read_text() for name in ("first", "second")]
    head = EvidenceLog(told).checkpoint().note
    return compile_dossier(told, JULY, [*older, head], AT).files


def broken(files: dict[str, bytes]) -> list[str]:
    return [part for part, _ in verify_dossier.check(files, files.get("log.vkey", b""))]


def test_any_changed_byte_of_any_part_is_named(files: dict[str, bytes]) -> None:
    assert broken(files) == []
    assert len(files) == 7 + 2 * 5 + 3
    for name, data in files.items():
        for at in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            assert name in broken({**files, name: changed}), (name, at)


def test_missing_and_added_files_are_named(files: dict[str, bytes]) -> None:
    for name in files:
        rest = {other: data for other, data in files.items() if other != name}
        assert name in broken(rest)
    assert broken({**files, "leaves/extra.json": b"{}"}) == ["leaves/extra.json"]


def test_what_the_key_signs_must_still_be_in_the_log(told: Home, files: dict[str, bytes]) -> None:
    leaves = json.loads(files["manifest.json"])["leaves"]
    assert broken(resigned(told, files)) == []
    first = leaves[0]
    told_otherwise = {**first, "facts": {**first["facts"], "rows_landed": 9}}
    assert broken(resigned(told, files, leaves=[told_otherwise])) == [first["proof"]]
    entry = files[first["leaf"]].replace(b'"rows_landed":2', b'"rows_landed":9')
    proof = files[first["proof"]].replace(b64encode(files[first["leaf"]]), b64encode(entry))
    forged = {**files, first["leaf"]: entry, first["proof"]: proof}
    said = {
        **told_otherwise,
        "sha256": hashlib.sha256(entry).hexdigest(),
        "sm3": digest_bytes(entry).sm3,
    }
    assert broken(resigned(told, forged, leaves=[said])) == [first["proof"]]
    moved = files[first["proof"]].replace(b"index 1\n", b"index 0\n")
    shifted = resigned(told, {**files, first["proof"]: moved}, leaves=[{**first, "index": 0}])
    assert broken(shifted) == [first["proof"]]


def test_an_older_checkpoint_of_a_fork_is_named(
    told: Home, files: dict[str, bytes], tmp_path: Path
) -> None:
    fork = type(told)(tmp_path / "fork")
    shutil.copytree(told.keys, fork.keys)
    (fork.keys / "evidence.checkpoint").unlink()
    EvidenceLog(fork).append([batch(fork, "landing", "20260714", 9)])
    note = EvidenceLog(fork).checkpoint().note
    with pytest.raises(TreeError, match="does not begin with the 1 leaves"):
        compile_dossier(told, JULY, [note], AT)
    name = "older/000000002.consistency"
    forged = files[name].partition(b"\n\n")[0] + b"\n\n" + note.encode()
    assert broken(resigned(told, {**files, name: forged})) == [name]


def test_a_damaged_log_gives_no_dossier(told: Home) -> None:
    log = EvidenceLog(told)
    entries = [entry for _, entry in log.entries()][:256]
    entries[1] = batch(told, "landing", "20260715", 5).canonical()
    with Pending() as pending:
        writer = TileWriter(Keeping.of(told).store, pending)
        writer.put(ENTRIES, 0, entries)
        writer.put(0, 0, [leaf_hash(entry) for entry in entries])
    with pytest.raises(TreeError):
        compile_dossier(told, JULY, [], AT)


def test_bundles_that_are_no_bundles_are_named(files: dict[str, bytes], tmp_path: Path) -> None:
    shutil.copy(VERIFIER, tmp_path / "v.py")
    (tmp_path / "no.zip").write_bytes(b"no zip")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "cut.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    whole = (tmp_path / "cut.zip").read_bytes()
    at = whole.index(files["checkpoint"])
    (tmp_path / "cut.zip").write_bytes(whole[:at] + b"\0" + whole[at + 1 :])
    for name in ("no.zip", "cut.zip", "empty", "nothing"):
        code, text = run("v.py", name, cwd=tmp_path)
        assert code == 1
        assert "不成立 BROKEN" in text


def is_accepted(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return verify_dossier.is_signed(public, message, signature)
    except ValueError:  # its first half is no point of the curve
        return False


@given(message=st.binary(max_size=200), seed=st.binary(min_size=32, max_size=32), data=st.data())
@settings(max_examples=25, deadline=None)
def test_signatures_are_judged_as_by_a_library(
    message: bytes, seed: bytes, data: st.DataObject
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify_dossier.is_signed(public, message, signature)
    at = data.draw(st.integers(0, 63))
    wrong = signature[:at] + bytes([signature[at] ^ 1 << data.draw(st.integers(0, 7))])
    wrong += signature[at + 1 :]
    assert not is_accepted(public, message, wrong)
    assert not verify_dossier.is_signed(public, message + b"x", signature)


@pytest.mark.parametrize(
    ("public", "message", "signature"),
    [  # RFC 8032 section 7.1, tests 1 and 2
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc6"
                "1e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e45"
                "8f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
    ],
)
def test_the_standard_s_signatures(public: str, message: str, signature: str) -> None:
    parts = (bytes.fromhex(part) for part in (public, message, signature))
    assert verify_dossier.is_signed(*parts)


def test_a_dossier_is_about_one_thing(
    told: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(told.root))
    out = ("--out", str(tmp_path / "x.zip"))
    wrong: list[tuple[str, ...]] = [
        (),
        ("--grant", "3f", "--dataset", "x"),
        ("--grant", "3f", "--from", "2026-07-15"),
        ("--dataset", "elder_service", "--from", "2026-07-15"),
        ("--dataset", "nothing", "--from", "2026-07-15", "--to", "2026-07-15"),
    ]
    for options in wrong:
        with pytest.raises(SystemExit) as caught:
            main(["evidence", "dossier", *options, *out])
        assert caught.value.code == 2
    assert not (tmp_path / "x.zip").exists()
