"""The 20 layouts of real open data: each lands and is published, or is held with the true reason.

The twins are made up and run everywhere; the real files run too where ``../shared`` is beside the
repository. Their rows are never copied: only counts, rule names and lines stand here.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs import steps
from jobs.publish.quarantine import bad_rows
from jobs.record import governance
from jobs.stages import Ended, LandedBatch
from tests.conftest import TREE
from tests.open_data.twins import TWINS
from tests.support.days import deliver, run_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.delivery import BatchStatus
    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.record.governance import BatchRow
    from tests.open_data.pages import Twin

#: A stranger's tree: it shares nothing with the packaged one but the dialect.
OPEN_DATA = load_tree(Path(__file__).parent / "contracts")
REAL = ROOT.parent / "shared" / "real-exports"
DAY = date(2026, 7, 15)


@dataclass(frozen=True)
class End:
    """Where a real file's way ends, and with how many rows.

    ``bad`` rows are quarantined where the batch is published, and shown by the verdict where it is
    held; ``rules`` says how often each rule found one.
    """

    contract_id: str
    state: BatchStatus
    landed: int
    good: int
    bad: int = 0
    duplicates: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        """The tree that describes the layout: two of them are the packaged one's."""
        return TREE if self.contract_id in TREE.sources else OPEN_DATA

    @property
    def provider(self) -> str:
        """The contract's only provider."""
        return self.tree.contract(self.contract_id).servers[0].provider

    @property
    def most(self) -> str:
        """The rule that a held batch's reason names: the most frequent, the first of equals."""
        return max(self.rules, key=lambda rule: self.rules[rule])


ENDS: Mapping[str, End] = {
    # 14 codes: 12 as 9.111E+17 and the like, two with a wrong check character.
    "2022年丰台区环境信息依法披露企业名单.csv": End(
        "fengtai.env_disclosure", "held", 44, 30, 14, rules={"uscc.uscc": 14}
    ),
    "2022年备案项目基本情况表.csv": End("tongzhou.filed_project", "published", 65, 65),
    "丰台区空气重污染重点行业减排清单.csv": End("fengtai.smog_measure", "published", 152, 152),
    # 57 codes of which masking left only the beginning.
    "保险试点三年参保企业名单汇总.csv": End(
        "ip.insurance_pilot", "held", 501, 444, 57, rules={"uscc_masked.pattern": 57}
    ),
    # Each of the 462 rows stands in the file twice or more.
    "农产品绿色食品认证信息.csv": End("agri.green_food", "published", 926, 462, duplicates=464),
    "北京市两化融合贯标试点企业贯标进展情况.csv": End(
        "econ_it.integration_pilot", "published", 41, 41
    ),
    "北京市昌平区环境信息依法披露企业名单.csv": End(
        "changping.env_disclosure", "published", 65, 65
    ),
    "北京市级生态农场授予名单.csv": End("agri.eco_farm", "published", 76, 76),
    "北京市顺义区建设项目配套节水设施竣工验收情况统计表.csv": End(
        "shunyi.water_acceptance", "published", 22, 22
    ),
    "境内上市公司清单.csv": End("fin_office.listed_company", "published", 5280, 5280),
    # The last seven rows come from another system: permit number, scale and date in its own way.
    "密云区年度施工许可证信息.csv": End(
        "miyun.construction_permit",
        "held",
        42,
        35,
        7,
        rules={"permit_no.pattern": 7, "scale.pattern": 7, "issued_on.type": 7},
    ),
    # 11 all-digit codes, rounded past their sixteenth digit.
    "市文化和旅游局-旅游商品扶持企业及商品名单.csv": End(
        "culture_tour.souvenir_project", "held", 30, 19, 11, rules={"uscc.uscc": 11}
    ),
    "市经济信息化局-北京市小型微型企业创业创新示范基地名单.csv": End(
        "econ_it.innovation_base", "published", 109, 109
    ),
    "平谷区中标信息.csv": End("pinggu.bid_winner", "published", 32, 32),
    # Split cells: seven institutions lost their nature to a row of its own (seven equal rows).
    "平谷区托育机构备案信息公开表.csv": End(
        "pinggu.childcare",
        "held",
        29,
        15,
        8,
        6,
        rules={
            "ownership.required": 7,
            "seq.required": 1,
            "org_name.required": 1,
            "address.required": 1,
            "status.required": 1,
        },
    ),
    # One name ends in a question mark: a character that its encoding lost.
    "技术先进型服务企业名单.csv": End(
        "sci_tech.advanced_service_firm", "published", 95, 94, 1, rules={"org_name.pattern": 1}
    ),
    # Two second listings whose company stands only in the merged cell above.
    "昌平区上市企业名单.csv": End(
        "changping.listed_firm", "published", 43, 41, 2, rules={"org_name.required": 2}
    ),
    "海淀区2024年度第1-6批创新型中小企业名单.csv": End(
        "haidian.innovative_sme", "published", 343, 342, 1, rules={"org_name.pattern": 1}
    ),
    # Every id is 2.67632E+16 or 9.88138E+16, and seven codes are ruined in the same way.
    "清洁生产示范项目数据.csv": End(
        "dev_reform.clean_production",
        "held",
        26,
        0,
        26,
        rules={"project_id.pattern": 26, "uscc.uscc": 7},
    ),
    # 35 dates are text among 258 serial numbers.
    "经济技术开发区管委会-经开区双随机检查信息固定源.csv": End(
        "bda.random_inspection", "held", 293, 258, 35, rules={"inspected_on.type": 35}
    ),
}
REAL_FILES = [REAL / name for name in ENDS if (REAL / name).is_file()]


