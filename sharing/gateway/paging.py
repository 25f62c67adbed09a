"""Pages of a listing: ``maxResults`` and ``pageToken``.

A token names the last item of its page, so a table that comes or goes meanwhile neither repeats nor
hides another; it grants nothing, because every page is cut from what the recipient may see.
"""

from __future__ import annotations

import base64
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from sharing.gateway.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEFAULT_PAGE = 500
_INT32_MAX = 2**31 - 1
#: Digits of the longest int32; more would be a number that Python takes long to read.
_INT32_DIGITS = 10


def page(
    kind: str,
    items: Sequence[tuple[str, Mapping[str, str]]],
    query: Mapping[str, str],
    is_shown: Callable[[str], bool] = lambda _: True,
) -> dict[str, Any]:
    """Cut one page out of (key, item) pairs in key order; ``kind`` ties a token to its listing.

    ``is_shown`` is asked of a key when its item comes up for this page, and of one more: it may be
    costly.

    Raises:
        ApiError: ``maxResults`` is no int32 from 0 on, or the token is not one of ours.
    """
    size = _size(query.get("maxResults"))
    after = _after(kind, query.get("pageToken"))
    left = ((key, item) for key, item in items if after is None or key > after)
    found = list(islice((pair for pair in left if is_shown(pair[0])), size + 1))
    shown = found[:size]
    answer: dict[str, Any] = {"items": [item for _, item in shown]}
    if len(found) > size:
        answer["nextPageToken"] = _token(kind, shown[-1][0] if shown else after)
    return answer


def _size(given: str | None) -> int:
    if given is None:
        return DEFAULT_PAGE
    is_number = given.isascii() and given.isdigit() and len(given) <= _INT32_DIGITS
    if not is_number or int(given) > _INT32_MAX:
        raise invalid("maxResults must be a number from 0 to 2147483647.")
    return int(given)


def _token(kind: str, last: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, last]).encode()).decode()


def _after(kind: str, token: str | None) -> str | None:
    if not token:
        return None
    try:
        found = json.loads(base64.b64decode(token.encode("ascii"), b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    match found:
        case [str(of), str() | None as last] if of == kind:
            return last
    raise invalid("pageToken is not a token of this listing.")
