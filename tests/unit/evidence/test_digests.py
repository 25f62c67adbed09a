from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from lineage.evidence.digests import FileDigest, digest_bytes, digest_file

if TYPE_CHECKING:
    from pathlib import Path

ABC = FileDigest(
    3,
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
)


def test_the_standards_vectors(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert digest_file(path) == digest_bytes(b"abc") == ABC


@pytest.mark.parametrize("size_bytes", [0, (1 << 20) - 1, 1 << 20, (1 << 21) + 1])
def test_pieces_do_not_show(tmp_path: Path, size_bytes: int) -> None:
    data = (b"0123456789" * (size_bytes // 10 + 1))[:size_bytes]
    path = tmp_path / "file"
    path.write_bytes(data)
    found = digest_file(path)
    assert found == digest_bytes(data)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.size_bytes == size_bytes
