"""Signed notes with Ed25519 keys (c2sp.org/signed-note)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from contracts.words import Words
from lineage.evidence.errors import NoteError

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "
_KEY_BYTES = 32
_KEY_ID_BYTES = 4

#: The specification asks for a limit and for at least 16 signatures; post-quantum ones take 5 kB.
MAX_NOTE_BYTES: Final = 1 << 20

#: The remedy where what a log's operator gave is not as it must be.
ASK: Final = Words("请向日志方重新索取。", "Ask the log's operator for it again.")


@dataclass(frozen=True)
class Verifier:
    """A public key with the name it signs under; written as a *vkey*."""

    name: str
    public_key: bytes  # 32 bytes, RFC 8032

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell this key's signature lines from others'."""
        return _key_id(self.name, self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Read ``<name>+<hex key id>+<base64(type || public key)>``.

        Raises:
            NoteError: It is malformed, of another type than Ed25519, or its id does not fit.
        """
        name, public_key = _parse_key(vkey, Words("公钥（vkey）", "vkey"))
        return cls(name, public_key)

    def encode(self) -> str:
        """Return the vkey text, without a newline."""
        return _encode_key(self.name, self.key_id, self.public_key)

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether ``signature`` (64 bytes) is this key's over the note text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key with its name; never shown by ``repr``."""

    name: str
    seed: bytes = field(repr=False)  # 32 bytes, RFC 8032

    @classmethod
    def generate(cls, name: str) -> Signer:
        """Make a new key from the system's randomness."""
        return cls(check_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, skey: str) -> Signer:
        """Read ``PRIVATE+KEY+<name>+<hex key id>+<base64(type || seed)>``, as Go's note package.

        Raises:
            NoteError: It is malformed, or its id does not fit the key.
        """
        if not skey.startswith(_PRIVATE):
            raise _refused(
                Words(
                    "私钥不以 PRIVATE+KEY+ 开头。",
                    "The private key does not start with PRIVATE+KEY+.",
                )
            )
        what = Words("私钥", "private key")
        name, seed = _parse_key(skey.removeprefix(_PRIVATE), what, is_private=True)
        return cls(name, seed)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return Verifier(self.name, public.public_bytes_raw())

    def encode(self) -> str:
        """Return the private key as text, without a newline."""
        return _PRIVATE + _encode_key(self.name, self.verifier.key_id, self.seed)

    def sign(self, text: str) -> str:
        """Return the whole note: text, blank line, one signature line."""
        _check_text(text)
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{text}\n{_DASH}{self.name} {blob}\n"


def open_note(raw: bytes, verifier: Verifier) -> str:
    """Return the text of a note that ``verifier``'s key signed; ignore unknown signatures.

    Raises:
        NoteError: It is malformed, not signed by this key, or a signature of this key is wrong.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise _refused(
            Words(
                f"签名文本超过 {MAX_NOTE_BYTES} 字节。", f"The note is over {MAX_NOTE_BYTES} bytes."
            )
        )
    try:
        note = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(Words("签名文本不是 UTF-8。", "The note is not UTF-8.")) from error
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise _refused(
            Words(
                "签名文本的空行之后没有签名行。",
                "The note has no signature lines after an empty line.",
            )
        )
    text += "\n"
    _check_text(text)
    is_signed = False
    for line in signatures.removesuffix("\n").split("\n"):
        name, key_id, signature = parse_signature(line)
        if (name, key_id) != (verifier.name, verifier.key_id):
            continue
        if not verifier.verify(text, signature):
            raise _refused(
                Words(
                    f"{name} 的签名与文本不符。",
                    f"The signature of {name} does not fit the note's text.",
                )
            )
        is_signed = True
    if not is_signed:
        vkey = verifier.encode()
        raise _refused(Words(f"签名文本没有 {vkey} 的签名。", f"The note is not signed by {vkey}."))
    return text


def check_name(name: str) -> str:
    """Return a key name that the specification allows: not empty, no spaces, no ``+``."""
    if not name or "+" in name or any(c.isspace() or ord(c) < ord(" ") for c in name):
        raise NoteError(
            Words(f"{name!r} 不能作为密钥的名称。", f"{name!r} cannot name a key."),
            Words(
                "请使用不带协议的网址，例如 example.com/log。",
                "Use a schema-less URL such as example.com/log.",
            ),
        )
    return name


def decode_base64(text: str, what: Words) -> bytes:
    """Decode standard base64 and refuse any other spelling of the same bytes.

    ``what`` names it in errors: 证明, proof.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused(Words(f"{what.zh}不是 base64。", f"The {what.en} is not base64.")) from error
    # Two spellings of one signature would let a byte of a stored file change unseen.
    if base64.b64encode(data).decode() != text:
        raise _refused(
            Words(f"{what.zh}不是规范的 base64。", f"The {what.en} is not canonical base64.")
        )
    return data


def parse_signature(line: str) -> tuple[str, bytes, bytes]:
    """Return a signature line's key name, key id and signature.

    Raises:
        NoteError: It is malformed.
    """
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise _refused(
            Words(
                "签名行的形式不是 `— <key name> <base64>`。",
                "A signature line is not `— <key name> <base64>`.",
            )
        )
    data = decode_base64(blob, Words("签名", "signature"))
    if len(data) <= _KEY_ID_BYTES:
        raise _refused(Words("签名过短。", "A signature is too short."))
    return check_name(name), data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise _refused(
            Words(
                "签名文本须以换行符结尾，且不得有其他控制字符。",
                "A note's text ends in a newline and has no other control characters.",
            )
        )


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _encode_key(name: str, key_id: bytes, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(_ED25519 + key).decode()}"


def _refused(problem: Words) -> NoteError:
    return NoteError(problem, ASK)


def _parse_key(text: str, what: Words, *, is_private: bool = False) -> tuple[str, bytes]:
    name, _, rest = text.partition("+")
    key_id, plus, blob = rest.partition("+")
    if not plus:
        raise _refused(
            Words(
                f"{what.zh}的形式不是 <name>+<key id>+<base64>。",
                f"The {what.en} is not <name>+<key id>+<base64>.",
            )
        )
    key = decode_base64(blob, what)
    if len(key) != 1 + _KEY_BYTES or key[:1] != _ED25519:
        raise _refused(
            Words(
                f"{what.zh}不是 Ed25519 密钥（类型 0x01）。",
                f"The {what.en} is not an Ed25519 key (type 0x01).",
            )
        )
    key = key[1:]
    public = Signer(name, key).verifier.public_key if is_private else key
    if _key_id(check_name(name), public).hex() != key_id:
        raise _refused(
            Words(
                f"{what.zh}的标识与其名称和密钥不符。",
                f"The {what.en}'s key id does not fit its name and key.",
            )
        )
    return name, key
