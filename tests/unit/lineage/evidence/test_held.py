"""A dossier carries what others hold of the log, and its verifier checks that, and says how far."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.witness import local
from lineage.evidence.cosignature import Cosigner
from lineage.evidence.dossier import ANCHORS, VERIFIER, Dossier, compile_dossier
from lineage.evidence.errors import EvidenceError
from lineage.evidence.log import EvidenceLog
from lineage.evidence.verify import verify_home
from lineage.evidence.verify_anchors import stamped
from lineage.evidence.verify_dossier import check, report
from lineage.evidence.witness import lines_of, text_of
from lineage.evidence.witnesses import VARIABLE, Pinned, hand_over, pinned_witnesses
from tests.support.lineage.dossiers import JULY, batch, resigned
from tests.support.lineage.witnessing import serving

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

AT = "2026-07-16T01:00:00Z"


@pytest.fixture
def told(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv(VARIABLE, raising=False)
    told = [batch(home, kind, "20260715", 1) for kind in ("landing", "verdict")]
    EvidenceLog(home).append(told)
    return home


def grown(home: Home) -> Dossier:
    """Let the log grow past what others hold, and write the dossier."""
    EvidenceLog(home).append([batch(home, "publication", "20260715", 1)])
    return compile_dossier(home, JULY, [], AT)


def said(folder: Path, made: Dossier, *arguments: Path) -> str:
    made.write(folder / "bundle")
    program = folder / "bundle/verify_dossier.py"
    command = [sys.executable, "-I", "-S", str(program), str(folder / "bundle")]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


def witnessed(home: Home) -> Pinned:
    with serving(home) as pinned:
        hand_over(home, pinned)
    return pinned


def test_cosignatures_are_carried_and_checked(told: Home, tmp_path: Path) -> None:
    pinned = witnessed(told)
    made = grown(told)
    assert list(check(made.files, made.files["log.vkey"])) == []
    text = said(tmp_path, made)
    assert f"The witness {local.NAME} cosigned the first 2 at " in text
    assert "on the issuer's own machine" in text
    assert "Its key is the bundle's own" in text
    assert "here the first 0\nof 3" in text  # a key out of the bundle guards nothing
    (tmp_path / "mine").write_text(f"witness w {pinned.key.encode()}\n")
    shutil.rmtree(tmp_path / "bundle")
    text = said(tmp_path, made, told.evidence / "log.vkey", tmp_path / "mine")
    assert "Its key is the bundle's own" not in text
    assert "here the first 2\nof 3, which leaves 1 of the listed ones open" in text


def test_a_cosignature_that_does_not_fit_is_named(told: Home) -> None:
    pinned = witnessed(told)
    files = grown(told).files
    [name] = [name for name in files if name.startswith("witnessed/")]
    note = files[name].decode()
    [line] = [s for s in lines_of(note).splitlines() if s.startswith(f"— {local.NAME} ")]
    other = Cosigner.generate(local.NAME)
    at_s = pinned.key.cosigned_at(text_of(note), lines_of(note))
    assert at_s is not None
    forged = other.cosign(text_of(note), at_s).strip()
    for changed in (note.replace(line, forged), note.replace(f"{line}\n", "")):
        parts = [part for part, _ in check({**files, name: changed.encode()}, files["log.vkey"])]
        assert parts.count(name) == 2, "its bytes are not those listed, and it is not cosigned"


def openssl(folder: Path, *words: str) -> None:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(params=["rsa:2048", "ec"])
def stamped_home(request: pytest.FixtureRequest, told: Home, tmp_path: Path) -> Home:
    """A log whose checkpoint an authority of our own stamped with the real openssl."""
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "c.cnf").write_text(
        "[req]\ndistinguished_name=d\n[d]\n[x]\nextendedKeyUsage=critical,timeStamping\n"
        "[tsa]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n"
        "digests=sha256\ness_cert_id_alg=sha256\n"
    )
    key = [request.param]
    if request.param == "ec":
        key.extend(("-pkeyopt", "ec_paramgen_curve:P-256"))
    openssl(
        tmp_path, "req", "-x509", "-newkey", *key, "-nodes", "-keyout", "k", "-out", "c",
        "-subj", "/O=Test/CN=tsa.example.cn", "-config", "c.cnf", "-extensions", "x",
    )  # fmt: skip
    kept = told.evidence / "timestamps"
    kept.mkdir()
    shutil.copy(told.evidence / "checkpoint", kept / "a.checkpoint")
    asked = ["ts", "-query", "-data", str(kept / "a.checkpoint"), "-sha256", "-cert", "-out", "q"]
    openssl(tmp_path, *asked)
    answered = ["-queryfile", "q", "-signer", "c", "-inkey", "k", "-out", str(kept / "a.tsr")]
    openssl(tmp_path, "ts", "-reply", "-config", "c.cnf", "-section", "tsa", *answered)
    return told


def test_timestamps_are_carried_and_checked(stamped_home: Home, tmp_path: Path) -> None:
    assert list(verify_home(stamped_home)) == []
    made = grown(stamped_home)
    assert list(check(made.files, made.files["log.vkey"])) == []
    text = said(tmp_path, made)
    assert "tsa.example.cn timestamped (RFC 3161) the first 2 at 20" in text
    # Run without site packages: RSA is checked even so, and of others it is said that they are not.
    is_rsa = (tmp_path / "k").stat().st_size > 1000
    assert ("Its signature fits" in text) == is_rsa
    assert ("NOT CHECKED (this needs cryptography)" in text) != is_rsa


def test_a_timestamp_that_does_not_fit_is_named(stamped_home: Home) -> None:
    token = (stamped_home.evidence / "timestamps/a.tsr").read_bytes()
    message = (stamped_home.evidence / "timestamps/a.checkpoint").read_bytes()
    assert stamped(token, message)[1] == "tsa.example.cn"
    for wrong in (token[:-1] + bytes([token[-1] ^ 1]), token.replace(b"Z", b"X"), token[:-9]):
        with pytest.raises((ValueError, IndexError, KeyError)):
            stamped(wrong, message)
    with pytest.raises(ValueError, match="stamps something else"):
        stamped(token, message + b"x")
    (stamped_home.evidence / "timestamps/a.checkpoint").write_bytes(message + b"x")
    [finding] = verify_home(stamped_home)
    assert finding.where == "evidence/timestamps/a.checkpoint"
    with pytest.raises(EvidenceError, match=r"timestamps/a\.checkpoint"):
        compile_dossier(stamped_home, JULY, [], AT)


def test_the_verifier_alone_says_what_it_did_not_check(told: Home, tmp_path: Path) -> None:
    witnessed(told)
    grown(told).write(tmp_path / "bundle.zip")
    shutil.copy(VERIFIER, tmp_path / "v.py")
    assert not (tmp_path / ANCHORS.name).exists()
    command = [sys.executable, "-I", "-S", "v.py", "bundle.zip"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    assert "is NOT CHECKED: verify_anchors.py is not beside me." in done.stdout.decode()
    assert pinned_witnesses(told)


def test_words_of_an_earlier_version_are_not_printed(told: Home) -> None:
    files = grown(told).files
    leaves = json.loads(files["manifest.json"])["leaves"]
    earlier = [{**leaf, "says": "words of then"} for leaf in leaves]
    made = resigned(told, files, leaves=earlier, words=None)
    assert list(check(made, made["log.vkey"])) == []
    text = "\n".join(report(made, []))
    assert "words of then" not in text
    assert "another version: not checked, not printed" in text
    assert [p for p, _ in check(resigned(told, files, leaves=earlier), made["log.vkey"])] == [
        "manifest.json"
    ] * len(leaves)
