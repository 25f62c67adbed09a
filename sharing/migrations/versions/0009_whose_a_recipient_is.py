"""Whose a recipient is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("share_recipients", sa.Column("body", sa.String(length=63), nullable=True))
