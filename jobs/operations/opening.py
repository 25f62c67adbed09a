"""Opening a sealed original: for an auditor who compares it with what the provider holds.

The leaf comes first: nobody has a file in clear of which the log does not tell.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from jobs.files.raw import kept_batch, opened_raw
from jobs.operations.decisions import known_batch
from jobs.record import decisions
from lineage.evidence.digests import digest_file

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf

_OWNER_ONLY: Final = 0o600


class OpeningError(JingshuError, ValueError):
    """A kept file that is not, or no longer, the one that landed."""


def provider_of(home: Home, batch_id: str) -> str:
    """Return whose file a batch is; UsageError where there is no such batch."""
    return known_batch(home, batch_id).provider


def open_original(home: Home, batch_id: str, out: Path, actor: str, reason: str) -> Leaf:
    """Write a batch's original bytes to a new file that its owner alone may read; log it first.

    Return the leaf: who, why (by digest), and both digests of the file.

    Raises:
        UsageError: There is no such batch, no reason, or the file is there already.
        OpeningError: The kept file is not the one that landed; nothing is written then.
    """
    if not reason.strip():
        raise UsageError(
            Words("开封须有理由。", "An opening needs its reason."),
            Words("请用 --reason 补充。", "Add --reason."),
        )
    if out.exists():
        raise UsageError(
            Words(f"文件 {out} 已存在。", f"{out} is there already."),
            Words("请换一个文件名。", "Give a free name."),
        )
    row = known_batch(home, batch_id)
    raw = kept_batch(home, row.table, row.batch_id)
    with opened_raw(home, raw) as clear:
        digest = digest_file(clear)
        if digest.sha256 != raw.batch.sha256:
            raise OpeningError(
                Words(
                    f"{row.batch_id} 留存的文件不是当初入湖的那一份。",
                    f"The kept file of {row.batch_id} is not the one that landed.",
                ),
                Words("请从备份恢复。", "Restore it from a backup."),
            )
        leaf = decisions.opened(home, row, digest, actor, reason)
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with clear.open("rb") as source, os.fdopen(handle, "wb") as target:
            shutil.copyfileobj(source, target)
    return leaf
