"""Invariant 7 from the contract's side: what is declared ends with a result, or lint refuses it.

The walk over the documents is written from the standard and not from ``contracts.rules``.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contracts import standard
from contracts.document import ContractError
from contracts.layout import ROOT
from contracts.lint import lint
from contracts.loading import load_tree
from contracts.rules import KEY_CONFLICT, SHAPE, element_ids
from contracts.standard import OBJECT, OPTIONS, PROPERTY, QUALITY, RELATIONSHIP, SLA
from tests.conftest import TREE
from tests.support.kitchen_sink import STREETS, kitchen_sink
from tests.support.small import Node, column, custom, properties, source, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.model import Contract

#: The option that a rule comes from, by the rule's kind.
KINDS = {
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "range",
    "maximum": "range",
    "exclusiveMinimum": "exclusive_range",
    "exclusiveMaximum": "exclusive_range",
    "multipleOf": "multiple_of",
}


def declared(document: Node) -> Iterator[str]:
    """Yield the id that the result of each declared check is to have."""
    [table] = document["schema"]
    for item in table["properties"]:
        name, options = item["name"], item.get("logicalTypeOptions") or {}
        own = {c["property"]: c["value"] for c in item.get("customProperties") or ()}
        yield from (f"{name}.{key}" for key in ("required", "unique") if item.get(key))
        yield from (f"{name}.{KINDS[key]}" for key in options if key in KINDS)
        if item.get("logicalType", "string") != "string":
            yield f"{name}.type"
        if "enum" in item or "enum" in own:
            yield f"{name}.enum"
        if "rule" in own:
            rule = own["rule"]
            yield f"{name}.{rule if isinstance(rule, str) else next(iter(rule))}"
        if item.get("primaryKey"):
            yield KEY_CONFLICT
        if item.get("relationships"):
            yield f"{name}.reference"
        yield from (q["id"] for q in item.get("quality") or ())
    for relation in table.get("relationships") or ():
        names = relation["from"] if isinstance(relation["from"], list) else [relation["from"]]
        names = [n.partition(".")[2] for n in names]
        yield f"{names[0]}.reference" if len(names) == 1 else f"row.reference.{'+'.join(names)}"
    yield from (q["id"] for q in table.get("quality") or ())
    yield from (
        f"sla.{p['property']}"
        for p in document.get("slaProperties") or ()
        if p["property"] in standard.SLA_UNCHECKED
    )


ALL = [*TREE.sources.values(), *TREE.products.values()]


@pytest.mark.parametrize("contract", ALL, ids=lambda c: c.id)
def test_every_declared_check_of_a_packaged_contract_has_its_result(contract: Contract) -> None:
    document = yaml.safe_load((ROOT / "contracts" / contract.source).read_text("utf-8"))
    assert {*element_ids(contract)} == {*declared(document), SHAPE}


def test_the_kitchen_sink_is_right_and_every_check_of_it_has_its_result(tmp_path: Path) -> None:
    made = load_tree(write(tmp_path, kitchen_sink())).contract("town.visit")
    ids = element_ids(made)
    assert {*ids} == {*declared(kitchen_sink()), SHAPE}
    assert len(ids) == len({*ids})
    assert made.column("kind").enum == ("x", "y")


# ---------------------------------------------------------------- the standard, element by element

SCHEMA: Node = json.loads(
    resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
)


def keys_of(name: str) -> set[str]:
    """Return every key that the official schema has for one of its definitions."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        found.update(node.get("properties", {}))
        parts = [node, *(node.get("allOf") or ()), *(node.get("oneOf") or ())]
        for part in parts:
            for inner in (part if part is not node else {}, part.get("then") or {}):
                found.update(inner.get("properties", {}))
                for deeper in (*(inner.get("oneOf") or ()), *(inner.get("allOf") or ())):
                    walk(deeper)
                if "$ref" in inner:
                    walk(SCHEMA["$defs"][inner["$ref"].rpartition("/")[2]])
        if "$ref" in node:
            walk(SCHEMA["$defs"][node["$ref"].rpartition("/")[2]])

    walk(SCHEMA["$defs"][name])
    return found


