"""Recipients, tokens, grants, and the record of requests.

The first versions made these tables without Alembic; theirs are taken over as they are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, where no version before did."""
    if sa.inspect(op.get_bind()).has_table("share_schema"):
        op.drop_table("share_schema")
        return
    op.create_table(
        "share_reads_logged",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", control.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "share_recipients",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "share_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=True),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_share_requests_at"), "share_requests", ["at"], unique=False)
    op.create_table(
        "share_grants",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("share", sa.String(length=255), nullable=False),
        sa.Column("schema", sa.String(length=255), nullable=False),
        sa.Column("table", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.String(length=1000), nullable=False),
        sa.Column("granted_at", control.UtcDateTime(), nullable=False),
        sa.Column("granted_by", sa.String(length=255), nullable=False),
        sa.Column("until_at", control.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", control.UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=255), nullable=True),
        sa.Column("grant_leaf_at", control.UtcDateTime(), nullable=True),
        sa.Column("revoke_leaf_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient"],
            ["share_recipients.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "share_grants_one_open",
        "share_grants",
        ["recipient", "table", "purpose"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "share_tokens",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.Column("expires_at", control.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient"],
            ["share_recipients.name"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index(op.f("ix_share_tokens_recipient"), "share_tokens", ["recipient"], unique=False)