def layout(file: Twin | Path) -> str:
    """Return a test's name: the contract that describes the file's layout."""
    name = file.name if isinstance(file, Path) else file.file_name
    return ENDS[name].contract_id


@dataclass(frozen=True)
class Outcome:
    """What a delivery came to: its batch row, and the rules that each bad line breaks."""

    batch: BatchRow
    bad: Mapping[int, tuple[str, ...]]


def take(home: Home, end: End, file_name: str, content: bytes) -> Outcome:
    """Deliver a file as real data and take it through every stage."""
    contract = end.tree.contract(end.contract_id)
    where = f"{end.provider}/{contract.dataset}/{DAY}/{file_name}"
    is_required = contract.servers[0].export.manifest == "required"
    deliver(home.drop, where, content, is_simulated=False, manifest=is_required)
    ended = run_delivery(home, end.tree, end.contract_id, end.provider, DAY)
    assert ended.batch_id is not None, ended
    batch = governance.batch(home, ended.batch_id)
    assert batch is not None
    assert batch.origin == "real"
    delivery = Delivery(contract, end.provider, DAY, end.tree.root)
    found = bad_rows(home, delivery, batch.batch_id).to_pylist()
    bad = {r["_source_line"]: tuple(sorted(x["rule_id"] for x in r["_reasons"])) for r in found}
    return Outcome(batch, bad)


def quarantined(home: Home, table: str) -> dict[int, tuple[str, ...]]:
    """Return a table's quarantine as line → rules."""
    path = home.table("quarantine", table)
    rows = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
    return {r["_source_line"]: tuple(sorted(x["rule_id"] for x in r["_reasons"])) for r in rows}


def check_state(home: Home, end: End, outcome: Outcome) -> None:
    """Hold the batch against its layout's end: the state, the reason, and what is visible."""
    batch = outcome.batch
    assert batch.status == end.state, batch.reason
    if end.state == "published":
        assert quarantined(home, batch.table) == outcome.bad
        return
    judged = batch.rows_landed - batch.rows_duplicate
    hit = sum(end.most in rules for rules in outcome.bad.values())
    assert f"{len(outcome.bad)} of {judged} rows are bad" in batch.reason
    assert f"mostly: {end.most} ({hit})" in batch.reason
    assert not home.table("silver", batch.table).joinpath("_delta_log").exists()


