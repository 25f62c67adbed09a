from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from lineage.evidence.digests import (
    FileDigest,
    digest_bytes,
    digest_file,
    digest_files,
    sha256_of_files,
)

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


def test_files_have_the_digest_that_a_shell_gives_them(tmp_path: Path) -> None:
    """``sha256sum`` of the files' sorted ``sha256sum`` lines, so that anybody can check a leaf."""
    names = ["b/_ok=true/x.parquet", "a.parquet", "b/a.parquet"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() * 1000)
    digest = digest_files(tmp_path, names)
    listed = subprocess.run(
        ["sha256sum", *sorted(names)], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    assert digest.files == 3
    assert digest.sha256 == hashlib.sha256(listed).hexdigest()
    assert digest.sha256 == sha256_of_files(tmp_path, names)
    lines = "".join(f"{digest_file(tmp_path / n).sm3}  {n}\n" for n in sorted(names))
    assert digest.sm3 == digest_bytes(lines.encode()).sm3


@pytest.mark.parametrize("change", ["bytes", "name", "fewer"])
def test_another_byte_name_or_number_is_another_digest(tmp_path: Path, change: str) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"same")
    before = digest_files(tmp_path, ["a", "b"])
    if change == "bytes":
        (tmp_path / "b").write_bytes(b"sane")
    names = {"bytes": ["a", "b"], "name": ["a", "c"], "fewer": ["a"]}[change]
    after = digest_files(tmp_path, names)
    assert before.sha256 != after.sha256
    assert before.sm3 != after.sm3
