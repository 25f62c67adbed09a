"""What holds for every contract that is packaged: one object derives every target."""

from __future__ import annotations

import csv
import pickle
import unicodedata
from collections import Counter, defaultdict
from datetime import date
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml
from deltalake import Schema

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.model import LEVELS, SHARE_CEILING, Contract
from contracts.reading import read_contract
from contracts.reference import PACKAGED, codes_in_force, column_values, reference_csv
from contracts.returned import with_returns
from contracts.rules import KEY_CONFLICT, SHAPE, row_rules
from jobs.land.header import match_header
from jobs.rules.plan import MASK_BITS, make_plan
from jobs.spark.types import spark_type
from jobs.tables import quarantine, silver
from jobs.tables.bronze import bronze_schema
from tests.conftest import TREE

if TYPE_CHECKING:
    from pathlib import Path

ALL = [*TREE.sources.values(), *TREE.products.values()]
FILES = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
DAY = date(2026, 7, 15)
each = pytest.mark.parametrize("contract", ALL, ids=lambda c: c.id)
each_source = pytest.mark.parametrize("contract", TREE.sources.values(), ids=lambda c: c.id)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_official_schema_passes(file: Path) -> None:
    import json
    from importlib import resources

    official = resources.files("open_data_contract_standard").joinpath("schema.json")
    document = yaml.safe_load(file.read_text("utf-8"))
    jsonschema.Draft201909Validator(json.loads(official.read_text("utf-8"))).validate(document)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_reading_twice_is_reading_once(file: Path) -> None:
    if file.parent.name == "reference":
        contract = read_contract(file, ROOT / "contracts")
    else:
        contract = next(c for c in ALL if (ROOT / "contracts" / c.source) == file)
    again = with_returns(read_contract(file, ROOT / "contracts"), TREE.providers, file)
    assert again == contract
    bare = contract.model_copy(update={"written": b""})  # the file is no part of its reading
    assert Contract.model_validate_json(contract.model_dump_json()) == bare
    assert pickle.loads(pickle.dumps(contract)) == contract  # noqa: S301  (our own bytes)


def test_tree_is_read_once() -> None:
    first = load_tree(ROOT / "contracts")
    assert load_tree(ROOT / "contracts") is first
    assert (first.sources, first.products) == (TREE.sources, TREE.products)


def test_a_column_name_that_stands_twice_is_a_word_of_the_glossary() -> None:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for contract in TREE.sources.values():
        for column in contract.columns:
            users[column.name].add(contract.id)
    assert {n for n, ids in users.items() if len(ids) > 1} <= set(TREE.glossary)


def test_every_body_of_the_city_delivers() -> None:
    kinds = Counter(p.kind for p in TREE.providers.values())
    assert (kinds["bureau"], kinds["district"]) == (42, 16)
    assert {f.provider for f in TREE.feeds()} == set(TREE.providers)
    assert len(TREE.sources) >= 70
    codes = [c.catalogue.code for c in TREE.sources.values() if c.catalogue]
    assert len(set(codes)) == len(TREE.sources)


@each
def test_rule_ids_are_unique_and_stable(contract: Contract) -> None:
    rules = row_rules(contract)
    ids = [r.id for r in rules]
    assert len(set(ids)) == len(ids)
    assert ids[0] == SHAPE
    assert (ids[-1] == KEY_CONFLICT) == bool(contract.key)
    assert all(r.id == f"{r.column}.{r.kind}" for r in rules if r.column)
    assert not set(ids) & {q.id for q in contract.quality}


@each_source
def test_every_rule_has_a_bit_of_its_own(contract: Contract) -> None:
    plan = make_plan(Delivery(contract, contract.servers[0].provider, DAY, TREE.root))
    bits = [plan.bit(r) for r in plan.rules]
    assert len(set(bits)) == len(plan.rules)
    assert all(bit.bit_count() == 1 and bit < 1 << MASK_BITS for _, bit in bits)
    assert {m for m, _ in bits} == set(plan.masks)


@each
def test_headers_are_unique_as_landing_reads_them(contract: Contract) -> None:
    headers = ["".join(unicodedata.normalize("NFKC", c.header).split()) for c in contract.columns]
    assert len(set(headers)) == len(headers)
    names = [c.name.lower() for c in contract.columns]
    assert len(set(names)) == len(names)


@each_source
def test_landing_finds_every_column_of_the_agreed_header(contract: Contract) -> None:
    for server in contract.servers:
        header = [c.header for c in reversed(contract.columns)]
        layout = match_header(contract, server.export, header)
        assert set(layout.positions) == {c.name for c in contract.columns}
        assert layout.extra == {}


