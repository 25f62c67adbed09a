"""Verify a Jingshu dossier (存证卷宗): python3 verify_dossier.py [BUNDLE] [LOG.VKEY].

It needs Python 3.9 or newer and nothing else, no network and nothing of Jingshu. BUNDLE is the zip
or its unpacked folder (default: this file's). LOG.VKEY is the log's public key as you obtained it
yourself; without it the bundle's own is used, and shown for you to compare.
退出码 Exit code: 0 成立 holds · 1 不成立，并指明何处 broken, and where.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator  # noqa: TC003  (nothing but what every Python has)
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SIGNATURE, _VKEY, _PROOF = 64, 33, "c2sp.org/tlog-proof@v1"


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    for bit in bin(number)[:1:-1]:
        total, point = _add(total, point) if bit == "1" else total, _add(point, point)
    return total


def _point(data: bytes) -> Point:
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("it is no point of the curve")
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature (RFC 8032 section 5.1.7)."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != _SIGNATURE or s >= _Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _Q
    left = _times(s, _point(b"X" + b"f" * 31))  # the base point: y = 4/5
    right = _add(_point(signature[:32]), _times(h, _point(public)))
    return not any((left[i] * right[2] - right[i] * left[2]) % _P for i in (0, 1))


def _base64(text: str) -> bytes:
    if b64encode(b64decode(text, validate=True)).decode() != text:
        raise ValueError("it is not canonical base64")
    return b64decode(text)


def _key(vkey: bytes) -> Key:
    name, key_id, blob = vkey.decode().rstrip("\n").split("+", 2)
    key = _base64(blob)
    wanted = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != _VKEY or key[:1] != b"\x01" or wanted.hex() != key_id:
        raise ValueError("it is no Ed25519 vkey")
    return name, wanted, key[1:]


def _open_note(raw: bytes, key: Key) -> str:
    """Return the text that the key signed; signatures of other keys are ignored."""
    text, _, signatures = raw.decode().rpartition("\n\n")
    *lines, end = signatures.split("\n")
    blobs = [_base64(line.split(" ")[2]) for line in lines if line.startswith(f"— {key[0]} ")]
    ours = [blob[4:] for blob in blobs if blob[:4] == key[1]]
    if end or not ours or not all(is_signed(key[2], text.encode() + b"\n", s) for s in ours):
        raise ValueError(f"it is not signed by {key[0]}")
    return text + "\n"


def _head(raw: bytes, key: Key) -> tuple[int, bytes]:
    origin, size, root = _open_note(raw, key).split("\n")[:3]
    if origin != key[0]:
        raise ValueError(f"it is no checkpoint of {key[0]}")
    return int(size), _base64(root)


def _climb(index: int, last: int, old: bytes, new: bytes, path: list[str]) -> tuple[bytes, bytes]:
    """Follow a Merkle path to the roots of the older and the newer tree (RFC 9162 section 2.1)."""
    for sibling in map(_base64, path):
        if last == 0:
            raise ValueError("its path is too long")
        if index & 1 or index == last:
            old = hashlib.sha256(b"\x01" + sibling + old).digest()
            new = hashlib.sha256(b"\x01" + sibling + new).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = hashlib.sha256(b"\x01" + new + sibling).digest()
        index, last = index >> 1, last >> 1
    return (old, new) if last == 0 else (b"", b"")


def _check_leaf(files: dict[str, bytes], said: dict[str, Any], head: tuple[int, bytes]) -> None:
    """Check one leaf: that it says what the manifest says, and that the log holds it."""
    leaf, proof, index = files[said["leaf"]], files[said["proof"]], said["index"]
    names = {"type", "subject", "facts", "at", *({"machine_time"} & said.keys())}
    if json.loads(leaf) != {name: said[name] for name in names}:
        raise ValueError("the leaf does not say what the manifest says of it")
    for name in {"sha256", "sm3"} & hashlib.algorithms_available:
        if hashlib.new(name, leaf).hexdigest() != said[name]:
            raise ValueError(f"the leaf's {name} is not that of the manifest")
    lines, _, checkpoint = proof.partition(b"\n\n")
    *stated, path = *lines.decode().split("\n")[:3], lines.decode().split("\n")[3:]
    if stated != [_PROOF, f"extra {b64encode(leaf).decode()}", f"index {index}"]:
        raise ValueError("the proof is of another leaf or index")
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    root = _climb(index, head[0] - 1, digest, digest, path)[1]
    if not 0 <= index < head[0] or checkpoint != files["checkpoint"] or root != head[1]:
        raise ValueError("the leaf is not in the tree that the checkpoint signs")


def _check_older(raw: bytes, key: Key, head: tuple[int, bytes]) -> None:
    """Check that an older checkpoint's tree is the beginning of this one's."""
    hashes, _, note = raw.partition(b"\n\n")
    (size, root), path = _head(note, key), hashes.decode().split("\n")[1:]
    if not 0 < size <= head[0]:
        raise ValueError("its tree is empty, or larger than the checkpoint's")
    index, last = (size - 1, head[0] - 1) if size < head[0] else (0, 0)
    while index & 1:
        index, last = index >> 1, last >> 1
    path = [b64encode(root).decode(), *path] if last == 0 or size & (size - 1) == 0 else path
    start = _base64(path[0])
    if _climb(index, last, start, start, path[1:]) != (root, head[1]):
        raise ValueError("its tree is not the beginning of the checkpoint's")


def check(files: dict[str, bytes], vkey: bytes) -> Iterator[tuple[str, str]]:
    """Yield the name of each part that does not hold, and why."""
    part = "log.vkey"
    try:
        key = _key(vkey)
        if _key(files[part]) != key:
            yield part, "it is not the key that was given"
        part = "manifest.json"
        manifest, digest = json.loads(files[part]), hashlib.sha256(files[part]).hexdigest()
        part = "manifest.note"
        if _open_note(files[part], key) != f"{key[0]} dossier@v1\nmanifest.json sha256 {digest}\n":
            yield "manifest.json", "it is not the manifest that was signed"
        listed = {**manifest["files"], "manifest.json": digest, "manifest.note": None}
        for name in sorted(files.keys() | listed.keys()):
            found = hashlib.sha256(files.get(name, b"")).hexdigest()
            if name not in files or listed.get(name, "") not in {None, found}:
                yield name, "it is missing, not listed, or not the file that the manifest lists"
        part = "checkpoint"
        head = _head(files[part], key)
        for part in manifest["older_checkpoints"]:
            _check_older(files[part], key, head)
        for said in manifest["leaves"]:
            part = said["proof"]
            _check_leaf(files, said, head)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        yield part, f"{error} ({type(error).__name__})"


def main(arguments: list[str]) -> int:
    """Print what holds or not; return the exit code."""
    bundle = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        if bundle.is_dir():
            paths = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*")}
            files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
        else:
            with zipfile.ZipFile(bundle) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
        vkey = Path(arguments[1]).read_bytes() if arguments[1:] else files["log.vkey"]
        lines = [f"不成立 BROKEN  {part}: {problem}" for part, problem in check(files, vkey)]
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        lines = [f"不成立 BROKEN  {bundle.name}: {error}"]
    if is_sound := not lines:
        leaves = json.loads(files["manifest.json"])["leaves"]
        lines = [f"{leaf['index']:>10}  {leaf['says']}" for leaf in leaves]
        lines.append(f"成立 HOLDS  {len(leaves)} 条 leaves. 公钥 Key: {vkey.decode().strip()}")
    sys.stdout.buffer.write(("\n".join(lines) + "\n").encode())
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
