"""scan: what a table's text shows of persons, whatever its contract says. Pure, over Arrow.

Every cell is looked at: a column's text is asked once a shape whether it could be in it, and only
columns that answer yes are read cell by cell. Kinds that a single cell cannot show (names,
addresses, birth dates, coordinates, codes that happen to look like cards) are judged by most of a
column's cells, on an even sample. Counts only: no value is kept.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from jobs.scan.cells import (
    ELEVEN_DIGITS,
    SHAPES,
    WIDE,
    are_resident_ids,
    has_bank_card,
    has_resident_id,
)
from jobs.scan.columns import whole_column_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contracts.model import Level
    from contracts.vocabulary import PersonalKind
    from jobs.scan.cells import Shape

#: Cells whose card numbers are checked one by one; more of them are judged by these.
_CHECKED_CARDS: Final = 2_000
#: A code that looks like a card or a mobile by chance does so in fewer of its cells than this.
_BY_CHANCE: Final = 0.3
_FEW: Final = 20
#: Our own columns hold names of batches and lines, and no text of anybody's.
_OURS: Final = ("_batch_id", "_source_line", "_row_error")


@dataclass(frozen=True)
class Seen:
    """A kind of personal information in a column: in so many of the cells that were looked at."""

    column: str
    kind: PersonalKind
    level: Level
    checked: int
    matching: int


def scan(table: pa.Table, hints: Iterable[str] = ()) -> list[Seen]:
    """Return what every text column shows, in the table's order.

    ``hints`` are columns whose name says that their dates are birth dates.
    """
    columns = _texts(table)
    found = [*_in_cells(columns), *_in_columns(columns, frozenset(hints))]
    order = {name: number for number, name in enumerate(table.column_names)}
    return sorted(found, key=lambda s: order[s.column])


def _texts(table: pa.Table) -> dict[str, pa.Array]:
    """Return the columns of text that are not our own, each in one piece."""
    found = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        text = column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
        is_text = pa.types.is_string(text.type) or pa.types.is_large_string(text.type)
        if name not in _OURS and is_text and text.null_count < len(text):
            whole = text.combine_chunks()
            is_huge = isinstance(whole, pa.ChunkedArray)
            found[name] = text.cast(pa.large_string()).combine_chunks() if is_huge else whole
    return found


def _in_cells(columns: Mapping[str, pa.Array]) -> Iterator[Seen]:
    """Yield the kinds that one cell is enough to show, with how many cells show them.

    A pattern is first asked of all columns at once, each one long text: it is compiled once a
    table, and runs over most columns without stopping.
    """
    columns = dict(columns)
    texts = {name: _laid_out(cells) for name, cells in columns.items()}
    for name in _with(texts, WIDE):
        columns[name] = _folded(columns[name])
        texts[name] = _laid_out(columns[name])
    for shape in SHAPES:
        for name in _with(texts, shape.trace):
            matching = _matching(shape, columns[name])
            if matching:
                filled = len(columns[name]) - _empty(columns[name])
                yield Seen(name, shape.kind, shape.level, filled, matching)


def _in_columns(columns: Mapping[str, pa.Array], born: frozenset[str]) -> Iterator[Seen]:
    for name, kind, level, checked, matching in whole_column_kinds(columns, born):
        yield Seen(name, kind, level, checked, matching)


def _empty(cells: pa.Array) -> int:
    blank = pc.sum(pc.equal(pc.binary_length(cells), 0)).as_py()
    return int(cells.null_count) + int(blank or 0)


def _laid_out(cells: pa.Array) -> pa.Array:
    """Return a column as one text, a cell a line."""
    whole = pc.fill_null(cells, "").cast(pa.large_string())
    line = pa.scalar("\n", pa.large_string())
    return pc.binary_join(pa.ListArray.from_arrays([0, len(whole)], whole), line)


def _with(texts: Mapping[str, pa.Array], pattern: str) -> list[str]:
    """Return the columns in whose text a pattern is anywhere."""
    if not texts:
        return []
    are_in = pc.match_substring_regex(pa.concat_arrays(list(texts.values())), pattern).to_pylist()
    return [name for name, is_in in zip(texts, are_in, strict=True) if is_in]


def _matching(shape: Shape, cells: pa.Array) -> int:
    """Count the cells that hold a kind."""
    hits = cells.filter(pc.match_substring_regex(cells, shape.found))
    if not len(hits):
        return 0
    match shape.kind:
        case "resident_id":
            return _resident_ids(hits, shape)
        case "bank_card":
            return _bank_cards(hits)
        case "mobile":
            codes = pc.sum(pc.match_substring_regex(cells, ELEVEN_DIGITS)).as_py() or 0
            is_code = codes >= _FEW and len(hits) < _BY_CHANCE * codes
            return 0 if is_code else len(hits)
        case _:
            return len(hits)


def _folded(cells: pa.Array) -> pa.Array:
    """Return the cells with full-width digits and letters as plain ones."""
    is_wide = pc.fill_null(pc.match_substring_regex(cells, WIDE), fill_value=False)
    plain = [unicodedata.normalize("NFKC", c) for c in cells.filter(is_wide).to_pylist()]
    return pc.replace_with_mask(cells, is_wide, pa.array(plain, cells.type))


def _resident_ids(hits: pa.Array, shape: Shape) -> int:
    """Count cells with a resident ID: the first candidate at once, later ones cell by cell.

    One in eleven codes of area, date and serial number (construction permits are such) passes the
    check by chance; many of them in which no more pass than that are codes.
    """
    first = pc.struct_field(pc.extract_regex(hits, shape.found), "v")
    plain = pc.replace_substring_regex(first, r"[ \-]", "")
    are_ids = are_resident_ids(plain)
    others = hits.filter(pa.array(~are_ids))
    longer = others.filter(pc.greater(pc.utf8_length(others), 2 * 18))
    found = int(are_ids.sum()) + sum(has_resident_id(c) for c in longer.to_pylist())
    by_chance = len(hits) / 11
    is_chance = found <= by_chance + 4 * math.sqrt(by_chance * 10 / 11)
    return 0 if len(hits) >= _FEW and is_chance else found


def _bank_cards(hits: pa.Array) -> int:
    """Count cells with a card number; a tenth of all numbers pass Luhn, so most of many must."""
    step = -(-len(hits) // _CHECKED_CARDS)
    looked_at = hits.take(pa.array(range(0, len(hits), step)))
    cards = [c for c in looked_at.to_pylist() if has_bank_card(c)]
    are_cards = [c for c in cards if not has_resident_id(c)]
    if len(looked_at) >= _FEW and len(are_cards) < _BY_CHANCE * len(looked_at):
        return 0
    return len(are_cards) * step
