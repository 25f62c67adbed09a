"""Sealed columns: texts of an Arrow column ⇄ SM4 texts, and pseudonyms (HMAC-SM3).

A sealed text is base64 of ``magic 3 | way 1 | key version 2 | start 16 | cipher text``; the clear
text is padded to 14, 29, 44 … octets, so that its length says little. NULL stays NULL. SM4:
GB/T 32907-2016; SM3: GB/T 32905-2016; HMAC: RFC 2104.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.hmac import HMAC

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.seal.siv import BLOCK, Rows, Siv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.seal.keys import Key, KeyProvider

#: What every sealed text begins with: three octets, in base64 ``sm4/``.
PREFIX: Final = "sm4/"
_MAGIC: Final = base64.b64decode(PREFIX)
#: The ways of sealing: equal texts stay equal, or nothing does.
_SAME, _RANDOM = 1, 0
_HEAD: Final = len(_MAGIC) + 3
#: Padded texts have 14 + 15 n octets: with what stands before them, a multiple of three.
_FIRST, _STEP = 14, 15
_END: Final = 0x80


class SealError(JingshuError, ValueError):
    """A text that this key did not seal for this column, or that was changed since."""


@dataclass(frozen=True)
class Seal:
    """How one column is sealed: whose key, for which column, and whether equal texts stay equal.

    ``context`` is authenticated where equal texts stay equal, so that one column's text opens in
    no other.
    """

    key_name: str
    context: str
    is_same: bool = False


def sealed(texts: pa.Array, seal: Seal, keys: KeyProvider) -> pa.Array:
    """Seal a column of strings; NULL stays NULL."""
    key = keys.newest(seal.key_name)
    if seal.is_same:
        coded = _encoded(texts)
        return pc.take(_sealed_values(coded.dictionary, seal, key), coded.indices)
    return _sealed_values(_strings(texts), seal, key)


def opened(texts: pa.Array, seal: Seal, keys: KeyProvider) -> pa.Array:
    """Return the clear texts of a sealed column; either way of sealing is opened.

    Raises:
        SealError: A text was not sealed so, or was changed; no text is in the message.
    """
    texts = _strings(texts)
    parts, places = [pa.nulls(texts.null_count, pa.string())], [_indices(pc.is_null(texts))]
    for width, at in _by_length(texts):
        matrix = _decoded(texts.take(pa.array(at)), width, seal)
        way = matrix[:, len(_MAGIC)]
        versions = matrix[:, _HEAD - 2].astype(np.uint16) << 8 | matrix[:, _HEAD - 1]
        if np.any(versions == 0):
            raise _broken(seal)
        for kind in np.unique(way):
            for version in np.unique(versions[way == kind]):
                mine = (way == kind) & (versions == version)
                key = keys.version(seal.key_name, int(version))
                parts.append(_opened_rows(matrix[mine], seal, key, is_same=kind == _SAME))
                places.append(at[mine])
    return _in_order(parts, places)


def sealed_forms(text: str, seal: Seal, keys: KeyProvider) -> list[str]:
    """Return what a text may stand as where equal texts stay equal: one form a key version."""
    newest = keys.newest(seal.key_name).version
    versions = (keys.version(seal.key_name, number) for number in range(1, newest + 1))
    values = pa.array([text], pa.string())
    return [_sealed_values(values, seal, key)[0].as_py() for key in versions]


def pseudonyms(texts: pa.Array, key_name: str, keys: KeyProvider) -> pa.Array:
    """Return HMAC-SM3 (64 hex digits) of every text under a purpose's key; NULL stays NULL.

    The same person joins within one purpose and not across two. The newest version counts, so
    rotating the key makes new pseudonyms. A plain hash of an ID number could be enumerated.
    """
    key = keys.newest(key_name)
    mac = HMAC(key.octets, hashes.SM3())
    coded = _encoded(texts)
    found = [_digest(mac, value) for value in coded.dictionary.to_pylist()]
    return pc.take(pa.array(found, pa.string()), coded.indices)


def _digest(mac: HMAC, text: str) -> str:
    one = mac.copy()
    one.update(text.encode())
    return one.finalize().hex()


def _strings(texts: pa.Array) -> pa.Array:
    combined = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return combined.cast(pa.string())


def _encoded(texts: pa.Array) -> pa.DictionaryArray:
    """Return each text once, and where it stands."""
    return _strings(texts).dictionary_encode(null_encoding="mask")


@lru_cache(maxsize=16)
def _cipher(octets: bytes) -> Siv:
    return Siv.of(SM4, octets)


def _sealed_values(texts: pa.Array, seal: Seal, key: Key) -> pa.Array:
    cipher = _cipher(key.octets)
    head = np.frombuffer(
        _MAGIC + bytes([_SAME if seal.is_same else _RANDOM]) + key.version.to_bytes(2, "big"),
        np.uint8,
    )
    parts, places = [pa.nulls(texts.null_count, pa.string())], [_indices(pc.is_null(texts))]
    for width, at in _by_padded_length(texts):
        rows = _padded_rows(texts.take(pa.array(at)), width)
        if seal.is_same:
            start = cipher.synthetic(rows, seal.context.encode())
        else:
            start = np.frombuffer(os.urandom(BLOCK * len(rows)), np.uint8).reshape(-1, BLOCK)
        whole = np.hstack([np.tile(head, (len(rows), 1)), start, cipher.counted(rows, start)])
        parts.append(_fixed_strings(base64.b64encode(whole.tobytes()), len(rows)))
        places.append(at)
    return _in_order(parts, places)


def _opened_rows(matrix: Rows, seal: Seal, key: Key, *, is_same: bool) -> pa.Array:
    cipher = _cipher(key.octets)
    start = matrix[:, _HEAD : _HEAD + BLOCK]
    rows = cipher.counted(matrix[:, _HEAD + BLOCK :], start)
    if is_same and not np.array_equal(cipher.synthetic(rows, seal.context.encode()), start):
        raise _broken(seal)
    return _unpadded(rows, seal)


def _decoded(texts: pa.Array, width: int, seal: Seal) -> Rows:
    """Return sealed texts of one length as rows of octets."""
    try:
        octets = base64.b64decode(_octets(texts), validate=True)
    except binascii.Error:
        raise _broken(seal) from None
    matrix = np.frombuffer(octets, np.uint8)
    if width % 4 or len(octets) != len(texts) * width // 4 * 3:
        raise _broken(seal)
    matrix = matrix.reshape(len(texts), width // 4 * 3)
    if matrix.shape[1] < _HEAD + BLOCK + _FIRST or not np.array_equal(
        matrix[:, : len(_MAGIC)], np.tile(np.frombuffer(_MAGIC, np.uint8), (len(texts), 1))
    ):
        raise _broken(seal)
    return matrix


def _padded_rows(texts: pa.Array, width: int) -> Rows:
    rows = np.zeros((len(texts), width), np.uint8)
    lengths = _lengths(texts)
    rows[np.arange(width) < lengths[:, None]] = np.frombuffer(_octets(texts), np.uint8)
    rows[np.arange(len(texts)), lengths] = _END
    return rows


def _unpadded(rows: Rows, seal: Seal) -> pa.Array:
    """Return padded rows as texts; raises SealError where the padding or the text is none."""
    width = rows.shape[1]
    lengths = width - 1 - np.argmax(rows[:, ::-1] != 0, axis=1)
    if not np.all(rows[np.arange(len(rows)), lengths] == _END):
        raise _broken(seal)
    octets = rows[np.arange(width) < lengths[:, None]].tobytes()
    made = _strings_of(octets, np.concatenate([[0], np.cumsum(lengths)]))
    try:
        made.validate(full=True)
    except pa.ArrowInvalid:  # no UTF-8: another key's text, or a changed one
        raise _broken(seal) from None
    return made


def _by_padded_length(texts: pa.Array) -> Iterator[tuple[int, np.ndarray]]:
    lengths = _lengths(texts)
    widths = _FIRST + _STEP * -(-np.maximum(lengths + 1 - _FIRST, 0) // _STEP)
    yield from _grouped(widths, ~np.asarray(pc.is_null(texts)))


def _by_length(texts: pa.Array) -> Iterator[tuple[int, np.ndarray]]:
    yield from _grouped(_lengths(texts), ~np.asarray(pc.is_null(texts)))


def _grouped(widths: np.ndarray, present: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (width, places) of the present texts, one group a width."""
    for width in np.unique(widths[present]):
        yield int(width), np.flatnonzero(present & (widths == width))


