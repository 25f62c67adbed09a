from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.evidence.durable import Pending
from lineage.evidence.errors import TileError
from lineage.evidence.hashing import leaf_hash
from lineage.evidence.tiles import (
    ENTRIES,
    WIDTH,
    Level,
    TileStore,
    TileWriter,
    decode_entries,
    encode_entries,
    levels_of,
    tile_name,
    tile_sizes,
)

if TYPE_CHECKING:
    from pathlib import Path

HASHES = [leaf_hash(bytes([number])) for number in range(WIDTH)]


def put(store: TileStore, level: Level, index: int, items: list[bytes]) -> None:
    with Pending() as pending:
        TileWriter(store, pending).put(level, index, items)


@pytest.mark.parametrize(
    ("level", "index", "width", "name"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (1, 1000, 5, "tile/1/x001/000.p/5"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),  # the specification's example
        (ENTRIES, 1234067, 1, "tile/entries/x001/x234/067.p/1"),
    ],
)
def test_names(level: int | str, index: int, width: int, name: str) -> None:
    assert tile_name(level, index, width) == name


def test_the_specification_s_tree_of_70_000() -> None:
    tiles = list(tile_sizes(70_000))
    assert [t for t in tiles if t[0] == 0 and t[2] == 256] == [(0, i, 256) for i in range(273)]
    assert [t for t in tiles if t[0] > 0 or t[2] < 256] == [
        (0, 273, 112),
        (1, 0, 256),
        (1, 1, 17),
        (2, 0, 1),
    ]


@pytest.mark.parametrize(
    ("size", "tiles"),
    [(0, []), (1, [(0, 0, 1)]), (255, [(0, 0, 255)]), (256, [(0, 0, 256), (1, 0, 1)])],
)
def test_small_trees(size: int, tiles: list[tuple[int, int, int]]) -> None:
    assert list(tile_sizes(size)) == tiles
    assert levels_of(size) == len({level for level, _, _ in tiles})


@pytest.mark.parametrize("size", [65_535, 65_536, 70_000, 2**24 - 1, 2**24])
def test_levels(size: int) -> None:
    expected, hashes = 0, size
    while hashes:
        expected, hashes = expected + 1, hashes // 256
    assert levels_of(size) == expected


def test_bundles_round_trip() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert encode_entries([b"ab"]) == b"\x00\x02ab"
    assert decode_entries(encode_entries(entries), "x") == entries


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a\x00\x01"])
def test_a_bundle_that_ends_early_is_damaged(bundle: bytes) -> None:
    with pytest.raises(TileError, match=r"tile/entries/000.p/9: the bundle ends") as caught:
        decode_entries(bundle, "tile/entries/000.p/9")
    assert caught.value.where == "tile/entries/000.p/9"


def test_files_round_trip_and_leave_no_draft(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    put(store, 0, 0, HASHES[:3])
    put(store, ENTRIES, 0, [b"a", b"b"])
    assert (tmp_path / "tile/0/000.p/3").read_bytes() == b"".join(HASHES[:3])
    assert (tmp_path / "tile/entries/000.p/2").read_bytes() == b"\x00\x01a\x00\x01b"
    assert store.hashes(0, 0, 3) == HASHES[:3]
    assert store.entries(0, 2) == [b"a", b"b"]
    assert not store.scratch.exists()


def test_a_part_is_read_from_the_full_tile_once_it_is_gone(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    put(store, 0, 0, HASHES)
    put(store, ENTRIES, 0, [bytes([n]) for n in range(WIDTH)])
    assert store.hashes(0, 0, 3) == HASHES[:3]
    assert store.entries(0, 2) == [b"\x00", b"\x01"]


def test_damage_is_named(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    with pytest.raises(TileError, match=r"tile/0/000.p/3: is missing"):
        store.hashes(0, 0, 3)
    put(store, 0, 0, HASHES[:3])
    path = tmp_path / "tile/0/000.p/3"
    for data in (b"", b"x", path.read_bytes()[:-1], path.read_bytes() + HASHES[3]):
        path.write_bytes(data)
        with pytest.raises(TileError, match=r"tile/0/000.p/3: holds"):
            store.hashes(0, 0, 3)
    path.unlink()
    path.mkdir()
    with pytest.raises(TileError, match=r"tile/0/000.p/3: cannot be read"):
        store.hashes(0, 0, 3)


def test_only_widths_that_can_be_are_seen_or_removed(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    for width in (1, 9, 10, 255):
        put(store, 0, 0, HASHES[:width])
    for stranger in ("0", "256", "007", "x", "٣"):
        (tmp_path / "tile/0/000.p" / stranger).write_bytes(b"")
    assert store.partial_widths(0, 0) == [1, 9, 10, 255]
    store.drop_partials(0, 0, above=9)
    assert store.partial_widths(0, 0) == [1, 9]
    store.drop_partials(0, 0)
    assert store.partial_widths(0, 0) == []
    assert len(list((tmp_path / "tile/0/000.p").iterdir())) == 5


def test_an_emptied_folder_of_parts_goes(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    put(store, 0, 0, HASHES[:1])
    store.drop_partials(0, 0)
    assert not (tmp_path / "tile/0/000.p").exists()


def test_what_lies_beyond_a_size_goes_and_nothing_else(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    keep: list[tuple[Level, int, int]] = [
        (0, 0, 256),
        (0, 1, 3),
        (0, 1, 4),
        (1, 0, 1),
        (ENTRIES, 0, 256),
        (ENTRIES, 1, 4),
    ]
    drop: list[tuple[Level, int, int]] = [
        (0, 1, 5),
        (0, 1, 256),
        (0, 2, 256),
        (0, 3, 256),
        (0, 4, 7),
        (1, 0, 2),
        (1, 0, 256),
        (2, 0, 1),
        (3, 0, 1),
        (ENTRIES, 1, 9),
        (ENTRIES, 1, 256),
        (ENTRIES, 2, 1),
    ]
    for level, index, width in keep + drop:
        put(store, level, index, HASHES[:width])
    store.scratch.mkdir()
    (store.scratch / "left-behind").write_bytes(b"x")
    store.drop_beyond(260)
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {tile_name(*part) for part in keep}
