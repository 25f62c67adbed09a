from __future__ import annotations

import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.layout import Home
from lineage.evidence.hashing import (
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    merkle_root,
    root_at,
)
from lineage.evidence.leaf import LEAF_TYPES, Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.offline import verify_consistency, verify_log
from lineage.evidence.tiles import TileStore, decode_entries, encode_entries
from lineage.evidence.tree import TileTree
from lineage.evidence.verify import verify_home

SIZE = 600
LEAVES = [
    Leaf("build", f"table@{n}", {"version": n, "sha256": f"{n:064x}"}, "2026-11-22T00:00:00Z")
    for n in range(SIZE)
]
HASHES = [leaf_hash(leaf.canonical()) for leaf in LEAVES]


@cache
def node(level: int, index: int) -> bytes:
    return merkle_root(HASHES[index << level : (index + 1) << level])


@cache
def root(size: int) -> bytes:
    return merkle_root(HASHES[:size])


@cache
def full_log() -> tuple[Home, tempfile.TemporaryDirectory[str]]:
    folder = tempfile.TemporaryDirectory()
    home = Home(Path(folder.name))
    EvidenceLog(home).append(LEAVES)
    return home, folder


def flipped(digest: bytes, bit: int) -> bytes:
    number = int.from_bytes(digest, "big") ^ (1 << bit)
    return number.to_bytes(len(digest), "big")


sizes = st.one_of(st.integers(1, SIZE), st.sampled_from([1, 2, 255, 256, 257, 511, 512, 513]))


@given(size=sizes, data=st.data())
@settings(max_examples=300, deadline=None)
def test_inclusion_holds_and_breaks_with_any_bit(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, node)
    assert is_included(index, size, HASHES[index], path, root(size))
    assert not is_included(index, size, HASHES[index], path, root(size - 1))
    place, bit = data.draw(st.integers(0, len(path))), data.draw(st.integers(0, 255))
    wrong = [*path, HASHES[index]]
    wrong[place] = flipped(wrong[place], bit)
    assert not is_included(index, size, wrong[-1], wrong[:-1], root(size))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else size
    assert not is_included(other, size, HASHES[index], path, root(size))


@given(new=sizes, data=st.data())
@settings(max_examples=300, deadline=None)
def test_consistency_holds_and_breaks_with_any_bit(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    path = consistency_path(old, new, node)
    assert is_consistent(old, new, root(old), root(new), path)
    if path:
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        wrong = [*path]
        wrong[place] = flipped(wrong[place], bit)
        assert not is_consistent(old, new, root(old), root(new), wrong)
        assert not is_consistent(old, new, root(old - 1), root(new), path)
        assert not is_consistent(old, new, root(old), root(new - 1), path)


@given(size=sizes)
@settings(deadline=None)
def test_roots_by_ranges_are_the_merkle_tree_hash(size: int) -> None:
    assert root_at(size, node) == root(size)


@given(index=st.integers(0, SIZE - 1), old=st.integers(0, SIZE))
@settings(deadline=None)
def test_tiles_give_the_same_proofs_as_the_leaves(index: int, old: int) -> None:
    home, _ = full_log()
    tree = TileTree(TileStore(home.evidence), SIZE)
    hashes = [leaf_hash(entry) for _, entry in tree.entries()]

    def logged(level: int, at: int) -> bytes:
        return merkle_root(hashes[at << level : (at + 1) << level])

    assert tree.root() == merkle_root(hashes)
    assert tree.root(old) == merkle_root(hashes[:old])
    assert tree.inclusion(index) == inclusion_path(index, SIZE, logged)
    assert tree.consistency(old) == consistency_path(old, SIZE, logged)
    assert Leaf.parse(tree.entry(index)) == LEAVES[index]


@given(
    cuts=st.lists(st.integers(1, SIZE - 1), max_size=8),
    overlaps=st.lists(st.integers(0, 40), min_size=9, max_size=9),
)
@settings(max_examples=25, deadline=None)
def test_batches_of_any_sizes_give_the_same_tree(cuts: list[int], overlaps: list[int]) -> None:
    bounds = [0, *sorted(set(cuts)), SIZE]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        log = EvidenceLog(home)
        heads = []
        for (start, end), overlap in zip(pairwise(bounds), overlaps, strict=False):
            first = max(0, start - overlap)
            added = log.append(LEAVES[first:end])
            assert [a.index for a in added] == list(range(first, end))
            assert [a.index for a in added if a.is_new] == list(range(start, end))
            heads.append(log.checkpoint())
        hashes = [leaf_hash(entry) for _, entry in log.entries()]
        assert [(head.size, head.root) for head in heads] == [
            (b, merkle_root(hashes[:b])) for b in bounds[1:]
        ]
        assert verify_home(home) == []
        vkey = (home.evidence / "log.vkey").read_text().strip()
        for head in heads:
            assert verify_consistency(head.note, home.evidence, vkey) == []


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_of_any_file_is_found_and_named(data: st.DataObject) -> None:
    home, _ = full_log()
    vkey = (home.evidence / "log.vkey").read_text().strip()
    files = [p for p in sorted(home.evidence.rglob("*")) if p.is_file() and p.name[0] not in ".l"]
    path = data.draw(st.sampled_from(files), label="file")
    sound = path.read_bytes()
    place = data.draw(st.integers(0, len(sound) - 1), label="place")
    changed = bytearray(sound)
    changed[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    try:
        path.write_bytes(bytes(changed))
        named = {f.where.partition(",")[0] for f in verify_log(home.evidence, vkey)}
        assert named == {str(path.relative_to(home.evidence))}
    finally:
        path.write_bytes(sound)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert decode_entries(encode_entries(entries), "bundle") == entries


facts = st.dictionaries(
    st.text(max_size=20),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(-(2.0**53), 2.0**53, exclude_min=True, exclude_max=True),
        st.text(max_size=40),
    ),
    max_size=6,
)


@given(
    leaf_type=st.sampled_from(LEAF_TYPES),
    subject=st.from_regex(r"[\w@.-]+", fullmatch=True),
    facts=facts,
)
def test_leaves_round_trip(leaf_type: str, subject: str, facts: dict[str, object]) -> None:
    leaf = Leaf(leaf_type, subject, facts, "2026-11-22T00:00:00.5Z")  # type: ignore[arg-type]
    assert Leaf.parse(leaf.canonical()).canonical() == leaf.canonical()
    assert leaf.agrees_with(Leaf.parse(leaf.canonical()))
