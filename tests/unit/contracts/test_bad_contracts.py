"""Contracts that cannot be meant: each fails with file, line, place and what to do instead."""

from __future__ import annotations

import pickle
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from contracts.document import ContractError
from contracts.loading import load_tree
from tests.support.small import Node, column, custom, product, properties, set_custom, source, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = yaml.safe_dump(source(), allow_unicode=True, sort_keys=False)


def test_the_small_tree_is_right(tmp_path: Path) -> None:
    tree = load_tree(write(tmp_path, source(), product()))
    assert list(tree.sources) == ["town.visit"]
    assert list(tree.products) == ["town.busy_days"]
    assert [f.table for f in tree.feeds()] == ["museum__visit"]


def assert_said(error: ContractError, words: str, file: str = "visit.odcs.yaml") -> None:
    said = str(error)
    problem, remedy = error.problem, error.remedy
    assert words in problem.en, said
    assert problem.en.startswith(file), said
    assert problem.zh.startswith(file), said
    assert re.search(r"\(.+\): ", problem.en), said
    assert re.search(r"（.+）：", problem.zh), said
    assert re.search("[一-鿿]", problem.zh.partition("）：")[2] + remedy.zh), said
    assert remedy.en.strip(), said
    assert remedy.en[0].isupper(), said
    assert remedy.en.endswith("."), said
    assert remedy.zh.endswith("。"), said
    whole = problem.then(remedy)
    assert said == f"{whole.zh} {whole.en}"
    assert whole.en == f"{problem.en} {remedy.en}"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    assert str(again) == said
    assert (again.file, again.line, again.place) == (error.file, error.line, error.place)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "holds no mapping"),
    "only_a_comment": (b"# nothing\n", "holds no mapping"),
    "a_list": (b"- a\n- b\n", "holds no mapping"),
    "a_word": (b"contract", "holds no mapping"),
    "two_documents": (b"a: 1\n---\nb: 2\n", "not readable as YAML"),
    "tab_indent": (b"a:\n\t- b\n", "not readable as YAML"),
    "unclosed": (b'id: "town.visit\n', "not readable as YAML"),
    "bad_indent": (b"a: 1\n  b: 2\n", "not readable as YAML"),
    "control_character": (b"a: \x07\n", "not readable as YAML"),
    "python_tag": (b"a: !!python/object/apply:os.system [ls]\n", "not readable as YAML"),
    "own_tag": (b"a: !secret x\n", "not readable as YAML"),
    "unknown_alias": (b"a: *b\n", "not readable as YAML"),
    "key_twice": (GOOD.encode() + b"status: draft\n", "'status' stands here twice"),
    "key_twice_inside": (b"a:\n  b: 1\n  b: 2\n", "'b' stands here twice"),
    "list_as_key": (b"? [a, b]\n: 1\n", "a key is no plain word"),
    "mapping_as_key": (b"{a: 1}: 1\n", "a key is no plain word"),
    "not_utf8": ("name: 参观\n".encode("gb18030"), "is not UTF-8"),
    "utf16": ("name: 参观\n".encode("utf-16"), "is not UTF-8"),
    "nul": (b"a: 1\x00\n", "not readable as YAML"),
    "too_large": (b"# " + b"x" * (5 << 20), "bytes are too many"),
    "billion_laughs": (BOMB.encode(), "aliases multiply"),
    "holds_itself": (b"a: &a [*a]\n", "aliases multiply"),
    "too_deep": (b"a: " + b"[" * 5000, "nested too deeply"),
    "endless_number": (b"a: " + b"9" * 5000 + b"\n", "not readable as YAML"),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_bad_yaml(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "visit.odcs.yaml").write_bytes(text)
    with pytest.raises(ContractError) as caught:
        load_tree(tmp_path)
    assert_said(caught.value, words)


def test_line_of_a_yaml_fault(tmp_path: Path) -> None:
    (tmp_path / "visit.odcs.yaml").write_text("id: a\nname: b\nid: c\n")
    with pytest.raises(ContractError) as caught:
        load_tree(tmp_path)
    assert caught.value.line == 3
    assert "visit.odcs.yaml:3" in str(caught.value)


