"""An agreed request as a product contract: the same build, share, lineage and checks run it.

Its approvals are the signatures of the request, so a level is lowered by whoever agreed, or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contracts.model import SHARE_CEILING, max_level
from contracts.requested import DOMAIN
from contracts.vocabulary import MASK_LOWERS
from contracts.words import Words
from jobs.spark.types import SPARK_TYPES
from sharing.joined import query as sql
from sharing.requests.allowing import RequestStateError
from sharing.requests.asked import DAY, IN_ALL, PERSONS, SUPPRESSED
from sharing.requests.parties import joined_dataset, level_under, policy_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model import Column, Level
    from contracts.tree import Tree
    from sharing.requests.asked import Source
    from sharing.requests.tables import Ask

#: What each count is called.
_COUNTS: Final = {PERSONS: "人数", IN_ALL: "各来源都有的人数"}


def document(ask: Ask, tree: Tree, status: str) -> dict[str, Any]:
    """Return the contract (ODCS v3.1) of a joined request."""
    dataset = joined_dataset(ask.id)
    columns = list(_columns(ask, tree))
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": contract_id(ask.id),
        "name": ask.asked.title,
        "version": "1.0.0",
        "status": status,
        "domain": DOMAIN,
        "description": {
            "purpose": ask.asked.purpose,
            "usage": ask.asked.scenario,
            "limitations": f"仅供 {ask.asked.body} 用于申请 {ask.id}，至 {ask.asked.ends_on}",
        },
        "schema": [
            {
                "name": dataset,
                "physicalName": ask.asked.title,
                "physicalType": "table",
                "logicalType": "object",
                "properties": columns,
                "quality": list(_quality(ask)),
            }
        ],
        "slaProperties": [{"property": "frequency", "value": 1, "unit": "d"}],
        "team": {"name": ask.asked.body, "members": []},
        "customProperties": [{"property": "product", "value": _product(ask, columns)}],
    }


def approvals(ask: Ask, tree: Tree) -> list[dict[str, str]]:
    """Return the register's rows: what the request's signatures let be lowered."""
    signed_by, signed_on = _signature(ask)
    return [
        {
            "id": ask.id,
            "function": function,
            "column": f"{contract_id(ask.id)}.{name}",
            "from": before,
            "to": after,
            "approver": signed_by,
            "date": signed_on,
            "reason": ask.asked.purpose,
        }
        for name, function, before, after in _lowerings(ask, tree)
    ]


def _columns(ask: Ask, tree: Tree) -> Iterator[dict[str, Any]]:
    lowered = {name: function for name, function, _, _ in _lowerings(ask, tree)}
    key = [*ask.asked.by, DAY]
    signed_by, signed_on = _signature(ask)
    for name, column, level in _shape(ask, tree):
        made: dict[str, Any] = {
            "name": name,
            "businessName": column["businessName"],
            "description": column["description"],
            "logicalType": column["logicalType"],
            "physicalType": SPARK_TYPES[column["logicalType"]],
            "required": name in key,
            "classification": level,
            "customProperties": [{"property": "release", "value": {"mask": "keep"}}],
        }
        if ask.asked.by and name in key:
            made |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
        if name in lowered:
            made["customProperties"].append(
                {
                    "property": "lowering",
                    "value": {
                        "function": lowered[name],
                        "approval": ask.id,
                        "approved_by": signed_by,
                        "approved_on": signed_on,
                        "reason": ask.asked.purpose,
                    },
                }
            )
        yield made


def _shape(ask: Ask, tree: Tree) -> Iterator[tuple[str, dict[str, str], Level]]:
    """Yield every column: its name, what it is, and the level it is given."""
    if ask.asked.by:
        first = tree.contract(ask.asked.sources[0].contract)
        for name in ask.asked.by:
            column = first.column(name)
            yield name, _words(column), column.effective_level
    else:
        for name, source, release in sql.released(ask.id, ask.asked):
            column = tree.contract(source.contract).column(name)
            words = _words(column)
            if release.mask in ("hmac_sm3", "sm4", "partial", "prefix"):
                words["logicalType"] = "string"
            elif release.mask == "generalise":
                words["logicalType"] = "number"
            yield name, words, level_under(column.effective_level, release.mask)
    yield DAY, _described("业务日期", "这一行说明的是哪一天", "date"), "L1"
    if not ask.asked.by:
        return
    for name in sql.counts_of(ask.asked):
        yield name, _described(_COUNTS[name], "去重；1 至 k-1 人不公布", "integer"), SHARE_CEILING
    flag = _described("有小格抑制", "真 = 有人数因不足 k 人未公布", "boolean")
    yield SUPPRESSED, flag, SHARE_CEILING


def _lowerings(ask: Ask, tree: Tree) -> Iterator[tuple[str, str, Level, Level]]:
    """Yield what is below its inputs: column, function, level before, level after."""
    if ask.asked.by:
        keys = [_key(tree, s).effective_level for s in ask.asked.sources]
        for name in (*sql.counts_of(ask.asked), SUPPRESSED):
            level = keys[0] if name == PERSONS else max_level(keys)
            if level > SHARE_CEILING:
                yield name, "aggregate_k", level, SHARE_CEILING
        return
    for name, source, release in sql.released(ask.id, ask.asked):
        level = tree.contract(source.contract).column(name).effective_level
        if (after := level_under(level, release.mask)) < level:
            yield name, MASK_LOWERS[release.mask], level, after


def _key(tree: Tree, source: Source) -> Column:
    return tree.contract(source.contract).column(source.key or "")


def _words(column: Column) -> dict[str, str]:
    return _described(column.business_name, column.description, column.type)


def _described(business_name: str, description: str, logical_type: str) -> dict[str, str]:
    return {
        "businessName": business_name,
        "description": description,
        "logicalType": logical_type,
    }


def _quality(ask: Ask) -> Iterator[dict[str, Any]]:
    counts = sql.counts_of(ask.asked)
    if not counts:
        return
    small = " OR ".join(f"{name} BETWEEN 1 AND {ask.asked.k - 1}" for name in counts)
    yield {
        "id": "no_small_cell",
        "type": "sql",
        "description": f"没有 1 至 {ask.asked.k - 1} 人的格子",
        "query": f"SELECT COUNT(*) FROM {{object}} WHERE {small}",  # noqa: S608 - our own names
        "dimension": "conformity",
        "severity": "error",
        "mustBe": 0,
    }


def _product(ask: Ask, columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "inputs": [source.contract for source in ask.asked.sources],
        "sql": f"{joined_dataset(ask.id)}.sql",
        "k": ask.asked.k,
        "policies": [
            {
                "name": policy_name(ask.asked),
                "columns": {column["name"]: {"mask": "keep"} for column in columns},
            }
        ],
    }


def _signature(ask: Ask) -> tuple[str, str]:
    """Return who agreed last, and on which day: the authority, where it had to."""
    agreed = ask.last("agree_as_authority", "agree", "accept")
    if agreed is None:
        raise RequestStateError(
            Words(f"{ask.id} 尚未获同意。", f"{ask.id} is not agreed to."),
            Words("请先由其提供部门同意。", "Have its providers agree first."),
        )
    return agreed.actor, agreed.at.date().isoformat()


def contract_id(ask_id: str) -> str:
    """Return the id of the product that a joined request is made into."""
    return f"{DOMAIN}.{joined_dataset(ask_id)}"
