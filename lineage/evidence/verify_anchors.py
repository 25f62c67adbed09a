"""Check who else holds a checkpoint of a dossier's log: verify_dossier.py's second half.

Witnesses' cosignatures (c2sp.org/tlog-cosignature, Ed25519), RFC 3161 timestamps and receipts of a
chain. Python 3.9 or newer and nothing else; a timestamp that is not signed with RSA is checked with
the package ``cryptography`` where it is installed, and otherwise reported
as unchecked.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import import_module
from typing import NamedTuple

Found = tuple[bool, str, str]
IsSigned = Callable[[bytes, bytes, bytes], bool]
_OID, _SEQUENCE, _TAGGED = 0x06, 0x30, 0xA0
_HASHES = {
    "608648016503040201": "sha256",
    "608648016503040202": "sha384",
    "608648016503040203": "sha512",
}
#: What stands before a digest in an RSA signature (RFC 8017 section 9.2), by the digest's name.
_PREFIXES = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_FOR_TIMESTAMPS = bytes.fromhex("06082b06010505070308")
_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
_RSA = bytes.fromhex("06092a864886f70d010101")
_RSA_SIGNED = {
    "2a864886f70d010101",
    "2a864886f70d01010b",
    "2a864886f70d01010c",
    "2a864886f70d01010d",
}
_COMMON_NAME = bytes.fromhex("0603550403")
_AT = 8  # bytes of a cosignature's time


class Node(NamedTuple):
    """A value of DER: its tag, its contents, and all its bytes."""

    tag: int
    inner: bytes
    raw: bytes

    def __call__(self, index: int) -> Node:
        """Return a value within this one."""
        return ders(self.inner)[index]


def ders(data: bytes) -> list[Node]:
    """Read values of DER that stand side by side."""
    found, at = [], 0
    while at < len(data):
        size, start = data[at + 1], at + 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
        if start + size > len(data):
            raise ValueError("it is cut short")
        found.append(Node(data[at], data[start : start + size], data[at : start + size]))
        at = start + size
    return found


def held(
    name: str, files: dict[str, bytes], note: bytes, given: list[str], is_signed: IsSigned
) -> Found:
    """Check one copy of a head: whether a key of yours shows it, and it in Chinese and English."""
    size = int(note.split(b"\n")[1])
    if name.startswith("anchors/"):
        return False, *_receipt(json.loads(files[name]), note, size)
    if name.startswith("timestamps/"):
        when, who, zh, en = stamped(files[name.replace(".checkpoint", ".tsr")], note)
        zh = f"时间戳机构 {who} 于 {when} 为前 {size} 条盖时间戳（RFC 3161）。{zh}"
        return False, zh, f"{who} timestamped (RFC 3161) the first {size} at {when}. {en}"
    return _cosigned(note, files["witnesses"].decode().split("\n"), given, is_signed)


def _receipt(stated: dict[str, str], note: bytes, size: int) -> tuple[str, str]:
    if stated["sha256"] != hashlib.sha256(note).hexdigest() or int(stated["size"]) != size:
        raise ValueError("it is not the receipt of its checkpoint")
    where = f"{_plain(stated['chain_id'])}, {_plain(stated['height'])}"
    block = f"{_plain(stated['block_hash'])}, {_plain(stated['time'])}"
    return (
        f"回执称链与高度 {where} 记录了前 {size} 条，区块 {block}。链上未核对：请自行查该区块。",
        f"A receipt puts the first {size} at {where}, block {block}; NOT CHECKED on the chain.",
    )


def _cosigned(note: bytes, named: list[str], given: list[str], is_signed: IsSigned) -> Found:
    """Check a cosigned checkpoint by the witnesses that were given, or that the bundle names."""
    text, _, lines = note.decode().rpartition("\n\n")
    signatures = [b64decode(line.split(" ")[2]) for line in lines.split("\n") if line]
    size = int(text.split("\n")[1])
    for line, is_given in [*((g, True) for g in given), *((n, False) for n in named)]:
        if not line.startswith("witness "):
            continue
        vkey, url = [*line.split(" ")[2:4], ""][:2]
        who, _, blob = vkey.split("+", 2)
        key = b64decode(blob)[1:]
        key_id = hashlib.sha256(who.encode() + b"\n\x04" + key).digest()[:4]
        for data in (s for s in signatures if s[:4] == key_id):
            at = int.from_bytes(data[4 : 4 + _AT], "big")
            message = f"cosignature/v1\ntime {at}\n{text}\n".encode()
            if not is_signed(key, message, data[4 + _AT :]):
                raise ValueError(f"the cosignature of {who} does not fit")
            return is_given, *_in_words(who, at, size, url, "" if is_given else vkey)
    raise ValueError("no witness that is named cosigned it")


def _in_words(who: str, at: int, size: int, url: str, vkey: str) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, timezone.utc).isoformat()  # noqa: UP017  (Python 3.9)
    zh = f"见证者 {_plain(who)} 于 {when} 联署前 {size} 条，签名相符。"
    en = f"The witness {_plain(who)} cosigned the first {size} at {when}, and its signature fits."
    if re.search(r"//(127\.|localhost|\[::1)", url):
        zh += "该见证者在出具方自己的机器上，所防有限。"
        en += " It runs on the issuer's own machine, so it guards against little."
    if vkey:
        zh += f"其公钥取自本卷，须与见证者自己公布的核对：{_plain(vkey)}"
        en += f" Its key is the bundle's own: compare it with the witness's: {_plain(vkey)}"
    return zh, en


def stamped(token: bytes, message: bytes) -> tuple[str, str, str, str]:
    """Check an RFC 3161 token, or the answer it came in, over a message; return when, who, how far.

    ValueError where it stamps something else or its signature does not fit.
    """
    outer = ders(token)[0]
    content = outer if outer(0).tag == _OID else outer(1)
    signed = ders(content(1)(0).inner)
    if signed[2](0).raw != _TST_INFO:
        raise ValueError("it is no timestamp")
    info = signed[2](1)(0).inner
    stated = ders(ders(info)[0].inner)
    imprint = stated[2]
    if imprint(1).inner != hashlib.new(_HASHES[imprint(0)(0).inner.hex()], message).digest():
        raise ValueError("it stamps something else")
    at = datetime.strptime(stated[4].inner.decode()[:14] + "+0000", "%Y%m%d%H%M%S%z").isoformat()
    signer = ders(signed[-1](0).inner)
    hashed = _HASHES[signer[2](0).inner.hex()]
    digests = [a(1)(0).inner for a in ders(signer[3].inner) if a.inner.startswith(_MESSAGE_DIGEST)]
    if digests != [hashlib.new(hashed, info).digest()]:
        raise ValueError("what it signs is not what it states")
    certificate = _certificate(signed, signer[1](1).inner)
    attributes = b"\x31" + signer[3].raw[1:]  # signed as a SET (RFC 5652 section 5.4)
    is_checked = _is_signed_by(certificate, signer, attributes, hashed)
    names = [n(0)(1).inner for n in ders(_fields(certificate)[4].inner) if _COMMON_NAME in n.raw]
    digest = hashlib.sha256(certificate.raw).hexdigest()
    zh = "签名相符" if is_checked else "签名未核对（需要 cryptography）"
    en = (
        "Its signature fits"
        if is_checked
        else "Its signature was NOT CHECKED (this needs cryptography)"
    )
    return (
        at,
        _plain(names[0].decode("utf-8", "replace") if names else "?"),
        f"{zh}；其证书未核对到根，请与该机构公布的核对，SHA-256：{digest}",
        f"{en}; its certificate is not traced to a root: compare it with theirs, {digest}",
    )


def _fields(certificate: Node) -> list[Node]:
    """Return serial number, algorithm, issuer, validity, subject and key of a certificate."""
    return [node for node in ders(certificate(0).inner) if node.tag != _TAGGED]


def _certificate(signed: list[Node], serial: bytes) -> Node:
    held_here = [c for node in signed[3:-1] if node.tag == _TAGGED for c in ders(node.inner)]
    for certificate in held_here:
        if _fields(certificate)[0].inner == serial and _FOR_TIMESTAMPS in certificate.raw:
            return certificate
    raise ValueError("the certificate of its signer is not in it, or not for timestamps")


def _is_signed_by(certificate: Node, signer: list[Node], message: bytes, hashed: str) -> bool:
    """Tell whether the signature could be checked; ValueError where it does not fit."""
    public, signature = _fields(certificate)[5], signer[5].inner
    if public(0)(0).raw == _RSA and signer[4](0).inner.hex() in _RSA_SIGNED:
        modulus, exponent = (
            int.from_bytes(n.inner, "big") for n in ders(ders(public(1).inner[1:])[0].inner)
        )
        size = (modulus.bit_length() + 7) // 8
        digest = bytes.fromhex(_PREFIXES[hashed]) + hashlib.new(hashed, message).digest()
        padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
        if pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") != padded:
            raise ValueError("its signature does not fit")
        return True
    try:
        x509, ec = (
            import_module("cryptography.x509"),
            import_module("cryptography.hazmat.primitives.asymmetric.ec"),
        )
        hashes = import_module("cryptography.hazmat.primitives.hashes")
        invalid = import_module("cryptography.exceptions").InvalidSignature
    except ImportError:
        return False
    key = x509.load_der_x509_certificate(certificate.raw).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, message, ec.ECDSA(getattr(hashes, hashed.upper())()))
    except invalid as error:
        raise ValueError("its signature does not fit") from error
    return True


def _plain(value: object) -> str:
    """Return a value on one line: what could pass for another line is escaped."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(value))
