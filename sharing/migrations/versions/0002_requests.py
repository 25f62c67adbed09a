"""Requests: what is asked, every step, corrections, use records; a grant names its request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of requests."""
    op.create_table(
        "share_asks",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("created_at", control.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_share_asks_body"), "share_asks", ["body"], unique=False)
    op.create_index(op.f("ix_share_asks_recipient"), "share_asks", ["recipient"], unique=False)
    op.create_table(
        "share_corrections",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("ask", sa.String(length=16), nullable=False),
        sa.Column("contract", sa.String(length=255), nullable=False),
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked_at", control.UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_at", control.UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=255), nullable=True),
        sa.Column("asked_leaf_at", control.UtcDateTime(), nullable=True),
        sa.Column("answered_leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_share_corrections_ask"), "share_corrections", ["ask"], unique=False)
    op.create_index(
        op.f("ix_share_corrections_provider"), "share_corrections", ["provider"], unique=False
    )
    op.create_table(
        "share_ask_steps",
        sa.Column("ask", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ask"],
            ["share_asks.id"],
        ),
        sa.PrimaryKeyConstraint("ask", "seq"),
    )
    op.create_table(
        "share_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ask", sa.String(length=16), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask"],
            ["share_asks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_share_uses_ask"), "share_uses", ["ask"], unique=False)
    op.add_column("share_grants", sa.Column("request", sa.String(length=16), nullable=True))
    op.create_index(op.f("ix_share_grants_request"), "share_grants", ["request"], unique=False)
