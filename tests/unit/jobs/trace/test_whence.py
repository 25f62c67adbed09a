"""``lineage row``: real landings, publications, builds and shares; only Spark's part is Arrow's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.main import main
from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs import steps
from jobs.audit.digest import digest_of
from jobs.operations import decisions
from jobs.publish.run import publish
from jobs.record import batches, leaves
from jobs.seal.columns import sealed
from jobs.seal.keys import keys_of
from jobs.seal.plan import typed_seals
from jobs.seal.rows import opened_rows
from jobs.stages import Batch, LandedBatch, Verdict
from jobs.tables import products, silver
from jobs.tables.delta import dataset, open_table
from jobs.tables.staged import ensure, schema
from lineage.evidence.log import EvidenceLog
from tests.support.days import deliver
from tests.support.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree
    from lineage.evidence.leaf import LeafType

WHO = "cdo.shop"
SECRET = "secret-buyer"


def shop(root: Path) -> Tree:
    """Sales keyed by place and code, visitors keyed by an L4 number, a product of sales."""
    sale = _feed("sale", column("place", required=True, primaryKey=True, primaryKeyPosition=1))
    guest = source(
        id="shop.guest",
        servers=_servers("guest"),
        schema=_schema(
            "guest",
            column(
                "person_id",
                classification="L4",
                required=True,
                primaryKey=True,
                primaryKeyPosition=1,
            ),
        ),
        customProperties=custom(
            load={"mode": "append"}, grading={"gb43697": "general", "level": "L4"}
        ),
    )
    keyed = column("code", primaryKey=True, primaryKeyPosition=1)
    listed = source(
        id="shop.listed",
        schema=_schema("listed", keyed, column("total", "integer")),
        customProperties=custom(
            product={
                "inputs": ["shop.sale", "shop.guest"],
                "sql": "listed.sql",
                "k": 20,
                "policies": [
                    {"name": "all", "columns": {n: {"mask": "keep"} for n in ("code", "total")}},
                    {
                        "name": "hidden",
                        "columns": {
                            "code": {"mask": "prefix", "length": 1},
                            "total": {"mask": "keep"},
                        },
                    },
                ],
            },
            grading={"gb43697": "general", "level": "L1"},
        ),
    )
    del listed["servers"]
    root.mkdir(parents=True)
    write(root, sale, guest, listed)
    (root / "listed.sql").write_text(
        "SELECT sale.code, CAST(COUNT(guest.person_id) AS BIGINT) AS total"
        " FROM shop__sale AS sale JOIN shop__guest AS guest ON sale.place = 'x'"
        " GROUP BY sale.code\n",
        "utf-8",
    )
    return load_tree(root)


def _feed(name: str, first: dict[str, Any]) -> dict[str, Any]:
    return source(
        id=f"shop.{name}",
        servers=_servers(name),
        schema=_schema(
            name,
            first,
            column("code", required=True, primaryKey=True, primaryKeyPosition=2),
            column("sold_on", "date", logicalTypeOptions={"format": "yyyy-MM-dd"}),
            column("buyer", classification="L3"),
        ),
        customProperties=custom(
            load={"mode": "append"}, grading={"gb43697": "general", "level": "L3"}
        ),
    )


def _servers(name: str) -> list[dict[str, Any]]:
    export = {"null_tokens": [""], "manifest": "required"}
    return [
        {
            "server": "shop",
            "type": "local",
            "path": f"{{drop}}/shop/{name}/{{date}}/*",
            "format": "csv",
            "customProperties": custom(export=export),
        }
    ]


def _schema(name: str, *columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "logicalType": "object", "properties": list(columns)}]


@dataclass
class Lake:
    home: Home
    tree: Tree

    def deliver(
        self, feed: str, number: int, lines: list[str], decision: Any = "publish"
    ) -> Verdict:
        """Land a file for real, refine it by casting with Arrow, and give its verdict."""
        day = date(2026, 7, number)
        where = f"shop/{feed}/{day}/{feed}_{number}.csv"
        deliver(self.home.drop, where, ("\n".join(lines) + "\n").encode())
        delivery = Delivery(self.tree.contract(f"shop.{feed}"), "shop", day)
        landed = steps.land_delivery(self.home, delivery)
        assert isinstance(landed, LandedBatch), landed
        self._stage(delivery.contract, landed)
        verdict = Verdict(
            **{n: getattr(landed, n) for n in Batch.model_fields},
            decision=decision,
            reason="",
            rows_landed=landed.rows_landed,
            rows_good=landed.rows_landed,
            rows_bad=0,
            rows_duplicate=0,
            silver_version_seen=None,
            results=(),
            digest=digest_of((), decision),
        )
        batches.audited(self.home, delivery, verdict)
        return verdict

    def publish(self, feed: str, number: int, lines: list[str]) -> str:
        verdict = self.deliver(feed, number, lines)
        self._publish(verdict)
        return verdict.batch_id

    def release(self, feed: str, number: int, lines: list[str]) -> str:
        held = self.deliver(feed, number, lines, "hold")
        self._publish(decisions._released(self.home, held, WHO, "checked"))
        return held.batch_id

    def _publish(self, verdict: Verdict) -> None:
        contract = self.tree.contract(verdict.contract_id)
        delivery = Delivery(contract, "shop", verdict.business_date)
        publish(self.home, delivery, verdict, self.tree.root)

    def _stage(self, contract: Contract, landed: LandedBatch) -> None:
        bronze = open_table(self.home.table("bronze", landed.table))
        assert bronze is not None
        delivery = Delivery(contract, "shop", landed.business_date)
        rows = opened_rows(self.home, delivery, dataset(bronze).to_table()).to_pylist()
        kept = [r for r in rows if r["_batch_id"] == landed.batch_id]
        fields = [
            (c.name, pa.date32() if c.type == "date" else pa.string()) for c in contract.columns
        ]
        made = pa.table(
            {
                n: pa.array([r[n] or None for r in kept], pa.string()).cast(kind)
                for n, kind in fields
            }
        )
        made = made.append_column(
            "_source_line", pa.array([r["_source_line"] for r in kept], pa.int64())
        )
        made = made.append_column("_batch_id", pa.array([landed.batch_id] * len(kept)))
        made = made.append_column(
            "_business_date", pa.array([landed.business_date] * len(kept), pa.date32())
        )
        for name, seal in typed_seals(contract, landed.table).items():
            at = made.schema.get_field_index(name)
            made = made.set_column(at, name, sealed(made[name], seal, keys_of(self.home)))
        folder = silver.stage_path(self.home, landed.table, landed.batch_id) / "_ok=true"
        folder.mkdir(parents=True)
        pq.write_table(made, folder / "part-0.parquet")
        (folder.parent / "_SUCCESS").touch()

    def show(self, layer: Any, name: str, rows: dict[str, list[Any]], **metadata: str) -> str:
        """Show a build's or share's rows; return the stage they are in."""
        product = self.tree.contract("shop.listed")
        day = date(2026, 7, 3)
        staged = products.Staged(self.home.table(layer, name), f"20260703-{layer}{name}", day)
        staged.rows.mkdir(parents=True)
        pq.write_table(pa.table(rows), staged.rows / "part-0.parquet")
        ensure(staged.table, product, schema(product.columns))
        products.show(staged, product, metadata)
        kind: LeafType = "build" if layer == "gold" else "share"
        leaves.state(self.home, leaves.leaf(kind, f"{name}@{staged.name}", {"rows": 2}))
        return staged.name


@pytest.fixture
def lake(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "contracts"))
    return Lake(home, shop(tmp_path / "contracts"))


HEAD = "PLACE,CODE,SOLD_ON,BUYER"


@pytest.fixture
def sold(lake: Lake) -> tuple[str, str]:
    """Two days of sales; the second was held and released."""
    first = lake.publish(
        "sale", 1, [HEAD, f"东,A1,2026-07-01,{SECRET}", f"西,A1,2026-07-01,{SECRET}"]
    )
    second = lake.release("sale", 2, [HEAD, "东,B,2026-07-02,", f'东,"A=1,b",,{SECRET}', "东,A1,,"])
    return first, second


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", "row", *arguments])
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_a_silver_row_leads_to_its_line(
    lake: Lake, sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = found(capsys, "silver/shop__sale", "place=东,code=A1")
    assert answer["key"] == {"place": "东", "code": "A1"}
    first, second = (row["sources"][0] for row in answer["rows"])
    if first["batch_id"] != sold[0]:
        first, second = second, first
    assert (first["batch_id"], first["lines"], first["rows"]) == (sold[0], [2], 1)
    assert (second["batch_id"], second["lines"]) == (sold[1], [4])
    assert first["business_date"] == "2026-07-01"
    assert first["file"] == f"raw/shop/sale/{sold[0]}/sale_1.csv"
    line = (lake.home.root / first["file"]).read_text("utf-8").splitlines()[first["lines"][0] - 1]
    assert line.startswith("东,A1,")
    assert (first["contract"], first["origin"]) == ("shop.sale@1.0.0", "simulated")
    assert (first["published_by"], second["published_by"]) == ("audit", WHO)
    log = EvidenceLog(lake.home)
    for of in (first, second):
        kinds = {key.partition(":")[0] for key in of["evidence"]}
        assert kinds == {"landing", "publication", "verdict"}
        assert all(log.find(key) for key in of["evidence"])
    runs = {
        json.loads(p.read_text("utf-8").splitlines()[-1])["run"]["runId"] for p in _events(lake)
    }
    assert {first["run_id"], second["run_id"]} <= runs
    code, out, _ = call(capsys, "shop__sale", "code=A1,place=西")  # in any order, without its layer
    assert code == 0
    assert "行 line 3" in out
    assert f"landing:shop__sale@{sold[0]}" in out
    assert "passed its audit；责任单位 owner 博物馆" in out


def _events(lake: Lake) -> list[Path]:
    return list(lake.home.lineage_events.glob("*.ndjson"))


def test_a_value_may_hold_what_separates_values(
    sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = found(capsys, "silver/shop__sale", "place=东,code=A=1,b")["rows"]
    assert row["sources"][0]["lines"] == [3]


def test_levels_above_l2_are_found_and_never_shown(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.publish("guest", 1, ["PERSON_ID", "11010119900101001X", SECRET])
    for key in (SECRET, f"person_id={SECRET}"):
        answer = found(capsys, "silver/shop__guest", key)
        assert answer["key"] == {"person_id": None}
        assert answer["rows"][0]["sources"][0]["lines"] == [3]
        code, out, _ = call(capsys, "silver/shop__guest", key)
        assert code == 0
        assert "person_id=***" in out
    code, out, err = call(capsys, "silver/shop__guest", f"person_id={SECRET}-2")
    assert (code, out) == (2, "")
    assert "No visible row of silver/shop__guest has that key" in err


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ("silver/shop__sale", "东", "place, code"),
        ("silver/shop__sale", "place=东", "place, code"),
        ("silver/shop__sale", "code=A1", "place, code"),
        ("silver/shop__sale", f"place={SECRET},code=x", "No visible row"),
        ("silver/shop__sold", "x", "There is no table"),
        ("bronze/shop__sale", "x", "There is no table"),
        ("gold/listed", "A1", "never published"),
    ],
)
def test_what_is_not_there_is_wrong_usage_without_values(
    sold: tuple[str, str], capsys: pytest.CaptureFixture[str], table: str, key: str, said: str
) -> None:
    code, out, err = call(capsys, table, key)
    assert (code, out) == (2, "")
    assert said in err


def test_products_and_shares_lead_to_the_rows_that_their_key_selects(
    lake: Lake, sold: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    guests = lake.publish("guest", 1, ["PERSON_ID", "1", "2"])
    read = open_table(lake.home.table("silver", "shop__sale"))
    assert read is not None
    inputs = {"shop__sale": read.version(), "shop__guest": 1}
    stage = lake.show(
        "gold",
        "listed",
        {"code": ["A1", "B"], "total": [2, 2]},
        **{"jingshu.kind": "build", "jingshu.inputs": json.dumps(inputs)},
    )
    for policy, codes in (("all", ["A1", "B"]), ("hidden", ["A", "B"])):
        lake.show(
            "shared",
            f"listed__{policy}",
            {"code": codes, "total": [2, 2]},
            **{"jingshu.kind": "share", "jingshu.source": stage},
        )
    later = lake.publish("sale", 4, [HEAD, "东,A1,,"])  # after the build: it had no part in it
    selected = {(sold[0], 2, (2, 3)), (sold[1], 1, (4,)), (guests, 2, None)}
    every = {(sold[0], 2, None), (sold[1], 3, None), (guests, 2, None)}
    for table, key, told_by, expected in (
        ("gold/listed", "A1", ["code"], selected),
        ("shared/listed__all", "A1", ["code"], selected),
        ("shared/listed__hidden", "A", [], every),  # a masked key is no input's value
    ):
        (row,) = found(capsys, table, key)["rows"]
        assert row["selected_by"] == told_by
        assert expected == {
            (s["batch_id"], s["rows"], s["lines"] and tuple(s["lines"])) for s in row["sources"]
        }
        steps = [s["table"] for s in row["steps"]]
        assert steps == [table, "gold/listed"] if table.startswith("shared") else [table]
        kinds = {"shared": "share", "gold": "build"}
        for step in row["steps"]:
            (leaf,) = step["evidence"]
            assert leaf.startswith(kinds[step["table"].partition("/")[0]] + ":")
            assert EvidenceLog(lake.home).find(leaf)
    assert later not in {s["batch_id"] for s in row["sources"]}
    code, out, _ = call(capsys, "listed", "A1")
    assert code == 0
    assert "which of them cannot be told" in out
    code, _, err = call(capsys, "gold/listed", "C")
    assert code == 2
    assert "No visible row of gold/listed" in err
