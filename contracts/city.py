"""Which city a tree of contracts is of: the ``city`` of its ``providers.yaml``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contracts.document import load_yaml
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

_CITY: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")


def read_city(root: Path) -> str | None:
    """Return the city's id; None where the tree names none.

    Raises:
        ContractError: it is no id of small letters, digits and hyphens.
    """
    file = root / "providers.yaml"
    try:
        changed_ns = file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(file, changed_ns)


@lru_cache(maxsize=8)
def _read(file: Path, _changed_ns: int) -> str | None:
    document = load_yaml(file)
    city = document.data.get("city")
    if city is None:
        return None
    if not isinstance(city, str) or not _CITY.fullmatch(city):
        raise document.fail(
            ("city",),
            Words("城市不是合格的 id", "the city is no id"),
            Words(
                "请写 2 至 40 个小写字母、数字和连字符，例如 beijing。",
                "Write 2 to 40 small letters, digits and hyphens, such as beijing.",
            ),
        )
    return city
