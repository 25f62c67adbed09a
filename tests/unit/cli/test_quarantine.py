"""``jingshu quarantine list``: bad rows by rule and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.record import governance

if TYPE_CHECKING:
    from tests.support.calling import Jingshu
    from tests.support.shop import Shop


def test_rows_are_listed_by_rule_with_lines(jingshu: Jingshu, shop: Shop) -> None:
    where = {"home": shop.home.root, "contracts": shop.tree.root}
    said = jingshu("quarantine", "list", **where)
    assert said.code == 0
    assert "qty.range × 1" in said.out
    assert "行：9 ('-7') lines: 9 ('-7')" in said.out
    assert "secret-" not in said.out, "an L3 value was shown"
    rows = jingshu("quarantine", "list", "--table", "shop__sale", "--json", **where).json
    assert [(r["table"], r["line"]) for r in rows] == [("shop__sale", 9)]
    assert rows[0]["reasons"][0]["value"] == "-7"


def test_one_batch_or_none(jingshu: Jingshu, shop: Shop) -> None:
    where = {"home": shop.home.root, "contracts": shop.tree.root}
    by_status = {b.status: b.batch_id for b in governance.latest_batches(shop.home)}
    found = jingshu("quarantine", "list", "--batch", by_status["published"], "--json", **where)
    assert len(found.json) == 1
    assert jingshu("quarantine", "list", "--batch", by_status["held"], "--json", **where).json == []
    assert "No quarantined row" in jingshu("quarantine", "list", **where | {"home": None}).out


def test_unknown_names_are_usage(jingshu: Jingshu, shop: Shop) -> None:
    where = {"home": shop.home.root, "contracts": shop.tree.root}
    assert jingshu("quarantine", "list", "--table", "shop__nothing", **where).code == 2
    assert jingshu("quarantine", "list", "--batch", "nothing", **where).code == 2
