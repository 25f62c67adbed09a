"""Verify proofs and whole tlog-tiles logs, ours or anyone's, from their files and key alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words
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
        problem = Words(
            "证明中不含存证原文，也未另行给出。", "It carries no leaf, and none was given."
        )
        return [Finding("proof", problem)]
    if not is_included(proof.index, head.size, leaf_hash(leaf), proof.path, head.root):
        problem = Words(
            f"该存证不在证明所称的 {head.size} 条的树中。",
            f"The leaf is not in the tree of {head.size} leaves it names.",
        )
        return [Finding(f"proof, index {proof.index}", problem)]
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
        problem = Words(
            f"日志由 {old.size} 条被回滚为 {head.size} 条。",
            f"It was rolled back from {old.size} to {head.size} leaves.",
        )
        return [Finding("checkpoint", problem)]
    try:
        path = TileTree(TileStore(directory), head.size).consistency(old.size)
    except EvidenceError as error:
        return [Finding("tile", problem_of(error))]
    if is_consistent(old.size, head.size, old.root, head.root, path):
        return []
    problem = Words(
        f"日志出现分叉：其前 {old.size} 条原为另外的内容。",
        f"The log forked: its first {old.size} leaves were others.",
    )
    return [Finding("checkpoint", problem)]


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


def problem_of(error: Exception) -> Words:
    """Return an error as the problem of a finding."""
    if isinstance(error, EvidenceError):
        return error.problem
    why = error.strerror if isinstance(error, OSError) else type(error).__name__
    return Words(f"不能读取：{why}。", f"It cannot be read: {why}.")
