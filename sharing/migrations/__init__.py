"""The shapes that the control database has had, as Alembic revisions.

``upgrade`` runs when a database is opened that is not at ``HEAD``. A new revision, after a change
of the models: ``python -m sharing.migrations "what changed"``; then set ``HEAD`` to it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Every module that declares tables.
MODELS: Final = (
    "sharing.control",
    "sharing.requests.tables",
    "sharing.requests.corrections",
    "sharing.requests.records",
    "sharing.accounts.tables",
    "sharing.notices.outbox",
    "sharing.notices.seen",
    "sharing.rights.register",
    "sharing.rights.listing",
    "sharing.rights.trades",
    "sharing.rights.ledger",
    "sharing.crossborder.assessments",
    "sharing.crossborder.papers",
    "sharing.crossborder.parties",
    "sharing.crossborder.records",
    "sharing.crossborder.zone",
    "sharing.catalogue.register",
)


def config(connection: Connection) -> Config:
    """Return Alembic's settings for work on one open connection, inside its transaction."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest shape, inside the connection's transaction."""
    command.upgrade(config(connection), "head")


def revisions(connection: Connection) -> list[str]:
    """Return the revisions this version knows, newest first."""
    script = ScriptDirectory.from_config(config(connection))
    return [revision.revision for revision in script.walk_revisions()]


def declare_all() -> None:
    """Import every module that declares tables, for a comparison with all of them."""
    for module in MODELS:
        import_module(module)