def test_every_layout_has_a_twin_and_an_end() -> None:
    assert [t.file_name for t in TWINS] == list(ENDS)
    described = {e.contract_id for e in ENDS.values() if e.tree is OPEN_DATA}
    assert described == set(OPEN_DATA.sources)


def test_held_twins_break_the_rules_that_the_real_files_break() -> None:
    for twin in TWINS:
        end = ENDS[twin.file_name]
        planted = {rule for rules in twin.bad.values() for rule in rules}
        assert planted == set(end.rules) or end.state == "published", twin.file_name


@pytest.mark.spark
@pytest.mark.parametrize("twin", TWINS, ids=layout)
def test_twin_ends_as_its_layout_with_every_planted_row_found(
    home: Home, spark_remote: str, twin: Twin
) -> None:
    end = ENDS[twin.file_name]
    outcome = take(home, end, twin.file_name, twin.content)
    check_state(home, end, outcome)
    assert outcome.bad == twin.bad
    assert outcome.batch.rows_landed == twin.landed
    assert outcome.batch.rows_duplicate == twin.duplicates
    if end.state == "published":
        silver = DeltaTable(str(home.table("silver", outcome.batch.table)))
        rows = {r["_source_line"]: r for r in silver.to_pyarrow_table().to_pylist()}
        assert set(rows) == set(twin.good)
        for line, values in twin.values.items():
            assert {c: rows[line][c] for c in values} == values


if REAL_FILES:

    @pytest.mark.spark
    @pytest.mark.parametrize("file", REAL_FILES, ids=layout)
    def test_real_file_ends_as_said(home: Home, spark_remote: str, file: Path) -> None:
        end = ENDS[file.name]
        outcome = take(home, end, file.name, file.read_bytes())
        check_state(home, end, outcome)
        assert outcome.batch.rows_landed == end.landed
        assert outcome.batch.rows_duplicate == end.duplicates
        assert Counter(r for rules in outcome.bad.values() for r in rules) == end.rules
        assert len(outcome.bad) == end.bad
        assert end.landed == end.good + end.bad + end.duplicates
        if end.state == "published":
            assert outcome.batch.rows_published == end.good
            assert outcome.batch.rows_quarantined == end.bad


@dataclass(frozen=True)
class Mismatch:
    """A file delivered against a contract that is not its own, and the words of the refusal."""

    file_name: str
    contract_id: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{ENDS[self.file_name].contract_id}-as-{self.contract_id}"


MISMATCHES = (
    Mismatch(  # the same bureau's list in another district: one column has another name
        "北京市昌平区环境信息依法披露企业名单.csv",
        "fengtai.env_disclosure",
        (
            "lacks 重点排污单位所属类别;",
            "it has 序号, 行政区划名称, 统一社会信用代码",
            "环境监管重点单位所属类别",
        ),
    ),
    Mismatch(  # the header is somewhere else, and of another layout
        "平谷区中标信息.csv",
        "haidian.innovative_sme",
        ("lacks 序号, 企业名称, 批次;", "it has 某区建设工程施工项目中标信息."),
    ),
    Mismatch(
        "境内上市公司清单.csv",
        "changping.listed_firm",
        (
            "lacks 序号, 股票简称, 股票代码, 企业名称, 上市板块, 首发上市日期;",
            "it has 1, 990001.BJ",
        ),
    ),
    Mismatch(  # all of the contract's columns, and two more
        "丰台区空气重污染重点行业减排清单.csv",
        "ip.insurance_pilot",
        ("lacks 投保年度, 统一社会信用代码, 承保保险公司;", "it has 序号*, 年份*, 企业名称*"),
    ),
    Mismatch(
        "北京市级生态农场授予名单.csv",
        "shunyi.water_acceptance",
        ("lacks 单位名称, 文号, 日期;", "it has 序号, 区, 主体名称, 农场类型, 证书编号."),
    ),
    Mismatch(
        "清洁生产示范项目数据.csv",
        "agri.eco_farm",
        ("lacks 序号, 区, 主体名称, 农场类型, 证书编号;", "it has id, 项目补贴资金, 项目总投资"),
    ),
    Mismatch(  # the packaged contract names its own version, so that the provider can ask for it
        "市文化和旅游局-旅游商品扶持企业及商品名单.csv",
        "econ_it.innovation_base",
        ("lacks 单位名称, 所属区;", "Deliver the layout of econ_it.innovation_base 1.0.0"),
    ),
)


