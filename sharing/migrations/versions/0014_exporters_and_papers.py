"""Who may export, the zone's lists, the papers of an export, and what an assessment is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "share_parties",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("legal_kind", sa.String(length=32), nullable=False),
        sa.Column("is_ciio", sa.Boolean(), nullable=False),
        sa.Column("is_in_ftz", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "seq"),
    )
    op.create_index(op.f("ix_share_parties_uscc"), "share_parties", ["uscc"], unique=False)
    op.create_table(
        "share_zone_lists",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "share_export_papers",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("exporter", sa.String(length=63), nullable=False),
        sa.Column("dataset", sa.String(length=255), nullable=False),
        sa.Column("recipient", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_share_export_papers_exporter"), "share_export_papers", ["exporter"], unique=False
    )
    for column in (
        sa.Column("dataset", sa.String(length=255), nullable=True),
        sa.Column("recipient", sa.String(length=200), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
    ):
        op.add_column("share_assessments", column)
