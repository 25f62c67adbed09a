"""withdraw: takes a published batch back with one commit, and what it had replaced returns.

Order: intent → silver commit → governance rows → lineage event → leaf → products → intent closed.
Each step is idempotent by its name; the commit keeps actor and reason, so a crash is healed by
withdrawing again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.names import Step
from jobs.publish.run import is_same_period
from jobs.record.decisions import Withdrawn
from jobs.refine.merge import Merge, MergeBase, base_without, contents
from jobs.refine.stage import write_frame
from jobs.seal import on_spark
from jobs.tables import silver, staged
from jobs.tables.delta import open_table
from jobs.tables.silver import CARRIED, GOOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deltalake import DeltaTable

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.record.governance import BatchRow
    from jobs.tables.silver import Publication

_TRIES: Final = 5


class WithdrawError(JingshuError, RuntimeError):
    """A batch that cannot be taken back as things are."""


class _MovedError(Exception):
    """The table moved while its merge was staged without the batch."""


def commit(home: Home, delivery: Delivery, row: BatchRow, actor: str, reason: str) -> Withdrawn:
    """Take the batch's rows out of silver in one commit, once.

    A repeat returns what the first call made, with its actor and reason. Raises WithdrawError for
    a batch that no commit ever showed.
    """
    table = open_table(home.table("silver", row.table))
    shown = next((p for p in silver.publications(table) if p.batch_id == row.batch_id), None)
    if table is None or shown is None:
        raise WithdrawError(
            Words(
                f"{row.table} 的批次 {row.batch_id} 从未可见。",
                f"Batch {row.batch_id} of {row.table} was never visible.",
            ),
            Words("请保持原状：没有可撤回的内容。", "Leave it: there is nothing to take back."),
        )
    commit_metadata = {
        "jingshu.kind": "withdraw",
        "jingshu.batch_id": row.batch_id,
        "jingshu.business_date": shown.business_date.isoformat(),
        "jingshu.revision": str(shown.revision),
        "jingshu.digest": shown.digest,
        "jingshu.actor": actor,
        "jingshu.reason": reason,
    }
    if delivery.contract.load.mode == "merge_key":
        table = _merge_without(home, delivery, row, commit_metadata)
    else:
        table = _files_without(home, delivery, row, commit_metadata)
    return _made(table, delivery, row)


def _made(table: DeltaTable, delivery: Delivery, row: BatchRow) -> Withdrawn:
    """Read back from the log what the withdrawal was."""
    found = next(
        c
        for c in table.history()
        if c.get("jingshu.kind") == "withdraw" and c["jingshu.batch_id"] == row.batch_id
    )
    version = int(found["version"])
    publications = [p for p in silver.publications(table) if p.version <= version]
    if delivery.contract.load.mode == "merge_key":
        before = contents(publications[:-1])
        names = {p.batch_id for p in before}
        returned = tuple(p.batch_id for p in contents(publications) if p.batch_id not in names)
    else:
        returned = tuple(filter(None, found.get("jingshu.returned", "").split(",")))
    return Withdrawn(
        version=version,
        actor=found["jingshu.actor"],
        reason=found["jingshu.reason"],
        returned=returned,
        lost=found.get("jingshu.lost") or None,
    )


def _files_without(
    home: Home, delivery: Delivery, row: BatchRow, commit_metadata: dict[str, str]
) -> DeltaTable:
    """Remove the batch's files; show those of the period's newest other batch again."""
    contract = delivery.contract

    def change(table: DeltaTable) -> staged.Change:
        visible = staged.files(table)
        gone = [f for f in visible if staged.stage_of_file(f["path"]) == row.batch_id]
        earlier = _earlier(table, delivery, row) if gone else None
        adds = []
        if earlier is not None:
            stage = silver.stage_path(home, row.table, earlier.batch_id)
            if (stage / "_SUCCESS").exists():
                adds = staged.staged_actions(stage, contract, (GOOD,))
        is_back = earlier is not None and bool(adds)
        return staged.Change(
            [*adds, *staged.removals(gone, int(time.time() * 1000))],
            {
                **commit_metadata,
                "jingshu.tombstones": "",
                "jingshu.returned": earlier.batch_id if earlier and is_back else "",
                "jingshu.lost": earlier.batch_id if earlier and not is_back else "",
            },
        )

    return staged.commit_once(
        home.table("silver", row.table), Step.WITHDRAW.of(row.batch_id), change
    )


def _earlier(table: DeltaTable, delivery: Delivery, row: BatchRow) -> Publication | None:
    """Return the newest publication in force whose place the batch took."""
    replaced = [
        p
        for p in silver.in_force(table)
        if p.batch_id != row.batch_id and is_same_period(delivery.contract, p, row)
    ]
    return max(replaced, key=lambda p: p.order, default=None)


def _merge_without(
    home: Home, delivery: Delivery, row: BatchRow, commit_metadata: dict[str, str]
) -> DeltaTable:
    """Stage the table without the batch and show that stage; again if the table moved."""
    contract, name = delivery.contract, Step.WITHDRAW.of(row.batch_id)
    stage = silver.stage_path(home, row.table, f"{row.batch_id}{silver.WITHDRAWN}")
    for _ in range(_TRIES):
        table = open_table(home.table("silver", row.table))
        if table is not None and table.transaction_version(name) is not None:
            return table
        base = base_without(home, row.table, row.batch_id)
        _refuse_lost(home, row, base.replay)
        if not base.is_empty:
            rows = Merge(home, contract, row.table, base).alone()
            rows = on_spark.sealed(home, contract, row.table, rows)
            write_frame(rows, contract.columns, stage, base.current_version)

        def change(table: DeltaTable, base: MergeBase = base) -> staged.Change:
            publications = silver.publications(table)
            if publications[-1].version != base.current_version:
                raise _MovedError
            adds = [] if base.is_empty else staged.staged_actions(stage, contract, (CARRIED,))
            gone = staged.removals(staged.files(table), int(time.time() * 1000))
            tombstones = None if base.is_empty else silver.tombstones_of(stage)
            return staged.Change(
                [*adds, *gone], {**commit_metadata, "jingshu.tombstones": tombstones or ""}
            )

        try:
            return staged.commit_once(home.table("silver", row.table), name, change)
        except _MovedError:
            continue
    raise WithdrawError(
        Words(
            f"撤出批次 {row.batch_id} 时，{row.table} 变动了 {_TRIES} 次。",
            f"{row.table} moved {_TRIES} times while batch {row.batch_id} was taken out.",
        ),
        Words("请待其发布结束后再做一次。", "Do it again when its publications have ended."),
    )


def _refuse_lost(home: Home, row: BatchRow, replay: Sequence[str]) -> None:
    for batch_id in replay:
        if not (silver.stage_path(home, row.table, batch_id) / "_SUCCESS").exists():
            raise WithdrawError(
                Words(
                    f"无法在去掉批次 {row.batch_id} 后重建 {row.table}："
                    f"批次 {batch_id} 的暂存行已不在。",
                    f"{row.table} cannot be laid anew without batch {row.batch_id}: the staged"
                    f" rows of batch {batch_id} are gone.",
                ),
                Words(
                    "请改为以更正版重新交付该期数据。",
                    "Deliver the period again as a corrected revision instead.",
                ),
            )
