"""The SQL of a joined request: persons counted in groups, or rows under their masks. Pure.

Sources are joined by a pseudonym of their keys under the request's own purpose: nobody but this
one job can join them, and what it writes joins with nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.share.masking import masked
from jobs.spark.sql import identifier, quoted
from sharing.requests.asked import DAY, IN_ALL, KEY, PERSONS, SUPPRESSED
from sharing.requests.conditions import condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model import Contract
    from contracts.product import Release
    from contracts.tree import Tree
    from sharing.requests.asked import Asked, Source


def purpose_of(ask_id: str) -> str:
    """Return the purpose whose key joins a request's sources and renames its persons."""
    return f"request-{ask_id.lower()}"


def query(ask_id: str, asked: Asked, tree: Tree) -> str:
    """Return Spark SQL with ``{business_date}`` and ``{k}`` to be filled in by the build."""
    sources = [(f"s{i}", s, tree.contract(s.contract)) for i, s in enumerate(asked.sources)]
    if asked.by:
        return _counting(ask_id, asked, sources)
    return _showing(ask_id, sources)


def counts_of(asked: Asked) -> tuple[str, ...]:
    """Return the columns that count persons: none of a request that shows rows."""
    if not asked.by:
        return ()
    return (PERSONS, IN_ALL) if len(asked.sources) > 1 else (PERSONS,)


def shown_columns(asked: Asked) -> Mapping[str, tuple[Source, Release]]:
    """Return what a showing request shows: column → its source and its mask."""
    return {
        name: (source, release)
        for source in asked.sources
        for name, release in source.columns.items()
        if release.mask != "drop"
    }


def _counting(ask_id: str, asked: Asked, sources: list[tuple[str, Source, Contract]]) -> str:
    first, others = sources[0][0], [name for name, _, _ in sources[1:]]
    by = [identifier(column) for column in asked.by]
    parts = [_keys(ask_id, name, s, c, asked.by if name == first else ()) for name, s, c in sources]
    joins = "".join(f"\n  LEFT JOIN {name} ON {first}.{KEY} = {name}.{KEY}" for name in others)
    met = " AND ".join(f"{name}.{KEY} IS NOT NULL" for name in others)
    in_all = f",\n    COUNT(DISTINCT CASE WHEN {met} THEN {first}.{KEY} END) AS {IN_ALL}"
    counted = f"""counted AS (
  SELECT
    {", ".join(f"{first}.{column}" for column in by)},
    COUNT(DISTINCT {first}.{KEY}) AS {PERSONS}{in_all if others else ""}
  FROM {first}{joins}
  GROUP BY {", ".join(f"{first}.{column}" for column in by)}
)"""
    small = f"{PERSONS} > 0 AND {PERSONS} < {{k}}"
    shown = f"CASE WHEN {small} THEN NULL ELSE {PERSONS} END AS {PERSONS}"
    if others:
        # The rest of a group tells as much of them: both are k at least, or neither is told.
        rest = f"{PERSONS} - {IN_ALL} < {{k}}"
        few = f"{IN_ALL} > 0 AND ({IN_ALL} < {{k}} OR {rest})"
        shown += f",\n  CASE WHEN {few} THEN NULL ELSE {IN_ALL} END AS {IN_ALL}"
        small = f"({small}) OR ({few})"
    return f"""-- {ask_id}: persons counted in groups; fewer than {{k}} leave as NULL.
WITH {", ".join([*parts, counted])}

SELECT
  {", ".join(by)},
  DATE '{{business_date}}' AS {DAY},
  {shown},
  {small} AS {SUPPRESSED}
FROM counted
"""


def _showing(ask_id: str, sources: list[tuple[str, Source, Contract]]) -> str:
    parts = [_rows(ask_id, name, s, c, is_joined=len(sources) > 1) for name, s, c in sources]
    first = sources[0][0]
    joins = "".join(
        f"\nINNER JOIN {name} ON {first}.{KEY} = {name}.{KEY}" for name, _, _ in sources[1:]
    )
    shown = ",\n  ".join(
        f"{name}.{identifier(column)}"
        for name, source, _ in sources
        for column, release in source.columns.items()
        if release.mask != "drop"
    )
    return f"""-- {ask_id}: rows under their masks.
WITH {", ".join(parts)}

SELECT
  {shown},
  DATE '{{business_date}}' AS {DAY}
FROM {first}{joins}
"""


def _keys(ask_id: str, name: str, source: Source, contract: Contract, by: tuple[str, ...]) -> str:
    columns = [identifier(column) for column in by]
    return _part(name, source, contract, [f"{_pseudonym(ask_id, source)} AS {KEY}", *columns])


def _rows(ask_id: str, name: str, source: Source, contract: Contract, *, is_joined: bool) -> str:
    shown = [text for c, r in source.columns.items() if (text := masked(c, _own(ask_id, r)))]
    key = [f"{_pseudonym(ask_id, source)} AS {KEY}"] if is_joined else []
    return _part(name, source, contract, [*key, *shown])


def _part(name: str, source: Source, contract: Contract, columns: list[str]) -> str:
    tables = source.providers or tuple(s.provider for s in contract.servers)
    names = {column.name for column in contract.columns}
    only = condition(source.rows, names, contract.id) if source.rows else ""
    where = f"\n  WHERE {only}" if only else ""
    return (
        f"{name} AS (\n"
        + "\n  UNION ALL\n".join(
            f"  SELECT DISTINCT {', '.join(columns)}\n  FROM {identifier(contract.table(t))}{where}"
            for t in tables
        )
        + "\n)"
    )


def _pseudonym(ask_id: str, source: Source) -> str:
    key = f"CAST({identifier(source.key or '')} AS STRING)"
    return f"hmac_sm3({key}, {quoted(purpose_of(ask_id))})"


def _own(ask_id: str, release: Release) -> Release:
    """Return a mask whose pseudonyms are of this request and no other."""
    if release.mask != "hmac_sm3":
        return release
    return release.model_copy(update={"purpose": purpose_of(ask_id)})


def released(ask_id: str, asked: Asked) -> Iterator[tuple[str, Source, Release]]:
    """Yield what a showing request shows, with the masks as they are applied."""
    for name, (source, release) in shown_columns(asked).items():
        yield name, source, _own(ask_id, release)
