"""Sealing inside a Spark plan: Arrow functions that Spark's Python workers run.

What crosses into a plan is the name of the key provider and of the key; the workers fetch the key
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
from pyarrow.fs import FileSystem
from pyarrow.parquet import ParquetFile

from contracts.words import Words
from jobs.seal import columns
from jobs.seal.columns import Seal
from jobs.seal.keys import keys_of, provider_of
from jobs.seal.plan import raw_seals, typed_seals
from jobs.spark.sql import identifier
from jobs.spark.types import spark_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.seal.keys import KeyProvider


#: Where a landed row begins in its file.
SOURCE_LINE: Final = "_source_line"


@dataclass(frozen=True)
class _Applied:
    """One function over one column, pickled by name: no key in it."""

    reference: str
    seal: Seal
    how: Literal["seal", "open"]

    def __call__(self, texts: pa.Array) -> pa.Array:
        function = columns.sealed if self.how == "seal" else columns.opened
        return function(texts, self.seal, provider_of(self.reference))


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


@dataclass(frozen=True)
class _Landed:
    """Reads bronze's files and opens them, pickled by name: no key in it."""

    reference: str
    seals: Mapping[str, Seal]
    texts: tuple[str, ...]

    def __call__(self, paths: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of every file that is named in the first column."""
        keys = provider_of(self.reference)
        for named in paths:
            for uri in named.column(0).to_pylist():
                files, path = FileSystem.from_uri(uri)
                with files.open_input_file(path) as file:
                    for rows in ParquetFile(file).iter_batches(columns=[*self.texts, SOURCE_LINE]):
                        yield self._opened(rows, keys)

    def _opened(self, rows: pa.RecordBatch, keys: KeyProvider) -> pa.RecordBatch:
        made = {name: rows[name].cast(pa.string()) for name in self.texts}
        made |= {n: columns.opened(rows[n], seal, keys) for n, seal in self.seals.items()}
        made[SOURCE_LINE] = rows[SOURCE_LINE].cast(pa.int64())
        return pa.RecordBatch.from_pydict(made)


def landed(
    home: Home, contract: Contract, provider: str, files: Sequence[str], texts: Sequence[str]
) -> DataFrame:
    """Return a batch's rows as they came, from bronze's files (URIs) with sealed columns.

    The workers read the files themselves: to hand them every sealed text, and it is ten times as
    long as what it seals, took Spark longer than to open it.
    """
    from jobs.spark.session import session

    read = _Landed(keys_of(home).reference, raw_seals(contract, provider), tuple(texts))
    schema = ", ".join(f"{identifier(name)} STRING" for name in texts)
    named = session().createDataFrame([(file,) for file in files], "file STRING")

    def run(paths: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from read(paths)

    return named.mapInArrow(run, f"{schema}, {SOURCE_LINE} BIGINT")


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


@dataclass(frozen=True)
class _Named:
    """One of the functions that product SQL and share policies call, pickled by name."""

    reference: str
    kind: Literal["purpose", "bureau"]

    def __call__(self, texts: pa.Array, whose: pa.Array) -> pa.Array:
        """Give every text under the one key that ``whose`` names in each row."""
        names = whose.unique().drop_null().to_pylist()
        if not names:
            return pa.nulls(len(texts), pa.string())
        if len(names) > 1:
            raise columns.SealError(
                Words(
                    f"一列指定了 {len(names)} 个密钥。",
                    f"{len(names)} keys are named for one column.",
                ),
                Words("请只指定一个用途或单位。", "Name one purpose or bureau."),
            )
        name, keys = f"{self.kind}/{names[0]}", provider_of(self.reference)
        if self.kind == "purpose":
            return columns.pseudonyms(texts, name, keys)
        return columns.sealed(texts, Seal(name, "released", is_same=True), keys)


def register(home: Home) -> None:
    """Make ``hmac_sm3(text, purpose)`` and ``sm4(text, bureau)`` known to this session's SQL."""
    from pyspark.sql import functions as f

    from jobs.spark.session import session

    spark = session()  # before any function is made: it tells whether they are made for Connect
    reference = keys_of(home).reference
    named = {"hmac_sm3": _Named(reference, "purpose"), "sm4": _Named(reference, "bureau")}
    for name, function in named.items():
        wrapped: Any = f.arrow_udf(_of_two(function), "string")  # type: ignore[attr-defined]
        spark.udf.register(name, wrapped)


def _of_two(function: _Named) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def run(texts: pa.Array, whose: pa.Array) -> pa.Array:
        return function(texts, whose)

    return run


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
