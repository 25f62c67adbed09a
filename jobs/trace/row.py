"""Row lineage: from silver, gold or shared down to the line of the file, with the evidence.

The Delta logs tell which stage or batch a visible row is of, and which versions a build read; the
product's column graph tells which rows of its inputs a key selects. No value leaves this module.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from jobs.record import governance, leaves
from jobs.tables import silver, staged
from jobs.tables.delta import dataset, open_table
from jobs.trace.key import key_filter, parse_key
from jobs.trace.result import BatchSource, Found, Row, Step
from jobs.trial import OPEN
from lineage.evidence.log import EvidenceLog
from lineage.index import ask
from lineage.plan import product_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from deltalake import DeltaTable

    from contracts.layout import Home, Layer
    from contracts.model import Column, Contract
    from contracts.product import Policy
    from contracts.tree import Tree
    from jobs.record.governance import BatchRow

_LAYERS: Final = ("shared", "gold", "silver")
#: As many lines of one batch are named; all are counted.
_MOST_LINES: Final = 100
#: A table's whole content is made of: nothing selects rows of it.
_ALL: Final[Mapping[str, str]] = {}


@dataclass(frozen=True)
class _Table:
    """A table of the lake that a row may be asked of."""

    layer: Layer
    name: str
    contract: Contract
    columns: tuple[Column, ...]
    policy: Policy | None = None

    def __str__(self) -> str:
        return f"{self.layer}/{self.name}"


def row_lineage(home: Home, tree: Tree, table: str, key: str) -> Found:
    """Return where the rows came from that have this key in a table's newest version.

    ``table`` is ``silver/…``, ``gold/…`` or ``shared/…``, or the name alone; ``key`` as
    ``parse_key`` takes it. Raises UsageError where there is no such table or row.
    """
    asked = _known(tree, table)
    stored = open_table(home.table(asked.layer, asked.name))
    if stored is None:
        raise UsageError(
            Words(f"{asked} 从未发布。", f"{asked} was never published."),
            Words("请先运行 ./jingshu run。", "Run ./jingshu run first."),
        )
    values = parse_key(asked.contract, asked.columns, key)
    lineage = _RowLineage(home, tree)
    if asked.layer == "silver":
        sources = lineage.sources(asked.contract, asked.name, stored.version(), values)
        rows = tuple(Row((), (source,), tuple(values)) for source in sources)
    else:
        rows = tuple(lineage.derived(asked, stored, values))
    if not rows:
        raise UsageError(
            Words(
                f"{asked} 没有该主键的可见行。",
                f"No visible row of {asked} has that key.",
            ),
            Words(
                "若该行未通过检查，./jingshu quarantine list 会列出它的行号。",
                "If it did not pass, ./jingshu quarantine list names its line.",
            ),
        )
    shown = {
        n: v if asked.contract.column(n).effective_level in OPEN else None
        for n, v in values.items()
    }
    return Found(str(asked), stored.version(), shown, rows)


def _known(tree: Tree, text: str) -> _Table:
    """Return the table that a name means, the most refined first."""
    layer, _, name = text.rpartition("/")
    found = [t for t in _tables(tree) if t.name == name and layer in ("", t.layer)]
    if found:
        return found[0]
    names = ", ".join(sorted(str(t) for t in _tables(tree) if name and name in t.name)[:8])
    raise UsageError(
        Words(
            f"{'、'.join(_LAYERS)} 中没有表 {text!r}。",
            f"There is no table {text!r} of {', '.join(_LAYERS)}.",
        ),
        Words(f"现有：{names}。", f"There is: {names}.")
        if names
        else Words("请看 ./jingshu contract show。", "See ./jingshu contract show."),
    )


def _tables(tree: Tree) -> Iterator[_Table]:
    for product in tree.products.values():
        for policy in product.product_plan.policies:
            kept = tuple(
                c
                for c in product.columns
                if c.name in policy.columns and policy.columns[c.name].mask != "drop"
            )
            name = f"{product.product_table}__{policy.name}"
            yield _Table("shared", name, product, kept, policy)
    for product in tree.products.values():
        yield _Table("gold", product.product_table, product, product.columns)
    for feed in tree.feeds():
        yield _Table("silver", feed.table, feed.contract, feed.contract.columns)


class _RowLineage:
    """Follows rows back through one home's Delta logs, governance and evidence."""

    def __init__(self, home: Home, tree: Tree) -> None:
        self._home = home
        self._tree = tree
        self._log = EvidenceLog(home)
        self._batches: dict[str, dict[str, BatchRow]] = {}

    def derived(
        self, asked: _Table, stored: DeltaTable, values: Mapping[str, str]
    ) -> Iterator[Row]:
        """Yield the rows of gold or shared by the build that showed them."""
        rows = dataset(stored)
        matches = key_filter(self._home, asked.contract, asked.name, rows.schema, values)
        files = rows.to_table(columns=["__filename"], filter=matches)["__filename"].to_pylist()
        known = values
        if asked.policy is not None:
            kept = asked.policy.columns
            known = {n: v for n, v in values.items() if kept[n].mask == "keep"}
        selected, told_by = _selected(self._tree, asked.contract, known)
        for stage in sorted({s for f in files if (s := staged.stage_of_file(f)) is not None}):
            commit = _shown_by(stored, stage)
            steps = [self._step(asked.contract, asked.layer, asked.name, stage, commit)]
            if asked.policy is not None:
                step, commit = self._built(asked.contract, str(commit["jingshu.source"]))
                steps.append(step)
            inputs: dict[str, int] = json.loads(str(commit["jingshu.inputs"]))
            sources = [
                source
                for name, version in sorted(inputs.items())
                for source in self.sources(
                    self._contract(name), name, version, selected.get(name, _ALL)
                )
            ]
            yield Row(tuple(steps), tuple(sources), told_by)

    def _built(self, product: Contract, stage: str) -> tuple[Step, Mapping[str, Any]]:
        """Return the build that a share projected, and its commit."""
        name = product.product_table
        gold = open_table(self._home.table("gold", name))
        if gold is None:
            raise _gone(_table(f"gold/{name}"))
        commit = _shown_by(gold, stage)
        return self._step(product, "gold", name, stage, commit), commit

    def sources(
        self, contract: Contract, table: str, version: int, values: Mapping[str, str]
    ) -> list[BatchSource]:
        """Return the batches of a silver version; with values, the lines of the rows with them."""
        stored = open_table(self._home.table("silver", table))
        if stored is None:
            raise _gone(_table(f"silver/{table}"))
        stored.load_as_version(version)
        rows = dataset(stored)
        matches = key_filter(self._home, contract, table, rows.schema, values) if values else None
        columns = ["_batch_id", "_source_line"] if values else ["_batch_id"]
        try:
            found = rows.to_table(columns=columns, filter=matches)
        except FileNotFoundError as gone:
            lost = Words(f"silver/{table} 第 {version} 版", f"silver/{table} version {version}")
            raise _gone(lost) from gone
        return [
            self._source(contract, table, version, batch_id, lines)
            for batch_id, lines in _by_batch(found)
        ]

    def _source(
        self,
        contract: Contract,
        table: str,
        version: int,
        batch_id: str,
        lines: tuple[int, Sequence[int] | None],
    ) -> BatchSource:
        row = self._batch_rows(table).get(batch_id)
        count, named = lines
        made = ask(self._home, lambda s: s.newest_write(f"silver/{table}", batch=batch_id))
        evidence, released_by = self._evidence(table, batch_id)
        provider, _, dataset = table.partition("__")
        place = self._home.raw(provider, dataset, batch_id).relative_to(self._home.root)
        return BatchSource(
            table=f"silver/{table}",
            version=version,
            batch_id=batch_id,
            business_date=row.business_date.isoformat() if row else None,
            file=str(place / row.file_name) if row else None,
            rows=count,
            lines=None if named is None else tuple(sorted(named)[:_MOST_LINES]),
            contract=f"{row.contract_id}@{row.contract_version}" if row else None,
            contract_file=contract.source,
            origin=row.origin if row else None,
            status=row.status if row else None,
            run_id=made.run_id if made else None,
            published_by=released_by or "audit",
            owner=contract.owner,
            evidence=evidence,
        )

    def _batch_rows(self, table: str) -> dict[str, BatchRow]:
        if table not in self._batches:
            rows = governance.batches_of(self._home, *table.split("__", 1))
            self._batches[table] = {r.batch_id: r for r in rows}
        return self._batches[table]

    def _evidence(self, table: str, batch_id: str) -> tuple[tuple[str, ...], str | None]:
        """Return the keys of a batch's leaves, and who released it if a person did."""
        keys = set(self._log.keys_of(f"{table}@{batch_id}"))
        stored = open_table(self._home.table("silver", table))
        row = self._batch_rows(table).get(batch_id)
        released_by = None
        for publication in silver.publications(stored):
            if publication.kind != "publish" or publication.batch_id != batch_id or row is None:
                continue
            verdict = self._log.find(
                f"verdict:{leaves.verdict_subject(self._home, row, publication.digest)}"
            )
            if verdict is not None:
                keys.add(verdict.leaf.key)
                released_by = cast("str | None", verdict.leaf.facts.get("released_by"))
        return tuple(sorted(keys)), released_by

    def _step(
        self, contract: Contract, layer: str, name: str, stage: str, commit: Mapping[str, Any]
    ) -> Step:
        kind = "build" if layer == "gold" else "share"
        return Step(
            table=f"{layer}/{name}",
            version=int(commit["version"]),
            business_date=str(commit["jingshu.business_date"]),
            contract=f"{contract.id}@{contract.version}",
            contract_file=contract.source,
            evidence=tuple(
                k for k in self._log.keys_of(f"{name}@{stage}") if k.startswith(f"{kind}:")
            ),
        )

    def _contract(self, table: str) -> Contract:
        return next(f.contract for f in self._tree.feeds() if f.table == table)


