"""``jingshu verify``: what holds, what does not, what is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.moment import utc_now
from jobs.record import governance, intents
from jobs.tables import staged

if TYPE_CHECKING:
    from tests.support.calling import Jingshu
    from tests.support.shop import Shop


def test_an_intact_lake(jingshu: Jingshu, shop: Shop) -> None:
    said = jingshu("verify", home=shop.home.root, contracts=shop.tree.root)
    assert said.code == 0
    assert "所有不变量成立" in said.out
    assert "all invariants hold" in said.out
    assert "✗" not in said.out
    told = jingshu("verify", "--json", home=shop.home.root, contracts=shop.tree.root).json
    assert (told["holds"], told["findings"], told["recovering"]) == (True, [], [])
    assert told["checked"]["1"] > 0
    assert told["anchor"]["kind"] == "none"
    assert "所有不变量成立 · 未锚定" in said.out
    assert "all invariants hold · " in said.out
    assert "not anchored" in said.out


def test_an_empty_home_says_so(jingshu: Jingshu) -> None:
    said = jingshu("verify")
    assert said.code == 0
    assert "nothing to prove" in said.out
    assert "all invariants hold" not in said.out
    assert jingshu("verify", "--json").json["checked"] == {}


def test_a_broken_lake_is_told_where_and_what(jingshu: Jingshu, own_shop: Shop) -> None:
    table = own_shop.table("shop__sale")
    path = str(staged.files(table)[0]["path"])
    (own_shop.home.table("silver", "shop__sale") / path).unlink()
    said = jingshu("verify", home=own_shop.home.root, contracts=own_shop.tree.root)
    assert said.code == 1
    [broken] = [line for line in said.out.splitlines() if "a visible file is missing" in line]
    assert broken.startswith(f"  [2] silver/shop__sale/{path}: ")
    assert "✗ 2" in said.out
    assert "✓ 6" in said.out
    told = jingshu("verify", "--json", home=own_shop.home.root, contracts=own_shop.tree.root).json
    assert told["holds"] is False
    assert {f["invariant"] for f in told["findings"]} == {1, 2}


def test_what_is_under_way_stands_apart(jingshu: Jingshu, own_shop: Shop) -> None:
    row = next(b for b in governance.latest_batches(own_shop.home) if b.status == "published")
    update = {"status": "landed", "recorded_at": utc_now()}
    governance.append(own_shop.home, "x", [row.model_copy(update=update)])
    intents.begin(own_shop.home, f"publish:{row.batch_id}", row.table)
    said = jingshu("verify", home=own_shop.home.root, contracts=own_shop.tree.root)
    assert said.code == 0
    assert "恢复中（" in said.out
    assert "Recovering (" in said.out
    assert "all invariants hold" in said.out
