"""A request record can stand for many refusals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column(
        "share_requests", sa.Column("times", sa.Integer(), server_default="1", nullable=False)
    )
