from __future__ import annotations

import pytest

from infra.sandbox.layouts import HABITS, Layout
from infra.sandbox.planting import Row
from tests.conftest import TREE

FEEDS = {f"{feed.provider}/{feed.contract.dataset}": feed for feed in TREE.feeds()}


@pytest.mark.parametrize("name", [n for n, habit in HABITS.items() if habit.blank_columns])
def test_a_row_with_too_few_cells_lacks_a_column_that_has_a_name(name: str) -> None:
    feed = FEEDS[name]
    layout = Layout.of(feed.contract, feed.provider, drifted=False, secret=False)
    cells = {c.name: "x" for c in feed.contract.columns}
    assert len(layout.cells(Row(cells, extra=-1))) == len(layout.columns) - 1
    assert len(layout.cells(Row(cells))) == len(layout.headers)
    assert len(layout.cells(Row(cells, extra=2))) == len(layout.headers) + 2
