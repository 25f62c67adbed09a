"""Dossiers (存证卷宗): the leaves of one affair and their proofs, for a court or an auditor.

A bundle is verified with ``verify_dossier.py``, which lies in it and needs nothing of Jingshu.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contracts.errors import UsageError
from contracts.words import Words
from lineage.evidence import dossier_text
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.digests import digest_bytes
from lineage.evidence.errors import NO_LOG, TreeError
from lineage.evidence.hashing import is_consistent, is_included, leaf_hash
from lineage.evidence.held import held_elsewhere
from lineage.evidence.keeping import Keeping
from lineage.evidence.proof import Consistency, Proof
from lineage.evidence.tree import TileTree
from lineage.evidence.verify_dossier import WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.layout import Home
    from lineage.evidence.custody import Gap
    from lineage.evidence.leaf import Leaf
    from lineage.evidence.scope import Scope

VERIFIER: Final = Path(__file__).with_name("verify_dossier.py")
#: The half of it that checks who else holds the log's head.
ANCHORS: Final = Path(__file__).with_name("verify_anchors.py")

#: Zip members carry no time of their own: the same facts give the same bytes.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Dossier:
    """A finished bundle: its files by name, the leaves in it, and where their custody ends."""

    files: dict[str, bytes]
    leaves: tuple[Leaf, ...]
    checkpoint: Checkpoint
    gaps: tuple[Gap, ...]

    def write(self, path: Path) -> None:
        """Write a zip, or a new folder where ``path`` does not end in ``.zip``.

        Raises:
            UsageError: The path is taken.
        """
        if path.exists():
            raise UsageError(
                Words(f"{path} 已存在。", f"{path} is there already."),
                Words("请另取一个未被占用的名称。", "Give a name that is free."),
            )
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "x") as archive:
                for name, data in self.files.items():
                    archive.writestr(zipfile.ZipInfo(name, _NO_TIME), data)
            return
        for name, data in self.files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)


def compile_dossier(home: Home, scope: Scope, older: Sequence[str], issued_at: str) -> Dossier:
    """Bring together all leaves of ``scope`` under the log's newest checkpoint.

    ``older`` are checkpoints (signed notes) that others hold, e.g. on a chain: the bundle proves
    that the log they saw is the beginning of this one. ``issued_at`` is RFC 3339 in UTC.

    Raises:
        UsageError: Nothing is logged of the scope.
        EvidenceError: The log is damaged, or does not contain an older checkpoint.
    """
    keeping = Keeping.of(home)
    if not keeping.checkpoint.exists():
        raise UsageError(*NO_LOG)
    verifier = keeping.verifier()
    head = Checkpoint.open(keeping.checkpoint.read_bytes(), verifier)
    tree = TileTree(keeping.store, head.size)
    selected = scope.select(tree.entries)
    found = selected.leaves
    if not found:
        raise UsageError(
            Words(f"{scope.words.zh}没有存证。", f"Nothing is logged of {scope.words.en}."),
            Words("请查看 `./jingshu evidence log`。", "See `./jingshu evidence log`."),
        )
    files = {"checkpoint": head.note.encode(), "log.vkey": keeping.vkey.read_bytes()}
    told = [_leaf_files(files, tree, head, index, leaf) for index, leaf in found]
    held = held_elsewhere(home, verifier)
    files |= held.files
    known = [Checkpoint.open(note.encode(), verifier) for note in (*older, *held.notes)]
    names = [_older_file(files, tree, head, checkpoint) for checkpoint in known if checkpoint.size]
    for program in (VERIFIER, ANCHORS):
        files[program.name] = program.read_bytes()
    files["README.txt"] = dossier_text.readme(scope, head, issued_at, len(found)).encode()
    manifest = {
        "what": dossier_text.TITLE,
        "about": str(scope),
        "issued_at": issued_at,
        "origin": head.origin,
        "words": WORDS,
        "leaves": told,
        "gaps": [gap.to_json() for gap in selected.gaps],
        "older_checkpoints": sorted(set(names)),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    body = json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n"
    signed_text = (
        f"{head.origin} dossier@v1\nmanifest.json sha256 {hashlib.sha256(body).hexdigest()}\n"
    )
    signed = {"manifest.json": body, "manifest.note": keeping.signer().sign(signed_text).encode()}
    return Dossier({**signed, **files}, tuple(leaf for _, leaf in found), head, selected.gaps)


def _leaf_files(
    files: dict[str, bytes], tree: TileTree, head: Checkpoint, index: int, leaf: Leaf
) -> dict[str, Any]:
    """Add a leaf and its proof; return what the manifest says of them."""
    entry = leaf.canonical()
    path = tuple(tree.inclusion(index))
    if not is_included(index, head.size, leaf_hash(entry), path, head.root):
        raise TreeError
    names = {"leaf": f"leaves/{index:09}.json", "proof": f"proofs/{index:09}.tlog-proof"}
    files[names["leaf"]] = entry
    files[names["proof"]] = Proof(index, path, head.note, entry).encode().encode()
    digest = digest_bytes(entry)
    return {
        "says": dossier_text.in_words(leaf),
        "index": index,
        **names,
        "sha256": digest.sha256,
        "sm3": digest.sm3,
        "type": leaf.type,
        "subject": leaf.subject,
        "at": leaf.at,
        **({} if leaf.machine_time is None else {"machine_time": leaf.machine_time}),
        "facts": dict(leaf.facts),
    }


def _older_file(
    files: dict[str, bytes], tree: TileTree, head: Checkpoint, older: Checkpoint
) -> str:
    """Add the proof that an older checkpoint's tree is the beginning of this one's."""
    path = tuple(tree.consistency(older.size)) if older.size <= head.size else ()
    if not is_consistent(older.size, head.size, older.root, head.root, path):
        raise TreeError(
            Words(
                f"日志的开头不是某个早先检查点的 {older.size} 条存证。",
                f"The log does not begin with the {older.size} leaves of an older checkpoint.",
            )
        )
    name = f"older/{older.size:09}.consistency"
    files[name] = Consistency(path, older.note).encode().encode()
    return name
