"""Rights, listings, trades, costs, and decisions on exports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "share_closed_months",
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("costs", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("costs_sha256", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("body", "month"),
    )
    op.create_table(
        "share_costs",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("dataset", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("rate_version", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("incurred_on", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=True),
        sa.Column("reverses", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reverses"),
    )
    op.create_index(op.f("ix_share_costs_body"), "share_costs", ["body"], unique=False)
    op.create_index(op.f("ix_share_costs_dataset"), "share_costs", ["dataset"], unique=False)
    op.create_index(op.f("ix_share_costs_run"), "share_costs", ["run"], unique=False)
    op.create_table(
        "share_export_persons",
        sa.Column("export", sa.String(length=16), nullable=False),
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("exporter", sa.String(length=63), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("export", "token"),
    )
    op.create_index(
        op.f("ix_share_export_persons_exporter"), "share_export_persons", ["exporter"], unique=False
    )
    op.create_table(
        "share_exports",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("exporter", sa.String(length=63), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("table", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("assessment_id", sa.String(length=255), nullable=True),
        sa.Column("rule_row", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("rule_version", sa.String(length=16), nullable=False),
        sa.Column("own_general", sa.Integer(), nullable=False),
        sa.Column("own_sensitive", sa.Integer(), nullable=False),
        sa.Column("general", sa.Integer(), nullable=False),
        sa.Column("sensitive", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "seq"),
    )
    op.create_index(op.f("ix_share_exports_exporter"), "share_exports", ["exporter"], unique=False)
    op.create_table(
        "share_listings",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=255), nullable=False),
        sa.Column("policy", sa.String(length=255), nullable=False),
        sa.Column("table", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("lister", sa.String(length=63), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("price_rule", sa.String(length=63), nullable=False),
        sa.Column("commercial_fen", sa.BigInteger(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.CheckConstraint("origin = 'real'", name="share_listings_real"),
        sa.PrimaryKeyConstraint("id", "seq"),
    )
    op.create_index(op.f("ix_share_listings_table"), "share_listings", ["table"], unique=False)
    op.create_table(
        "share_rights",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("dataset", sa.String(length=255), nullable=False),
        sa.Column("right_type", sa.String(length=16), nullable=False),
        sa.Column("holder", sa.String(length=63), nullable=False),
        sa.Column("grantor", sa.String(length=63), nullable=False),
        sa.Column("parent", sa.String(length=16), nullable=True),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "seq"),
    )
    op.create_index(op.f("ix_share_rights_dataset"), "share_rights", ["dataset"], unique=False)
    op.create_index(op.f("ix_share_rights_holder"), "share_rights", ["holder"], unique=False)
    op.create_table(
        "share_split_rules",
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("shares", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "share_trades",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("refund_of", sa.String(length=16), nullable=True),
        sa.Column("listing", sa.String(length=16), nullable=False),
        sa.Column("buyer", sa.String(length=63), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=63), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.Column("leaf_at", control.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["refund_of"], ["share_trades.id"]),
        sa.ForeignKeyConstraint(["rule"], ["share_split_rules.version"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("refund_of"),
    )
    op.create_index(op.f("ix_share_trades_listing"), "share_trades", ["listing"], unique=False)
    op.create_index(op.f("ix_share_trades_order_id"), "share_trades", ["order_id"], unique=False)
    op.create_table(
        "share_settlements",
        sa.Column("trade", sa.String(length=16), nullable=False),
        sa.Column("party", sa.String(length=63), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["trade"], ["share_trades.id"]),
        sa.PrimaryKeyConstraint("trade", "party"),
    )