def bend(change: Callable[[Node], object]) -> Node:
    contract = source()
    change(contract)
    return contract


def sla(name: str, value: object, unit: str | None = None) -> Node:
    item: Node = {"property": name, "value": value}
    return bend(lambda c: c.update(slaProperties=[item | ({"unit": unit} if unit else {})]))


def with_column(name: str, kind: str = "string", **more: object) -> Node:
    return bend(lambda c: properties(c).append(column(name, kind, **more)))


def with_rule(value: object, kind: str = "string") -> Node:
    return with_column("extra", kind, customProperties=custom(rule=value))


def with_quality(**check: object) -> Node:
    return bend(lambda c: c["schema"][0].update(quality=[{"id": "q", **check}]))


def with_export(**export: object) -> Node:
    return bend(lambda c: set_custom(c["servers"][0], "export", export))


def sent_as(form: str, **export: object) -> Node:
    def change(contract: Node) -> None:
        contract["servers"][0]["format"] = form
        set_custom(contract["servers"][0], "export", export)

    return bend(change)


def with_custom(name: str, value: object) -> Node:
    return bend(lambda c: set_custom(c, name, value))


def with_path(path: str) -> Node:
    return bend(lambda c: c["servers"][0].update(path=path))


def keyless() -> Node:
    contract = with_custom("load", {"mode": "merge_key"})
    properties(contract)[0].pop("primaryKey")
    properties(contract)[0].pop("primaryKeyPosition")
    return contract


def reference(to: str, *more: str) -> Node:
    related = [{"type": "foreignKey", "to": t} for t in (to, *more)]
    return with_column("street", relationships=related)


