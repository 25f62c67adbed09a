"""Where state lives: the one place that joins paths below ``JINGSHU_HOME``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Layer = Literal["bronze", "silver", "quarantine", "gold", "shared", "governance"]

#: Begins the URI of an Airflow asset: what follows is the table's name, wherever the lake lies.
#: Airflow leaves schemes that begin so as they are.
ASSET_SCHEME: Final = "x-jingshu://"
#: The repository's root: packaged contracts and DAGs are found relative to it.
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The state folder of one Jingshu, and the names below it (design §5)."""

    root: Path

    @classmethod
    def from_env(cls) -> Home:
        """Read ``JINGSHU_HOME``; without it, ``var`` in the repository."""
        return cls(Path(os.environ.get("JINGSHU_HOME") or ROOT / "var").resolve())

    def table(self, layer: Layer, name: str) -> Path:
        """Return the folder of one Delta table."""
        return self.root / "lake" / layer / name

    def raw(self, provider: str, dataset: str, batch_id: str) -> Path:
        """Return the folder that keeps one batch's original bytes and manifest."""
        return self.root / "raw" / provider / dataset / batch_id

    @property
    def drop(self) -> Path:
        """The drop folder that providers deliver into (``JINGSHU_DROP``)."""
        return Path(os.environ.get("JINGSHU_DROP") or self.sandbox / "drop").resolve()

    @property
    def sandbox(self) -> Path:
        """What the simulated city writes: its drop folder and its truth file."""
        return self.root / "sandbox"

    @property
    def lineage_events(self) -> Path:
        """OpenLineage run events, NDJSON, one file a run."""
        return self.root / "lineage" / "events"

    @property
    def lineage_delivery(self) -> Path:
        """What each OpenLineage endpoint has acknowledged (SQLite)."""
        return self.root / "lineage" / "delivery.db"

    @property
    def evidence(self) -> Path:
        """The C2SP tlog-tiles log: ``checkpoint``, ``tile/…``, ``log.vkey``."""
        return self.root / "evidence"

    @property
    def control_db(self) -> Path:
        """Grants, tokens and open intents (SQLite until production moves it)."""
        return self.root / "control.db"

    @property
    def requests(self) -> Path:
        """The products that agreed requests made: one folder each, with contract and SQL."""
        return self.root / "requests"

    @property
    def site(self) -> Path:
        """The portal's static pages."""
        return self.root / "site"

    @property
    def keys(self) -> Path:
        """Private keys, mode 0700; nothing here is ever served or logged."""
        return self.root / "keys"

    @property
    def refused(self) -> Path:
        """Incident records of refused secret and core data, mode 0700; never their bytes."""
        return self.root / "refused"

    @property
    def run(self) -> Path:
        """The running stack: ``stack.json``, pid files, logs, Airflow's own folder."""
        return self.root / "run"

    @property
    def quality(self) -> Path:
        """Great Expectations' stores: suites and validation results."""
        return self.root / "quality"


def contracts_root() -> Path:
    """Return the contracts tree in force: ``JINGSHU_CONTRACTS`` or the packaged one."""
    return Path(os.environ.get("JINGSHU_CONTRACTS") or ROOT / "contracts").resolve()
