"""Invariant 5, at rest: no stored table or kept file holds an L4 column in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from contracts.words import Words
from jobs.files.raw import kept_batches, raw_file
from jobs.seal.columns import PREFIX
from jobs.seal.files import is_sealed_file
from jobs.seal.plan import is_sealed, raw_seals, typed_seals
from jobs.tables.delta import dataset
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deltalake import DeltaTable

    from contracts.layout import Layer
    from contracts.model import Contract
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_TEXTS: Final = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_PRIVATE: Final = 0o077
_TEXT_LAYERS: Final[tuple[Layer, ...]] = ("bronze", "quarantine")


def at_rest(lake: Lake) -> Iterator[Checked]:
    """Check every sealed column of every table, every kept file, and who may read the keys."""
    for layer in _TEXT_LAYERS:
        for name, table in lake.layer(layer).items():
            contract = lake.contract_of(name)
            if contract is not None:
                seals = raw_seals(contract, name.partition("__")[0])
                yield from _columns(f"{layer}/{name}", table, seals)
    for name, table in lake.silver.items():
        contract = lake.contract_of(name)
        if contract is not None:
            yield from _columns(f"silver/{name}", table, typed_seals(contract, name))
    products = {p.product_table: p for p in lake.tree.products.values()}
    for name, table in lake.layer("gold").items():
        if name in products:
            yield from _columns(f"gold/{name}", table, typed_seals(products[name], name))
    for feed in lake.tree.feeds():
        if is_sealed(feed.contract):
            yield from _files(lake, feed.contract, feed.provider)
    yield from _keys(lake)


def _columns(where: str, table: DeltaTable, names: Iterable[str]) -> Iterator[Checked]:
    """Look at every value's first characters; a file that is lost is another check's to name."""
    rows_of = dataset(table)
    there = [n for n in names if n in rows_of.schema.names]
    open_values = dict.fromkeys(there, 0)
    for fragment in rows_of.get_fragments():
        try:
            rows = fragment.to_table(columns=there)
        except (OSError, ValueError):
            continue
        for name in there:
            open_values[name] += _in_clear(rows[name])
    for name, count in open_values.items():
        clear = Words(
            f"L4 列有 {count} 个值以明文存储", f"{count} values of an L4 column are stored in clear"
        )
        yield checked(5, f"{where}.{name}", clear if count else None)


def _in_clear(values: pa.ChunkedArray) -> int:
    present: int = len(values) - values.null_count
    if not any(is_text(values.type) for is_text in _TEXTS):
        return present
    texts = values.cast(pa.string())  # what others wrote may read as another kind of text
    sealed = pc.sum(pc.starts_with(texts, PREFIX)).as_py() or 0
    return present - int(sealed)


def _files(lake: Lake, contract: Contract, provider: str) -> Iterator[Checked]:
    for raw in kept_batches(lake.home, provider, contract.dataset):
        file = raw_file(lake.home, raw)
        is_open = file.is_file() and not is_sealed_file(file)
        where = f"raw/{provider}/{contract.dataset}/{raw.batch_id}"
        clear = Words("含 L4 列的文件以明文留存", "a file with L4 columns is kept in clear")
        yield checked(5, where, clear if is_open else None)


def _keys(lake: Lake) -> Iterator[Checked]:
    for file in sorted((lake.home.keys / "seal").glob("*.json")):
        is_public = bool(file.stat().st_mode & _PRIVATE)
        read = Words("他人可以读取", "others may read it")
        yield checked(5, f"keys/seal/{file.name}", read if is_public else None)
