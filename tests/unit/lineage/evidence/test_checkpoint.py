from __future__ import annotations

import base64

import pytest

from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.errors import NoteError
from lineage.evidence.hashing import EMPTY_ROOT
from lineage.evidence.note import Signer

SIGNER = Signer.generate("a.example/log")
ROOT = base64.b64encode(EMPTY_ROOT).decode()


def test_a_signed_checkpoint_opens_as_it_was() -> None:
    signed = Checkpoint.sign(SIGNER, 20852163, EMPTY_ROOT)
    assert signed.note.startswith(f"a.example/log\n20852163\n{ROOT}\n\n— a.example/log ")
    assert Checkpoint.open(signed.note.encode(), SIGNER.verifier) == signed


def test_extension_lines_are_allowed() -> None:
    note = SIGNER.sign(f"a.example/log\n7\n{ROOT}\nmore\n")
    assert Checkpoint.open(note.encode(), SIGNER.verifier).size == 7


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.example/log\n7\n", "three lines"),
        (f"a.example/log\n7\n{ROOT}\n\nmore\n", "three lines"),
        (f"b.example/log\n7\n{ROOT}\n", "not of a.example/log"),
        (f"a.example/log\n07\n{ROOT}\n", "decimal"),
        (f"a.example/log\n-7\n{ROOT}\n", "decimal"),
        (f"a.example/log\n٧\n{ROOT}\n", "decimal"),
        ("a.example/log\n7\nAAAA\n", "32 bytes"),
        ("a.example/log\n7\nA\n", "base64"),
    ],
)
def test_malformed_checkpoints_are_refused(text: str, problem: str) -> None:
    with pytest.raises(NoteError, match=problem):
        Checkpoint.open(SIGNER.sign(text).encode(), SIGNER.verifier)


def test_a_checkpoint_of_another_key_is_refused() -> None:
    other = Signer.generate("a.example/log")
    with pytest.raises(NoteError, match="not signed by"):
        Checkpoint.open(Checkpoint.sign(other, 0, EMPTY_ROOT).note.encode(), SIGNER.verifier)
