from __future__ import annotations

import base64

import pytest

from contracts.words import Words
from lineage.evidence.errors import NoteError
from lineage.evidence.note import Signer, Verifier, check_name, decode_base64, open_note

#: The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuw"
    "HjG1Yu72IneyaQM=\n"
)

#: The example of golang.org/x/mod/sumdb/note.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)


def test_the_specification_s_example_opens() -> None:
    assert open_note(NOTE.encode(), Verifier.parse(VKEY)) == "This is an example message.\n"


def test_keys_are_written_as_they_were_read() -> None:
    assert Verifier.parse(VKEY).encode() == VKEY
    assert Signer.parse(SKEY).encode() == SKEY
    assert Signer.parse(SKEY).verifier.encode() == PETER


def test_signing_gives_go_s_bytes() -> None:
    assert Signer.parse(SKEY).sign(TEXT) == SIGNED
    assert open_note(SIGNED.encode(), Verifier.parse(PETER)) == TEXT


def test_a_private_key_is_never_shown() -> None:
    signer = Signer.parse(SKEY)
    assert signer.seed.hex() not in repr(signer)
    assert repr(signer.seed) not in repr(signer)


def test_generated_keys_differ() -> None:
    one, two = Signer.generate("a.example"), Signer.generate("a.example")
    assert one.seed != two.seed
    assert one.name == "a.example"


def test_text_may_hold_empty_lines() -> None:
    signer = Signer.generate("a.example/log")
    text = "one\n\ntwo\n"
    assert open_note(signer.sign(text).encode(), signer.verifier) == text


def test_unknown_signatures_are_ignored_but_one_of_ours_is_needed() -> None:
    ours, theirs = Signer.generate("a.example"), Signer.generate("b.example")
    twin = Signer.generate("a.example")  # our name, another key id
    text = "text\n"
    both = ours.sign(text) + theirs.sign(text).partition("\n\n")[2]
    both += twin.sign(text).partition("\n\n")[2]
    assert open_note(both.encode(), ours.verifier) == text
    for stranger in (theirs, twin):
        with pytest.raises(NoteError, match="not signed by"):
            open_note(stranger.sign(text).encode(), ours.verifier)


def test_one_wrong_signature_of_ours_refuses_the_note() -> None:
    signer = Signer.generate("a.example")
    note = signer.sign("text\n") + signer.sign("other\n").partition("\n\n")[2]
    with pytest.raises(NoteError, match="does not fit"):
        open_note(note.encode(), signer.verifier)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"\xff\n\n", "not UTF-8"),
        (b"text\n", "no signature lines"),
        (b"text\n\n", "no signature lines"),
        ("text\n\n— a.example AAAAAAA=".encode(), "no signature lines"),
        (b"te\txt\n\nx\n", "control characters"),
        (b"text\n\n- a.example AAAAAAA=\n", "signature line"),
        ("text\n\n— a.example\n".encode(), "signature line"),
        ("text\n\n— a.example AAAA!AAA\n".encode(), "not base64"),
        ("text\n\n— a.example AAAAAAB=\n".encode(), "canonical"),
        ("text\n\n— a.example AAAAAA==\n".encode(), "too short"),
        ("text\n\n— a+b AAAAAAA=\n".encode(), "name a key"),
    ],
)
def test_malformed_notes_are_refused(raw: bytes, problem: str) -> None:
    with pytest.raises(NoteError, match=problem):
        open_note(raw, Verifier.parse(VKEY))


def test_any_changed_byte_of_a_note_is_refused() -> None:
    verifier = Verifier.parse(VKEY)
    raw = NOTE.encode()
    for place in range(len(raw)):
        for bit in (0x01, 0x20, 0x80):
            changed = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            with pytest.raises(NoteError):
                open_note(changed, verifier)


@pytest.mark.parametrize(
    ("vkey", "problem"),
    [
        ("example.com/foo", r"not <name>\+<key id>"),
        ("example.com/foo+530d903a", r"not <name>\+<key id>"),
        ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "Ed25519"),
        ("example.com/foo+530d903a+AekyeRrm", "Ed25519"),
        ("example.com/foo+530d903a+?", "base64"),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "name a key"),
    ],
)
def test_wrong_vkeys_are_refused(vkey: str, problem: str) -> None:
    with pytest.raises(NoteError, match=problem):
        Verifier.parse(vkey)


def test_wrong_private_keys_are_refused() -> None:
    with pytest.raises(NoteError, match="PRIVATE"):
        Signer.parse(PETER)
    with pytest.raises(NoteError, match="private key's key id"):
        Signer.parse(SKEY.replace("c74f20a3", "c74f20a4"))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\x01"])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(NoteError, match="name a key"):
        check_name(name)


def test_signing_refuses_text_that_no_note_may_have() -> None:
    signer = Signer.generate("a.example")
    for text in ("no newline", "tab\t\n", ""):
        with pytest.raises(NoteError, match="newline"):
            signer.sign(text)


def test_a_public_key_that_is_no_point_verifies_nothing() -> None:
    assert not Verifier("a.example", b"\xff" * 32).verify("text\n", b"\x00" * 64)
    assert not Verifier("a.example", b"short").verify("text\n", b"\x00" * 64)


def test_base64_has_one_spelling() -> None:
    assert decode_base64("AA==", Words("某项", "x")) == b"\x00"
    for spelling in ("AB==", "AA=", "AA", " AA==", "AA==\n", "é"):
        with pytest.raises(NoteError, match="base64"):
            decode_base64(spelling, Words("某项", "x"))
    assert base64.b64decode("AB==") == b"\x00"  # what a lenient reader would take
