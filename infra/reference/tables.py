"""The page of tables: governance, the control database, and the columns that stages add."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Final

from infra.reference.markdown import code, docstring, page, table
from infra.reference.meanings import SYSTEM_COLUMNS, meaning
from jobs.record import governance, intents
from lineage.columns import BRONZE_SYSTEM, SILVER_SYSTEM, SYSTEM_LEVELS
from lineage.datasets import SYSTEM
from sharing import migrations
from sharing.control import Base

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Column, Table

_SUMMARY: Final = (
    "Tables that Jingshu makes for itself. The columns of a source or a product are those of its"
    " contract: `jingshu contract show` names them and the tables that follow."
)
_LAKE: Final = """\
## Lake

Delta tables below `lake/` of `JINGSHU_HOME`. A source's table is called
`<provider>__<dataset>`, a product's by its dataset, a shared one `<product>__<policy>`. To the
contract's columns each layer adds these; gold and shared tables have none of them."""
_GOVERNANCE: Final = """\
## Governance

`lake/governance/<table>`. Append-only, one row a change of state; of the rows with one key, the
newest `recorded_at` counts. Times are UTC."""
_CONTROL: Final = """\
## Control database

`control.db`, or the database that `JINGSHU_CONTROL_URL` names; `intents` is always in
`control.db`. Written only by Jingshu: rows that give or take a right have a leaf in the
evidence log, and `verify` names those that were changed without one. Types are SQLAlchemy's."""


def tables() -> str:
    """Return the page."""
    return page(
        "Tables",
        _SUMMARY,
        _LAKE,
        *_layers(),
        _GOVERNANCE,
        *_governance(),
        _CONTROL,
        _intents(),
        *_control(),
    )


def _layers() -> Iterator[str]:
    quarantine = {n: SYSTEM_LEVELS[n] for n in ("_extra", *SILVER_SYSTEM, "_reasons", "_status")}
    layers: Mapping[str, Mapping[str, str]] = {
        "bronze": BRONZE_SYSTEM,
        "silver": SILVER_SYSTEM,
        "quarantine": quarantine,
    }
    for layer, added in layers.items():
        yield f"### {layer}"
        rows = [
            (code(name), SYSTEM[name][0], level, meaning(SYSTEM_COLUMNS, name, "column"))
            for name, level in added.items()
        ]
        yield table(("column", "type", "level", "meaning"), rows)


def _governance() -> Iterator[str]:
    for kind, name in governance.TABLES.items():
        yield f"### governance.{name}"
        yield docstring(kind)
        yield _arrow(governance.schema_of(kind))


def _arrow(schema: pa.Schema) -> str:
    rows = [(code(f.name), str(f.type), "yes" if f.nullable else "") for f in schema]
    return table(("column", "type", "may be null"), rows)


def _intents() -> str:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(intents.CREATE)
        columns = database.execute("PRAGMA table_info(intents)").fetchall()
    rows = [
        (code(name), kind, "primary key" if key else "", "" if key or required else "yes")
        for _, name, kind, required, _, key in columns
    ]
    return "\n\n".join(("### intents", docstring(intents.Intent), _columns(rows)))


def _control() -> Iterator[str]:
    for module in migrations.MODELS:
        import_module(module)
    classes = {m.local_table.key: m.class_ for m in Base.registry.mappers}  # type: ignore[attr-defined]  # of a table's mapper it is a Table
    for name, found in sorted(Base.metadata.tables.items()):
        yield f"### {name}"
        if name in classes:
            yield docstring(classes[name])
        yield _columns(_row(found, column) for column in found.columns)


def _row(found: Table, column: Column[object]) -> tuple[str, str, str, str]:
    keys = ["primary key"] if column.primary_key else []
    keys += sorted(f"→ {code(key.target_fullname)}" for key in column.foreign_keys)
    is_unique = column.unique or any(
        index.unique and [c.name for c in index.columns] == [column.name] for index in found.indexes
    )
    keys += ["unique"] if is_unique else []
    return code(column.name), str(column.type), ", ".join(keys), "yes" if column.nullable else ""


def _columns(rows: object) -> str:
    return table(("column", "type", "key", "may be null"), rows)  # type: ignore[arg-type]
