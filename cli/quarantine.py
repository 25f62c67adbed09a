"""``./jingshu quarantine``: list bad rows by rule, with their lines (隔离)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.words import about, shown, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.loading import load_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.tree import Tree

_SHOWN_LINES = 12
_SHOWN_CHARACTERS = 24


@click.group(
    **about(
        "按规则和行号查看未通过的行。\n\n坏行原样保存，不进入已发布的表。",
        "See the rows that did not pass, by rule and line.\n\n"
        "Bad rows are kept as they came, apart from what is published.",
        "./jingshu quarantine list --table health__disease_case",
    )
)
def quarantine() -> None:
    """See the rows that did not pass, by rule and line."""


@quarantine.command(
    "list",
    **about(
        "按规则列出隔离的行及其行号；只显示一、二级列的值。",
        "List quarantined rows by rule with their lines; values of L1 and L2 columns only.",
        "./jingshu quarantine list --batch 20260715-1a2b",
    ),
)
@click.option(
    "--batch",
    "batch_id",
    metavar="ID",
    help=text("只看这一批（可只写批次号的开头）。", "One batch (or how its id begins)."),
)
@click.option(
    "--table",
    metavar="T",
    help=text("只看这张表：provider__dataset。", "One table: provider__dataset."),
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("输出一个 JSON 数组，含每一行。", "Print one JSON array, with every row."),
)
def list_(batch_id: str | None, table: str | None, as_json: bool) -> None:
    """List quarantined rows by rule with their lines; values of L1 and L2 columns only."""
    home, tree = Home.from_env(), load_tree()
    rows = list(_rows(home, tree, batch_id, table))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        tell("隔离区没有匹配的行。", "No quarantined row matches.")
        return
    by_rule: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        for reason in row["reasons"]:
            key = (row["table"], row["batch_id"], reason["rule_id"], reason["message"])
            by_rule.setdefault(key, []).append({"line": row["line"], **reason})
    last = None
    for (name, batch, rule_id, message), found in sorted(by_rule.items()):
        if (name, batch) != last:
            count = sum((r["table"], r["batch_id"]) == (name, batch) for r in rows)
            tell(f"{name} {batch}：{count} 行", f"{name} {batch}: {count} rows")
            last = (name, batch)
        click.echo(f"  {rule_id} × {len(found)}  {shown(message)}")
        lines = _lines(found)
        tell(f"    行：{lines}", f"    lines: {lines}")


def _lines(found: list[dict[str, Any]]) -> str:
    shown = [
        f"{r['line']}" if r["value"] is None else f"{r['line']} ({_short(r['value'])!r})"
        for r in found[:_SHOWN_LINES]
    ]
    more = f", … +{len(found) - _SHOWN_LINES}" if len(found) > _SHOWN_LINES else ""
    return ", ".join(shown) + more


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"


def _rows(
    home: Home, tree: Tree, batch_id: str | None, table: str | None
) -> Iterator[dict[str, Any]]:
    """Yield quarantined rows, table by table and line by line."""
    from jobs.operations.decisions import known_batch
    from jobs.tables.quarantine import of_batches
    from jobs.trial import shown_rows

    batch = known_batch(home, batch_id) if batch_id else None
    feeds = {f.table: f.contract for f in tree.feeds()}
    if table is not None and table not in feeds:
        known = ", ".join(sorted(feeds))
        raise UsageError(
            Words(f"没有表 {table!r}。", f"There is no table {table!r}."),
            Words(f"现有：{known}。", f"There is: {known}."),
        )
    for name, contract in sorted(feeds.items()):
        if (table and name != table) or (batch and name != batch.table):
            continue
        found = of_batches(home, name, [batch.batch_id] if batch else None)
        if found is None:
            continue
        found = found.sort_by([("_batch_id", "ascending"), ("_source_line", "ascending")])
        ids = found["_batch_id"].to_pylist()
        for of, row in zip(ids, shown_rows(contract, found), strict=True):
            reasons = [
                {
                    "rule_id": r.rule_id,
                    "column": r.column,
                    "message": r.message,
                    "value": r.value,
                }
                for r in row.reasons
            ]
            yield {"table": name, "batch_id": of, "line": row.line, "reasons": reasons}
