"""Pages of a listing: nothing twice, nothing lost, no token of ours is anything but a place."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.gateway.errors import ApiError
from sharing.gateway.paging import page

KEYS = st.lists(st.text(min_size=1), unique=True).map(sorted)


def items(keys: list[str]) -> list[tuple[str, dict[str, str]]]:
    return [(k, {"name": k}) for k in keys]


def walk(keys: list[str], size: int) -> list[list[str]]:
    pages, query = [], {"maxResults": str(size)}
    while True:
        answer = page("tables", items(keys), query)
        pages.append([i["name"] for i in answer["items"]])
        if "nextPageToken" not in answer:
            return pages
        query["pageToken"] = answer["nextPageToken"]


@given(KEYS, st.integers(1, 5))
def test_pages_together_are_the_listing(keys: list[str], size: int) -> None:
    pages = walk(keys, size)
    assert [k for p in pages for k in p] == keys
    assert all(len(p) == size for p in pages[:-1])


def test_no_size_means_500() -> None:
    keys = [f"{n:03}" for n in range(501)]
    first = page("tables", items(keys), {})
    assert len(first["items"]) == 500
    last = page("tables", items(keys), {"pageToken": first["nextPageToken"]})
    assert last == {"items": [{"name": "500"}]}


def test_zero_is_legal_and_leads_to_the_first_page() -> None:
    answer = page("tables", items(["a", "b"]), {"maxResults": "0"})
    assert answer["items"] == []
    again = page(
        "tables", items(["a", "b"]), {"maxResults": "1", "pageToken": answer["nextPageToken"]}
    )
    assert again["items"] == [{"name": "a"}]
    assert page("tables", [], {"maxResults": "0"}) == {"items": []}


def test_zero_in_the_middle_stays_there() -> None:
    keys = items(["a", "b", "c"])
    first = page("tables", keys, {"maxResults": "1"})["nextPageToken"]
    stay = page("tables", keys, {"maxResults": "0", "pageToken": first})["nextPageToken"]
    assert page("tables", keys, {"pageToken": stay})["items"] == [{"name": "b"}, {"name": "c"}]


def test_an_item_that_goes_between_two_pages_hides_no_other() -> None:
    first = page("tables", items(["a", "b", "c"]), {"maxResults": "2"})
    after = page("tables", items(["a", "c"]), {"pageToken": first["nextPageToken"]})
    assert after["items"] == [{"name": "c"}]


def test_an_empty_token_is_none() -> None:
    assert page("tables", items(["a"]), {"pageToken": ""})["items"] == [{"name": "a"}]


@pytest.mark.parametrize(
    "given_size", ["-1", "1.0", "x", "", "2147483648", "9" * 5000, "+1", " 1", "１"]
)
def test_a_size_that_is_no_int32_is_400(given_size: str) -> None:
    with pytest.raises(ApiError) as refused:
        page("tables", items(["a"]), {"maxResults": given_size})
    assert (refused.value.status, refused.value.code) == (400, "INVALID_PARAMETER_VALUE")


def test_the_largest_size_is_taken() -> None:
    assert page("tables", items(["a"]), {"maxResults": "2147483647"})["items"] == [{"name": "a"}]


def token(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode()


@pytest.mark.parametrize(
    "given_token",
    [
        "x",
        "é",
        token("{"),
        token("[]"),
        token('["shares", "a"]'),
        token('["tables", 1]'),
        token('["tables"]'),
        token('["tables", "a", "b"]'),
        token("[" * 100_000),
        token('["tables", "a"]') + "!",
    ],
)
def test_a_token_of_another_listing_or_of_nobody_is_400(given_token: str) -> None:
    with pytest.raises(ApiError) as refused:
        page("tables", items(["a"]), {"pageToken": given_token})
    assert (refused.value.status, refused.value.code) == (400, "INVALID_PARAMETER_VALUE")


@given(st.text())
def test_any_text_as_a_token_is_a_page_or_400(given_token: str) -> None:
    with suppress(ApiError):
        answer = page("tables", items(["a"]), {"pageToken": given_token})
        assert answer["items"] in ([], [{"name": "a"}])
