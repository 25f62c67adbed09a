"""Mends what keeps a product waiting for ever: two pending runs of Airflow for one key.

Airflow 3.3 finds or makes the pending run of a key under a lock on the asset whose event came, so
that events of two assets may make two (apache/airflow#71070). Later events go to the newer one;
neither gets them all, and the consumer never starts. Run as a program with Airflow's environment.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, select, update

from contracts.words import Words

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Key(NamedTuple):
    """A DAG that waits for its inputs, and the business date for which it does."""

    dag_id: str
    partition_key: str


def heal(session: Session) -> list[Key]:
    """Join pending runs of one DAG and key into the newest; return the keys where it was needed.

    The scheduler starts the consumer in its next round if it now has all it waits for.
    """
    from airflow.models.asset import AssetPartitionDagRun as Pending
    from airflow.models.asset import PartitionedAssetKeyLog as Received

    is_pending = Pending.created_dag_run_id.is_(None)
    # Changes nothing, and locks: on SQLite every other writer, else those rows.
    session.execute(update(Pending).where(is_pending).values(updated_at=Pending.updated_at))
    newest: dict[tuple[Key, str], Any] = {}
    healed: list[Key] = []
    for row in session.scalars(select(Pending).where(is_pending).order_by(Pending.id.desc())):
        key = Key(row.target_dag_id, row.partition_key)
        # Airflow itself drops one that another version of the DAG's timetable left.
        kept = newest.setdefault((key, json.dumps(row.rollup_fingerprint, sort_keys=True)), row)
        if kept is row:
            continue
        theirs = Received.asset_partition_dag_run_id
        session.execute(update(Received).where(theirs == row.id).values({theirs: kept.id}))
        kept.partition_date = kept.partition_date or row.partition_date
        session.execute(delete(Pending).where(Pending.id == row.id))
        healed.append(key)
    return list(dict.fromkeys(healed))


def main() -> None:
    """Heal Airflow's database, and print how many keys needed it."""
    from airflow.utils.session import create_session

    with create_session() as session:
        healed = heal(session)
    names = [f"{key.dag_id} {key.partition_key}" for key in healed]
    told = Words(
        f"已修复 {len(names)} 个键{'：' if names else ''}{'、'.join(names)}。",
        f"{len(names)} keys healed{': ' if names else ''}{', '.join(names)}.",
    )
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
