"""What tests of rights, trades and costs share: people, an offer, a rule, an order, a cost."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from alembic import command
from sqlalchemy import create_engine, inspect

from sharing import migrations
from sharing.rights import register
from sharing.rights.assets import Cost
from sharing.rights.listing import Offer
from sharing.rights.prices import PriceRule
from sharing.rights.split import Share, SplitRule
from sharing.rights.terms import Asked, RightType, Terms, city_day
from sharing.rights.trades import Order
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import INPUTS, PRODUCT, TREE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sharing.control import Control

TODAY: Final = city_day(MONDAY)
AUTHORITY: Final = person("gov_data", "authority")
LISTER: Final = person("emergency", "cdo")
STEWARD: Final = person("health", "steward")
CAPPED: Final = PriceRule("2026-1", 100_000, Fraction(1, 20), 104_000)
OFFER: Final = Offer(PRODUCT.id, "demo", "emergency", CAPPED)
#: One order costs 10,000 分: cost and profit, below the cap.
CHEAP: Final = replace(OFFER, price=PriceRule("2026-2", 9_500, Fraction(1, 19), 20_000))
THIRDS: Final = SplitRule(
    "thirds", tuple(Share(p, Fraction(1, 3)) for p in ("civil", "health", "emergency"))
)
ORDER: Final = Order("PO-1", "L2026-0001", "x_data_co", "commercial", "thirds")
COST: Final = Cost("health", "health__disease_case", "staff", 90, TODAY)

#: Statements that set the tables of the books back to what they were in revision 0011.
_BOOKS: Final = (
    "DROP TABLE share_cost_approvals",
    "DROP TABLE share_measures",
    "DROP TABLE share_costs",
    "DROP TABLE share_closed_months",
    (
        "CREATE TABLE share_costs (id VARCHAR(16) PRIMARY KEY, body VARCHAR(63) NOT NULL,"
        " dataset VARCHAR(255) NOT NULL, version INTEGER, kind VARCHAR(16) NOT NULL,"
        " quantity BIGINT NOT NULL, unit VARCHAR(16) NOT NULL, rate_version VARCHAR(16) NOT NULL,"
        " amount_fen BIGINT NOT NULL, incurred_on DATE NOT NULL, booked_on DATE NOT NULL,"
        " run VARCHAR(64), reverses VARCHAR(16), reason TEXT NOT NULL, actor VARCHAR(255) NOT NULL,"
        " at TIMESTAMP NOT NULL)"
    ),
    (
        "CREATE TABLE share_closed_months (body VARCHAR(63), month VARCHAR(7), costs INTEGER,"
        " amount_fen BIGINT, costs_sha256 VARCHAR(64), actor VARCHAR(255), at TIMESTAMP,"
        " leaf_at TIMESTAMP, PRIMARY KEY (body, month))"
    ),
)


def set_back(now: Connection, revision: str) -> list[str]:
    """Return the statements that take a database of today back to an earlier shape."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), revision)
        before = _shape(connection)
    engine.dispose()
    found = _shape(now)
    for table in ("share_cost_approvals", "share_measures", "share_costs", "share_closed_months"):
        found.pop(table)  # made anew: columns under a constraint cannot be dropped
    return [
        *(f"DROP TABLE {table}" for table in found.keys() - before.keys()),
        *(
            f"ALTER TABLE {table} DROP COLUMN {column}"
            for table, columns in found.items()
            if table in before
            for column in sorted(columns - before[table])
        ),
        *_BOOKS,
        f"UPDATE share_alembic SET version_num = '{revision}'",
    ]


def _shape(connection: Connection) -> dict[str, set[str]]:
    """Return the columns of every table."""
    seen = inspect(connection)
    return {t: {c["name"] for c in seen.get_columns(t)} for t in seen.get_table_names()}


def give_rights(control: Control, *scope: str) -> None:
    """Let emergency process and operate what its product is made from."""
    terms = Terms("授权运营协议", frozenset(scope or ("*",)), TODAY)
    rights: tuple[RightType, ...] = ("process", "operate")
    for feed in INPUTS:
        for right in rights if feed.provider != "emergency" else ():
            asked = Asked(feed.table, right, "emergency", feed.provider, terms)
            register.grant(control, TREE, asked, person(feed.provider, "cdo"), MONDAY)
