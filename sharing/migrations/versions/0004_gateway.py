"""The gateway: tables of others, history, activation links, networks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "share_foreign_tables",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("share", sa.String(length=255), nullable=False),
        sa.Column("schema", sa.String(length=255), nullable=False),
        sa.Column("table", sa.String(length=255), nullable=False),
        sa.Column("folder", sa.String(length=1000), nullable=False),
        sa.Column("level", sa.String(length=2), nullable=True),
        sa.Column("keeps_deleted_rows", sa.Boolean(), nullable=False),
        sa.Column("added_at", control.UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.String(length=255), nullable=False),
        sa.Column("removed_at", control.UtcDateTime(), nullable=True),
        sa.Column("removed_by", sa.String(length=255), nullable=True),
        sa.Column("added_leaf_at", control.UtcDateTime(), nullable=True),
        sa.Column("removed_leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "share_foreign_tables_one_open",
        "share_foreign_tables",
        ["share", "schema", "table"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "share_activations",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("expires_at", control.UtcDateTime(), nullable=False),
        sa.Column("used_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient"],
            ["share_recipients.name"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index(
        op.f("ix_share_activations_recipient"), "share_activations", ["recipient"], unique=False
    )
    op.add_column("share_grants", sa.Column("history_from", sa.Integer(), nullable=True))
    op.drop_index(
        op.f("share_grants_one_open"),
        table_name="share_grants",
        sqlite_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        "share_grants_one_open",
        "share_grants",
        ["recipient", "share", "schema", "table", "purpose"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.add_column(
        "share_recipients",
        sa.Column("networks", sa.String(length=1000), server_default="", nullable=False),
    )
