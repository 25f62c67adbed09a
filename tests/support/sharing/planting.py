"""Rows as somebody writes them who has the control database alone."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Integer, LargeBinary, insert, inspect

from sharing import owed
from sharing.control import UtcDateTime
from sharing.crossborder.decide import Facts
from tests.support.sharing.served import TABLE

if TYPE_CHECKING:
    from sharing.control import Base, Control

AT = dt.datetime(2026, 7, 15, 1, tzinfo=dt.UTC)
FACTS = json.dumps(asdict(Facts("general", "L1", False, False)))
ALL_TO_ONE = '[["civil", "1", 0]]'
#: Where a column cannot hold anything that fits its type.
WORDS: dict[str, dict[str, Any]] = {
    "share_grants": {"recipient": "demo", "share": "jingshu", "schema": "city", "table": TABLE},
    "share_ask_steps": {
        "ask": "R2026-0001",
        "action": "submit",
        "state": "submitted",
        "asked": None,
    },
    "share_catalogue_steps": {"action": "clear", "state": "cleared"},
    "share_listings": {
        "origin": "real",
        "business_date": "2026-07-15",
        "bundle": '{"parts": {"rights": {}}}',
    },
    "share_trades": {"rule": "rule", "refund_of": None},
    "share_split_rules": {"shares": ALL_TO_ONE},
    "share_rights": {"scope": '["*"]'},
    "share_exports": {"facts": FACTS},
}


def planted(kind: type[Base]) -> dict[str, Any]:
    """Return a row as somebody would write it by SQL: whole, and all its leaves still owed."""
    own = WORDS.get(kind.__tablename__, {})
    row = {}
    for column in inspect(kind).columns:
        value: Any = "{}" if str(column.type) == "TEXT" else "planted"
        if isinstance(column.type, UtcDateTime):
            value = AT
        elif isinstance(column.type, Date):
            value = AT.date()
        elif column.type.python_type is bool:
            value = False
        elif isinstance(column.type, Integer):
            value = 1
        elif isinstance(column.type, LargeBinary):
            value = b"planted"
        row[column.key] = own.get(column.key, value)
    open_still = {"removed_at", "revoked_at", "answered_at"}
    return row | {n: None for n in row if n.endswith(owed.MARKER) or n in open_still}


def plant(control: Control, kind: type[Base], row: dict[str, Any]) -> None:
    """Write past the session's hooks, as who has the database alone does."""
    with control.write() as session:
        session.connection().execute(insert(kind), row)
