"""What a step left in a table: the files it made visible and the schema they are read by.

Leaves name both by digest, and ``verify`` computes them again from what is on disk.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import rfc8785
from deltalake import DeltaTable

from jobs.tables import staged
from jobs.tables.delta import open_table
from lineage.evidence.digests import digest_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lineage.evidence.leaf import JsonScalar

Facts = dict[str, "JsonScalar"]


def of_stage(path: Path, version: int, stage: str) -> Facts:
    """Return the facts of the files that one version of a table shows of a stage."""
    table = DeltaTable(str(path), version=version)
    return _facts(path, table, files_by_stage(table).get(stage, []), "files")


def of_batch(path: Path, batch_id: str, what: str = "files") -> Facts:
    """Return the facts of a batch's files in a table that has a partition a batch.

    Nothing where the table shows none; ``what`` begins the facts' names.
    """
    table = open_table(path)
    names = files_by_batch(table).get(batch_id, []) if table is not None else []
    return _facts(path, table, names, what) if table is not None and names else {}


def files_by_stage(table: DeltaTable) -> Mapping[str, list[str]]:
    """Return the visible files of each stage; what lies in no stage is under ``""``."""
    found: dict[str, list[str]] = {}
    for file in staged.files(table):
        name = str(file["path"])
        found.setdefault(staged.stage_of_file(name) or "", []).append(name)
    return found


def files_by_batch(table: DeltaTable) -> Mapping[str, list[str]]:
    """Return the visible files of each batch of a table with a partition a batch."""
    found: dict[str, list[str]] = {}
    for file in pa.table(table.get_add_actions(flatten=True)).to_pylist():
        found.setdefault(str(file.get("partition._batch_id")), []).append(str(file["path"]))
    return found


def schema_digest(table: DeltaTable) -> str:
    """Return SHA-256 (hex) over a table's columns, types, levels, tags and comments (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(json.loads(table.schema().to_json()))).hexdigest()


def _facts(path: Path, table: DeltaTable, names: list[str], what: str) -> Facts:
    digest = digest_files(path, names)
    schema = "schema_sha256" if what == "files" else f"{what}_schema_sha256"
    return {
        f"{what}_sha256": digest.sha256,
        f"{what}_sm3": digest.sm3,
        schema: schema_digest(table),
    }
