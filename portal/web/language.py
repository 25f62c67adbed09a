"""In which language a page is: what its reader chose, else what the browser asks for, else Chinese.

A reader chooses by a link at the top of every page; the browser keeps it in a cookie.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_args
from urllib.parse import quote, urlsplit

from contracts.errors import UsageError
from contracts.words import Language, Words

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

#: The cookie's name, before ``guard.cookie`` binds it to the host.
CHOICE: Final = "jingshu_lang"
#: How long a browser keeps what was chosen (s): a year.
KEPT_S: Final = 365 * 24 * 3600
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_ANY: Final = "*"
#: What stands in a query as it came.
_QUERY: Final = "%/:?@!$&'()*+,;=-._~"
#: A weight of RFC 9110, 12.4.2.
_WEIGHT: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def language_of(connection: HTTPConnection, cookie: str) -> Language:
    """Return the language of whoever asks; ``cookie`` is what the cookie is called there."""
    chosen = connection.cookies.get(cookie, "")
    named = next((language for language in LANGUAGES if language == chosen), None)
    return named or preferred(connection.headers.get("accept-language", ""))


def preferred(header: str) -> Language:
    """Return what an ``Accept-Language`` likes best; Chinese where it names neither, or both alike.

    Of two with the same weight, the one that is named first.
    """
    weights = _weights(header)
    rest = weights.get(_ANY, 0.0)
    named = [language for language in weights if language in LANGUAGES]
    order = (*named, *(language for language in LANGUAGES if language not in named))
    best = max(order, key=lambda language: weights.get(language, rest))
    return "en" if best == "en" and weights.get(best, rest) > 0 else "zh"


def other(language: Language) -> Language:
    """Return the language that a reader may change to."""
    return "en" if language == "zh" else "zh"


def address_of(connection: HTTPConnection) -> str:
    """Return path and query of what was asked for, as an address of this site."""
    path, query = quote(connection.scope["path"]), connection.scope["query_string"]
    return f"{path}?{quote(query, safe=_QUERY)}" if query else path


def switch_to(language: Language, address: str) -> str:
    """Return the link that changes the language and comes back to an address."""
    return f"/language/{language}?back={quote(address, safe='')}"


def check_own(address: str) -> str:
    """Return an address if it is one of this site; raise UsageError where it may lead elsewhere.

    Browsers take two slashes for a host, a backslash for a slash, and pass over control characters.
    """
    is_plain = address.isascii() and address.isprintable() and not set(address) & {"\\", " "}
    is_path = address.startswith("/") and not address.startswith("//")
    if not (is_plain and is_path) or urlsplit(address).netloc:
        raise UsageError(
            Words("要返回的地址不在本站。", "The address to come back to is not of this site."),
            Words("请从首页开始。", "Begin at the start."),
        )
    return address


def _weights(header: str) -> dict[str, float]:
    """Return how much each language is liked, in the order in which they are named."""
    found: dict[str, float] = {}
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if name and weight is not None:
            found[name] = max(weight, found.get(name, 0.0))
    return found


def _weight(parameter: str) -> float | None:
    """Return a weight; 1 where none is given, None where it is not one."""
    if not parameter.strip():
        return 1.0
    name, _, value = parameter.partition("=")
    is_weight = name.strip().lower() == "q" and _WEIGHT.fullmatch(value.strip())
    return float(value) if is_weight else None
