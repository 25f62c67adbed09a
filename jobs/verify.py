"""verify: proves the invariants of design §2 on any lake, from the stored files alone.

Every check reads what is on disk (tables, logs, leaves), never what a job remembers. The answer is
"all invariants hold", or exactly what broke and where; what is only unfinished is called recovering.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.rules import row_rules
from jobs import governance, intents, silver
from jobs.audit.digest import digest_of
from jobs.delta import open_table
from jobs.refine.plan import CARRIED, GOOD, OUTDATED, TOMBSTONE
from lineage.evidence.log import EvidenceLog
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deltalake import DeltaTable

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.governance import BatchRow, CheckRow
    from jobs.silver import Publication

#: Statuses of a batch whose rows were, or still are, visible.
_SHOWN: Final = ("published", "superseded", "withdrawn")


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: the invariant (design §2), where, and what."""

    invariant: int
    where: str
    problem: str
    is_recovering: bool = False


@dataclass
class Report:
    """What was checked, and what did not hold."""

    checked: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether all invariants hold; a step under way is no broken invariant."""
        return not any(not f.is_recovering for f in self.findings)


@dataclass(frozen=True)
class Lake:
    """A lake as its files tell it; each part is read once."""

    home: Home
    tree: Tree

    @cached_property
    def batches(self) -> list[BatchRow]:
        """The newest row of every batch."""
        return governance.latest_batches(self.home)

    @cached_property
    def checks(self) -> Mapping[str, list[CheckRow]]:
        """The check results by batch."""
        found: dict[str, list[CheckRow]] = {}
        for row in governance.check_results(self.home):
            found.setdefault(row.batch_id, []).append(row)
        return found

    @cached_property
    def leaves(self) -> frozenset[str]:
        """The keys of all leaves in the evidence log."""
        log = EvidenceLog(self.home)
        if not log.size:
            return frozenset()
        from lineage.evidence.leaf import Leaf

        return frozenset(Leaf.parse(entry).key for _, entry in log.entries())

    @cached_property
    def recovering(self) -> frozenset[str]:
        """The names of steps that were begun and not finished."""
        return frozenset(i.name for i in intents.open_intents(self.home))

    @cached_property
    def tables(self) -> Mapping[str, DeltaTable]:
        """Every silver table of the lake by name."""
        return self._layer("silver")

    def _layer(self, layer: str) -> Mapping[str, DeltaTable]:
        folder = self.home.table("silver", "_").parent.parent / layer
        names = sorted(p.parent.name for p in folder.glob("*/_delta_log"))
        opened = {n: open_table(folder / n) for n in names}
        return {n: t for n, t in opened.items() if t is not None}

    def layer(self, layer: str) -> Mapping[str, DeltaTable]:
        """Return every table of one layer by name."""
        return self._layer(layer)


def verify(home: Home, tree: Tree) -> Report:
    """Check every invariant that exists so far and return what was found."""
    report = Report()
    lake = Lake(home, tree)
    for check in (_rows, _publications, _periods, _columns, _levels, _evidence, _results, _origins):
        for invariant, finding in check(lake):
            report.checked[invariant] += 1
            if finding is not None:
                report.findings.append(finding)
    return report


Checked = tuple[int, Finding | None]


def _say(invariant: int, where: str, problem: str | None, **more: bool) -> Checked:
    return invariant, Finding(invariant, where, problem, **more) if problem else None


def _rows(lake: Lake) -> Iterator[Checked]:
    """Invariant 1: rows landed = published + quarantined + exact duplicates."""
    bronze = {n: _per_batch(t) for n, t in lake.layer("bronze").items()}
    quarantined = {n: _per_batch(t) for n, t in lake.layer("quarantine").items()}
    for row in lake.batches:
        if row.status in ("refused", "rejected", "failed") and not row.rows_landed:
            continue
        where = f"{row.table}@{row.batch_id}"
        landed = bronze.get(row.table, Counter())[row.batch_id]
        yield _say(
            1,
            where,
            f"{row.rows_landed} rows are said to have landed, bronze holds {landed}"
            if landed != row.rows_landed
            else None,
        )
        if row.status in _SHOWN and row.silver_version is not None:
            total = row.rows_published + row.rows_quarantined + row.rows_duplicate
            yield _say(
                1,
                where,
                f"{row.rows_landed} rows landed, {total} are accounted for"
                if total != row.rows_landed
                else None,
            )
            kept = quarantined.get(row.table, Counter())[row.batch_id]
            yield _say(
                1,
                where,
                f"{row.rows_quarantined} rows are said to be in quarantine, it holds {kept}"
                if kept != row.rows_quarantined
                else None,
            )


def _per_batch(table: DeltaTable) -> Counter[str]:
    counted = table.to_pyarrow_dataset().to_table(columns=["_batch_id"])
    groups = counted.group_by("_batch_id").aggregate([("_batch_id", "count")])
    return Counter({r["_batch_id"]: r["_batch_id_count"] for r in groups.to_pylist()})


def _publications(lake: Lake) -> Iterator[Checked]:
    """Invariant 2: what is visible was audited, passed, and has its leaf."""
    known = {row.batch_id: row for row in lake.batches}
    for name, table in lake.tables.items():
        said = {p.batch_id: p for p in silver.in_force(table)}
        yield from _files(name, table, set(said))
        visible = _per_batch(table)
        for batch_id in visible:
            is_known = batch_id in said
            where = f"silver/{name}@{batch_id}"
            yield _say(2, where, None if is_known else "rows are visible that nobody published")
        for publication in said.values():
            yield from _publication(lake, name, publication, known.get(publication.batch_id))
            yield from _shown(lake, name, publication, visible, known.get(publication.batch_id))


def _publication(
    lake: Lake, table: str, publication: Publication, row: BatchRow | None
) -> Iterator[Checked]:
    where = f"silver/{table}@{publication.batch_id}"
    is_recovering = f"publish:{publication.batch_id}" in lake.recovering
    results = lake.checks.get(publication.batch_id, [])
    digest = digest_of(results, "publish")
    problems = {
        f"version {publication.version} has no row in governance.batches": row is None,
        "the visible version has no publication leaf": f"publication:{table}@{publication.batch_id}"
        not in lake.leaves,
        "there is no passing verdict in the evidence log": (
            f"verdict:{table}@{publication.batch_id}/{publication.digest[:12]}" not in lake.leaves
        ),
        "the check results are not those the verdict was given on": digest != publication.digest,
    }
    for problem, is_so in problems.items():
        yield _say(2, where, problem if is_so else None, is_recovering=is_so and is_recovering)


def _files(name: str, table: DeltaTable, published: set[str]) -> Iterator[Checked]:
    """Every visible file is a published batch's, is there, and has the bytes the log names."""
    root = table.table_uri.removeprefix("file://").rstrip("/")
    for file in silver.files(table):
        path = str(file["path"])
        where = f"silver/{name}/{path}"
        batch_id = silver.batch_of_file(path)
        problem = None
        on_disk = _stat(root, path)
        if batch_id not in published:
            problem = "a visible file belongs to no published batch"
        elif on_disk is None:
            problem = "a visible file is missing on disk"
        elif on_disk != (file["size_bytes"], file["num_records"]):
            problem = (
                f"the file has {on_disk[0]} bytes and {on_disk[1]} rows; the log says"
                f" {file['size_bytes']} and {file['num_records']}"
            )
        yield _say(2, where, problem)


