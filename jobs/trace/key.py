"""A row's key as people write it: ``value``, or ``column=value,column=value``."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import UsageError
from contracts.words import Words
from jobs.seal.columns import sealed_forms
from jobs.seal.keys import keys_of
from jobs.seal.plan import typed_seals

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
        problem = (
            Words(
                f"{contract.id} 的主键是 {'、'.join(keyed)}。",
                f"{contract.id} has the key {', '.join(keyed)}.",
            )
            if keyed
            else Words(f"{contract.id} 没有主键。", f"{contract.id} has no key.")
        )
        raise UsageError(
            problem,
            Words(
                f"请写 列=值,列=值，可用的列：{'、'.join(names)}。",
                f"Write column=value,column=value, of: {', '.join(names)}.",
            ),
        )
    return found


def key_filter(
    home: Home, contract: Contract, table: str, schema: pa.Schema, key: Mapping[str, str]
) -> pc.Expression:
    """Return the filter for a stored table's rows that have these values, given as text.

    The one place where a key meets what is stored: a sealed column is met by the forms that the
    value has under every version of its key. Raises UsageError, without the value, for one that is
    none of its column's type, or whose column is sealed anew in every row.
    """
    seals = typed_seals(contract, table)
    parts = []
    for name, text in key.items():
        seal = seals.get(name)
        if seal is None:
            parts.append(pc.field(name) == _typed(name, schema.field(name).type, text))
        elif seal.is_same:
            forms = sealed_forms(text, seal, keys_of(home))
            parts.append(pc.field(name).isin(pa.array(forms, schema.field(name).type)))
        else:
            raise UsageError(
                Words(
                    f"{table} 的 {name} 在每一行都重新加密，不能据以查行。",
                    f"{name} of {table} is sealed anew in every row: no row is found by it.",
                ),
                Words(
                    "请按批次和行号查找：./jingshu batch show。",
                    "Find the row by its batch and line: ./jingshu batch show.",
                ),
            )
    return reduce(lambda a, b: a & b, parts)


def _typed(name: str, kind: pa.DataType, text: str) -> pa.Scalar:
    try:
        return pa.scalar(text).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(
            Words(f"主键 {name} 的值不是 {kind}。", f"The key's value of {name} is no {kind}."),
            Words("日期请写作 2026-07-15。", "Write dates as 2026-07-15."),
        ) from None
