"""Signed URLs: what was signed is good, and nothing else is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.layout import Home
from sharing.gateway.signing import FileClaim, KeyFileError, Signer, load_signer
from sharing.gateway.urls import MOST_LIFE_S

if TYPE_CHECKING:
    from pathlib import Path

SIGNER = Signer(bytes(range(32)))
NOW = 1_800_000_000
CLAIMS = st.builds(
    FileClaim,
    st.text(min_size=1, max_size=20),
    st.text(min_size=1, max_size=20),
    st.integers(0, 10**12),
    st.text("0123456789abcdef", min_size=1, max_size=32),
)


def query_of(url: str) -> str:
    return urlsplit(url).query


@given(CLAIMS, st.integers(1, MOST_LIFE_S))
def test_what_was_signed_is_good_until_it_ends(claim: FileClaim, life_s: int) -> None:
    query = query_of(SIGNER.sign(claim, NOW + life_s))
    assert SIGNER.check(claim, query, NOW) == "good"
    assert SIGNER.check(claim, query, NOW + life_s - 0.001) == "good"
    assert SIGNER.check(claim, query, NOW + life_s) == "expired"


@given(CLAIMS, CLAIMS)
def test_a_signature_is_for_one_claim(claim: FileClaim, other: FileClaim) -> None:
    query = query_of(SIGNER.sign(claim, NOW + 1))
    assert SIGNER.check(other, query, NOW) == ("good" if other == claim else "forged")


@given(CLAIMS, st.data())
def test_parts_cannot_be_moved_from_one_field_to_the_next(
    claim: FileClaim, data: st.DataObject
) -> None:
    joined = claim.recipient + claim.table
    cut = data.draw(st.integers(0, len(joined)))
    moved = replace(claim, recipient=joined[:cut], table=joined[cut:])
    query = query_of(SIGNER.sign(claim, NOW + 1))
    assert SIGNER.check(moved, query, NOW) == ("good" if moved == claim else "forged")


@given(CLAIMS, st.integers(0, 10**10), st.data())
def test_a_changed_character_of_the_query_is_forged(
    claim: FileClaim, expires_at_s: int, data: st.DataObject
) -> None:
    query = query_of(SIGNER.sign(claim, expires_at_s))
    at = data.draw(st.integers(0, len(query) - 1))
    character = data.draw(st.characters().filter(lambda c: c != query[at]))
    changed = query[:at] + character + query[at + 1 :]
    assert SIGNER.check(claim, changed, NOW) == "forged"


@given(CLAIMS, st.text())
def test_any_text_as_a_query_is_forged(claim: FileClaim, query: str) -> None:
    assert SIGNER.check(claim, query, NOW) == "forged"


@given(CLAIMS, st.binary(min_size=32, max_size=32).filter(lambda k: k != SIGNER.key))
def test_another_key_signs_otherwise(claim: FileClaim, key: bytes) -> None:
    query = query_of(Signer(key).sign(claim, NOW + 1))
    assert SIGNER.check(claim, query, NOW) == "forged"


@given(CLAIMS)
def test_the_path_is_one_segment_a_part(claim: FileClaim) -> None:
    segments = urlsplit(SIGNER.sign(claim, NOW)).path.split("/")
    assert [unquote(s) for s in segments[2:]] == [
        claim.recipient, claim.table, str(claim.version), claim.file_id
    ]  # fmt: skip


def test_the_signature_is_what_it_was() -> None:
    claim = FileClaim("demo", "heat__districts", 1, "ab")
    assert SIGNER.sign(claim, NOW) == (
        "/files/demo/heat__districts/1/ab?sp=r&se=1800000000&sig=3aec57a05187f3fb99d364af0c6dc95d04cb8fd70ebe591472a386b1746a47da"
    )


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        keys = {s.key for s in threads.map(lambda _: load_signer(home), range(32))}
    assert len(keys) == 1
    assert [f.name for f in home.keys.iterdir()] == ["gateway-url.key"]
    assert (home.keys / "gateway-url.key").stat().st_mode & 0o777 == 0o600
    assert home.keys.stat().st_mode & 0o777 == 0o700


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    load_signer(home)
    (home.keys / "gateway-url.key").chmod(0o640)
    with pytest.raises(KeyFileError, match="Others may read"):
        load_signer(home)


def test_a_key_that_was_cut_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    load_signer(home)
    (home.keys / "gateway-url.key").write_bytes(b"short")
    with pytest.raises(KeyFileError, match="32 bytes"):
        load_signer(home)


def test_a_signer_does_not_show_its_key() -> None:
    assert "key" not in repr(SIGNER)
