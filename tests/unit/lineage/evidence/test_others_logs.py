"""Logs that others wrote: made here from the specification, by none of our code."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cli.main import main
from lineage.evidence.offline import verify_log, verify_proof

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ORIGIN = "rome.ct.example.com/tevere"
ENTRIES = [b"", b"\x00\xff\x1f\x8b", b"x" * 65_535, *(os.urandom(n % 90) for n in range(600))]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, to the letter."""
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\x01" + mth(hashes[:k]) + mth(hashes[k:]))


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class Writer:
    """A log in files, as the specifications say, and no more."""

    folder: Path
    name: str = ORIGIN
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list[bytes] = field(default_factory=list)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        return sha(self.name.encode() + b"\n\x01" + self.public)[:4]

    @property
    def vkey(self) -> str:
        key = b64(b"\x01" + self.public)
        return f"{self.name}+{self.key_id.hex()}+{key}"

    def line(self, text: str) -> str:
        return f"— {self.name} {b64(self.key_id + self.key.sign(text.encode()))}\n"

    def hashes(self) -> list[bytes]:
        return [sha(b"\x00" + entry) for entry in self.entries]

    def text(self, origin: str | None = None, extensions: str = "") -> str:
        root = b64(mth(self.hashes()))
        return f"{origin or self.name}\n{len(self.entries)}\n{root}\n{extensions}"

    def write(self, entries: list[bytes], *, note: str | None = None) -> None:
        self.entries += entries
        row, level = self.hashes(), 0
        bundles = [struct.pack(">H", len(entry)) + entry for entry in self.entries]
        while row:
            for start in range(0, len(row), 256):
                part = row[start : start + 256]
                self.put(str(level), start // 256, len(part), b"".join(part))
                if level == 0:
                    bundle = b"".join(bundles[start : start + 256])
                    self.put("entries", start // 256, len(part), bundle)
            full = range(0, len(row) - 255, 256)
            row, level = [mth(row[start : start + 256]) for start in full], level + 1
        if note is None:
            note = self.text() + "\n" + self.line(self.text())
        (self.folder / "checkpoint").write_text(note)
        (self.folder / "key").write_text(self.vkey + "\n")

    def put(self, level: str, index: int, width: int, data: bytes) -> None:
        place = self.folder / "tile" / level / f"{index:03}"
        if width < 256:
            place = place.with_name(f"{index:03}.p") / str(width)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def prove(self, index: int) -> str:
        hashes = "".join(b64(digest) + "\n" for digest in path(index, self.hashes()))
        checkpoint = (self.folder / "checkpoint").read_text()
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{checkpoint}"


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    made = Writer(tmp_path / "log")
    made.folder.mkdir()
    return made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(*arguments: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            main(["evidence", "verify", *map(str, arguments)])
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call


def wheres(writer: Writer, origin: str | None = None) -> list[str]:
    return [finding.where for finding in verify_log(writer.folder, writer.vkey, origin)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 512, 513, 603])
def test_a_log_of_any_bytes_holds(writer: Writer, size: int) -> None:
    writer.write(ENTRIES[:size])
    assert wheres(writer) == []


def test_older_partial_tiles_may_stay_or_go(
    writer: Writer, run: Callable[..., tuple[int, str]]
) -> None:
    for start, end in ((0, 3), (3, 200), (200, 257), (257, 600)):
        writer.write(ENTRIES[start:end])
    older = [
        place
        for place in writer.folder.rglob("*.p/*")
        if place.name != {"0": "88", "1": "2", "entries": "88"}[place.parent.parent.name]
    ]
    assert len(older) == 7
    assert run("--log", writer.folder, "--vkey", writer.folder / "key")[0] == 0
    older[0].write_bytes(older[0].read_bytes()[:-1] + b"!")
    code, text = run("--log", writer.folder, "--vkey", writer.folder / "key")
    assert code == 1
    assert str(older[0].relative_to(writer.folder)) in text
    for place in older:
        place.unlink()
    assert wheres(writer) == []


def test_a_log_that_has_grown_past_its_checkpoint_holds(writer: Writer) -> None:
    writer.write(ENTRIES[:300])
    note = (writer.folder / "checkpoint").read_bytes()
    writer.write(ENTRIES[300:520])
    for place in writer.folder.rglob("001.p/44"):
        place.unlink()  # the full tile is there, so the partial one may be gone
    (writer.folder / "checkpoint").write_bytes(note)
    assert wheres(writer) == []


def test_other_signatures_and_extension_lines_are_accepted(writer: Writer) -> None:
    others = [Writer(writer.folder, f"witness{n}.example") for n in range(20)]
    namesake = Writer(writer.folder)  # the same name, another key
    writer.entries = ENTRIES[:5]
    text = writer.text(extensions="an extension\nжё 京枢\n")
    lines = [other.line("anything") for other in (*others, namesake)]
    writer.entries = []
    writer.write(ENTRIES[:5], note=text + "\n" + "".join([*lines, writer.line(text)]))
    assert wheres(writer) == []
    no_line = text + "\n" + "".join(lines)
    (writer.folder / "checkpoint").write_text(no_line)
    assert wheres(writer) == ["checkpoint"]


def test_a_key_may_sign_under_another_name_than_the_origin(
    writer: Writer, run: Callable[..., tuple[int, str]]
) -> None:
    writer.entries = ENTRIES[:5]
    text = writer.text(origin="elsewhere.example")
    writer.entries = []
    writer.write(ENTRIES[:5], note=text + "\n" + writer.line(text))
    key = writer.folder / "key"
    assert run("--log", writer.folder, "--vkey", key)[0] == 1
    assert run("--log", writer.folder, "--vkey", key, "--origin", "elsewhere.example")[0] == 0


def test_a_proof_of_an_entry_that_is_no_leaf(
    writer: Writer, run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    writer.write(ENTRIES[:300])
    proof, entry = tmp_path / "p.tlog-proof", tmp_path / "entry"
    for index in (0, 1, 2, 255, 256, 299):
        assert verify_proof(writer.prove(index), ENTRIES[index], writer.vkey) == []
        assert verify_proof(writer.prove(index), b"other", writer.vkey) != []
    proof.write_text(writer.prove(7))
    entry.write_bytes(ENTRIES[7])
    key = writer.folder / "key"
    code, text = run(proof, "--leaf", entry, "--vkey", key, "--log", writer.folder)
    assert (code, text) == (0, "成立 HOLDS  index=7\n")
    assert run(proof, "--vkey", key)[0] == 1  # it carries no entry
    assert run("--leaf", entry)[0] == 2


def test_entries_in_another_format_only_are_named_as_missing(writer: Writer) -> None:
    writer.write(ENTRIES[:300])
    (writer.folder / "tile/entries").rename(writer.folder / "tile/data")
    assert wheres(writer) == ["tile/entries"]
    (writer.folder / "tile/0/000").write_bytes(b"x" * 8192)
    assert wheres(writer) == ["tile/entries", "checkpoint"]


def test_any_changed_byte_of_another_s_log_is_named(writer: Writer) -> None:
    writer.write(ENTRIES[3:300])
    for place in [p for p in writer.folder.rglob("*") if p.is_file() and p.name != "key"]:
        sound = place.read_bytes()
        for at in (0, len(sound) // 2, len(sound) - 1):
            place.write_bytes(sound[:at] + bytes([sound[at] ^ 4]) + sound[at + 1 :])
            named = {where.partition(",")[0] for where in wheres(writer)}
            assert named == {str(place.relative_to(writer.folder))}
        place.write_bytes(sound)


def test_a_head_of_any_size_ends_the_search(writer: Writer) -> None:
    writer.write(ENTRIES[:5])
    text = f"{ORIGIN}\n{10**18}\n{b64(bytes(32))}\n"
    (writer.folder / "checkpoint").write_text(text + "\n" + writer.line(text))
    found = wheres(writer)
    assert found[-1] == "tile"
    assert 100 < len(found) < 110


@pytest.mark.parametrize("kind", ["pipe", "folder", "giant", "loop"])
def test_files_that_are_traps_are_named(writer: Writer, kind: str) -> None:
    writer.write(ENTRIES[3:10])
    place = writer.folder / "tile/0/000.p/7"
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "loop":
        place.symlink_to(place)
    else:
        with place.open("wb") as file:
            file.truncate(1 << 40)
    assert wheres(writer) == ["tile/0/000.p/7"]


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        b"\xff\xfe",
        b"a\n0\n\n\n\xe2\x80\x94 a AAAA\n",
        b"x" * 2_000_000,
        f"{ORIGIN}\n-1\nAAAA\n\n— {ORIGIN} AAAAAA==\n".encode(),
    ],
)
def test_hostile_checkpoints_are_refused(writer: Writer, note: bytes) -> None:
    writer.write(ENTRIES[:3])
    (writer.folder / "checkpoint").write_bytes(note)
    assert wheres(writer) == ["checkpoint"]


@pytest.mark.parametrize(
    ("size", "root"), [("01", None), ("+1", None), ("1 ", None), ("٣", None), ("3", "AAAA")]
)
def test_a_signed_head_must_have_the_specified_form(
    writer: Writer, size: str, root: str | None
) -> None:
    writer.write(ENTRIES[:3])
    text = f"{ORIGIN}\n{size}\n{root or b64(mth(writer.hashes()))}\n"
    (writer.folder / "checkpoint").write_text(text + "\n" + writer.line(text))
    assert wheres(writer) == ["checkpoint"]
