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

from lineage.evidence.errors import NoteError

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "
_KEY_BYTES = 32
_KEY_ID_BYTES = 4

#: The specification asks for a limit and for at least 16 signatures; post-quantum ones take 5 kB.
MAX_NOTE_BYTES: Final = 1 << 20

_ASK = "Ask the log's operator for it again."


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
        name, public_key = _parse_key(vkey, "vkey")
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
            raise NoteError("The private key does not start with PRIVATE+KEY+.", _ASK)
        name, seed = _parse_key(skey.removeprefix(_PRIVATE), "private key", is_private=True)
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
        raise NoteError(f"The note is over {MAX_NOTE_BYTES} bytes.", _ASK)
    try:
        note = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("The note is not UTF-8.", _ASK) from error
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise NoteError("The note has no signature lines after an empty line.", _ASK)
    text += "\n"
    _check_text(text)
    is_signed = False
    for line in signatures.removesuffix("\n").split("\n"):
        name, key_id, signature = parse_signature(line)
        if (name, key_id) != (verifier.name, verifier.key_id):
            continue
        if not verifier.verify(text, signature):
            raise NoteError(f"The signature of {name} does not fit the note's text.", _ASK)
        is_signed = True
    if not is_signed:
        raise NoteError(f"The note is not signed by {verifier.encode()}.", _ASK)
    return text


def check_name(name: str) -> str:
    """Return a key name that the specification allows: not empty, no spaces, no ``+``."""
    if not name or "+" in name or any(c.isspace() or ord(c) < ord(" ") for c in name):
        raise NoteError(
            f"{name!r} cannot name a key.", "Use a schema-less URL such as example.com/log."
        )
    return name


def decode_base64(text: str, what: str) -> bytes:
    """Decode standard base64 and refuse any other spelling of the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"The {what} is not base64.", _ASK) from error
    # Two spellings of one signature would let a byte of a stored file change unseen.
    if base64.b64encode(data).decode() != text:
        raise NoteError(f"The {what} is not canonical base64.", _ASK)
    return data


def parse_signature(line: str) -> tuple[str, bytes, bytes]:
    """Return a signature line's key name, key id and signature.

    Raises:
        NoteError: It is malformed.
    """
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("A signature line is not `— <key name> <base64>`.", _ASK)
    data = decode_base64(blob, "signature")
    if len(data) <= _KEY_ID_BYTES:
        raise NoteError("A signature is too short.", _ASK)
    return check_name(name), data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise NoteError(
            "A note's text ends in a newline and has no other control characters.", _ASK
        )


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _encode_key(name: str, key_id: bytes, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(_ED25519 + key).decode()}"


def _parse_key(text: str, what: str, *, is_private: bool = False) -> tuple[str, bytes]:
    name, _, rest = text.partition("+")
    key_id, plus, blob = rest.partition("+")
    if not plus:
        raise NoteError(f"The {what} is not <name>+<key id>+<base64>.", _ASK)
    key = decode_base64(blob, what)
    if len(key) != 1 + _KEY_BYTES or key[:1] != _ED25519:
        raise NoteError(f"The {what} is not an Ed25519 key (type 0x01).", _ASK)
    key = key[1:]
    public = Signer(name, key).verifier.public_key if is_private else key
    if _key_id(check_name(name), public).hex() != key_id:
        raise NoteError(f"The {what}'s key id does not fit its name and key.", _ASK)
    return name, key
