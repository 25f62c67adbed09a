"""Delta tables that others wrote, shared as they are: which folders, under which names.

Nothing is projected or masked, so a person answers for the level of what is untagged; that, and
what the files hold besides the rows, is in evidence.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.model import UNTAGGED
from contracts.moment import iso, utc_now
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import ForeignTable
from sharing.tables.names import SHARE, Catalog, SharedTable, is_name
from sharing.tables.snapshot import read_snapshot
from sharing.tables.storage import Folder

if TYPE_CHECKING:
    from sqlalchemy import Select

    from contracts.model import Level
    from sharing.control import Control
    from sharing.tables.snapshot import Snapshot
    from sharing.tables.storage import Storage


def add_table(
    control: Control,
    root: Storage,
    share: str,
    schema: str,
    table: str,
    *,
    level: Level | None,
    actor: str,
) -> tuple[SharedTable, Snapshot]:
    """Share a Delta folder, or a bucket's prefix, under three names; return it, and what it is now.

    Raises:
        UsageError: A name cannot be one or is taken, or the folder is of this home.
        NotServedError: A column is above the ceiling, or untagged while no ``level`` is given.
    """
    if isinstance(root, Folder):
        root = Folder(root.path.resolve())
    _check(control, root, share, schema, table)
    snapshot = read_snapshot(root, foreign=level or UNTAGGED)
    keeps_deleted = any(f.vector or f.inline_vector for f in snapshot.files())
    with control.write() as session:
        session.add(
            ForeignTable(
                id=uuid.uuid4().hex,
                share=share,
                schema=schema,
                table=table,
                folder=root.address,
                level=level,
                keeps_deleted_rows=keeps_deleted,
                added_at=utc_now(),
                added_by=actor,
            )
        )
    owed.settle(control, ForeignTable)
    return SharedTable(share, schema, table, root, level or UNTAGGED), snapshot


def remove_table(control: Control, reference: str, *, actor: str) -> SharedTable:
    """Take a table of others out of its share; its grants open nothing any more.

    Raises:
        UsageError: There is no such table, or it is one of our own.
    """
    found = Catalog(control).find(reference)
    if found.foreign is None:
        raise UsageError(
            Words(f"{found} 是本市自己的表。", f"{found} is a table of this city."),
            Words("请从契约中去掉其共享策略。", "Take its policy out of its contract."),
        )
    with control.write() as session:
        row = session.scalars(_open(found.share, found.schema, found.name)).one()
        row.removed_at, row.removed_by = utc_now(), actor
    owed.settle(control, ForeignTable)
    return found


def leaves_of(row: ForeignTable) -> list[Leaf]:
    """Return what a table's row has in evidence: that it was added, and that it was removed."""
    return [added_leaf(row)] if row.removed_at is None else [added_leaf(row), removed_leaf(row)]


@owed.owes(ForeignTable, "added_leaf_at")
def added_leaf(row: ForeignTable) -> Leaf:
    """Return the leaf of a table that was added: which, its folder by digest, at which level."""
    facts = {
        "table": _name(row),
        # By digest: where an office keeps its data is nobody else's business.
        "folder_sha256": sha256(row.folder),
        "level": row.level,
        "keeps_deleted_rows": row.keeps_deleted_rows,
        "by": row.added_by,
    }
    return Leaf("table", f"{_name(row)}#{row.id}", facts, iso(row.added_at))


@owed.owes(ForeignTable, "removed_leaf_at", since="removed_at")
def removed_leaf(row: ForeignTable) -> Leaf:
    """Return the leaf of a table that was taken out: which, by whom."""
    if row.removed_at is None:
        raise ValueError(f"{row.id} is not removed")
    gone = {"table": _name(row), "by": row.removed_by}
    return Leaf("table", f"{_name(row)}#{row.id}/removed", gone, iso(row.removed_at))


def _name(row: ForeignTable) -> str:
    return f"{row.share}.{row.schema}.{row.table}"


def _check(control: Control, root: Storage, share: str, schema: str, table: str) -> None:
    wrong = [name for name in (share, schema, table) if not is_name(name)]
    if wrong:
        raise UsageError(
            Words(
                f"{wrong[0]!r} 不能作 share、schema 或表的名称。",
                f"{wrong[0]!r} cannot name a share, schema or table.",
            ),
            Words(
                "请用至多 255 个字符，不含空格、点或斜杠。",
                "Use at most 255 characters without a space, dot or slash.",
            ),
        )
    if share.casefold() == SHARE:
        raise UsageError(
            Words(
                f"共享 {SHARE} 只放本市自己的表。",
                f"The share {SHARE} holds this city's own tables.",
            ),
            Words("请换一个共享名称。", "Name another share."),
        )
    if Catalog(control).named(share, schema, table) is not None:
        raise UsageError(
            Words(
                f"{share}.{schema}.{table} 已在共享。",
                f"{share}.{schema}.{table} is shared already.",
            ),
            Words("请先移除它。", "Remove it first."),
        )
    home = control.home.root.resolve()
    if isinstance(root, Folder) and (
        root.path.is_relative_to(home) or home.is_relative_to(root.path)
    ):
        # Bronze and silver are in clear what policies hide; only the share job lets them out.
        raise UsageError(
            Words(
                f"{root.address} 属于本市的数据湖。", f"{root.address} belongs to this city's lake."
            ),
            Words("请用共享策略共享产品。", "Share a product by a policy."),
        )


def _open(share: str, schema: str, table: str) -> Select[ForeignTable]:
    return select(ForeignTable).where(
        ForeignTable.share == share,
        ForeignTable.schema == schema,
        ForeignTable.table == table,
        ForeignTable.removed_at.is_(None),
    )
