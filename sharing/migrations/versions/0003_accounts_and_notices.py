"""Accounts with their sessions, and the outbox of notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "share_account_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=63), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_share_account_events_account"), "share_account_events", ["account"], unique=False
    )
    op.create_index(
        op.f("ix_share_account_events_at"), "share_account_events", ["at"], unique=False
    )
    op.create_table(
        "share_accounts",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("roles", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("password_until", control.UtcDateTime(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", control.UtcDateTime(), nullable=True),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.Column("disabled_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "share_notices",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=998), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", control.UtcDateTime(), nullable=False),
        sa.Column("addressed_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_share_notices_made_at"), "share_notices", ["made_at"], unique=False)
    op.create_table(
        "share_notice_sendings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", control.UtcDateTime(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("claimed_until", control.UtcDateTime(), nullable=True),
        sa.Column("sent_at", control.UtcDateTime(), nullable=True),
        sa.Column("dead_at", control.UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice"],
            ["share_notices.key"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notice", "address", name="share_notice_sendings_once"),
    )
    op.create_index(
        op.f("ix_share_notice_sendings_notice"), "share_notice_sendings", ["notice"], unique=False
    )
    op.create_index(
        "share_notice_sendings_due",
        "share_notice_sendings",
        ["sent_at", "dead_at", "next_at"],
        unique=False,
    )
    op.create_table(
        "share_sessions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=63), nullable=False),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.Column("seen_at", control.UtcDateTime(), nullable=False),
        sa.Column("expires_at", control.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["share_accounts.name"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index(op.f("ix_share_sessions_account"), "share_sessions", ["account"], unique=False)