MARKED = {"mode": "merge_key", "delete_marker": {"column": "guests"}}
STREETS = "reference/streets.odcs.yaml#schema/streets/properties/code"
CONTRACTS: dict[str, tuple[Node, str]] = {
    # what the standard itself says
    "no_id": (bend(lambda c: c.pop("id") and c.update(id="")), "the id ''"),
    "no_version": (bend(lambda c: c.pop("version")), "'version' is a required property"),
    "version_is_a_number": (bend(lambda c: c.update(version=1.0)), "breaks ODCS"),
    "other_kind": (bend(lambda c: c.update(kind="DataProduct")), "breaks ODCS"),
    "other_api_version": (bend(lambda c: c.update(apiVersion="v9.0.0")), "breaks ODCS"),
    "unknown_element": (bend(lambda c: c.update(provider="museum")), "breaks ODCS"),
    "unknown_column_element": (with_column("extra", nullable=True), "breaks ODCS"),
    "unknown_type": (with_column("extra", "varchar"), "breaks ODCS"),
    "two_operators": (with_quality(metric="rowCount", mustBe=1, mustNotBe=2), "breaks ODCS"),
    # our types
    "unknown_status": (bend(lambda c: c.update(status="retiring")), "status"),
    "object_type": (with_column("extra", "object"), "logicalType"),
    "unknown_level": (with_column("extra", classification="L5"), "classification"),
    "level_in_words": (with_column("extra", classification="公开"), "classification"),
    "no_schema": (bend(lambda c: c.update(schema=[])), "schema objects"),
    "two_schema_objects": (bend(lambda c: c["schema"].append(c["schema"][0])), "2 schema objects"),
    "no_columns": (bend(lambda c: c["schema"][0].update(properties=[])), "no properties"),
    "id_of_another_dataset": (bend(lambda c: c.update(id="town.visits")), "does not end in"),
    "id_without_domain": (bend(lambda c: c.update(id="visit")), "does not end in"),
    "dataset_is_a_path": (
        bend(lambda c: (c.update(id="town.../x"), c["schema"][0].update(name="../x"))),
        "no name of a dataset",
    ),
    "provider_is_a_path": (
        bend(lambda c: c["servers"][0].update(server="../../etc")),
        "no name of a provider",
    ),
    "provider_with_two_underscores": (
        bend(lambda c: c["servers"][0].update(server="a__b")),
        "no name of a provider",
    ),
    "provider_twice": (bend(lambda c: c["servers"].append(c["servers"][0])), "two servers"),
    "column_twice": (with_column("visit_id", physicalName="X"), "share the name"),
    "column_twice_in_capitals": (with_column("Visit_ID", physicalName="X"), "share the name"),
    "header_twice": (with_column("extra", physicalName="GUESTS"), "share the header"),
    "our_own_column": (with_column("_batch_id"), "no name of a column"),
    "column_with_a_space": (with_column("a b"), "no name of a column"),
    "column_with_a_quote": (with_column("a`b"), "no name of a column"),
    "unknown_custom_property": (with_custom("colour", "red"), "nothing reads"),
    "misspelt_custom_property": (with_custom("treshold", {}), "nothing reads"),
    "custom_property_twice": (
        bend(lambda c: c["customProperties"].append(c["customProperties"][0])),
        "'load' stands here twice",
    ),
    "unknown_load_mode": (with_custom("load", {"mode": "upsert"}), "mode"),
    "unknown_load_key": (with_custom("load", {"mode": "append", "keys": []}), "keys"),
    "load_is_a_word": (with_custom("load", "append"), "Load"),
    "threshold_above_100": (with_custom("thresholds", {"bad_rows_percent": 101}), "100"),
    "threshold_is_nan": (
        with_custom("thresholds", {"bad_rows_percent": float("nan")}),
        "bad_rows_percent",
    ),
    "k_of_one": (
        with_custom("product", {"inputs": [], "sql": "x.sql", "k": 1}),
        "greater than or equal to 2",
    ),
    "bound_is_infinite": (
        with_column("extra", "number", logicalTypeOptions={"minimum": float("-inf")}),
        "finite",
    ),
    "pattern_is_none": (with_column("extra", logicalTypeOptions={"pattern": "(["}), "regular"),
    "length_below_zero": (with_column("extra", logicalTypeOptions={"minLength": -1}), ""),
    "encoding_guess": (with_export(encoding="gbk"), "encoding"),
    "delimiter_of_two": (with_export(delimiter="||"), "delimiter"),
    "delimiter_is_a_quote": (with_export(delimiter='"'), "delimiter"),
    "delimiter_is_empty": (with_export(delimiter=""), "delimiter"),
    "header_row_zero": (with_export(header_row=0), "header_row"),
    "footer_is_no_regex": (with_export(footer="合计("), "regular"),
    "export_key_unknown": (with_export(charset="utf-8"), "charset"),
    "header_row_of_json": (sent_as("jsonl", header_row=1), "nothing reads header_row"),
    "sheet_of_xml": (sent_as("xml", sheet="表"), "nothing reads sheet"),
    "delimiter_of_parquet": (sent_as("parquet", delimiter=","), "nothing reads delimiter"),
    "alias_to_nothing": (with_export(aliases={"参观号": "visit_no"}), "leads to no column"),
    # when it is due
    "frequency_in_words": (sla("frequency", "daily"), "no span of time"),
    "frequency_of_five_days": (sla("frequency", 5, "d"), "no cycle is 5 d"),
    "frequency_in_minutes": (sla("frequency", 1, "minutes"), "no cycle is 1 min"),
    "frequency_in_fortnights": (sla("frequency", 1, "fortnight"), "no unit of time"),
    "latency_in_words": (sla("latency", "soon"), "no span of time"),
    "latency_is_null": (sla("latency", None), "no span of time"),
    "latency_below_zero": (sla("latency", -1, "h"), "no span of time"),
    "latency_in_years": (sla("latency", 1, "y"), "no deadline"),
    "retention_in_words": (sla("retention", "long"), "no span of time"),
    "retention_in_hours": (sla("retention", 3, "h"), "too short"),
    "clock_without_quotes": (sla("timeOfAvailability", 600), "no time of day"),
    "clock_of_another_zone": (sla("timeOfAvailability", "02:00+00:00"), "not city time"),
    "clock_at_25": (sla("timeOfAvailability", "25:00"), "no time of day"),
    # where it comes from
    "no_server": (bend(lambda c: c.update(servers=[])), "names no server"),
    "no_path": (bend(lambda c: c["servers"][0].pop("path")), "breaks ODCS"),
    "empty_path": (with_path(""), "has no path"),
    "path_up": (with_path("{drop}/../secret/*"), "leaves the source's root"),
    "path_up_inside": (with_path("museum/../../x"), "leaves the source's root"),
    "absolute_path": (with_path("/etc/passwd"), "leaves the source's root"),
    "absolute_below_drop": (with_path("{drop}//etc/passwd"), "leaves the source's root"),
    # rules
    "unknown_rule": (with_rule("passport"), "no rule 'passport'"),
    "rule_is_a_list": (with_rule(["uscc"]), "name"),
    "two_rules": (with_rule({"uscc": {}, "plate": {}}), "2 rules in one"),
    "empty_rule": (with_rule({}), "0 rules in one"),
    "unknown_argument": (with_rule({"uscc": {"strict": True}}), "takes no 'strict'"),
    "digits_of_seven": (with_rule({"division_code": {"digits": 7}}), "digits: 7"),
    "digits_in_words": (with_rule({"division_code": {"digits": "six"}}), "digits: 'six'"),
    "longitude_as_text": (with_rule("lon_beijing"), "reads a number"),
    "code_as_number": (with_rule("uscc", "integer"), "reads a string"),
    "enum_is_a_word": (with_column("extra", customProperties=custom(enum="是")), "no list"),
    "enum_is_empty": (with_column("extra", customProperties=custom(enum=[])), "no list"),
    "enum_of_yes_and_no": (
        with_column("extra", customProperties=custom(enum=[True, False])),
        "no list",
    ),
    "date_without_format": (with_column("extra", "date"), "declares no format"),
    "timestamp_without_format": (with_column("extra", "timestamp"), "declares no format"),
    "week_year": (
        with_column("extra", "date", logicalTypeOptions={"format": "YYYY-MM-dd"}),
        "'YYYY' in the format",
    ),
    "day_of_the_year": (
        with_column("extra", "date", logicalTypeOptions={"format": "yyyy-MM-DD"}),
        "'DD' in the format",
    ),
    "merge_without_key": (keyless(), "merge_key without a primaryKey"),
    "marker_without_merge": (
        with_custom("load", {"mode": "append", "delete_marker": {"column": "visit_id"}}),
        "needs merge_key",
    ),
    "marker_is_no_column": (
        with_custom("load", {"mode": "merge_key", "delete_marker": {"column": "gone"}}),
        "is no column",
    ),
    "marker_is_a_number": (with_custom("load", MARKED), "is no text"),
    "key_may_be_empty": (bend(lambda c: properties(c)[0].pop("required")), "may be empty"),
    "grade_below_a_column": (with_column("extra", classification="L3"), "below its highest"),
    "grade_below_an_untagged_column": (
        bend(lambda c: properties(c)[1].pop("classification")),
        "below its highest",
    ),
    # references
    "reference_missing": (
        reference("reference/moons.odcs.yaml#schema/moons/properties/code"),
        "no reference table moons.csv",
    ),
    "reference_column_missing": (reference(STREETS.replace("/code", "/moon")), "no column moon"),
    "reference_up": (
        reference("../../etc/x.odcs.yaml#schema/x/properties/code"),
        "names no reference column",
    ),
    "reference_absolute": (reference("/etc/x#schema/x/properties/code"), "breaks ODCS"),
    "reference_without_column": (reference("reference/streets.odcs.yaml"), "breaks ODCS"),
    "two_references": (reference(STREETS, STREETS), "a second reference"),
    # checks
    "sql_without_query": (with_quality(type="sql", mustBe=0), ""),
    "custom_without_type": (
        with_quality(type="custom", engine="greatExpectations", implementation={"kwargs": {}}),
        "names no expectation",
    ),
    "implementation_no_yaml": (
        with_quality(type="custom", engine="greatExpectations", implementation="a: [b"),
        "it is no mapping",
    ),
    "implementation_a_word": (
        with_quality(type="custom", engine="greatExpectations", implementation="unique"),
        "it is no mapping",
    ),
    "bound_in_words": (with_quality(metric="rowCount", mustBe="many"), "'many' is no number"),
    "bound_is_true": (with_quality(metric="rowCount", mustBe=True), "is no number"),
    "metric_of_no_column": (with_quality(metric="nullValues", mustBe=0), "looks at no column"),
    "metric_of_a_lost_column": (
        with_quality(
            metric="duplicateValues", arguments={"properties": ["visit_id", "gone"]}, mustBe=0
        ),
        "looks at no column 'gone'",
    ),
    "metric_of_nothing": (
        with_quality(metric="duplicateValues", arguments={"properties": []}, mustBe=0),
        "looks at no column",
    ),
    "check_twice": (
        bend(
            lambda c: c["schema"][0].update(
                quality=[{"id": "q", "type": "text", "description": "x"}] * 2
            )
        ),
        "two quality entries",
    ),
}


