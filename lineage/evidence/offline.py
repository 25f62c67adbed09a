"""Verify proofs and whole tlog-tiles logs, ours or anyone's, from their files and key alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.errors import EvidenceError, NoteError
from lineage.evidence.hashing import is_consistent, is_included, leaf_hash
from lineage.evidence.note import MAX_NOTE_BYTES, Verifier
from lineage.evidence.proof import Proof
from lineage.evidence.tilecheck import AnyEntries, Finding, TileCheck
from lineage.evidence.tiles import TileStore, read_at_most
from lineage.evidence.tree import TileTree

if TYPE_CHECKING:
    from pathlib import Path


def verify_log(directory: Path, vkey: str, origin: str | None = None) -> list[Finding]:
    """Recompute any tlog-tiles log: signature, entries, every tile, and root; empty means it holds.

    Its entries may be any bytes. ``origin`` is its origin line where that is not its key's name.
    """
    head, findings = open_head(directory, vkey, origin)
    if head is None:
        return findings
    return list(TileCheck(TileStore(directory), head, AnyEntries()).findings())


def verify_proof(
    proof_text: str, leaf_bytes: bytes | None, vkey: str, origin: str | None = None
) -> list[Finding]:
    """Verify a ``.tlog-proof`` offline; without ``leaf_bytes`` its extra data is the leaf."""
    try:
        proof = Proof.parse(proof_text)
        head = Checkpoint.open(proof.checkpoint.encode(), Verifier.parse(vkey), origin)
    except (NoteError, UnicodeEncodeError) as error:
        return [Finding("proof", problem_of(error))]
    leaf = proof.extra if leaf_bytes is None else leaf_bytes
    if leaf is None:
        return [Finding("proof", "It carries no leaf, and none was given.")]
    if not is_included(proof.index, head.size, leaf_hash(leaf), proof.path, head.root):
        where = f"proof, index {proof.index}"
        return [Finding(where, f"The leaf is not in the tree of {head.size} leaves it names.")]
    return []


def verify_consistency(
    old_checkpoint: str, directory: Path, vkey: str, origin: str | None = None
) -> list[Finding]:
    """Verify that a log still holds all that an older checkpoint of it signed."""
    head, findings = open_head(directory, vkey, origin)
    try:
        old = Checkpoint.open(old_checkpoint.encode(), Verifier.parse(vkey), origin)
    except (NoteError, UnicodeEncodeError) as error:
        findings.append(Finding("older checkpoint", problem_of(error)))
        return findings
    if head is None:
        return findings
    if old.size > head.size:
        return [Finding("checkpoint", f"It was rolled back from {old.size} to {head.size} leaves.")]
    try:
        path = TileTree(TileStore(directory), head.size).consistency(old.size)
    except EvidenceError as error:
        return [Finding("tile", problem_of(error))]
    if is_consistent(old.size, head.size, old.root, head.root, path):
        return []
    return [Finding("checkpoint", f"The log forked: its first {old.size} leaves were others.")]


def open_head(
    directory: Path, vkey: str, origin: str | None = None
) -> tuple[Checkpoint | None, list[Finding]]:
    """Return a log's checkpoint, or what is wrong with it or with the key."""
    try:
        verifier = Verifier.parse(vkey)
    except NoteError as error:
        return None, [Finding("log.vkey", problem_of(error))]
    try:
        raw = read_at_most(directory / "checkpoint", MAX_NOTE_BYTES)
        return Checkpoint.open(raw, verifier, origin), []
    except (NoteError, OSError) as error:
        return None, [Finding("checkpoint", problem_of(error))]


def problem_of(error: Exception) -> str:
    """Return an error as the problem of a finding."""
    if isinstance(error, EvidenceError):
        return error.problem
    if isinstance(error, OSError):
        return f"It cannot be read: {error.strerror}."
    return f"It cannot be read: {type(error).__name__}."
