"""How long the URLs of files live, and who opens those of a bucket: the operator's choice.

Delta Sharing's Spark client takes URLs that end within 15 minutes for URLs of an hour, and so reads
on with dead ones; its Python client never asks for new ones, so a read has to end within a life.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from contracts.errors import UsageError
from contracts.words import Words

LIFE: Final = "JINGSHU_URL_LIFE_S"
BUCKETS: Final = "JINGSHU_BUCKET_URLS"
DEFAULT_LIFE_S: Final = 3600
#: Over the 15 minutes of Spark's client, with time to begin a read (s).
LEAST_LIFE_S: Final = 1200
#: A day: below the week for which Delta's VACUUM keeps files, and S3 its own URLs (s).
MOST_LIFE_S: Final = 86_400
_GATEWAY, _PRESIGNED = "gateway", "presigned"
_DIGITS: Final = 6


@dataclass(frozen=True)
class Urls:
    """What the gateway hands out; a pre-signed URL is a store's own, which asks nobody again."""

    life_s: int = DEFAULT_LIFE_S
    is_presigned: bool = False


def urls_from_env() -> Urls:
    """Read ``JINGSHU_URL_LIFE_S`` (seconds) and ``JINGSHU_BUCKET_URLS`` (gateway or presigned).

    Raises:
        UsageError: One of them cannot be meant.
    """
    life = os.environ.get(LIFE) or str(DEFAULT_LIFE_S)
    is_number = life.isascii() and life.isdigit() and len(life) <= _DIGITS
    if not (is_number and LEAST_LIFE_S <= int(life) <= MOST_LIFE_S):
        raise UsageError(
            Words(f"{LIFE} 不能是 {life!r}。", f"{LIFE} cannot be {life!r}."),
            Words(
                f"请设为 {LEAST_LIFE_S} 到 {MOST_LIFE_S} 的秒数。",
                f"Set it to seconds from {LEAST_LIFE_S} to {MOST_LIFE_S}.",
            ),
        )
    opener = os.environ.get(BUCKETS) or _GATEWAY
    if opener not in (_GATEWAY, _PRESIGNED):
        raise UsageError(
            Words(f"{BUCKETS} 不能是 {opener!r}。", f"{BUCKETS} cannot be {opener!r}."),
            Words(f"请设为 {_GATEWAY} 或 {_PRESIGNED}。", f"Set it to {_GATEWAY} or {_PRESIGNED}."),
        )
    return Urls(int(life), opener == _PRESIGNED)
