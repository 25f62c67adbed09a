"""Cosignatures of checkpoints by witnesses, with Ed25519 keys (c2sp.org/tlog-cosignature)."""

from __future__ import annotations

import base64
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
from lineage.evidence.note import check_name, decode_base64, parse_signature

#: Ed25519 with a timestamp, ``cosignature/v1``.
_KIND: Final = b"\x04"
_KEY_BYTES: Final = 32
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_ASK: Final = Words("请向见证者的运营方重新索取。", "Ask the witness's operator for it again.")
#: What a witness's key is called in errors.
_VKEY: Final = Words("见证者的公钥（vkey）", "witness's vkey")


@dataclass(frozen=True)
class WitnessKey:
    """A witness's public key with the name it signs under; written as a *vkey* of type 0x04."""

    name: str
    public_key: bytes  # 32 bytes, RFC 8032

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell this key's signature lines from others'."""
        return sha256(self.name.encode() + b"\n" + _KIND + self.public_key).digest()[:4]

    @classmethod
    def parse(cls, vkey: str) -> WitnessKey:
        """Read ``<name>+<hex key id>+<base64(0x04 || public key)>``.

        Raises:
            NoteError: It is malformed, of another type, or its id does not fit.
        """
        name, _, rest = vkey.partition("+")
        key_id, plus, blob = rest.partition("+")
        if not plus:
            raise _vkey_error(
                Words("的形式不是 <name>+<key id>+<base64>", "not <name>+<key id>+<base64>")
            )
        data = decode_base64(blob, _VKEY)
        if len(data) != 1 + _KEY_BYTES or data[:1] != _KIND:
            raise _vkey_error(
                Words(
                    "不是 Ed25519 联署公钥（类型 0x04）", "no Ed25519 cosignature key (type 0x04)"
                )
            )
        key = cls(check_name(name), data[1:])
        if key.key_id.hex() != key_id:
            problem = Words(
                f"{_VKEY.zh}的标识与其名称和公钥不符。",
                f"The id of the {_VKEY.en} does not fit its name and key.",
            )
            raise NoteError(problem, _ASK)
        return key

    def encode(self) -> str:
        """Return the vkey text, without a newline."""
        blob = base64.b64encode(_KIND + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{blob}"

    def cosigned_at(self, text: str, lines: str) -> int | None:
        """Return when this witness cosigned a checkpoint's text (Unix seconds), by its line.

        ``lines`` are signature lines, of which others' are ignored; None where none is its own.

        Raises:
            NoteError: A line is malformed, or this witness's does not fit the text.
        """
        newest = None
        for line in lines.splitlines():
            name, key_id, data = parse_signature(line)
            if (name, key_id) != (self.name, self.key_id):
                continue
            if len(data) != _TIME_BYTES + _SIGNATURE_BYTES:
                problem = Words(
                    f"{name} 的联署不是 72 字节。", f"The cosignature of {name} is not 72 bytes."
                )
                raise NoteError(problem, _ASK)
            at = int.from_bytes(data[:_TIME_BYTES], "big")
            try:
                public = Ed25519PublicKey.from_public_bytes(self.public_key)
                public.verify(data[_TIME_BYTES:], _message(text, at))
            except (InvalidSignature, ValueError) as error:
                problem = Words(
                    f"{name} 的联署与检查点不符。",
                    f"The cosignature of {name} does not fit the checkpoint.",
                )
                raise NoteError(problem, _ASK) from error
            newest = max(at, newest or 0)
        return newest


@dataclass(frozen=True)
class Cosigner:
    """A witness's private key with its name; never shown by ``repr``."""

    name: str
    seed: bytes = field(repr=False)  # 32 bytes, RFC 8032

    @classmethod
    def generate(cls, name: str) -> Cosigner:
        """Make a new key from the system's randomness."""
        return cls(check_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def key(self) -> WitnessKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return WitnessKey(self.name, public.public_bytes_raw())

    def cosign(self, text: str, at_s: int) -> str:
        """Return the signature line, with its newline, over a checkpoint's text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(text, at_s))
        data = self.key.key_id + at_s.to_bytes(_TIME_BYTES, "big") + signature
        return f"— {self.name} {base64.b64encode(data).decode()}\n"


def _vkey_error(what: Words) -> NoteError:
    return NoteError(Words(f"{_VKEY.zh}{what.zh}。", f"The {_VKEY.en} is {what.en}."), _ASK)


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()
