"""The evidence log: facts are appended once, for good, and can be proved offline."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from contracts.errors import UsageError
from contracts.words import Words
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.clock import next_time
from lineage.evidence.durable import Pending
from lineage.evidence.errors import (
    NO_LOG,
    EvidenceConflictError,
    EvidenceError,
    EvidenceRollbackError,
    TileError,
    TreeError,
)
from lineage.evidence.hashing import is_consistent, is_included, leaf_hash
from lineage.evidence.index import Fact, FactIndex, forget_index, open_index
from lineage.evidence.keeping import Keeping
from lineage.evidence.leaf import Leaf
from lineage.evidence.proof import Proof
from lineage.evidence.tiles import ENTRIES, HEIGHT, TileStore, TileWriter, levels_of
from lineage.evidence.tree import Edge, TileTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contracts.layout import Home
    from lineage.evidence.note import Signer

DEFAULT_ORIGIN = "jingshu.local/evidence"


@dataclass(frozen=True)
class Appended:
    """Where a leaf is in the log; ``is_new`` is False where its fact was there before."""

    index: int
    leaf_hash: bytes
    is_new: bool


@dataclass(frozen=True)
class Logged:
    """A leaf as it stands in the log."""

    index: int
    leaf_hash: bytes
    leaf: Leaf


class EvidenceLog:
    """The one log of a home (c2sp.org/tlog-tiles); any number of processes may append."""

    def __init__(self, home: Home, origin: str = DEFAULT_ORIGIN) -> None:
        """Name the log; nothing is read or made before it is used."""
        self._keeping = Keeping.of(home)
        self._origin = origin

    @property
    def size(self) -> int:
        """How many leaves are in the log; 0 where there is no log yet."""
        return self.checkpoint().size if self._keeping.checkpoint.exists() else 0

    def checkpoint(self) -> Checkpoint:
        """Return the newest signed head.

        Raises:
            EvidenceError: There is no log yet, or its head is not signed by its key.
        """
        try:
            raw = self._keeping.checkpoint.read_bytes()
            return Checkpoint.open(raw, self._keeping.verifier())
        except FileNotFoundError as error:
            raise EvidenceError(*NO_LOG) from error

    def append(self, leaves: Sequence[Leaf]) -> list[Appended]:
        """Log facts, each once: a fact that is there already is returned as it stands.

        The log adds when it took each, by this machine's clock, later than all before it.
        All or nothing: the checkpoint is written last, so a crash leaves the log as it was.

        Raises:
            EvidenceConflictError: A fact of this type and subject is logged with other contents.
            EvidenceRollbackError: The log was cut back or replaced since it last signed.
            EvidenceError: The log is damaged at its edge, or its key does not fit.
        """
        with self._keeping.locked():
            return self._append(leaves)

    def find(self, key: str) -> Logged | None:
        """Return the fact that ``type:subject`` names; None where it is not logged."""
        leaf_type, _, subject = key.partition(":")
        if not self._keeping.checkpoint.exists():
            return None
        with self._keeping.locked():
            tree = TileTree(self._keeping.store, self.checkpoint().size)
            with self._checked_index(tree, [(leaf_type, subject)]) as index:
                position = index.position(leaf_type, subject)
        return None if position is None else _logged(tree, position)

    def keys_of(self, subject: str) -> list[str]:
        """Return the keys of all facts about a subject."""
        if not self._keeping.checkpoint.exists():
            return []
        with self._keeping.locked():
            tree = TileTree(self._keeping.store, self.checkpoint().size)
            with open_index(self._keeping.index, tree) as index:
                return [f"{leaf_type}:{subject}" for leaf_type in index.types_of(subject)]

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Return ``(index, canonical leaf)`` in order, from ``start`` on."""
        return TileTree(self._keeping.store, self.size).entries(start)

    def prove(self, key: str) -> str:
        """Return the text of a ``.tlog-proof`` file with the canonical leaf as extra data.

        Raises:
            UsageError: The fact is not logged.
            EvidenceError: The log is damaged, so that the proof would not hold.
        """
        logged = self.find(key)
        if logged is None:
            raise UsageError(
                Words(f"存证日志中没有 {key}。", f"{key} is not in the evidence log."),
                Words("请查看 `./jingshu evidence log`。", "See `./jingshu evidence log`."),
            )
        checkpoint = self.checkpoint()
        tree = TileTree(self._keeping.store, checkpoint.size)
        path = tuple(tree.inclusion(logged.index))
        root = checkpoint.root
        if not is_included(logged.index, checkpoint.size, logged.leaf_hash, path, root):
            raise TreeError
        return Proof(logged.index, path, checkpoint.note, logged.leaf.canonical()).encode()

    def _append(self, leaves: Sequence[Leaf]) -> list[Appended]:
        signer, shown, guard = self._keeping.open_for_signing(self._origin)
        tree = TileTree(self._keeping.store, shown.size)
        self._refuse_rollback(tree, shown, guard)
        with self._checked_index(tree, [(leaf.type, leaf.subject) for leaf in leaves]) as index:
            appended, fresh = _sort_out(leaves, tree, index)
            if fresh:
                head = self._extend(list(fresh.values()), shown, signer)
                index.add(fresh, head.size, head.root)
        return appended

    def _extend(self, entries: list[bytes], shown: Checkpoint, signer: Signer) -> Checkpoint:
        store = self._keeping.store
        edge = Edge.load(store, shown.size)
        if edge.root() != shown.root:
            raise TreeError
        store.drop_beyond(shown.size)
        with Pending() as pending:
            edge.extend(entries, TileWriter(store, pending))
            head = Checkpoint.sign(signer, edge.size, edge.root())
            self._keeping.show(head, pending)
        _drop_filled(store, shown.size, head.size)
        return head

    def _refuse_rollback(self, tree: TileTree, shown: Checkpoint, guard: Checkpoint) -> None:
        if guard.size > shown.size:
            raise EvidenceRollbackError(
                Words(
                    f"存证日志现有 {shown.size} 条，而已签署的有 {guard.size} 条。",
                    f"The evidence log shows {shown.size} leaves, but {guard.size} were signed.",
                )
            )
        path = tree.consistency(guard.size)
        if not is_consistent(guard.size, shown.size, guard.root, shown.root, path):
            raise EvidenceRollbackError(
                Words(
                    f"存证日志出现分叉：其前 {guard.size} 条不是已签署的内容。",
                    f"The evidence log forked: its first {guard.size} leaves are not those signed.",
                )
            )
        if guard.size < shown.size:  # a writer died between the two checkpoints
            self._keeping.keep_guard(shown)

    @contextmanager
    def _checked_index(
        self, tree: TileTree, facts: Sequence[tuple[str, str]]
    ) -> Iterator[FactIndex]:
        """Open the index, and make it anew where one of its hits is not what the log says."""
        path = self._keeping.index
        with open_index(path, tree) as index:
            if _is_sound(index, facts, tree):
                yield index
                return
        forget_index(path)
        with open_index(path, tree) as index:
            yield index


