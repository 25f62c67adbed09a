"""Prove from the stored files alone that a log holds, or name what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.errors import EvidenceError, NoteError
from lineage.evidence.hashing import (
    is_consistent,
    is_included,
    leaf_hash,
    merkle_root,
)
from lineage.evidence.keeping import Keeping
from lineage.evidence.note import Verifier
from lineage.evidence.proof import Proof
from lineage.evidence.tilecheck import Finding, TileCheck
from lineage.evidence.tiles import TileStore
from lineage.evidence.tree import TileTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home


def verify_log(directory: Path, vkey: str) -> list[Finding]:
    """Recompute a whole log: signature, leaves, every tile, and root; empty means it holds."""
    head, findings = _open_head(directory, vkey)
    if head is None:
        return findings
    return list(TileCheck.of(TileStore(directory), head).findings())


def verify_home(home: Home) -> list[Finding]:
    """Verify a home's log, its key, and that it was neither cut back nor forked."""
    keeping = Keeping.of(home)
    traces = (keeping.private_key, keeping.vkey, keeping.checkpoint, keeping.guard)
    if _is_not_begun(keeping):
        return []
    missing = [trace for trace in traces if not trace.exists()]
    findings = [Finding(_name(trace), "is missing") for trace in missing]
    findings.extend(_key_findings(keeping))
    if missing or findings:
        return findings
    head, findings = _open_head(keeping.directory, keeping.verifier().encode())
    if head is None:
        return [_in_home(keeping, finding) for finding in findings]
    check = TileCheck.of(keeping.store, head)
    findings = [_in_home(keeping, finding) for finding in check.findings()]
    findings.extend(_guard_findings(keeping, head, check))
    return findings


def verify_proof(proof_text: str, leaf_bytes: bytes | None, vkey: str) -> list[Finding]:
    """Verify a ``.tlog-proof`` offline; without ``leaf_bytes`` its extra data is the leaf."""
    try:
        proof = Proof.parse(proof_text)
        head = Checkpoint.open(proof.checkpoint.encode(), Verifier.parse(vkey))
    except (NoteError, UnicodeEncodeError) as error:
        return [Finding("proof", _problem(error))]
    leaf = proof.extra if leaf_bytes is None else leaf_bytes
    if leaf is None:
        return [Finding("proof", "It carries no leaf, and none was given.")]
    if not is_included(proof.index, head.size, leaf_hash(leaf), proof.path, head.root):
        where = f"proof, index {proof.index}"
        return [Finding(where, f"The leaf is not in the tree of {head.size} leaves it names.")]
    return []


def verify_consistency(old_checkpoint: str, directory: Path, vkey: str) -> list[Finding]:
    """Verify that a log still holds all that an older checkpoint of it signed."""
    head, findings = _open_head(directory, vkey)
    try:
        old = Checkpoint.open(old_checkpoint.encode(), Verifier.parse(vkey))
    except (NoteError, UnicodeEncodeError) as error:
        findings.append(Finding("older checkpoint", _problem(error)))
        return findings
    if head is None:
        return findings
    if old.size > head.size:
        return [Finding("checkpoint", f"It was rolled back from {old.size} to {head.size} leaves.")]
    try:
        path = TileTree(TileStore(directory), head.size).consistency(old.size)
    except EvidenceError as error:
        return [Finding("tile", _problem(error))]
    if is_consistent(old.size, head.size, old.root, head.root, path):
        return []
    return [Finding("checkpoint", f"The log forked: its first {old.size} leaves were others.")]


def _open_head(directory: Path, vkey: str) -> tuple[Checkpoint | None, list[Finding]]:
    try:
        verifier = Verifier.parse(vkey)
    except NoteError as error:
        return None, [Finding("log.vkey", _problem(error))]
    try:
        return Checkpoint.open((directory / "checkpoint").read_bytes(), verifier), []
    except (NoteError, OSError) as error:
        return None, [Finding("checkpoint", _problem(error))]


def _key_findings(keeping: Keeping) -> Iterator[Finding]:
    public = private = None
    try:
        public = keeping.verifier() if keeping.vkey.exists() else None
    except NoteError as error:
        yield Finding(_name(keeping.vkey), _problem(error))
    try:
        private = keeping.signer().verifier if keeping.private_key.exists() else None
    except NoteError as error:
        yield Finding(_name(keeping.private_key), _problem(error))
    if public and private and public != private:
        yield Finding(_name(keeping.vkey), "It is not the public half of keys/evidence.key.")
    if keeping.private_key.exists() and keeping.private_key.stat().st_mode & 0o077:
        yield Finding(_name(keeping.private_key), "Others may read it; set its mode to 0600.")


def _guard_findings(keeping: Keeping, head: Checkpoint, check: TileCheck) -> Iterator[Finding]:
    where = _name(keeping.guard)
    try:
        guard = Checkpoint.open(keeping.guard.read_bytes(), keeping.verifier())
    except (NoteError, OSError) as error:
        yield Finding(where, _problem(error))
        return
    if guard.size > head.size:
        yield Finding(
            _name(keeping.checkpoint),
            f"The log was rolled back: {where} signed {guard.size} leaves, it shows {head.size}.",
        )
        return
    leaves = check.truth()  # without it the log is broken already, and says so
    if leaves is not None and merkle_root(leaves[: guard.size]) != guard.root:
        yield Finding(
            _name(keeping.checkpoint),
            f"The log forked: its first {guard.size} leaves are not those {where} signed.",
        )


def _is_not_begun(keeping: Keeping) -> bool:
    """Say whether nothing was ever logged: no log, or one whose first writer died setting it up."""
    if keeping.guard.exists() or keeping.store.exists():
        return False
    if not keeping.checkpoint.exists():
        return True
    try:
        raw = keeping.checkpoint.read_bytes()
        return Checkpoint.open(raw, keeping.verifier()).size == 0
    except (NoteError, OSError):
        return False


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _in_home(keeping: Keeping, finding: Finding) -> Finding:
    return Finding(f"{keeping.directory.name}/{finding.where}", finding.problem)


def _problem(error: Exception) -> str:
    if isinstance(error, EvidenceError):
        return error.problem
    if isinstance(error, OSError):
        return f"It cannot be read: {error.strerror}."
    return f"It cannot be read: {type(error).__name__}."