def _stat(root: str, path: str) -> tuple[int, int] | None:
    from pathlib import Path

    file = Path(root) / path
    if not file.is_file():
        return None
    try:
        return file.stat().st_size, pq.read_metadata(file).num_rows
    except (OSError, ValueError):
        return file.stat().st_size, -1


def _shown(
    lake: Lake,
    table: str,
    publication: Publication,
    visible: Counter[str],
    row: BatchRow | None,
) -> Iterator[Checked]:
    """The rows a published batch shows are the rows it is said to have published."""
    if row is None or row.status != "published":
        return
    contract = lake.tree.sources.get(row.contract_id)
    if contract is None:
        return
    where = f"silver/{table}@{publication.batch_id}"
    shown = visible[publication.batch_id]
    if contract.load.mode == "merge_key":
        stage = silver.stage_path(lake.home, table, publication.batch_id)
        staged = _staged(stage, publication.batch_id)
        shown = sum(staged[s] for s in (GOOD, OUTDATED, TOMBSTONE))
        if not stage.is_dir():
            return
    is_same = shown == row.rows_published
    yield _say(
        1,
        where,
        None if is_same else f"{row.rows_published} rows were published, {shown} are there",
    )


def _staged(stage: Any, batch_id: str) -> Counter[str]:
    import pyarrow.dataset as ds

    found: Counter[str] = Counter()
    for state in (GOOD, OUTDATED, TOMBSTONE, CARRIED):
        folder = stage / f"_ok={state}"
        if folder.is_dir():
            mine = pc.field("_batch_id") == batch_id
            found[state] = ds.dataset(folder, format="parquet").count_rows(filter=mine)
    return found


def _periods(lake: Lake) -> Iterator[Checked]:
    """Invariant 3: of one period, one batch is visible, and it is the newest published."""
    contracts = {f.table: f.contract for f in lake.tree.feeds()}
    for name, table in lake.tables.items():
        contract = contracts.get(name)
        if contract is None or contract.load.mode == "merge_key":
            continue
        shown = {silver.batch_of_file(str(f["path"])) for f in silver.files(table)}
        newest: dict[str, Publication] = {}
        for p in silver.in_force(table):
            period = _period(contract, p)
            newest[period] = max(newest.get(period, p), p, key=lambda x: x.order)
        for period, publication in newest.items():
            rivals = {
                p.batch_id
                for p in silver.in_force(table)
                if _period(contract, p) == period and p.batch_id in shown
            } - {publication.batch_id}
            yield _say(
                3,
                f"silver/{name} {period}",
                f"batch {min(rivals)} is visible beside the newer {publication.batch_id}"
                if rivals
                else None,
            )