@pytest.mark.parametrize(("contract", "words"), CONTRACTS.values(), ids=CONTRACTS)
def test_bad_contract(tmp_path: Path, contract: Node, words: str) -> None:
    text = yaml.safe_dump(contract, allow_unicode=True, sort_keys=False)
    (tmp_path / "visit.odcs.yaml").write_text(text, "utf-8")
    with pytest.raises(ContractError) as caught:
        load_tree(tmp_path)
    told = next((e for e in caught.value.all if words in e.problem.en), caught.value)
    assert_said(told, words)
    assert told.line is not None
    assert told.line <= text.count("\n") + 1


SLA_PLACES: dict[str, tuple[Node, tuple[str, ...], str]] = {
    "value": (sla("latency", "soon"), ("value",), "Write a number ≥ 0, and its unit."),
    "unit": (sla("latency", 1, "moon"), ("unit",), "Use min, h, d, w, m or y."),
    "deadline": (sla("latency", 1, "y"), ("unit",), "Use h or d."),
    "cycle": (sla("frequency", 2, "d"), (), "Use 1 d, 7 d, 1 m, 3 m, 1 y."),
    "keeping": (sla("retention", 1, "h"), ("unit",), "Use d, m or y."),
    "clock": (sla("timeOfAvailability", "x"), (), 'Write "HH:MM+08:00", in quotes.'),
    "zone": (sla("timeOfAvailability", "02:00+09:00"), (), "Write it with +08:00."),
}


