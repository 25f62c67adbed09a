"""The shapes that the control database has had, as Alembic revisions.

A new database is made as the models say (``create``); one that is not at ``HEAD`` goes through the
revisions since its own (``upgrade``). A test holds both ways to the same shape. A new revision,
after a change of the models: ``python -m sharing.migrations "what changed"``; then set ``HEAD``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert

from contracts.words import Words

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

# Alembic takes a third of a second to import, which only an older database pays.

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


def create(connection: Connection) -> None:
    """Make every table of a new database, inside the connection's transaction."""
    from sharing.control import HEAD, VERSION_TABLE, Base

    declare_all()
    Base.metadata.create_all(connection)
    version = Column("version_num", String(32), nullable=False)
    key = PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc")
    at = Table(VERSION_TABLE, MetaData(), version, key)  # as Alembic makes it
    at.create(connection)
    connection.execute(insert(at).values(version_num=HEAD))


def config(connection: Connection) -> Config:
    """Return Alembic's settings for work on one open connection, inside its transaction."""
    from alembic.config import Config

    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest shape, inside the connection's transaction."""
    from alembic import command

    command.upgrade(config(connection), "head")


def revisions(connection: Connection) -> list[str]:
    """Return the revisions this version knows, newest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config(connection))
    return [revision.revision for revision in script.walk_revisions()]


def unknown(found: str | None, head: str) -> tuple[Words, Words]:
    """Return the problem and the remedy of a database that another version wrote."""
    return (
        Words(
            f"控制数据库的版本是 {found}，本程序只认 {head}。",
            f"The control database is at revision {found}; this version knows {head}.",
        ),
        Words(
            "请用写入它的京枢版本，或移走 control.db。",
            "Run the Jingshu version that wrote it, or move control.db away.",
        ),
    )


def declare_all() -> None:
    """Import every module that declares tables."""
    for module in MODELS:
        import_module(module)
