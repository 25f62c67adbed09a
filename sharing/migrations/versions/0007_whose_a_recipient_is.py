"""Whose a recipient is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("share_recipients", sa.Column("body", sa.String(length=63), nullable=True))