@pytest.mark.parametrize(("contract", "inside", "remedy"), SLA_PLACES.values(), ids=SLA_PLACES)
def test_place_and_remedy_of_a_service_level(
    tmp_path: Path, contract: Node, inside: tuple[str, ...], remedy: str
) -> None:
    with pytest.raises(ContractError) as caught:
        load_tree(write(tmp_path, contract))
    assert caught.value.place == ("slaProperties", 0, *inside)
    assert caught.value.remedy.en == remedy


def test_place_and_line_point_at_the_column(tmp_path: Path) -> None:
    text = yaml.safe_dump(with_rule("passport"), allow_unicode=True, sort_keys=False)
    (tmp_path / "visit.odcs.yaml").write_text(text, "utf-8")
    with pytest.raises(ContractError) as caught:
        load_tree(tmp_path)
    assert caught.value.place == ("schema", 0, "properties", 2)
    assert caught.value.line is not None
    assert "name: extra" in text.splitlines()[caught.value.line - 1]


PRODUCTS: dict[str, tuple[Node, str]] = {
    "input_missing": (
        product(customProperties=custom(product={"inputs": ["town.moon"], "sql": "busy_days.sql"})),
        "'town.moon' is no contract",
    ),
    "sql_missing": (
        product(customProperties=custom(product={"inputs": ["town.visit"], "sql": "moon.sql"})),
        "there is no moon.sql",
    ),
    "sql_up": (
        product(
            customProperties=custom(product={"inputs": ["town.visit"], "sql": "../outside.sql"})
        ),
        "lies outside the tree",
    ),
    "sql_absolute": (
        product(customProperties=custom(product={"inputs": ["town.visit"], "sql": "/etc/passwd"})),
        "lies outside the tree",
    ),
    "sql_linked_out": (
        product(customProperties=custom(product={"inputs": ["town.visit"], "sql": "linked.sql"})),
        "lies outside the tree",
    ),
    "its_own_input": (
        product(
            customProperties=custom(product={"inputs": ["town.busy_days"], "sql": "busy_days.sql"})
        ),
        "is its own input",
    ),
    "mask_without_name": (
        product(
            customProperties=custom(
                product={
                    "inputs": ["town.visit"],
                    "sql": "busy_days.sql",
                    "policies": [{"name": "p", "columns": {"guests": {"to": 1}}}],
                }
            )
        ),
        "mask",
    ),
}