@pytest.mark.parametrize("wrong", MISMATCHES, ids=str)
def test_wrong_layout_is_refused_in_words(home: Home, wrong: Mismatch) -> None:
    content = next(t.content for t in TWINS if t.file_name == wrong.file_name)
    tree = TREE if wrong.contract_id in TREE.sources else OPEN_DATA
    contract = tree.contract(wrong.contract_id)
    delivery = Delivery(contract, contract.servers[0].provider, DAY)
    where = f"{delivery.provider}/{contract.dataset}/{DAY}/{wrong.file_name}"
    deliver(home.drop, where, content, is_simulated=False)
    ended = steps.land_delivery(home, delivery)
    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert f"{delivery.name}, {wrong.file_name}: " in ended.reason
    assert [w for w in wrong.words if w not in ended.reason] == [], ended.reason
    assert not home.table("bronze", delivery.table).exists()
    assert ended.batch_id is not None
    kept = home.raw(delivery.provider, contract.dataset, ended.batch_id) / wrong.file_name
    assert kept.read_bytes() == content


def test_header_in_another_row_is_refused_with_the_row(home: Home) -> None:
    """A title row that nobody agreed on: the refusal says where the header stands."""
    twin = next(t for t in TWINS if t.file_name == "海淀区2024年度第1-6批创新型中小企业名单.csv")
    delivery = Delivery(OPEN_DATA.contract("haidian.innovative_sme"), "haidian", DAY)
    titled = "虚构标题,,\r\n".encode("gb18030") + twin.content
    deliver(home.drop, f"haidian/innovative_sme/{DAY}/x.csv", titled, is_simulated=False)
    ended = steps.land_delivery(home, delivery)
    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert "The header stands in row 2, not in row 1. Set header_row: 2" in ended.reason


def test_refusal_repeats_no_cell_of_a_graded_table(home: Home) -> None:
    """Without a header the first row of data stands in its place; above L2 it is not listed."""
    contract = TREE.contract("health.disease_case")
    delivery = Delivery(contract, "health", DAY)
    where = contract.servers[0].path.replace("{date}", f"{DAY}").removeprefix("{drop}/")
    content = "病例编号,虚构甲,虚构病\r\n1,虚构乙,虚构病\r\n".encode()
    deliver(home.drop, where.replace("*", "x"), content)
    ended = steps.land_delivery(home, delivery)
    assert isinstance(ended, Ended)
    assert ended.state == "rejected"
    assert "The header lacks" in ended.reason
    assert "other cells" in ended.reason
    assert "虚构" not in ended.reason


@pytest.mark.parametrize("twin", TWINS, ids=layout)
def test_landing_says_what_it_passed_over(home: Home, twin: Twin) -> None:
    """Blank lines, notes after the table and values under no header are counted, none is lost."""
    end = ENDS[twin.file_name]
    contract = end.tree.contract(end.contract_id)
    where = f"{end.provider}/{contract.dataset}/{DAY}/{twin.file_name}"
    deliver(home.drop, where, twin.content, is_simulated=False)
    landed = steps.land_delivery(home, Delivery(contract, end.provider, DAY))
    assert isinstance(landed, LandedBatch)
    said = "；".join((*landed.findings, *landed.notes))
    assert (f"{twin.blank} blank lines passed over" in said) == bool(twin.blank)
    assert (f"{twin.footers} lines after the data passed over" in said) == bool(twin.footers)
    bronze = DeltaTable(str(home.table("bronze", landed.table))).to_pyarrow_table().to_pylist()
    aside = {r["_source_line"]: json.loads(r["_extra"]) for r in bronze if r["_extra"]}
    assert aside == twin.aside
    assert ("values under no header" in said) == bool(twin.aside)
    assert [r["_row_error"] for r in bronze if r["_row_error"]] == []