def _by_batch(found: pa.Table) -> list[tuple[str, tuple[int, list[int] | None]]]:
    """Return each batch with its count of rows, and their lines where they were read."""
    by_batch: dict[str, list[int]] = {}
    if "_source_line" not in found.column_names:
        counted = found["_batch_id"].value_counts().to_pylist()
        return sorted((c["values"], (c["counts"], None)) for c in counted)
    for batch_id, line in zip(
        found["_batch_id"].to_pylist(), found["_source_line"].to_pylist(), strict=True
    ):
        by_batch.setdefault(batch_id, []).append(line)
    return [(b, (len(lines), lines)) for b, lines in sorted(by_batch.items())]


def _selected(
    tree: Tree, product: Contract, key: Mapping[str, str]
) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return, by input table, the values that the key's columns were there, and which columns.

    Only a column taken over unchanged tells: its value is the input's.
    """
    graph = product_graph(tree, product)
    selected: dict[str, dict[str, str]] = {}
    told_by: set[str] = set()
    for name, value in key.items():
        for i in graph.columns[name]:
            layer, _, table = i.field.dataset.partition("/")
            if (layer, i.type, i.subtype, i.masking) == ("silver", "DIRECT", "IDENTITY", False):
                selected.setdefault(table, {})[i.field.column] = value
                told_by.add(name)
    return selected, tuple(sorted(told_by))


def _shown_by(table: DeltaTable, stage: str) -> Mapping[str, Any]:
    found = (c for c in table.history() if c.get("jingshu.stage") == stage)
    commit: Mapping[str, Any] | None = next(found, None)
    if commit is None:
        raise _gone(Words(f"展示 {stage} 的提交", f"the commit that showed {stage}"))
    return commit


def _table(name: str) -> Words:
    return Words(f"表 {name}", name)


def _gone(what: Words) -> JingshuError:
    return JingshuError(
        Words(f"{what.zh}已不在。", f"{what.en} is gone."),
        Words(
            "请从备份恢复湖；参见 ./jingshu verify。",
            "Restore the lake from a backup; see ./jingshu verify.",
        ),
    )