@pytest.mark.parametrize(("contract", "words"), PRODUCTS.values(), ids=PRODUCTS)
def test_bad_product(tmp_path: Path, contract: Node, words: str) -> None:
    (tmp_path / "outside.sql").write_text("SELECT 1")
    root = tmp_path / "tree"
    root.mkdir()
    (root / "linked.sql").symlink_to(tmp_path / "outside.sql")
    with pytest.raises(ContractError) as caught:
        load_tree(write(root, source(), contract))
    assert_said(caught.value, words, "busy_days.odcs.yaml")


def test_id_twice(tmp_path: Path) -> None:
    write(tmp_path, source())
    (tmp_path / "again").mkdir()
    write(tmp_path / "again", source())
    with pytest.raises(ContractError, match="is also in"):
        load_tree(tmp_path)


def test_two_contracts_of_one_table(tmp_path: Path) -> None:
    write(tmp_path, source())
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", source(id="city.visit", domain="city"))
    with pytest.raises(ContractError, match="makes the table museum__visit too"):
        load_tree(tmp_path)


def test_products_in_a_circle(tmp_path: Path) -> None:
    other = product(id="town.quiet_days")
    other["schema"][0]["name"] = "quiet_days"
    set_custom(other, "product", {"inputs": ["town.busy_days"], "sql": "busy_days.sql"})
    circle = product()
    set_custom(circle, "product", {"inputs": ["town.quiet_days"], "sql": "busy_days.sql"})
    with pytest.raises(ContractError, match="is its own input"):
        load_tree(write(tmp_path, source(), circle, other))


@pytest.mark.parametrize("kind", ["outside", "dangling", "folder"])
def test_contract_that_is_no_file_of_the_tree(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    file = root / "visit.odcs.yaml"
    if kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(tmp_path / "visit.odcs.yaml")
    if kind == "outside":
        write(tmp_path, source())
    with pytest.raises(ContractError) as caught:
        load_tree(root)
    assert_said(caught.value, "cannot be read" if kind == "folder" else "outside its tree")


def test_reference_linked_out_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "moons.csv").write_text("code\nA\n")
    root = tmp_path / "tree"
    (root / "reference").mkdir(parents=True)
    (root / "reference" / "moons.csv").symlink_to(tmp_path / "moons.csv")
    write(root, reference("reference/moons.odcs.yaml#schema/moons/properties/code"))
    with pytest.raises(ContractError, match="link that leaves the tree"):
        load_tree(root)


def test_reference_without_rows(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "moons.csv").write_text("code\n")
    write(tmp_path, reference("reference/moons.odcs.yaml#schema/moons/properties/code"))
    with pytest.raises(ContractError, match="holds no values"):
        load_tree(tmp_path)


PROVIDERS: dict[str, tuple[str, str]] = {
    "museum_not_listed": (
        "providers: [{id: zoo, name: n, name_en: n, kind: bureau, code: A}]\n",
        "is not in providers.yaml",
    ),
    "no_list": ("providers: 5\n", "no list of providers"),
    "missing": ("bureaus: []\n", "no list of providers"),
    "no_name": ("providers: [{id: museum}]\n", "required"),
    "unknown_key": (
        "providers: [{id: museum, name: n, name_en: n, kind: bureau, code: A, x: 1}]\n",
        "not permitted",
    ),
}


@pytest.mark.parametrize(("text", "words"), PROVIDERS.values(), ids=PROVIDERS)
def test_bad_providers(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, source())
    (tmp_path / "providers.yaml").write_text(text)
    with pytest.raises(ContractError, match=words):
        load_tree(tmp_path)
