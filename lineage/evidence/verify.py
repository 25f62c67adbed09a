"""Prove from the stored files alone that a home's log holds, or name what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words
from lineage.evidence.anchor import verify_receipts
from lineage.evidence.anchored import verify_witnessed
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.errors import NoteError
from lineage.evidence.factcheck import FactCheck
from lineage.evidence.held import verify_timestamps
from lineage.evidence.keeping import Keeping
from lineage.evidence.offline import open_head, problem_of
from lineage.evidence.tilecheck import Finding, TileCheck
from lineage.evidence.tiles import MISSING
from lineage.evidence.tree import TileTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home


def verify_home(home: Home) -> list[Finding]:
    """Verify a home's log, facts, key and receipts, and that it was not cut back or forked.

    What pinned witnesses cosigned, or an authority timestamped, must be its beginning.
    """
    keeping = Keeping.of(home)
    traces = (keeping.private_key, keeping.vkey, keeping.checkpoint, keeping.guard)
    if _is_not_begun(keeping):
        return []
    missing = [trace for trace in traces if not trace.exists()]
    findings = [Finding(_name(trace), MISSING) for trace in missing]
    findings.extend(_key_findings(keeping))
    if missing or findings:
        return findings
    head, findings = open_head(keeping.directory, keeping.verifier().encode())
    if head is None:
        return [_in_home(keeping, finding) for finding in findings]
    check = TileCheck(keeping.store, head, FactCheck(TileTree(keeping.store, head.size)))
    findings = [_in_home(keeping, finding) for finding in check.findings()]
    findings.extend(_guard_findings(keeping, head, check))
    for verify in (verify_receipts, verify_timestamps):
        held = verify(keeping.directory, keeping.verifier())
        findings.extend(_in_home(keeping, finding) for finding in held)
    findings.extend(verify_witnessed(home, keeping.verifier()))
    return findings


def _key_findings(keeping: Keeping) -> Iterator[Finding]:
    public = private = None
    try:
        public = keeping.verifier() if keeping.vkey.exists() else None
    except NoteError as error:
        yield Finding(_name(keeping.vkey), problem_of(error))
    try:
        private = keeping.signer().verifier if keeping.private_key.exists() else None
    except NoteError as error:
        yield Finding(_name(keeping.private_key), problem_of(error))
    if public and private and public != private:
        problem = Words(
            "它不是 keys/evidence.key 的公钥。",
            "It is not the public half of keys/evidence.key.",
        )
        yield Finding(_name(keeping.vkey), problem)
    if keeping.private_key.exists() and keeping.private_key.stat().st_mode & 0o077:
        problem = Words(
            "其他用户可以读取它；请将权限设为 0600。",
            "Others may read it; set its mode to 0600.",
        )
        yield Finding(_name(keeping.private_key), problem)


def _guard_findings(keeping: Keeping, head: Checkpoint, check: TileCheck) -> Iterator[Finding]:
    where = _name(keeping.guard)
    try:
        guard = Checkpoint.open(keeping.guard.read_bytes(), keeping.verifier())
    except (NoteError, OSError) as error:
        yield Finding(where, problem_of(error))
        return
    if guard.size > head.size:
        yield Finding(
            _name(keeping.checkpoint),
            Words(
                f"日志被回滚：{where} 已签署 {guard.size} 条，日志只有 {head.size} 条。",
                f"The log was rolled back: {where} signed {guard.size} leaves, it shows"
                f" {head.size}.",
            ),
        )
        return
    root = check.root_at(guard.size)  # without it the log is broken already, and says so
    if root not in {None, guard.root}:
        yield Finding(
            _name(keeping.checkpoint),
            Words(
                f"日志出现分叉：其前 {guard.size} 条不是 {where} 所签署的。",
                f"The log forked: its first {guard.size} leaves are not those {where} signed.",
            ),
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
