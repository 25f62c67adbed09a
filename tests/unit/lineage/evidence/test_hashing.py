from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from lineage.evidence.hashing import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    merkle_root,
    node_hash,
    perfect_root,
    root_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The reference tree of the certificate-transparency test suites, and its roots at sizes 0 to 8.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

#: (leaf, size) and its audit path, from the same suites.
INCLUSION = [
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (0, 1, []),
]

#: (old, new) and its consistency proof, from the same suites.
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def nodes(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Give subtree hashes by the definition; ask for none that the tree does not have."""

    def node(level: int, index: int) -> bytes:
        end = (index + 1) << level
        assert end <= len(leaves)
        return by_definition(leaves[index << level : end])

    return node


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = by_definition(leaves[:split]), by_definition(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_reference_tree_has_its_published_roots(size: int) -> None:
    assert merkle_root(LEAVES[:size]).hex() == ROOTS[size]
    assert root_at(size, nodes(LEAVES)).hex() == ROOTS[size]


def test_domains_of_leaf_node_and_nothing_are_apart() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert node_hash(b"l", b"r") == sha256(b"\x01lr").digest()


def test_a_perfect_subtree_is_its_own_merkle_root() -> None:
    for width in (1, 2, 4, 8):
        assert perfect_root(LEAVES[:width]) == merkle_root(LEAVES[:width])


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_published_inclusion_paths(index: int, size: int, path: list[str]) -> None:
    made = inclusion_path(index, size, nodes(LEAVES))
    assert [digest.hex() for digest in made] == path
    assert is_included(index, size, LEAVES[index], made, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_published_consistency_paths(old: int, new: int, path: list[str]) -> None:
    made = consistency_path(old, new, nodes(LEAVES))
    assert [digest.hex() for digest in made] == path
    old_root, new_root = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    assert is_consistent(old, new, old_root, new_root, made)


def test_every_inclusion_holds_for_its_leaf_place_and_root_only() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(24)]
    for size in range(1, 24):
        root = by_definition(leaves[:size])
        for index in range(size):
            path = inclusion_path(index, size, nodes(leaves[:size]))
            assert is_included(index, size, leaves[index], path, root)
            assert not is_included(index, size, leaves[-1], path, root)
            assert not is_included(index, size, leaves[index], [*path, root], root)
            assert not is_included(index, size, leaves[index], path, EMPTY_ROOT)
            assert not is_included(index - size, size, leaves[index], path, root)
            assert not is_included(index + size, size, leaves[index], path, root)
            assert not is_included((index + 1) % size, size, leaves[index], path, root) or size == 1
            if path:
                assert not is_included(index, size, leaves[index], path[:-1], root)


def test_every_consistency_holds_for_its_roots_only() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(24)]
    roots = [by_definition(leaves[:size]) for size in range(24)]
    for new in range(24):
        for old in range(new + 1):
            path = consistency_path(old, new, nodes(leaves[:new]))
            assert is_consistent(old, new, roots[old], roots[new], path)
            assert not is_consistent(old, new, roots[old], roots[new], [*path, EMPTY_ROOT])
            wrong = leaf_hash(b"wrong")
            assert not is_consistent(old, new, wrong, roots[new], path)
            if old:
                assert not is_consistent(old, new, roots[old], wrong, path)
            if path:
                assert not is_consistent(old, new, roots[old], roots[new], path[:-1])
                assert not is_consistent(old, new, roots[old], roots[new], [])


def test_sizes_that_cannot_be_are_no_proof() -> None:
    root = merkle_root(LEAVES)
    assert not is_consistent(-1, 8, root, root, [])
    assert not is_consistent(9, 8, root, root, [])
    assert not is_included(0, 0, LEAVES[0], [], EMPTY_ROOT)
    assert not is_included(-1, 1, LEAVES[0], [], LEAVES[0])
