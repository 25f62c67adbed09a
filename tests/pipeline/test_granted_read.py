"""From the city's drop folder to a recipient's data frame: granted, masked, and taken back."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import delta_sharing
import pytest
from requests import HTTPError

from contracts.layout import ROOT, Home
from contracts.moment import utc_now
from lineage.evidence import verify_dossier
from lineage.evidence.digests import digest_bytes
from lineage.evidence.dossier import compile_dossier
from lineage.evidence.dossier_text import in_words
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import LEAF_TYPES, Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.note import Signer
from lineage.evidence.scope import GrantScope
from sharing.control import Control
from sharing.gateway.reads import settle_reads
from sharing.grants import grants, recipients
from tests.conftest import DAYS, City
from tests.support.gateways import Gateway, running_gateway
from tests.support.lineage.dossiers import keys_of, stranger_says
from tests.support.lineage.dossiers import without as without_leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.spark

TABLE = "heat_readiness__demo"
NAME = f"jingshu.emergency.{TABLE}"


@pytest.fixture(scope="module")
def gateway(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over a copy of the city, so that grants leave the shared one as it is."""
    home = Home(tmp_path_factory.mktemp("granted") / "home")
    shutil.copytree(city.home.root, home.root)
    with running_gateway(home, ROOT / "contracts") as running:
        yield running


