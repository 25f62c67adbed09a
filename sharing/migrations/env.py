"""What Alembic runs around the revisions: on the open connection, the ``share_*`` tables only."""

from __future__ import annotations

from alembic import context

from sharing.control import VERSION_TABLE, Base, is_of_sharing

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_name=is_of_sharing,
    user_module_prefix="control.",
)
context.run_migrations()
