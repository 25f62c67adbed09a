"""Sealed files: they open in memory as they were, and any changed octet shows nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from jobs.seal.columns import SealError
from jobs.seal.files import opened_file, seal_file
from jobs.seal.keys import FileKeys, NoKeyError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "11010519491231002X"
NAME = "bureau/health"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "keys")


@pytest.mark.parametrize("size", [0, 1, 15, 16, 1 << 20, (1 << 20) + 7, 3 << 20])
def test_a_file_comes_back(keys: FileKeys, tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes((SECRET.encode() * (size // 18 + 1))[:size])
    seal_file(source, target, NAME, keys)
    assert SECRET.encode() not in target.read_bytes()
    with opened_file(target, keys) as clear:
        assert clear.read_bytes() == source.read_bytes()
        assert subprocess.check_output(["cat", str(clear)]) == source.read_bytes()
    assert not clear.exists()


def test_any_changed_octet_is_found(keys: FileKeys, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(SECRET.encode())
    seal_file(source, target, NAME, keys)
    good = target.read_bytes()
    for at in range(len(good)):
        target.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises((SealError, NoKeyError)), opened_file(target, keys):
            pass


@pytest.mark.parametrize("length", [0, 10, 17, 60, 80, 92])
def test_a_cut_file_is_found(keys: FileKeys, tmp_path: Path, length: int) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(SECRET.encode())
    seal_file(source, target, NAME, keys)
    target.write_bytes(target.read_bytes()[:length])
    changed = pytest.raises(SealError, match="not the file that was sealed")
    with changed, opened_file(target, keys):
        pass


def test_a_rotated_key_opens_older_files(keys: FileKeys, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(SECRET.encode())
    seal_file(source, target, NAME, keys)
    keys.rotate(NAME)
    with opened_file(target, keys) as clear:
        assert clear.read_text() == SECRET
