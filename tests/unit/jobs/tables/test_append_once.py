"""An append is done once, by however many processes at once, the table there or not."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.tables.delta import append_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.pool import Pool

WORKERS = 6


def _append(told: tuple[str, str]) -> bool:
    path, app_id = told
    return append_once(Path(path), lambda: pa.table({"name": [app_id]}), app_id)[1]


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        yield pool


@pytest.mark.parametrize("before", [(), ("before",)], ids=["new table", "table is there"])
def test_one_name_is_written_once(workers: Pool, tmp_path: Path, before: tuple[str, ...]) -> None:
    for attempt in range(8):
        path = str(tmp_path / str(attempt))
        for name in before:
            _append((path, name))
        wrote = workers.map(_append, [(path, "same")] * WORKERS, chunksize=1)
        assert sum(wrote) == 1
        names = DeltaTable(path).to_pyarrow_table()["name"].to_pylist()
        assert names.count("same") == 1


def test_no_append_is_lost(workers: Pool, tmp_path: Path) -> None:
    path, names = str(tmp_path / "t"), [f"n{n}" for n in range(40)]
    workers.map(_append, [(path, name) for name in names], chunksize=1)
    assert sorted(DeltaTable(path).to_pyarrow_table()["name"].to_pylist()) == sorted(names)