@each
def test_table_is_graded_at_least_as_high_as_its_columns(contract: Contract) -> None:
    assert contract.grading is not None
    for column in contract.columns:
        assert column.level in LEVELS, "every packaged column is tagged"
        assert LEVELS.index(contract.grading.level) >= LEVELS.index(column.effective_level)
    assert contract.level == contract.grading.level


@each
def test_types_go_there_and_back(contract: Contract) -> None:
    """Contract → Spark → Delta → Arrow → Delta keeps names, types and tags."""
    delta = silver.schema(contract)
    again = Schema.from_arrow(delta.to_arrow())
    assert [f.name for f in again.fields] == [f.name for f in delta.fields]
    assert [str(f.type) for f in again.fields] == [str(f.type) for f in delta.fields]
    for column in contract.columns:
        field = next(f for f in delta.fields if f.name == column.name)
        assert field.metadata["jingshu.level"] == column.effective_level
        assert field.metadata["comment"]
        kept = str(field.type)
        if column.effective_level == "L4":  # its ciphertext is text; the type stands beside it
            assert (kept, field.metadata["jingshu.sealed"]) == ('PrimitiveType("string")', "SM4")
            kept = str(field.metadata["jingshu.type"])
        assert spark_type(column).replace("bigint", "long") in kept


@each_source
def test_bronze_and_quarantine_hold_the_raw_text(contract: Contract) -> None:
    names = [c.name for c in contract.columns]
    for schema in (bronze_schema(contract), quarantine.schema(contract)):
        assert schema.names[: len(names)] == names
        assert all(str(schema.field(n).type) == "string" for n in names)
        assert {"_source_line", "_batch_id"} <= set(schema.names)


@each_source
def test_every_feed_has_a_provider_and_a_schedule(contract: Contract) -> None:
    for server in contract.servers:
        assert server.provider in TREE.providers
        assert server.path.startswith("{drop}/" + f"{server.provider}/{contract.dataset}/")
        assert "{date}" in server.path
    assert contract.schedule.due_at(DAY).tzinfo is not None
    assert contract.owner
    assert contract.purpose


@each
def test_reference_tables_hold_the_columns_that_are_named(contract: Contract) -> None:
    for column in contract.columns:
        if column.reference is not None:
            file = reference_csv(TREE.root, column.reference.file)
            assert len(column_values(file, column.reference.column)) > 1


@pytest.mark.parametrize("product", TREE.products.values(), ids=lambda c: c.id)
def test_policies_release_known_columns_below_the_ceiling(product: Contract) -> None:
    names = {c.name for c in product.columns}
    for policy in product.product_plan.policies:
        assert set(policy.columns) == names, "every column is decided on, none by silence"
    assert product.level <= SHARE_CEILING


@pytest.mark.parametrize("file", sorted(PACKAGED.glob("*.csv")), ids=lambda f: f.name)
def test_reference_csv_is_what_its_contract_says(file: Path) -> None:
    contract = read_contract(file.with_name(file.stem + ".odcs.yaml"), ROOT / "contracts")
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == [c.name for c in contract.columns]
    keys = [tuple(r[c.name] for c in contract.key) for r in rows]
    assert len(set(keys)) == len(keys)
    assert all(r[c.name] for r in rows for c in contract.columns if c.required)


DIVISIONS = {
    # abolished and new codes about their days (README of the reference tables)
    "dongcheng_always": ("110101", date(1990, 1, 1), True),
    "dongcheng_today": ("110101", DAY, True),
    "chongwen_before": ("110103", date(2010, 6, 30), True),
    "chongwen_on_the_day": ("110103", date(2010, 7, 1), False),
    "xuanwu_after": ("110104", DAY, False),
    "miyun_county_before": ("110228", date(2015, 11, 12), True),
    "miyun_county_on_the_day": ("110228", date(2015, 11, 13), False),
    "miyun_district_before": ("110118", date(2015, 11, 12), False),
    "miyun_district_on_the_day": ("110118", date(2015, 11, 13), True),
    "never": ("110110", DAY, False),
}


@pytest.mark.parametrize(("code", "on", "is_in_force"), DIVISIONS.values(), ids=DIVISIONS)
def test_division_codes_have_their_time(code: str, on: date, is_in_force: bool) -> None:  # noqa: FBT001
    assert (code in codes_in_force(PACKAGED / "divisions.csv", on)) is is_in_force
