"""What the triggerer runs while a delivery is expected: a look at the drop folder now and then.

It holds no worker slot and starts no process, so it imports nothing that it does not need.
"""

from __future__ import annotations

import asyncio
import glob
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from contracts.layout import Home
from contracts.moment import utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: How often the drop folder is looked at.
LOOK_EVERY_S = 30.0
#: What a provider's file is not: manifests, and files that are still being written.
_NOT_FILES = (".manifest.json", ".part", ".tmp")


class DeliveryTrigger(BaseTrigger):
    """Fires when a delivery's file is there, or when nobody waits for it any longer.

    ``pattern`` is the glob of its files below the drop folder, whichever is in force when somebody
    looks; ``until`` is the last moment (RFC 3339). Where a manifest is required a file counts from
    when its manifest is there. Whether the file is any good, the task
    that is resumed finds out.
    """

    def __init__(self, pattern: str, until: str, *, needs_manifest: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pattern = pattern
        self.until = until
        self.needs_manifest = needs_manifest

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs to make this trigger again."""
        kwargs = {
            "pattern": self.pattern,
            "until": self.until,
            "needs_manifest": self.needs_manifest,
        }
        return "dags.waiting.DeliveryTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, sleeping first: the task that waits has just looked itself."""
        until = datetime.fromisoformat(self.until)
        while (left_s := (until - utc_now()).total_seconds()) > 0:
            await asyncio.sleep(min(LOOK_EVERY_S, left_s))
            pattern = os.path.join(glob.escape(str(Home.from_env().drop)), self.pattern)  # noqa: PTH118
            if await asyncio.to_thread(is_there, pattern, needs_manifest=self.needs_manifest):
                yield TriggerEvent({"is_there": True})
                return
        yield TriggerEvent({"is_there": False})


def is_there(pattern: str, *, needs_manifest: bool) -> bool:
    """Tell whether a file of the delivery is in the drop folder, complete if that can be told."""
    return any(
        os.path.isfile(path)  # noqa: PTH113  (glob's own strings, a listing each 30 s)
        and (not needs_manifest or os.path.exists(f"{path}.manifest.json"))  # noqa: PTH110
        for path in glob.glob(pattern)  # noqa: PTH207
        if not path.endswith(_NOT_FILES)
    )
