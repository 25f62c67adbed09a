"""Incident records (事件记录): secret or core data that came, and was refused before it was stored.

What must not be kept must still be accounted for: whose it was, when, how large, and the digests by
which those who may see it can tell which file it was. Never its bytes, never its name.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field

from lineage.evidence.digests import digest_file
from lineage.evidence.durable import write_durably

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.delivery import Delivery
    from contracts.layout import Home

_FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


class Incident(BaseModel):
    """One refused file: ``mark`` is the secrecy mark it carries, or that it is core data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    dataset: str
    contract_id: str
    business_date: date
    mark: str
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sm3: str = Field(pattern=r"^[0-9a-f]{64}$")
    refused_at: datetime

    @property
    def file_name(self) -> str:
        """The record's own name: whose, of which date, and the digest's beginning."""
        return (
            f"{self.provider}__{self.dataset}-{self.business_date:%Y%m%d}-{self.sha256[:12]}.json"
        )


def keep(home: Home, delivery: Delivery, mark: str, file: Path, now: datetime) -> Path:
    """Write the incident record of a refused file, once a file and date; return the record.

    The folder is 0700 and the record 0600: who holds a record knows that there was a secret.
    """
    digest = digest_file(file)
    incident = Incident(
        provider=delivery.provider,
        dataset=delivery.contract.dataset,
        contract_id=delivery.contract.id,
        business_date=delivery.business_date,
        mark=mark,
        size_bytes=digest.size_bytes,
        sha256=digest.sha256,
        sm3=digest.sm3,
        refused_at=now,
    )
    record = home.refused / incident.file_name
    if record.exists():
        return record
    home.refused.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    home.refused.chmod(_FOLDER_MODE)
    text = incident.model_dump_json(indent=2) + "\n"
    write_durably(record, text.encode("utf-8"), home.run / "drafts", FILE_MODE)
    return record
