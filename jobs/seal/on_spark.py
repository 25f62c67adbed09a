"""Sealing inside a Spark plan: Arrow functions that Spark's Python workers run.

What crosses into a plan is the name of the key provider and of the key; the workers fetch the key
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa  # noqa: TC002  (Spark reads the annotations of what it runs)

from jobs.refine.plan import spark_type
from jobs.seal import columns
from jobs.seal.columns import Seal
from jobs.seal.keys import keys_of, provider_of
from jobs.seal.plan import raw_seals, typed_seals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame

    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.seal.keys import KeyProvider


@dataclass(frozen=True)
class _Applied:
    """One function over one column, pickled by name: no key in it."""

    reference: str
    seal: Seal
    how: Literal["seal", "open", "pseudonym"]

    def __call__(self, texts: pa.Array) -> pa.Array:
        keys = provider_of(self.reference)
        match self.how:
            case "seal":
                return columns.sealed(texts, self.seal, keys)
            case "open":
                return columns.opened(texts, self.seal, keys)
            case "pseudonym":
                return columns.pseudonyms(texts, self.seal.key_name, keys)


def sealed(home: Home, contract: Contract, table: str, rows: DataFrame) -> DataFrame:
    """Return typed rows as a silver or gold table stores them: L4 columns are sealed text."""
    seals = typed_seals(contract, table)
    return _each(rows, seals, "seal", keys_of(home), {})


def opened(home: Home, contract: Contract, table: str, rows: DataFrame) -> DataFrame:
    """Return rows of a silver or gold table in clear and typed.

    A column that nothing after this reads is not opened: Spark drops it from the plan.
    """
    types = {c.name: spark_type(c) for c in contract.columns}
    return _each(rows, typed_seals(contract, table), "open", keys_of(home), types)


def opened_landed(home: Home, contract: Contract, provider: str, rows: DataFrame) -> DataFrame:
    """Return bronze's rows as they came."""
    return _each(rows, raw_seals(contract, provider), "open", keys_of(home), {})


def _each(
    rows: DataFrame,
    seals: Mapping[str, Seal],
    how: Literal["seal", "open"],
    keys: KeyProvider,
    types: Mapping[str, str],
) -> DataFrame:
    from pyspark.sql import functions as f

    made = {
        name: _applied(f.col(name).cast("string"), _Applied(keys.reference, seal, how)).cast(
            types.get(name, "string")
        )
        for name, seal in seals.items()
    }
    return rows.withColumns(made) if made else rows


def pseudonym(column: Column, key_name: str, keys: KeyProvider) -> Column:
    """Return a column's pseudonyms under a purpose's key."""
    seal = Seal(key_name, "pseudonym")
    return _applied(column.cast("string"), _Applied(keys.reference, seal, "pseudonym"))


def _applied(column: Column, function: _Applied) -> Column:
    from pyspark.sql import functions as f

    def run(texts: pa.Array) -> pa.Array:
        return function(texts)

    # Spark's stubs do not know it; it hands over Arrow arrays as they are.
    wrapped: Any = f.arrow_udf(run, "string")  # type: ignore[attr-defined]
    # A random seal evaluated twice would be two seals of one row.
    is_random = function.how == "seal" and not function.seal.is_same
    made: Column = (wrapped.asNondeterministic() if is_random else wrapped)(column)
    return made
