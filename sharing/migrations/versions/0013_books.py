"""Books under proof: numbers, approvals, and when machine time was measured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sharing import control

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

#: The place of each row in its body's books, in the order they were booked.
_NUMBERED = """
UPDATE share_costs SET number = (
    SELECT count(*) FROM share_costs AS other
    WHERE other.body = share_costs.body AND (
        length(other.id) < length(share_costs.id)
        OR (length(other.id) = length(share_costs.id) AND other.id <= share_costs.id)
    )
)
"""


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "share_cost_approvals",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.String(length=63), nullable=False),
        sa.Column("dataset", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("incurred_on", sa.Date(), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_share_cost_approvals_body"), "share_cost_approvals", ["body"])
    op.create_index(op.f("ix_share_cost_approvals_run"), "share_cost_approvals", ["run"])
    op.create_table(
        "share_measures",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until_at", control.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("at", control.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    for column in (
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("approval", sa.String(length=16), nullable=True),
    ):
        op.add_column("share_costs", column)
    op.execute(_NUMBERED)
    with op.batch_alter_table("share_costs") as costs:
        costs.alter_column("number", existing_type=sa.Integer(), nullable=False)
        costs.create_unique_constraint("share_costs_numbers", ["body", "number"])
        costs.create_unique_constraint("share_costs_approvals", ["approval"])
    with op.batch_alter_table("share_closed_months") as months:
        months.drop_column("leaf_at")
