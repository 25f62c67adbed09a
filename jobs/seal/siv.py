"""Synthetic-IV and counter encryption of many short texts at once, over any 128-bit block cipher.

One call of the block cipher serves a whole column, because a call a value would cost more than the
cipher. Source: RFC 5297 (SIV, with one component of associated data), NIST SP 800-38B (CMAC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, modes

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

#: Octets of a block, and of a synthetic IV.
BLOCK: Final = 16
#: The constant that doubling in GF(2^128) reduces by (RFC 5297, §2.3).
_REDUCE: Final = 0x87
#: The octets of a counter whose top bit RFC 5297, §2.5 clears, so that adding never carries over.
_CLEARED: Final = (8, 12)
_COUNTER: Final = 4

Rows = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


@dataclass(frozen=True)
class Siv:
    """The two halves of one key as block ciphers: S2V's, and the counter's."""

    authenticate: Callable[[bytes], bytes]
    encrypt: Callable[[bytes], bytes]

    @classmethod
    def of(cls, algorithm: Callable[[bytes], BlockCipherAlgorithm], key: bytes) -> Siv:
        """Split a key as RFC 5297, §2.2 does: its left half authenticates."""
        half = len(key) // 2
        return cls(_blocks(algorithm(key[:half])), _blocks(algorithm(key[half:])))

    def synthetic(self, rows: Rows, associated: bytes) -> Rows:
        """Return S2V of every row (m x n octets, n > 0) with the same associated data: m x 16."""
        zero = self._cmac(np.zeros((1, BLOCK), np.uint8))
        data = np.frombuffer(associated, np.uint8).reshape(1, -1)
        mixed = _doubled(zero) ^ self._cmac(data)
        width = rows.shape[1]
        if width < BLOCK:
            return self._cmac(_padded(rows) ^ _doubled(mixed))
        last = rows.copy()
        last[:, width - BLOCK :] ^= mixed
        return self._cmac(last)

    def counted(self, rows: Rows, start: Rows) -> Rows:
        """Return every row (m x n) under the key stream that its own 16 octets begin: its inverse.

        The stream is that of RFC 5297, §2.5, whatever chose the 16 octets.
        """
        count = -(-rows.shape[1] // BLOCK)
        counters = np.repeat(start[:, None, :], count, axis=1)
        counters[:, :, list(_CLEARED)] &= 0x7F
        low = counters[:, :, -_COUNTER:].copy().view(">u4")
        low += np.arange(count, dtype=np.uint32)[None, :, None]
        counters[:, :, -_COUNTER:] = low.view(np.uint8)
        stream = np.frombuffer(self.encrypt(counters.tobytes()), np.uint8)
        return rows ^ stream.reshape(len(rows), count * BLOCK)[:, : rows.shape[1]]

    def _cmac(self, rows: Rows) -> Rows:
        """Return the CMAC of every row, all of one width (SP 800-38B, §6.2)."""
        subkey = _doubled(self._through(np.zeros((1, BLOCK), np.uint8)))
        whole = rows.shape[1] // BLOCK * BLOCK
        if rows.shape[1] == whole and whole:
            whole -= BLOCK
            last = rows[:, whole:] ^ subkey
        else:
            last = _padded(rows[:, whole:]) ^ _doubled(subkey)
        state = np.zeros((len(rows), BLOCK), np.uint8)
        for at in range(0, whole, BLOCK):
            state = self._through(state ^ rows[:, at : at + BLOCK])
        return self._through(state ^ last)

    def _through(self, blocks: Rows) -> Rows:
        out = np.frombuffer(self.authenticate(blocks.tobytes()), np.uint8)
        return out.reshape(blocks.shape)


def _blocks(algorithm: BlockCipherAlgorithm) -> Callable[[bytes], bytes]:
    # ECB over counters and chained blocks is the bare block cipher; no text goes through it.
    return Cipher(algorithm, modes.ECB()).encryptor().update  # noqa: S305


def _padded(rows: Rows) -> Rows:
    """Fill short rows up to a block with a one bit and zeros."""
    out = np.zeros((len(rows), BLOCK), np.uint8)
    out[:, : rows.shape[1]] = rows
    out[:, rows.shape[1]] = 0x80
    return out


def _doubled(block: Rows) -> Rows:
    """Multiply 1 x 16 octets by x in GF(2^128)."""
    number = int.from_bytes(block.tobytes(), "big") << 1
    if number >> (8 * BLOCK):
        number = (number & ((1 << 8 * BLOCK) - 1)) ^ _REDUCE
    return np.frombuffer(number.to_bytes(BLOCK, "big"), np.uint8).reshape(1, BLOCK)