def _lengths(texts: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.binary_length(texts), 0), dtype=np.int64)


def _indices(mask: pa.Array) -> np.ndarray:
    return np.flatnonzero(np.asarray(mask))


def _octets(texts: pa.Array) -> memoryview:
    """Return the UTF-8 of texts without NULL, one after the other."""
    _, offsets, data = texts.buffers()
    if data is None:
        return memoryview(b"")
    at = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[int(at[0]) : int(at[-1])]


def _fixed_strings(octets: bytes, count: int) -> pa.Array:
    return _strings_of(octets, np.arange(count + 1) * (len(octets) // count))


def _strings_of(octets: bytes, offsets: np.ndarray) -> pa.Array:
    count = len(offsets) - 1
    buffers = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(octets)]
    return pa.Array.from_buffers(pa.large_string(), count, buffers).cast(pa.string())


def _in_order(parts: list[pa.Array], places: list[np.ndarray]) -> pa.Array:
    """Put groups of values back where they came from."""
    order = np.argsort(np.concatenate(places), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(order))


def _broken(seal: Seal) -> SealError:
    return SealError(
        Words(
            f"{seal.context} 中有文本不是用 {seal.key_name} 加密的内容。",
            f"A text of {seal.context} is not what {seal.key_name} sealed.",
        ),
        Words(
            "请运行 ./jingshu verify，并从备份恢复该表或密钥目录。",
            "Run ./jingshu verify; restore the table or the keys folder from a backup.",
        ),
    )