@pytest.fixture
def profile(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile file of a recipient who was granted the city's shared table."""
    monkeypatch.setenv("JINGSHU_GATEWAY_PORT", gateway.environment["JINGSHU_GATEWAY_PORT"])
    file = tmp_path / "demo.share"
    with Control(gateway.home) as control:
        grants.grant(control, "demo", TABLE, "高温应急", actor="test")
        recipients.write_profile(recipients.issue_profile(control, "demo"), file)
    return file


@pytest.mark.parametrize("use_delta_format", [False, True], ids=["parquet", "delta"])
def test_a_recipient_reads_masked_values_only(
    city: City, profile: Path, *, use_delta_format: bool
) -> None:
    frame = delta_sharing.load_as_pandas(f"{profile}#{NAME}", use_delta_format=use_delta_format)
    assert len(frame) == 349 * len(DAYS)
    assert "nearest_depot_id" not in frame.columns
    assert "nearest_depot_km" not in frame.columns
    for phone in frame["duty_phone"].dropna():
        assert "*" in phone[3:-4], "the middle of the number is hidden"
    for column in ("nearest_depot_lon", "nearest_depot_lat"):
        assert all(v == round(v, 2) for v in frame[column].dropna())
    counts = frame[["elders_served", "heat_cases"]].stack()
    assert not counts.between(1, 19).any(), "no cell of fewer than k persons"
    truth = city.truths[DAYS[-1]].heat_readiness
    newest = frame[frame["business_date"].astype(str) == str(DAYS[-1])]
    shown = dict(zip(newest["street_code"], newest["elders_served"].fillna(-1), strict=True))
    assert shown == {
        code: -1 if cell.elders_served is None else cell.elders_served
        for code, cell in truth.items()
    }


@pytest.mark.parametrize("use_delta_format", [False, True], ids=["parquet", "delta"])
def test_the_changes_of_every_day_make_the_table(
    gateway: Gateway, profile: Path, *, use_delta_format: bool
) -> None:
    with Control(gateway.home) as control:
        grants.grant(control, "demo", TABLE, "高温应急", grants.Reach(history_from=1), actor="test")
    url = f"{profile}#{NAME}"
    feed = delta_sharing.load_table_changes_as_pandas(
        url, starting_version=1, use_delta_format=use_delta_format
    )
    assert feed["_commit_version"].nunique() >= len(DAYS)
    came_and_went = {"insert": 1, "delete": -1}
    left: Counter[tuple[str, str]] = Counter()
    for row in feed.to_dict("records"):
        key = (row["street_code"], str(row["business_date"])[:10])
        left[key] += came_and_went[row["_change_type"]]
    frame = delta_sharing.load_as_pandas(url)
    days = frame["business_date"].astype(str).str[:10]
    assert +left == Counter(zip(frame["street_code"], days, strict=True))


def test_what_was_not_granted_is_not_there(gateway: Gateway, profile: Path) -> None:
    with pytest.raises(HTTPError) as refused:
        delta_sharing.load_as_pandas(f"{profile}#jingshu.emergency.heat_readiness__other")
    assert refused.value.response.status_code == 404
    with Control(gateway.home) as control:
        grants.revoke(control, "demo", TABLE, actor="test")
    with pytest.raises(HTTPError) as gone:
        delta_sharing.load_as_pandas(f"{profile}#{NAME}")
    assert gone.value.response.status_code == 404


Files = dict[str, bytes]


@pytest.fixture(scope="module")
def audited(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Files]:
    """A recipient's read of a real lake, and the dossier of the grant that it was made under."""
    folder = tmp_path_factory.mktemp("audited")
    home = Home(folder / "home")
    with pytest.MonkeyPatch.context() as patch, Control(gateway.home) as control:
        patch.setenv("JINGSHU_GATEWAY_PORT", gateway.environment["JINGSHU_GATEWAY_PORT"])
        grants.grant(control, "auditee", TABLE, "审计", actor="test")
        recipients.write_profile(recipients.issue_profile(control, "auditee"), folder / "a.share")
        delta_sharing.load_as_pandas(f"{folder / 'a.share'}#{NAME}")
        settle_reads(control, utc_now() + timedelta(hours=2))
    shutil.copytree(gateway.home.evidence, home.evidence)
    shutil.copytree(gateway.home.keys, home.keys)
    shutil.copytree(gateway.home.drop, home.drop)
    return (
        home,
        compile_dossier(home, GrantScope(f"auditee/{NAME}"), [], "2026-07-19T01:00:00Z").files,
    )


def signed_anew(files: Files, signer: Signer, **changes: Any) -> Files:
    """Sign a changed manifest, as who has the key could."""
    rest = {n: d for n, d in files.items() if n not in {"manifest.json", "manifest.note"}}
    listed = {name: hashlib.sha256(data).hexdigest() for name, data in rest.items()}
    manifest = {**json.loads(files["manifest.json"]), **changes, "files": listed}
    body = json.dumps(manifest, ensure_ascii=False).encode()
    said = f"{signer.name} dossier@v1\nmanifest.json sha256 {hashlib.sha256(body).hexdigest()}\n"
    return {**rest, "manifest.json": body, "manifest.note": signer.sign(said).encode()}


def leaf_changed(files: Files, signer: Signer, change: Callable[[dict[str, Any]], Any]) -> Files:
    """Change the grant's leaf, its proof and all that the manifest says of it, and sign that."""
    leaves = json.loads(files["manifest.json"])["leaves"]
    at, said = next((i, leaf) for i, leaf in enumerate(leaves) if leaf["type"] == "grant")
    leaf = json.loads(files[said["leaf"]])
    change(leaf)
    made = Leaf(**leaf)
    entry, digest = made.canonical(), digest_bytes(made.canonical())
    proof = files[said["proof"]].replace(b64encode(files[said["leaf"]]), b64encode(entry))
    leaves[at] = {
        **said,
        **leaf,
        "sha256": digest.sha256,
        "sm3": digest.sm3,
        "says": in_words(made),
    }
    return signed_anew({**files, said["leaf"]: entry, said["proof"]: proof}, signer, leaves=leaves)


def forged_prose(files: Files, signer: Signer) -> Files:
    leaves = json.loads(files["manifest.json"])["leaves"]
    leaves[0]["says"] = ["伪造的文字", "Forged words", ""]
    return signed_anew(files, signer, leaves=leaves)


def swapped(files: Files, signer: Signer) -> Files:
    leaves = json.loads(files["manifest.json"])["leaves"]
    leaves[0]["proof"], leaves[1]["proof"] = leaves[1]["proof"], leaves[0]["proof"]
    return signed_anew(files, signer, leaves=leaves)


def without(files: Files, beginning: str) -> Files:
    name = next(name for name in sorted(files) if name.startswith(beginning))
    return {other: data for other, data in files.items() if other != name}


def anothers(files: Files) -> Files:
    signer = Signer.generate("jingshu.local/evidence")
    vkey = {"log.vkey": signer.verifier.encode().encode() + b"\n"}
    return signed_anew({**files, **vkey}, signer)


def edited(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


#: What is done to a dossier, by somebody who has the log's key where it is signed anew.
TAMPERINGS: Final[dict[str, Callable[[Files, Signer], Files]]] = {
    "forged prose": lambda f, _: edited(f, "manifest.json", "授权：".encode(), "收回：".encode()),
    "forged date": lambda f, s: leaf_changed(
        f, s, lambda leaf: leaf.update(at=leaf["at"][:-5] + "9Z")
    ),
    "forged fact": lambda f, s: leaf_changed(f, s, lambda leaf: leaf["facts"].update(purpose="x")),
    "forged recipient": lambda f, s: leaf_changed(f, s, lambda leaf: leaf.update(subject="y/z#1")),
    "swapped proofs": swapped,
    "removed leaf": lambda f, _: without(f, "leaves/"),
    "added file": lambda f, _: {**f, "leaves/extra.json": b"{}"},
    "larger checkpoint": lambda f, _: edited(f, "checkpoint", b"evidence\n", b"evidence\n9"),
    "another's key": lambda f, _: anothers(f),
    "forged date of issue": lambda f, _: edited(
        f, "manifest.json", b"2026-07-19T01", b"2026-07-18T01"
    ),
    "forged explanation": lambda f, _: edited(f, "README.txt", b"anchored", b"ANCHORED"),
}


def test_a_stranger_follows_a_read_back_to_the_providers_files(
    audited: tuple[Home, Files], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, files = audited
    landed = {
        leaf["facts"]["file_sha256"]
        for leaf in json.loads(files["manifest.json"])["leaves"]
        if leaf["type"] == "landing"
    }
    raw = [
        path
        for path in sorted(home.drop.rglob("*"))
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() in landed
    ]
    assert raw
    assert stranger_says(home, files, tmp_path, *raw) == 0
    said = capsys.readouterr().out
    assert "GAP" not in said
    assert "grant of no request, by test" in said
    for kind in ("landing", "verdict", "publication", "build", "share", "grant", "reads"):
        assert f" {kind} " in said, kind
    part = without_leaves(home, files, next(k for k in keys_of(files) if k.startswith("verdict:")))
    assert stranger_says(home, part, tmp_path, *raw) == 3
    assert "GAP no verdict of " in capsys.readouterr().out
    changed = tmp_path / "changed.csv"
    changed.write_bytes(raw[0].read_bytes() + b"\n")
    assert stranger_says(home, files, tmp_path, changed) == 1
    assert "not a file that landed" in capsys.readouterr().out


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_dossier_is_found(
    tampering: str, audited: tuple[Home, Files], tmp_path: Path
) -> None:
    home, files = audited
    forged = TAMPERINGS[tampering](files, Keeping.of(home).signer())
    assert forged != files
    assert stranger_says(home, forged, tmp_path) == 1
    assert list(verify_dossier.check(forged, files["log.vkey"]))


def test_words_that_the_logs_key_signed_are_held_against_the_leaves(
    audited: tuple[Home, Files],
) -> None:
    home, files = audited
    forged = forged_prose(files, Keeping.of(home).signer())
    [(part, problem)] = verify_dossier.check(forged, files["log.vkey"])
    assert part == "manifest.json"
    assert "its words on leaf" in problem


def test_what_cannot_be_found_is_named(
    audited: tuple[Home, Files], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, _ = audited
    rebuilt = Home(tmp_path / "rebuilt")
    shutil.copytree(home.keys, rebuilt.keys)
    (rebuilt.keys / "evidence.checkpoint").unlink()
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(home).entries()]
    EvidenceLog(rebuilt).append(
        [Leaf(x.type, x.subject, {**x.facts, "purpose": "别的"}, x.at) for x in leaves]
    )
    made = compile_dossier(rebuilt, GrantScope(f"auditee/{NAME}"), [], "2026-07-19T01:00:00Z")
    made.write(tmp_path / "forged")
    command = [sys.executable, "-I", "-S", str(tmp_path / "forged/verify_dossier.py")]
    done = subprocess.run(command, capture_output=True, check=False)
    said = done.stdout.decode()
    assert done.returncode == 0, said
    assert "NOT ANCHORED" in said
    assert "CANNOT BE FOUND: a log that was rebuilt and signed anew with the log's own key" in said
    assert stranger_says(rebuilt, made.files, tmp_path) == 0
    said = capsys.readouterr().out
    assert f"HOLDS {len(made.leaves)} leaves. Not shown: that the log's key did not sign" in said


def test_every_leaf_is_told_in_words_from_its_facts(audited: tuple[Home, Files]) -> None:
    home, _ = audited
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(home).entries()]
    assert len({leaf.type for leaf in leaves}) > 8
    told = leaves + [
        Leaf(kind, "s", {"n": 1, "x_sha256": "a" * 64}, leaves[0].at) for kind in LEAF_TYPES
    ]
    for leaf in told:
        given = json.loads(leaf.canonical())
        chinese, english, digests = in_words(leaf)
        assert [chinese, english, digests] == verify_dossier.in_words(given)
        assert f"{leaf.type} {leaf.type}" not in english, "every type has words"
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese)
        for name, value in leaf.facts.items():
            is_digest = isinstance(value, str) and name.endswith(("sha256", "sm3"))
            assert (f"{name}={value}" in digests) == is_digest or not is_digest
            assert not is_digest or str(value) not in chinese + english
    spoofed = Leaf("grant", "a/b#1", {"purpose": "x\n成立 HOLDS"}, leaves[0].at)
    assert not any("\n" in line for line in in_words(spoofed))
