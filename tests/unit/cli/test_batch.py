"""``jingshu batch``: why a batch is where it is, and the decisions about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from cli.batch_shown import meaning
from contracts.delivery import BatchStatus, Delivery
from contracts.layout import Home
from infra.stack.processes import Part
from jobs import steps
from jobs.record import governance
from tests.support.days import deliver
from tests.support.shop import Shop, day, shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.record.governance import BatchRow
    from tests.support.calling import Jingshu, Said


def of(shop: Shop, status: str) -> BatchRow:
    return next(b for b in governance.latest_batches(shop.home) if b.status == status)


def call(jingshu: Jingshu, shop: Shop, *arguments: object) -> Said:
    return jingshu("batch", *arguments, home=shop.home.root, contracts=shop.tree.root)


def test_list_filters_by_date_and_status(jingshu: Jingshu, shop: Shop) -> None:
    rows = call(jingshu, shop, "list", "--json").json
    assert [(r["business_date"], r["status"]) for r in rows] == [
        ("2026-07-01", "published"),
        ("2026-07-02", "held"),
    ]
    assert len(call(jingshu, shop, "list", "--status", "held", "--json").json) == 1
    assert len(call(jingshu, shop, "list", "--date", "2026-07-01", "--json").json) == 1
    said = call(jingshu, shop, "list", "--status", "held")
    assert "模拟" in said.out
    assert "坏行 20.00% 超过 10%" in said.out
    assert call(jingshu, shop, "list", "--status", "nowhere").code == 2


def test_a_refused_delivery_is_listed_though_no_batch_came_of_it(
    jingshu: Jingshu, own_shop: Shop
) -> None:
    deliver(own_shop.home.drop, f"shop/sale/{day(3)}/sale.csv", "机密★\n".encode())
    delivery = Delivery(own_shop.tree.contract("shop.sale"), "shop", day(3))
    assert steps.land_delivery(own_shop.home, delivery).kind == "ended"
    [row] = call(jingshu, own_shop, "list", "--status", "refused", "--json").json
    assert (row["dataset"], row["status"], row["batch_id"]) == ("sale", "refused", None)
    known = call(jingshu, own_shop, "list", "--json").json
    assert set(row) == set(known[0])
    assert [r["status"] for r in known] == ["published", "held", "refused"]
    said = call(jingshu, own_shop, "list", "--status", "refused")
    assert f"{day(3)} shop__sale" in said.out
    assert "共 0 批 · 1 次交付被拒收" in said.out
    assert "0 batches · 1 refused" in said.out
    assert "共 1 批 1 batches" in call(jingshu, own_shop, "list", "--status", "held").out
    assert (
        call(jingshu, own_shop, "list", "--date", day(1), "--status", "refused", "--json").json
        == []
    )


def test_show_tells_why_a_batch_is_held(jingshu: Jingshu, shop: Shop) -> None:
    held = of(shop, "held")
    said = call(jingshu, shop, "show", held.batch_id)
    assert said.code == 0
    assert f"./jingshu batch release {held.batch_id}" in said.out
    assert f"raw/shop/sale/{held.batch_id}/{held.file_name}" in said.out
    assert str(shop.home.root) not in said.out
    assert "qty.range" in said.out
    assert "'-4'" in said.out
    assert "secret-" not in said.out, "an L3 value was shown"
    told = call(jingshu, shop, "show", held.batch_id, "--json").json
    assert [r["line"] for r in told["bad_rows"]] == [3, 4, 5, 6]
    assert {c["rule_id"] for c in told["failed_checks"]} == {
        "qty.type",
        "qty.required",
        "qty.range",
    }
    assert [leaf.split(":")[0] for leaf in told["leaves"]] == ["landing", "verdict"]
    assert len(told["commands"]) == 3


def test_show_of_a_published_batch_reads_quarantine(jingshu: Jingshu, shop: Shop) -> None:
    row = of(shop, "published")
    told = call(jingshu, shop, "show", row.batch_id[:20], "--json").json
    assert [r["line"] for r in told["bad_rows"]] == [9]
    assert any("withdraw" in c for c in told["commands"])
    assert any("quarantine list" in c for c in told["commands"])
    assert {leaf.split(":")[0] for leaf in told["leaves"]} == {"landing", "verdict", "publication"}


@pytest.mark.parametrize("status", get_args(BatchStatus))
def test_every_status_is_explained_in_words(shop: Shop, status: str) -> None:
    words = meaning(of(shop, "held").model_copy(update={"status": status}))
    assert len(words.en.split()) > 3, words
    assert len(words.zh) > 6, words
    assert status not in words.zh.split("：")[0]


def test_show_names_the_files_and_the_run_that_made_it(
    jingshu: Jingshu, own_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = of(own_shop, "held")
    raw = f"raw/shop/sale/{held.batch_id}"
    told = call(jingshu, own_shop, "show", held.batch_id, "--json").json
    assert told["manifest"] == f"{raw}/manifest.json"
    assert told["airflow"] is None
    logs = own_shop.home.run / "airflow" / "logs" / "dag_id=ingest__shop__sale"
    for run, batch_id in (("run__a", held.batch_id), ("run__b", "20260702-another")):
        for task in ("land", "refine"):
            for attempt in (1, 2):
                log = logs / f"run_id={run}" / f"task_id={task}" / f"attempt={attempt}.log"
                log.parent.mkdir(parents=True, exist_ok=True)
                log.write_text(f'{{"event": "Landed: {batch_id}"}}\n', "utf-8")
    said = call(jingshu, own_shop, "show", held.batch_id)
    below = "run/airflow/logs/dag_id=ingest__shop__sale/run_id=run__a"
    assert f"{below}/task_id=refine/attempt=2.log" in said.out
    assert "attempt=1.log" not in said.out
    assert "run__b" not in said.out
    assert f"{raw}/manifest.json" in said.out
    assert "（未运行） (the stack is not up)" in said.out
    monkeypatch.setattr("infra.stack.trail.Ledger", Up)
    told = call(jingshu, own_shop, "show", held.batch_id, "--json").json["airflow"]
    assert told["run_id"] == "run__a"
    assert told["url"] == "http://127.0.0.1:8790/dags/ingest__shop__sale/runs/run__a"


class Up:
    """A stack whose web server runs."""

    def __init__(self, _home: object) -> None: ...

    def find(self, name: str) -> Part:
        return Part(name, pid=1, started=1, port=8790, log="", boot="")


def test_unknown_batches_are_usage(jingshu: Jingshu, shop: Shop) -> None:
    for command in (("show", "x"), ("retry", "x"), ("reject", "x", "--reason", "r")):
        said = call(jingshu, shop, *command)
        assert said.code == 2, command
        assert "no batch 'x'" in said.err


@pytest.mark.parametrize("step", ["release", "reject", "withdraw"])
def test_a_decision_without_a_reason_is_usage(jingshu: Jingshu, shop: Shop, step: str) -> None:
    held = of(shop, "held")
    assert call(jingshu, shop, step, held.batch_id).code == 2
    assert call(jingshu, shop, step, held.batch_id, "--reason", " ").code == 2


def test_release_then_withdraw(jingshu: Jingshu, own_shop: Shop) -> None:
    held = of(own_shop, "held")
    said = call(jingshu, own_shop, "release", held.batch_id, "--reason", "已核", "--actor", "cdo")
    assert said.code == 0, said.err
    assert "published" in said.out
    assert "cdo 放行" in own_shop.row(held.batch_id).reason
    again = call(jingshu, own_shop, "release", held.batch_id, "--reason", "又", "--json").json
    assert (again["status"], again["is_new"]) == ("published", False)
    said = call(jingshu, own_shop, "withdraw", held.batch_id, "--reason", "错报", "--json")
    assert said.json["status"] == "withdrawn"
    assert "A0" in own_shop.shown("sale")
    assert len(own_shop.shown("sale")) == 19


def test_reject_and_retry(jingshu: Jingshu, own_shop: Shop) -> None:
    held = of(own_shop, "held")
    said = call(jingshu, own_shop, "reject", held.batch_id, "--reason", "请重报")
    assert (said.code, "rejected" in said.out) == (0, True)
    said = call(jingshu, own_shop, "release", held.batch_id, "--reason", "r")
    assert said.code == 1
    assert "only a held one can be released" in said.err
    said = call(jingshu, own_shop, "retry", held.batch_id)
    assert said.code == 1
    assert "held" in said.out


def test_show_mentions_what_the_contract_does_not_say(jingshu: Jingshu, tmp_path: Path) -> None:
    shop = Shop(Home(tmp_path / "home"), shop_tree(tmp_path / "tree"))
    number = "11010519491231002X"
    text = f"CODE,QTY,BUYER,GONE\nA,1,张 {number},否\nB,2,b,否\n"
    deliver(shop.home.drop, f"shop/sale/{day(1)}/sale.csv", text.encode())
    delivery = Delivery(shop.tree.contract("shop.sale"), "shop", day(1))
    landed = steps.land_delivery(shop.home, delivery)
    said = call(jingshu, shop, "show", landed.batch_id)
    assert "内容高于定级：buyer 含" in said.out
    assert "holds more than its level: buyer " in said.out
    assert "居民身份号码" in said.out
    assert "（1/2）：L3 → L4" in said.out
    assert number not in said.out
    (found,) = call(jingshu, shop, "show", landed.batch_id, "--json").json["findings"]
    assert found == {
        "column": "buyer",
        "kind": "resident_id",
        "status": "under_graded",
        "declared_level": "L3",
        "proposed_level": "L4",
        "checked": 2,
        "matching": 1,
    }