def _is_sound(index: FactIndex, facts: Sequence[tuple[str, str]], tree: TileTree) -> bool:
    try:
        for fact in facts:
            position = index.position(*fact)
            if position is None:
                continue
            if not 0 <= position < tree.size:
                return False
            leaf = _logged(tree, position).leaf
            if (leaf.type, leaf.subject) != fact:
                return False
    except sqlite3.DatabaseError:
        return False
    return True


def _logged(tree: TileTree, position: int) -> Logged:
    entry = tree.entry(position)
    return Logged(position, leaf_hash(entry), Leaf.parse(entry))


def _sort_out(
    leaves: Sequence[Leaf], tree: TileTree, index: FactIndex
) -> tuple[list[Appended], dict[Fact, bytes]]:
    """Tell new facts from those that are logged, or that came earlier in the same call."""
    appended, fresh, known = list[Appended](), dict[Fact, bytes](), dict[Fact, Logged]()
    newest: str | None = None
    for leaf in leaves:
        fact = (leaf.type, leaf.subject)
        if fact not in known and (position := index.position(*fact)) is not None:
            known[fact] = _logged(tree, position)
        logged = known.get(fact)
        is_new = logged is None
        if logged is None:
            newest = next_time(newest or _newest_time(tree))
            stamped = replace(leaf, machine_time=newest)
            entry = stamped.canonical()
            logged = known[fact] = Logged(tree.size + len(fresh), leaf_hash(entry), stamped)
            fresh[fact] = entry
        elif not leaf.agrees_with(logged.leaf):
            raise EvidenceConflictError(leaf.key, _sha256(logged.leaf), _sha256(leaf))
        appended.append(Appended(logged.index, logged.leaf_hash, is_new))
    return appended, fresh


def _newest_time(tree: TileTree) -> str | None:
    """Return when the newest entry was logged; None where there is none, or none says so."""
    if not tree.size:
        return None
    try:
        return Leaf.parse(tree.entry(tree.size - 1)).machine_time
    except TileError:
        raise
    except EvidenceError:
        return None  # no leaf: verify names it


def _sha256(leaf: Leaf) -> str:
    return sha256(leaf.canonical()).hexdigest()


def _drop_filled(store: TileStore, old: int, new: int) -> None:
    """Remove the partial tiles of tiles that are full now, as the specification allows."""
    for level in range(levels_of(old)):
        index = old >> HEIGHT * (level + 1)
        if new >> HEIGHT * (level + 1) > index:
            store.drop_partials(level, index)
            if level == 0:
                store.drop_partials(ENTRIES, index)
