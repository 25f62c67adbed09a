"""A row's key as people write it: ``value``, or ``column=value,column=value``."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.layout import Home
    from contracts.model import Column, Contract


def parse_key(contract: Contract, columns: Sequence[Column], text: str) -> Mapping[str, str]:
    """Return the key's values by column; of a table without a key any column may be named.

    ``columns`` are those that the table holds. Raises UsageError, which never holds a value.
    """
    keyed = [c.name for c in contract.key if c in columns]
    names = keyed or [c.name for c in columns]
    starts = list(re.finditer(rf"(?:^|,)({'|'.join(map(re.escape, names))})=", text))
    is_named = bool(starts) and starts[0].start() == 0
    if len(keyed) == 1 and not is_named:
        return {keyed[0]: text}
    ends = [*(m.start() for m in starts[1:]), len(text)]
    found = {m[1]: text[m.end() : end] for m, end in zip(starts, ends, strict=False)}
    if not is_named or (keyed and set(found) != set(keyed)):
        raise UsageError(
            f"{contract.id} has the key {', '.join(keyed)}."
            if keyed
            else f"{contract.id} has no key.",
            f"Write column=value,column=value, of: {', '.join(names)}.",
        )
    return found


def key_filter(
    home: Home,  # noqa: ARG001  (sealed columns are matched with the keys of this home)
    contract: Contract,  # noqa: ARG001  (…which are named after the contract's columns)
    schema: pa.Schema,
    key: Mapping[str, str],
) -> pc.Expression:
    """Return the filter for a stored table's rows that have these values, given as text.

    The one place where a key meets what is stored. Raises UsageError for a value that is none of
    its column's type, without telling it.
    """
    return reduce(
        lambda a, b: a & b,
        (
            pc.field(name) == _typed(name, schema.field(name).type, text)
            for name, text in key.items()
        ),
    )


def _typed(name: str, kind: pa.DataType, text: str) -> pa.Scalar:
    try:
        return pa.scalar(text).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(
            f"The key's value of {name} is no {kind}.", "Write dates as 2026-07-15."
        ) from None
