"""``lineage row`` and versions over a shop whose days really ran: rows down to their lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import main
from contracts.tree import load_tree
from jobs import decisions
from jobs.build import build_product
from jobs.project import share_product
from lineage.evidence.log import EvidenceLog
from tests.shop import Shop, day, shop_tree
from tests.unit.contracts.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

WHO = "cdo.shop"
BAD: dict[str, Any] = {"A1": 1, "A2": "two", "A3": 3}


@pytest.fixture
def shop(home: Home, tmp_path: Path, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop, with one more product whose key is a column of its input."""
    root = tmp_path / "contracts"
    shop_tree(root)
    listed = source(
        id="shop.listed",
        schema=[
            {
                "name": "listed",
                "logicalType": "object",
                "properties": [
                    column("code", primaryKey=True, primaryKeyPosition=1),
                    column("qty", "integer"),
                ],
            }
        ],
        customProperties=custom(
            product={
                "inputs": ["shop.sale", "shop.stock"],
                "sql": "listed.sql",
                "k": 20,
                "policies": [
                    {"name": "all", "columns": {"code": {"mask": "keep"}, "qty": {"mask": "keep"}}}
                ],
            },
            grading={"gb43697": "general", "level": "L1"},
        ),
    )
    del listed["servers"]
    write(root, listed)
    (root / "listed.sql").write_text(
        "SELECT sale.code, CAST(SUM(sale.qty + stock.qty) AS BIGINT) AS qty"
        " FROM shop__sale AS sale JOIN shop__stock AS stock ON stock.code = stock.code"
        " GROUP BY sale.code\n",
        "utf-8",
    )
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(root))
    return Shop(home, load_tree(root))


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_rows_lead_to_their_lines(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    first = shop.deliver("sale", day(1), {"A1": 1, "A2": 2})
    second = shop.deliver("sale", day(2), {"B1": 5, "A2": 7})
    stock = shop.deliver("stock", day(2), {"A2": 100})
    kept = shop.deliver("case", day(1), {"C1": 1, "C2": 2})
    shop.deliver("case", day(2), {"C3": 3})
    held = shop.deliver("month", day(1), BAD)
    decisions.release(shop.home, shop.tree, held.batch_id, WHO, "checked")

    answer = found(capsys, "row", "silver/shop__sale", "A2")
    sources = [row["sources"][0] for row in answer["rows"]]
    assert [(s["batch_id"], s["lines"]) for s in sources] == [
        (first.batch_id, [3]),
        (second.batch_id, [3]),
    ]
    file = shop.home.root / sources[0]["file"]
    assert file.read_text("utf-8").splitlines()[2].startswith("A2,2,")
    assert sources[0]["contract"] == "shop.sale@1.0.0"
    assert sources[0]["published_by"] == "audit"
    log = EvidenceLog(shop.home)
    kinds = [key.partition(":")[0] for key in sources[0]["evidence"]]
    assert kinds == ["landing", "publication", "verdict"]
    assert all(log.find(key) is not None for key in sources[0]["evidence"])

    # A merge carries rows on: they stay of the batch that brought them.
    (carried,) = found(capsys, "row", "shop__case", "C2")["rows"]
    assert carried["sources"][0]["batch_id"] == kept.batch_id
    assert carried["sources"][0]["version"] > kept.silver_version

    # A person's release says who; the L3 column's values are nowhere.
    code, out, _ = call(capsys, "row", "silver/shop__month", "code=A3")
    assert code == 0
    assert f"{WHO} 放行" in out
    assert "secret" not in out

    build_and_share(shop, "shop.listed")
    for table in ("gold/listed", "shared/listed__all"):
        (row,) = found(capsys, "row", table, "A2")["rows"]
        assert row["selected_by"] == ["code"]
        assert [s["table"].partition("/")[0] for s in row["steps"]] == (
            ["gold"] if table.startswith("gold") else ["shared", "gold"]
        )
        assert all(log.find(key) is not None for s in row["steps"] for key in s["evidence"])
        assert all(s["evidence"] for s in row["steps"])
        told = {(s["batch_id"], s["rows"], tuple(s["lines"] or ())) for s in row["sources"]}
        assert told == {
            (first.batch_id, 1, (3,)),
            (second.batch_id, 1, (3,)),
            (stock.batch_id, 1, ()),  # joined by no column of the key: only its batch is told
        }

    # Versions: the walk from the build follows what it read, though sales went on.
    read = shop.table("shop__sale").version()
    shop.deliver("sale", day(3), {"A2": 9})
    up = found(capsys, "up", "gold/listed.qty", "--at", str(row["steps"][-1]["version"]))
    (sale,) = [n for n in up["inputs"] if n["dataset"] == "silver/shop__sale"]
    assert (sale["version"], sale["version_inferred"]) == (str(read), False)
    (bronze,) = sale["inputs"]
    (export,) = bronze["inputs"]
    assert export["version"] == second.batch_id
    assert export["files"] == ["sale/sale_r1.csv"]
    newest = found(capsys, "up", "silver/shop__sale")
    assert newest["version"] == str(read + 1)


def build_and_share(shop: Shop, product_id: str) -> None:
    product = shop.tree.contract(product_id)
    build_product(shop.home, shop.tree, product, day(2))
    share_product(shop.home, product, day(2))


def test_a_row_that_is_not_there_is_wrong_usage_without_its_key(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.deliver("stock", day(1), {"A1": 1})
    for key in ("nobody-knows", "code=nobody-knows"):
        code, out, err = call(capsys, "row", "silver/shop__stock", key)
        assert (code, out) == (2, "")
        assert "No visible row of silver/shop__stock" in err
        assert "nobody-knows" not in err
    code, _, err = call(capsys, "row", "silver/shop__sale", "A1")
    assert code == 2
    assert "never published" in err
    code, _, err = call(capsys, "row", "gold/nothing", "A1")
    assert code == 2
    shop.build(day(1))
    (row,) = found(capsys, "row", "gold/totals", "business_date=2026-07-01")["rows"]
    (stock,) = row["sources"]
    assert (stock["rows"], stock["lines"], row["selected_by"]) == (1, None, [])
    code, _, err = call(capsys, "row", "gold/totals", "business_date=1st of secret-July")
    assert code == 2
    assert "secret" not in err
