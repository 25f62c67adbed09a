"""What is known of a home's stack between commands: its parts and what it was started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from contracts.layout import contracts_root
from infra.stack import processes, spark
from infra.stack.airflow import Schedule, folder
from infra.stack.processes import LOOPBACK, Ledger, Part
from sharing.endpoint import PREFIX, gateway_serving, web_serving

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

GATEWAY = "gateway"
#: The pages of those who ask, provide and administer; kept by ``up`` only.
WEB = "portal-web"
#: Sends lineage events to OPENLINEAGE_URL; the one part that nothing waits for.
SENDER = "lineage-sender"
#: The demo's witness of the evidence log; there is none where others are named.
WITNESS = "witness"
SPARK = spark.NAME
STOP_GRACE_S = 12.0


class Settings(BaseModel):
    """What a stack was started with, and a command that joins it must share.

    Folders of the home are named from its root: a home that was moved shares them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Schedule
    contracts: str
    drop: str

    @classmethod
    def now(cls, home: Home, schedule: Schedule) -> Settings:
        """Return what a stack that starts now is started with."""
        folders = {"contracts": contracts_root(), "drop": home.drop}
        return cls(schedule=schedule, **{k: _named(home, v) for k, v in folders.items()})

    @classmethod
    def last(cls, home: Home) -> Settings | None:
        """Return what this home's stack was started with last; None if it never was."""
        try:
            return cls.model_validate_json(_settings_file(home).read_text("utf-8"))
        except FileNotFoundError:
            return None

    def write(self, home: Home) -> None:
        """Keep these for the next command."""
        _settings_file(home).write_text(self.model_dump_json(), "utf-8")


@dataclass(frozen=True)
class PartStatus:
    """What ``./jingshu status`` says about one part."""

    name: str
    is_alive: bool
    pid: int
    address: str
    log: str


def status(home: Home) -> list[PartStatus]:
    """Return what is recorded as running for this home, dead or alive."""
    return [
        PartStatus(part.name, part.is_alive(), part.pid, _address(part), part.log)
        for part in Ledger(home).parts()
    ]


def down(home: Home) -> list[Part]:
    """Stop every recorded part of this home; return those that still ran."""
    parts = Ledger(home).parts()
    ran = [part for part in parts if part.members()]
    processes.stop(home, parts, STOP_GRACE_S)
    return ran


def _address(part: Part) -> str:
    if part.name == SPARK:
        return spark.remote(part)
    if not part.port:
        return ""
    if part.name == GATEWAY:
        return gateway_serving(part.port).url + PREFIX
    if part.name == WEB:
        return web_serving(part.port).url
    return f"http://{LOOPBACK}:{part.port}"


def _named(home: Home, folder: Path) -> str:
    is_own = folder.is_relative_to(home.root)
    return str(folder.relative_to(home.root) if is_own else folder)


def _settings_file(home: Home) -> Path:
    return folder(home) / "started.json"
