"""SIV over whole columns: the standards' own vectors, and a second opinion."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.seal.siv import Siv

COLUMNS = st.integers(1, 70).flatmap(
    lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=9)
)


def rows_of(*values: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


def test_rfc_5297_appendix_a_1() -> None:
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    rows = rows_of(bytes.fromhex("112233445566778899aabbccddee"))
    siv = Siv.of(AES, key)
    start = siv.synthetic(rows, associated)
    assert start.tobytes().hex() == "85632d07c6e8f37f950acd320a2ecc93"
    assert siv.counted(rows, start).tobytes().hex() == "40c02b9690c4dc04daef7f6afe5c"


@settings(max_examples=60, deadline=None)
@given(COLUMNS, st.binary(min_size=64, max_size=64), st.binary(min_size=1, max_size=40))
def test_a_column_at_once_is_each_value_by_itself(
    values: list[bytes], key: bytes, associated: bytes
) -> None:
    siv, other = Siv.of(AES, key), AESSIV(key)
    start = siv.synthetic(rows_of(*values), associated)
    cipher = siv.counted(rows_of(*values), start)
    for i, value in enumerate(values):
        expected = other.encrypt(value, [associated])
        assert start[i].tobytes() + cipher[i].tobytes() == expected
    assert siv.counted(cipher, start).tobytes() == b"".join(values)


def test_the_counter_runs_over_the_end_of_an_octet() -> None:
    siv = Siv.of(SM4, bytes(range(32)))
    start = np.full((1, 16), 0xFF, np.uint8)
    long = np.zeros((1, 16 * 300), np.uint8)
    stream = siv.counted(long, start).tobytes()
    counter = int.from_bytes(bytes([0xFF] * 8 + [0x7F] + [0xFF] * 3 + [0x7F] + [0xFF] * 3))
    plain = Cipher(SM4(bytes(range(16, 32))), modes.ECB()).encryptor()  # noqa: S305 - the bare cipher
    blocks = (counter + i for i in range(300))
    assert stream == b"".join(plain.update(b.to_bytes(16)) for b in blocks)


def test_sm4_is_the_standard_s() -> None:
    """GB/T 32907-2016, Appendix A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(SM4(key), modes.ECB()).encryptor()  # noqa: S305 - the bare cipher
    assert encryptor.update(key).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm3_is_the_standard_s() -> None:
    """GB/T 32905-2016, Appendix A.1."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(b"abc")
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest.finalize().hex() == expected
