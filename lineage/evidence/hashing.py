"""Merkle tree hashing and proofs with SHA-256 (RFC 6962 section 2.1, RFC 9162 section 2.1).

Everything here is pure. Proofs are planned over a ``NodeSource``: a function that gives the hash of
the perfect subtree ``D[index * 2**level : (index + 1) * 2**level]``, wherever it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

NodeSource = Callable[[int, int], bytes]

#: The root of the tree without leaves.
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry: ``SHA-256(0x00 || entry)``."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children: ``SHA-256(0x01 || left || right)``."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of sibling hashes."""
    row = list(hashes)
    while len(row) > 1:
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs)]  # noqa: B905  (an even number)
    return row[0]


def merkle_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the Merkle Tree Hash of leaves that are hashed already."""
    return fold(perfect_subtrees(leaf_hashes))


def perfect_subtrees(hashes: Iterable[bytes]) -> list[bytes]:
    """Join sibling hashes into the perfect subtrees that cover them, largest (leftmost) first."""
    stack: list[bytes] = []
    for count, leaf in enumerate(hashes):
        carry, right = count, leaf
        while carry & 1:
            right = node_hash(stack.pop(), right)
            carry >>= 1
        stack.append(right)
    return stack


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Join perfect subtrees, largest (leftmost) first, into the root of the whole tree."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, node: NodeSource) -> bytes:
    """Return the root of the tree's first ``size`` leaves."""
    return _range_root(0, size, node)


def inclusion_path(index: int, size: int, node: NodeSource) -> list[bytes]:
    """Return ``PATH(index, D[size])``, from the leaf's sibling up (RFC 6962 section 2.1.1)."""
    low, high, path = 0, size, list[bytes]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: NodeSource) -> list[bytes]:
    """Return ``PROOF(old, D[new])`` for ``0 <= old <= new`` (RFC 6962 section 2.1.2)."""
    if old in {0, new}:
        return []
    low, high, path = 0, new, list[bytes]()
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low = middle
    if low:
        path.append(_range_root(low, high, node))
    return path[::-1]


def is_included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion path (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and current == root


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Check that the tree of ``new`` leaves extends that of ``old`` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    # A power of two is itself a node of the newer tree, so its proof leaves that node out.
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    seen_old = seen_new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            seen_old, seen_new = node_hash(sibling, seen_old), node_hash(sibling, seen_new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            seen_new = node_hash(seen_new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and seen_old == old_root and seen_new == new_root


def _split(width: int) -> int:
    """Return the largest power of two below ``width`` (which is at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_root(low: int, high: int, node: NodeSource) -> bytes:
    """Return the hash over ``D[low:high]``, a range that the RFC's recursion can reach."""
    subtrees = []
    while low < high:
        level = (high - low).bit_length() - 1
        subtrees.append(node(level, low >> level))
        low += 1 << level
    return fold(subtrees)
