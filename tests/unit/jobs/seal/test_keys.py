"""Keys: by name and version, private, made once, and shown nowhere."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from contracts.layout import ROOT, Home
from jobs.seal.keys import FileKeys, NoKeyError, keys_of, provider_of

if TYPE_CHECKING:
    from pathlib import Path

NAME = "bureau/health"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "keys")


def test_a_key_is_made_once(keys: FileKeys) -> None:
    made = keys.newest(NAME)
    assert (made.version, len(made.octets)) == (1, 32)
    assert keys.newest(NAME).octets == made.octets
    assert keys.newest("bureau/civil").octets != made.octets


def test_many_at_once_make_one_key(keys: FileKeys) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.seal.keys import FileKeys;"
        f"print(FileKeys(Path(sys.argv[1])).newest({NAME!r}).octets.hex())"
    )
    command = [sys.executable, "-c", code, str(keys.folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({child.communicate()[0] for child in started}) == 1


def test_rotating_adds_a_version_and_keeps_the_old(keys: FileKeys) -> None:
    first = keys.newest(NAME)
    second = keys.rotate(NAME)
    assert (second.version, keys.newest(NAME)) == (2, second)
    assert keys.version(NAME, 1).octets == first.octets != second.octets
    with pytest.raises(NoKeyError, match="no version 3"):
        keys.version(NAME, 3)


def test_rotating_what_is_not_there_is_refused(keys: FileKeys) -> None:
    with pytest.raises(NoKeyError, match="There is no key"):
        keys.rotate(NAME)


def test_only_the_owner_may_read(keys: FileKeys) -> None:
    keys.newest(NAME)
    (file,) = keys.folder.glob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    file.chmod(0o640)
    with pytest.raises(NoKeyError, match="Others may read"):
        keys.newest(NAME)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"versions": []}', b'{"versions": [{}]}'])
def test_a_damaged_file_is_named_and_not_shown(keys: FileKeys, damage: bytes) -> None:
    octets = keys.newest(NAME).octets.hex()
    (file,) = keys.folder.glob("*.json")
    file.write_bytes(damage)
    with pytest.raises(NoKeyError, match="damaged") as told:
        keys.newest(NAME)
    assert octets not in repr(told.value)
    assert told.value.__context__ is None


def test_no_octet_shows(keys: FileKeys) -> None:
    key = keys.newest(NAME)
    assert key.octets.hex() not in repr(key) + str(key)
    assert repr(key.octets) not in repr(key)


@pytest.mark.parametrize("name", ["", "health", "bureau/", "bureau/ x", "../../etc", "other/x"])
def test_a_name_that_is_none_is_refused(keys: FileKeys, name: str) -> None:
    with pytest.raises(UsageError, match="names no key"):
        keys.newest(name)


@pytest.mark.parametrize("name", ["purpose/高温 应急", "purpose/../../../etc/passwd", "bureau/a/b"])
def test_a_name_stays_in_its_folder(keys: FileKeys, name: str) -> None:
    keys.newest(name)
    assert keys.names() == [name]
    assert [f.parent for f in keys.folder.rglob("*.json")] == [keys.folder]


def test_another_process_finds_the_same_provider(home: Home) -> None:
    keys = keys_of(home)
    made = keys.newest(NAME)
    again = provider_of(pickle.loads(pickle.dumps(keys.reference)))  # noqa: S301 - our own
    assert again.version(NAME, 1).octets == made.octets
    assert made.octets.hex() not in keys.reference


def test_keys_may_come_from_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_KEY_PROVIDER", "tests.support.elsewhere:provider")
    assert keys_of(home).newest(NAME).octets == b"elsewhere".ljust(32, b"\0")
    monkeypatch.setenv("JINGSHU_KEY_PROVIDER", "tests.unit.seal.nowhere:provider")
    with pytest.raises(UsageError, match="cannot be imported"):
        keys_of(home)
