"""verify: every grant that opens a table, and every one that was ended, is in the evidence log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import select

from jobs.verify.lake import Lake
from jobs.verify.report import said
from sharing.control import Control, Grant
from sharing.grants import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.verify.report import Checked


def grants(home: Home, tree: Tree) -> Iterator[Checked]:
    """Invariant 6: each grant and each revocation has its leaf, and the leaf says the same.

    A grant whose leaf is still owed opens nothing, so it is recovering.
    """
    if not home.control_db.exists() and "JINGSHU_CONTROL_URL" not in os.environ:
        return
    lake = Lake(home, tree)
    with Control(home) as control, control.read() as session:
        rows = session.scalars(select(Grant).order_by(Grant.granted_at)).all()
    for row in rows:
        yield _logged(lake, row, "grant", is_owed=row.grant_leaf_at is None)
        if row.revoked_at is not None:
            yield _logged(lake, row, "revoke", is_owed=row.revoke_leaf_at is None)


def _logged(lake: Lake, row: Grant, kind: str, *, is_owed: bool) -> Checked:
    subject = subject_of(row)
    leaf = lake.leaves.get(f"{kind}:{subject}")
    where = f"control.db share_grants {subject}"
    if leaf is None:
        return said(6, where, f"its {kind} is not in the evidence log", is_recovering=is_owed)
    table = f"{row.share}.{row.schema}.{row.table}"
    is_same = (leaf.facts.get("recipient"), leaf.facts.get("table")) == (row.recipient, table)
    return said(6, where, None if is_same else f"its {kind} leaf names another grant")
