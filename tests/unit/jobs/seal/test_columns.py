"""Sealed columns: every text comes back, and without the key nothing is told of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.seal.columns import PREFIX, Seal, SealError, opened, pseudonyms, sealed
from jobs.seal.keys import FileKeys

if TYPE_CHECKING:
    from pathlib import Path

SAME = Seal("bureau/health", "disease_case.person_id", is_same=True)
RANDOM = Seal("bureau/health", "disease_case.icd10")
TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=70), max_size=60)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "keys")


def column(*texts: str | None) -> pa.Array:
    return pa.array(texts, pa.string())


@QUICK
@given(texts=TEXTS, is_same=st.booleans())
def test_every_text_comes_back(keys: FileKeys, texts: list[str | None], *, is_same: bool) -> None:
    seal = SAME if is_same else RANDOM
    made = sealed(column(*texts), seal, keys)
    assert opened(made, seal, keys).to_pylist() == texts
    assert [t is None for t in made.to_pylist()] == [t is None for t in texts]
    assert all(t is None or t.startswith(PREFIX) for t in made.to_pylist())


@QUICK
@given(texts=st.lists(st.text("AB01", max_size=3), min_size=2, max_size=40))
def test_equal_texts_stay_equal_only_where_asked(keys: FileKeys, texts: list[str]) -> None:
    same = sealed(column(*texts), SAME, keys).to_pylist()
    assert Counter(Counter(same).values()) == Counter(Counter(texts).values())
    assert len(set(sealed(column(*texts), RANDOM, keys).to_pylist())) == len(texts)


def test_short_texts_are_of_one_length(keys: FileKeys) -> None:
    made = sealed(column("", "男", "J11.1", "已参保缴费"[:4]), RANDOM, keys).to_pylist()
    assert {len(t) for t in made} == {48}


def test_chunks_slices_and_other_types_are_columns_too(keys: FileKeys) -> None:
    whole = pa.chunked_array([column("a", None, "bb"), column("ccc")]).slice(1)
    assert opened(sealed(whole, RANDOM, keys), RANDOM, keys).to_pylist() == [None, "bb", "ccc"]
    assert (
        opened(sealed(column("a", "b", "c").slice(1, 1), SAME, keys), SAME, keys)[0].as_py() == "b"
    )
    large = pa.array(["x", None], pa.large_string())
    assert opened(sealed(large, SAME, keys), SAME, keys).to_pylist() == ["x", None]


def test_a_rotated_key_opens_what_was_sealed_before(keys: FileKeys) -> None:
    before = sealed(column("a", "b"), SAME, keys)
    keys.rotate(SAME.key_name)
    after = sealed(column("a", "c"), SAME, keys)
    assert before[0] != after[0]
    both = pa.concat_arrays([before, after, sealed(column("d"), RANDOM, keys)])
    assert opened(both, SAME, keys).to_pylist() == ["a", "b", "a", "c", "d"]


def test_another_body_s_key_opens_nothing(keys: FileKeys, tmp_path: Path) -> None:
    made = sealed(column("11010519491231002X"), SAME, keys)
    keys.newest("bureau/civil")
    with pytest.raises(SealError):
        opened(made, Seal("bureau/civil", SAME.context, is_same=True), keys)
    with pytest.raises(SealError):  # the same body's text, moved to another column
        opened(made, Seal(SAME.key_name, "disease_case.icd10", is_same=True), keys)


@pytest.mark.parametrize(
    "text", ["", "a", "11010519491231002X", PREFIX, f"{PREFIX}AQAB", "sm4/" + "A" * 44, "é" * 48]
)
def test_what_is_not_sealed_is_refused_and_not_quoted(keys: FileKeys, text: str) -> None:
    keys.newest(SAME.key_name)
    with pytest.raises(SealError) as told:
        opened(column(text), SAME, keys)
    assert "person_id" in str(told.value)
    assert len(text) < 2 or text not in str(told.value)


def test_a_changed_text_is_refused(keys: FileKeys) -> None:
    made = sealed(column("11010519491231002X"), SAME, keys)[0].as_py()
    for at in range(12, len(made)):
        other = "A" if made[at] != "A" else "B"
        with pytest.raises(SealError):
            opened(column(made[:at] + other + made[at + 1 :]), SAME, keys)


def test_pseudonyms_join_within_a_purpose_and_not_across(keys: FileKeys) -> None:
    people = column("11010519491231002X", None, "110101199003070038", "11010519491231002X")
    heat = pseudonyms(people, "purpose/高温应急", keys).to_pylist()
    care = pseudonyms(people, "purpose/养老服务", keys).to_pylist()
    assert heat[0] == heat[3] != heat[2]
    assert heat[1] is None
    assert not set(heat) & set(care) - {None}
    assert all(len(p) == 64 for p in heat if p)


def test_pseudonyms_cannot_be_enumerated_without_the_key(keys: FileKeys, tmp_path: Path) -> None:
    """Who has every possible number and no key finds nobody: not by hashing, nor by another key."""
    import hashlib
    import hmac

    numbers = [f"{110105194912310020 + i}" for i in range(200)]
    shown = set(pseudonyms(column(*numbers[50:60]), "purpose/x", keys).to_pylist())
    stranger = FileKeys(tmp_path / "strangers")
    guessed = set(pseudonyms(column(*numbers), "purpose/x", stranger).to_pylist())
    for number in numbers:
        guessed.add(hashlib.new("sm3", number.encode()).hexdigest())
        guessed.add(hmac.digest(b"", number.encode(), "sm3").hex())
    assert not shown & guessed
    assert shown <= set(pseudonyms(column(*numbers), "purpose/x", keys).to_pylist())


def test_pseudonyms_are_hmac_sm3(keys: FileKeys) -> None:
    import hmac

    key = keys.newest("purpose/x").octets
    expected = hmac.digest(key, b"abc", "sm3").hex()
    assert pseudonyms(column("abc"), "purpose/x", keys).to_pylist() == [expected]