ELEMENTS = {
    "SchemaObject": OBJECT,
    "SchemaProperty": PROPERTY,
    "DataQuality": QUALITY,
    "RelationshipSchemaLevel": RELATIONSHIP,
    "ServiceLevelAgreementProperty": SLA,
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_key_of_the_standard_is_read_descriptive_or_refused(name: str) -> None:
    element = ELEMENTS[name]
    ways = [*element.read, *element.descriptive, *element.refused]
    assert len(ways) == len({*ways})
    assert element.known == keys_of(name)


def options_of(kind: str) -> set[str]:
    found: set[str] = set()
    for part in SCHEMA["$defs"]["SchemaBaseProperty"]["allOf"]:
        if f'"const": "{kind}"' in json.dumps(part.get("if")):
            found |= {*part["then"]["properties"]["logicalTypeOptions"]["properties"]}
    return found


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_of_a_type_is_checked_or_refused(tmp_path: Path, kind: str) -> None:
    known = options_of(kind)
    assert OPTIONS[kind].read | {*OPTIONS[kind].refused} == known
    for name in OPTIONS[kind].refused:
        written = {"timezone": True, "integer.format": "i32", "number.format": "f32"}
        value = written.get(f"{kind}.{name}", written.get(name, "x"))
        contract = source()
        properties(contract).append(column("extra", kind, logicalTypeOptions={name: value}))
        [error] = [e for e in errors(tmp_path, contract) if e.place[-1] == name]
        assert f"nothing checks {name!r} on a {kind}" in error.problem.en
        assert error.remedy == OPTIONS[kind].refused[name]


def errors(root: Path, *contracts: Node) -> list[ContractError]:
    return lint(write(root, *contracts))[1]


def quality(**check: object) -> Node:
    contract = source()
    operator = {} if any(key.startswith("must") for key in check) else {"mustBe": 0}
    contract["schema"][0]["quality"] = [{"name": "q"} | operator | check]
    return contract


def related(own: object, there: object) -> Node:
    contract = source()
    contract["schema"][0]["relationships"] = [{"from": own, "to": there}]
    return contract


def with_column(kind: str = "string", **more: object) -> Node:
    contract = source()
    properties(contract).append(column("extra", kind, **more))
    return contract


def sla(name: str, **more: object) -> Node:
    contract = source()
    contract["slaProperties"] = [{"property": name, "value": 1, "unit": "d"} | more]
    return contract


CODE = f"{STREETS}/category_code"
WRONG: dict[str, tuple[Node, str, str]] = {
    "misspelt_sla": (
        sla("timeofavailability"),
        "level 'timeofavailability'",
        "timeOfAvailability.",
    ),
    "unknown_sla": (sla("colour"), "level 'colour'", "Write one of: frequency, "),
    "sla_value_ext": (sla("latency", valueExt=3), "runs 'valueExt'", "Write one value"),
    "misspelt_custom": (
        source(customProperties=custom(treshold={}, load={"mode": "append"})),
        "'treshold'",
        "Write thresholds.",
    ),
    "object_custom": (
        source(schema=[{**source()["schema"][0], "customProperties": custom(x=1)}]),
        "nothing reads the customProperty 'x'",
        "Take it out",
    ),
    "quality_custom": (
        quality(metric="rowCount", customProperties=custom(x=1)),
        "nothing runs 'customProperties'",
        "arguments",
    ),
    "measure": (with_column(semanticType="measure"), "runs 'semanticType'", "Leave it out"),
    "server_delimiter": (
        source(servers=[{**source()["servers"][0], "type": "custom", "delimiter": ";"}]),
        "reads 'delimiter' of a server",
        "into its customProperty export",
    ),
    "placeholder_of_no_property": (
        quality(type="sql", query="SELECT COUNT(*) FROM {object} WHERE {property} IS NULL"),
        "nothing fills {property}",
        "under its property",
    ),
    "placeholder_unknown": (
        quality(type="sql", query="SELECT COUNT(*) FROM ${tabel}"),
        "nothing fills {tabel}",
        "{object}",
    ),
    "argument_unknown": (
        quality(metric="rowCount", arguments={"property": "guests"}),
        "rowCount reads no argument 'property'",
        "It takes none.",
    ),
    "argument_misspelt": (
        quality(metric="invalidValues", arguments={"property": "guests", "validvalues": [1]}),
        "no argument 'validvalues'",
        "Write validValues.",
    ),
    "pattern_of_an_argument": (
        quality(metric="invalidValues", arguments={"property": "guests", "pattern": "(?P<x>a)"}),
        "no regular expression",
        "ECMA-262",
    ),
    "bounds_turned": (
        quality(metric="rowCount", mustBeBetween=[9, 1]),
        "between 9 and 1",
        "smaller",
    ),
    "check_called_as_a_rule": (
        quality(name="guests.type", metric="rowCount"),
        "'guests.type' is called as a rule",
        "another id",
    ),
    "relation_elsewhere": (related("visit.guests", "other.kind"), "no reference column", "<file"),
    "relation_of_two_to_one": (
        related(["visit.guests", "visit.visit_id"], [CODE]),
        "",
        "either side",
    ),
    "relation_of_no_column": (related("visit.gone", CODE), "no column 'gone'", "Name columns"),
    "relation_of_another_table": (
        related("zoo.guests", CODE),
        "no column of visit",
        "visit.<column>",
    ),
    "enum_twice": (
        with_column(enum=[{"value": "a"}], customProperties=custom(enum=["b"])),
        "not that of its customProperties",
        "one of the two lists",
    ),
    "decimal_of_99": (with_column(kind="number", physicalType="decimal(99,2)"), "no decimal", "38"),
    "decimal_of_nothing": (with_column(kind="number", physicalType="decimal"), "no decimal", "38"),
    "time": (with_column(kind="time"), "'time' is none", "'timestamp'"),
    "headers_alike": (
        with_column(physicalName="ＧＵＥＳＴＳ\u200b *"),
        "share the header",
        "its own",
    ),
    "alias_of_another": (
        source(
            servers=[
                {
                    **source()["servers"][0],
                    "customProperties": custom(export={"aliases": {"Guests": "visit_id"}}),
                }
            ]
        ),
        "is how guests is called too",
        "one column",
    ),
    "footer_of_java": (
        source(
            servers=[
                {
                    **source()["servers"][0],
                    "customProperties": custom(export={"footer": "^\\p{IsHan}+"}),
                }
            ]
        ),
        "no regular expression",
        "ECMA-262",
    ),
    "nothing_fits": (
        with_column(kind="integer", logicalTypeOptions={"minimum": 1, "exclusiveMaximum": 1}),
        "no number lies between 1 and 1",
        "smaller bound",
    ),
    "no_length_fits": (
        with_column(logicalTypeOptions={"minLength": 3, "maxLength": 2}),
        "no text is 3 to 2",
        "smaller bound",
    ),
    "two_operators": (
        quality(metric="rowCount", mustBe=1, mustBeLessThan=2),
        "2 operators in one check (mustBe, mustBeLessThan)",
        "mustBeBetween",
    ),
    "key_misspelt": (with_column(requird=True), "'requird' is no key", "Write required."),
}


@pytest.mark.parametrize(("contract", "problem", "remedy"), WRONG.values(), ids=WRONG)
def test_what_nothing_runs_is_refused_with_what_to_write(
    tmp_path: Path, contract: Node, problem: str, remedy: str
) -> None:
    [error] = errors(tmp_path, contract)
    assert problem in error.problem.en
    assert remedy in error.remedy.en
    assert ".py" not in str(error.remedy)


def test_lint_names_every_error_of_a_file_at_once(tmp_path: Path) -> None:
    contract = source(status="retiring", colour="red")
    contract["slaProperties"][1]["property"] = "timeofavailability"
    contract["servers"][0]["path"] = "/etc/passwd"
    contract["customProperties"] += custom(treshold={})
    properties(contract)[0]["logicalTypeOptions"] = {"pattern": "(", "minLength": -1}
    properties(contract)[1]["nullable"] = True
    properties(contract).append(column("extra", "day"))
    properties(contract).append(column("a b", customProperties=custom(rule="moon", enum=[])))
    contract["schema"][0]["quality"] = [
        {"id": "q", "metric": "rowCount", "mustBe": "many"},
        {"id": "q2", "metric": "rowCount", "mustBe": True},
    ]
    (tmp_path / "visit.odcs.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True), "utf-8")
    told = lint(tmp_path)[1]
    words = " | ".join(str(e) for e in told)
    for part in (
        "'retiring'",
        "'colour'",
        "'timeofavailability'",
        "leaves the source's root",
        "'treshold'",
        "no regular expression",
        "-1",
        "'nullable'",
        "'day'",
        "'a b'",
        "is no list of values",
        "'many'",
        "True is no number",
    ):
        assert part in words, part
    lines = [e.line or 0 for e in told]
    assert lines == sorted(lines)
    with pytest.raises(ContractError) as caught:
        load_tree(tmp_path)
    assert [str(e) for e in caught.value.all] == [str(e) for e in told]
