"""Gives the assets of an Airflow database of the version before their names of today.

They were named by the lake's absolute path. Airflow holds two assets of one name and different
URIs for a conflict, and fails the tasks of the newer.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from contracts.layout import ASSET_SCHEME

if TYPE_CHECKING:
    from pathlib import Path

#: What names an asset's URI: its rows, and what a consumer's pending run waits for.
_PLACES: Final = (
    ("asset", "uri"),
    ("asset_active", "uri"),
    ("asset_partition_dag_run", "rollup_fingerprint"),
)


def name_assets(database: Path) -> None:
    """Name every table's asset by table instead of by place."""
    with closing(sqlite3.connect(database)) as connection, connection:
        named = connection.execute(
            "SELECT name, uri FROM asset WHERE uri LIKE 'file://%' AND name LIKE '%/%'"
        )
        lakes = {uri.removesuffix(name) for name, uri in named if uri.endswith(f"/{name}")}
        for lake in lakes:
            for table, column in _PLACES:
                connection.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608
                    (lake, ASSET_SCHEME),
                )