def _period(contract: Contract, publication: Publication) -> str:
    if contract.load.mode == "full_snapshot":
        return "snapshot"
    return contract.load.period_of(publication.business_date)


def _columns(lake: Lake) -> Iterator[Checked]:
    """Invariant 4: every column of every shared table traces to headers or declared sources."""
    from lineage.columns import table_field
    from lineage.errors import LineageError
    from lineage.plan import roots

    for name, table in lake.layer("shared").items():
        for column in table.schema().fields:
            where = f"shared/{name}.{column.name}"
            try:
                found = roots(lake.tree, table_field("shared", name, column.name))
                problem = None if found else "it traces to nothing"
            except (LineageError, KeyError) as lost:
                problem = f"it cannot be traced: {lost}"
            yield _say(4, where, problem)


def _levels(lake: Lake) -> Iterator[Checked]:
    """Invariant 5: tables carry their contract's levels, and nothing above L2 is shared."""
    from contracts.model import SHARE_CEILING, UNTAGGED
    from lineage.errors import TagLossError
    from lineage.levels import check_levels

    promised: dict[str, Contract] = {f.table: f.contract for f in lake.tree.feeds()}
    promised |= {p.product_table: p for p in lake.tree.products.values()}
    for layer in ("bronze", "silver", "quarantine", "gold", "shared"):
        for name, table in lake.layer(layer).items():
            contract = promised.get(name.rpartition("__")[0] if layer == "shared" else name)
            levels = {c.name: c.effective_level for c in contract.columns} if contract else {}
            for column in table.schema().fields:
                level = str((column.metadata or {}).get("jingshu.level", UNTAGGED))
                wanted = levels.get(column.name)
                problem = None
                if wanted is not None and level < wanted:
                    problem = f"it is tagged {level}, its contract says {wanted}"
                elif layer == "shared" and level > SHARE_CEILING:
                    problem = f"it is shared at {level}, above {SHARE_CEILING}"
                yield _say(5, f"{layer}/{name}.{column.name}", problem)
    for product in lake.tree.products.values():
        try:
            check_levels(lake.tree, product)
            lost = None
        except TagLossError as error:
            lost = str(error)
        yield _say(5, product.id, lost)


def _evidence(lake: Lake) -> Iterator[Checked]:
    """Invariant 6: the log is whole, signed, and was neither cut back nor forked."""
    findings = verify_home(lake.home)
    for finding in findings:
        yield _say(6, f"evidence/{finding.where}", finding.problem)
    if not findings:
        yield _say(6, "evidence", None)
    made: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("gold", "build", lambda s: f"build:{s}"),
        ("shared", "share", lambda s: f"share:{s}"),
    )
    for layer, kind, _ in made:
        for name, table in lake.layer(layer).items():
            for stage in {silver.batch_of_file(str(f["path"])) for f in silver.files(table)}:
                key = f"{kind}:{name}@{stage}"
                is_open = f"{kind}:{name}:{stage}" in lake.recovering
                missing = key not in lake.leaves
                yield _say(
                    2,
                    f"{layer}/{name}@{stage}",
                    f"the visible version has no {kind} leaf" if missing else None,
                    is_recovering=missing and is_open,
                )


def _results(lake: Lake) -> Iterator[Checked]:
    """Invariant 7: every contract element has a result for every audited batch."""
    for row in lake.batches:
        contract = lake.tree.sources.get(row.contract_id)
        results = lake.checks.get(row.batch_id)
        if contract is None or contract.version != row.contract_version or results is None:
            continue
        wanted = {r.id for r in row_rules(contract)} | {q.id for q in contract.quality}
        missing = wanted - {r.rule_id for r in results}
        yield _say(
            7,
            f"{row.table}@{row.batch_id}",
            f"no result for {', '.join(sorted(missing))}" if missing else None,
        )


def _origins(lake: Lake) -> Iterator[Checked]:
    """Invariant 8: what was made from simulated data says so."""
    simulated = {b.table for b in lake.batches if b.origin == "simulated"}
    for row in governance.latest_publications(lake.home):
        if row.kind != "product":
            continue
        import json

        inputs = set(json.loads(row.inputs))
        is_lost = bool(inputs & simulated) and row.origin != "simulated"
        yield _say(
            8,
            f"gold/{row.table_name} {row.business_date}",
            "it was made from simulated data and does not say so" if is_lost else None,
        )
