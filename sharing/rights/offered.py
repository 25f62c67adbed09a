"""What the lake says of a shared table that is to be listed, and whether its data is real.

Origin is read twice: from the governance rows and from the evidence log, of the table, its product
and every batch of every table they were made from. Data counts as real only where each says so.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.model import max_level
from contracts.words import Words
from jobs.checks.disclosure import counted_columns
from jobs.record import governance
from jobs.tables import products, silver
from jobs.tables.delta import open_table
from jobs.verify.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from contracts.layout import Home
    from contracts.model import Contract, Level
    from contracts.product import Policy
    from contracts.tree import Feed, Tree
    from jobs.record.governance import CheckRow, PublicationRow
    from lineage.evidence.leaf import Leaf

_REAL: Final = "real"


class NotListableError(JingshuError, PermissionError):
    """A product that must not be traded, with every reason."""


class SimulatedDataError(NotListableError):
    """Data that was made up somewhere along its lineage, or that nothing proves to be real."""


@dataclass(frozen=True)
class Claim:
    """What one record says of the origin of one thing; None where it says nothing."""

    where: str
    origin: str | None


@dataclass(frozen=True)
class RealOrigin:
    """The proof that data is real: a listing is made of nothing else.

    Raises SimulatedDataError where any record says otherwise, or says nothing.
    """

    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        other = [c for c in self.claims if c.origin != _REAL]
        if other or not self.claims:
            raise SimulatedDataError(
                _not_real(other),
                Words(
                    "请上架只由真实交付产生的数据。",
                    "List what was made from real deliveries alone.",
                ),
            )


def _not_real(other: list[Claim]) -> Words:
    """Say which origins there are besides real ones, and where the first of them is."""
    counts = Counter(c.origin or "unknown" for c in other)
    found = ", ".join(f"{origin} × {n}" for origin, n in sorted(counts.items())) or "unknown"
    zh, en = (f"，首见于 {other[0].where}", f", first in {other[0].where}") if other else ("", "")
    return Words(
        f"其来源并非真实（{found}{zh}）：模拟数据一律不上架。",
        f"Its origin is not real ({found}{en}): simulated data is never listed.",
    )


@dataclass(frozen=True)
class Offered:
    """A published version of a shared table, with all that a listing must show or prove."""

    product: Contract
    policy: Policy
    row: PublicationRow
    share: Leaf
    build: Leaf | None
    inputs: Mapping[str, int]
    feeds: tuple[Feed, ...]
    batches: Mapping[str, tuple[str, ...]]
    publications: tuple[Leaf, ...]
    lost: tuple[Words, ...]
    checks: tuple[CheckRow, ...]
    claims: tuple[Claim, ...]

    @property
    def table(self) -> str:
        """The shared table's name."""
        return self.row.table_name

    @property
    def version(self) -> int:
        """The table's version that is listed."""
        return int(self.row.version or 0)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The product and every table it is made from: what rights are needed in."""
        return (self.product.product_table, *(feed.table for feed in self.feeds))

    @property
    def level(self) -> Level:
        """The highest level among the columns that are shown."""
        return max_level(tuple(self.product.column(n).effective_level for n in self.shown))

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that are shown, in the policy's order."""
        return tuple(n for n, release in self.policy.columns.items() if release.mask != "drop")

    @property
    def is_aggregate(self) -> bool:
        """Whether it counts persons, or groups them."""
        counts = counted_columns(self.product, self.policy)
        return bool(counts or self.policy.quasi_identifiers)

    @property
    def k(self) -> int | None:
        """The smallest group that was measured when it was shared; None where none was."""
        return _whole(self.share.facts.get("k"))

    @property
    def k_wanted(self) -> int | None:
        """The smallest group that it may have."""
        return _whole(self.share.facts.get("k_wanted"))

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """The keys of the leaves of its share, its build and its inputs' publications."""
        build = () if self.build is None else (self.build.key,)
        return (self.share.key, *build, *(leaf.key for leaf in self.publications))


def offered(
    home: Home, tree: Tree, product_id: str, policy_name: str, on: date | None = None
) -> Offered:
    """Return what is published of a product under a policy: of a date, or the newest.

    Raises:
        UsageError: There is no such product or policy.
        NotListableError: Nothing is published, or the evidence log knows nothing of it.
    """
    product = tree.contract(product_id)
    policy = _policy(product, policy_name)
    table = f"{product.product_table}__{policy.name}"
    lake = Lake(home, tree)
    row = _published(home, table, on)
    share = _made(lake, "share", table, row.version)
    if share is None:
        raise NotListableError(
            Words(
                f"{table} 版本 {row.version} 不在存证日志里。",
                f"{table} version {row.version} is not in the evidence log.",
            ),
            Words("请运行 ./jingshu verify。", "Run ./jingshu verify."),
        )
    stage = str(share.facts.get("source"))
    build = next(iter(lake.leaves_of("build", f"{product.product_table}@{stage}")), None)
    inputs = {} if build is None else dict(json.loads(str(build.facts["inputs"])))
    feeds = tuple(f for f in tree.feeds() if f.contract.id in product.product_plan.inputs)
    batches = {name: tuple(_batches(home, name, version)) for name, version in inputs.items()}
    batches = {name: found for name, found in batches.items() if found}
    names = [f"{name}@{batch}" for name, found in batches.items() for batch in found]
    logged = {name: lake.leaves_of("publication", name) for name in names}
    ids = sorted(batch for found in batches.values() for batch in found)
    return Offered(
        product=product,
        policy=policy,
        row=row,
        share=share,
        build=build,
        inputs=inputs,
        feeds=feeds,
        batches=batches,
        publications=tuple(leaf for found in logged.values() for leaf in found),
        lost=(*_unused(feeds, batches), *_lost(home, lake, row, build, logged)),
        checks=tuple(governance.check_results(home, ids)) if ids else (),
        claims=tuple(_claims(lake, row, share, build, inputs)),
    )


def _policy(product: Contract, name: str) -> Policy:
    policies = product.product.policies if product.product else ()
    for policy in policies:
        if policy.name == name:
            return policy
    known = ", ".join(p.name for p in policies)
    raise UsageError(
        Words(
            f"{product.id} 没有共享策略 {name!r}。", f"{product.id} has no share policy {name!r}."
        ),
        Words(f"现有：{known or '无'}。", f"It has: {known or 'none'}."),
    )


def _published(home: Home, table: str, on: date | None) -> PublicationRow:
    rows = [
        row
        for row in governance.latest_publications(home, on)
        if (row.kind, row.table_name) == ("share", table)
    ]
    published = [row for row in rows if row.status == "published" and row.version is not None]
    if not published:
        raise NotListableError(
            _unpublished(table, on, rows),
            Words("请先生成并共享：./jingshu run。", "Build and share it first: ./jingshu run."),
        )
    return max(published, key=lambda row: row.business_date)


def _unpublished(table: str, on: date | None, rows: Sequence[PublicationRow]) -> Words:
    """Say that nothing of a table is published, and what its newest publication came to."""
    why = Words.read(rows[-1].reason) if rows else Words("", "")
    zh, en = (
        (f"：{rows[-1].status} {why.zh}", f": {rows[-1].status} {why.en}") if rows else ("", "")
    )
    return Words(
        f"{table}{f' 在 {on} ' if on else ''}没有已发布的版本{zh}。",
        f"No version of {table} is published{f' of {on}' if on else ''}{en}.",
    )


def _made(lake: Lake, kind: str, table: str, version: int | None) -> Leaf | None:
    found = (
        leaf
        for leaf in lake.log
        if leaf.type == kind
        and leaf.subject.partition("@")[0] == table
        and leaf.facts.get("version") == version
    )
    return next(found, None)


def _batches(home: Home, table: str, version: int) -> Iterator[str]:
    """Yield the batches that a table is made of at a version, by its own log."""
    for publication in silver.in_force(open_table(home.table("silver", table))):
        if publication.version <= version:
            yield publication.batch_id


def _unused(feeds: tuple[Feed, ...], batches: Mapping[str, object]) -> Iterator[Words]:
    """Yield in words how the published tables of a build are not those of its contract."""
    wanted = {feed.table for feed in feeds}
    for name in sorted(wanted ^ set(batches)):
        zh, en = ("没有用到", "without") if name in wanted else ("用到了", "with")
        yield Words(
            f"它的生成{zh} {name}，与契约不符",
            f"its build was made {en} {name}, other than its contract says",
        )


def _lost(
    home: Home,
    lake: Lake,
    row: PublicationRow,
    build: Leaf | None,
    logged: Mapping[str, list[Leaf]],
) -> Iterator[Words]:
    """Yield in words what should be there of a published version and is not."""
    table = open_table(home.table("shared", row.table_name))
    stage = products.visible_stage(table, row.business_date)
    if stage is None or f"share:{row.table_name}@{stage}" not in lake.leaves:
        yield Words(
            f"shared/{row.table_name} 所示 {row.business_date} 的数据与存证日志不符",
            f"shared/{row.table_name} does not show {row.business_date} as it was logged",
        )
    if build is None:
        yield Words("产品的生成不在存证日志里", "the product's build is not in the evidence log")
    yield from (
        Words(
            f"publication:{name} 不在存证日志里", f"publication:{name} is not in the evidence log"
        )
        for name, f in logged.items()
        if not f
    )


def _claims(
    lake: Lake,
    row: PublicationRow,
    share: Leaf,
    build: Leaf | None,
    inputs: Mapping[str, int],
) -> Iterator[Claim]:
    """Yield every record of origin along the lineage: rows and leaves, one by one.

    Every batch that an input ever had counts, withdrawn ones too.
    """
    tables = {row.table_name, share.subject.partition("@")[0]}
    if build is not None:
        tables.add(build.subject.partition("@")[0])
    for publication in lake.publications:
        if publication.table_name in tables and publication.business_date == row.business_date:
            yield Claim(
                f"governance.publications {publication.kind} {publication.table_name}",
                publication.origin,
            )
    for leaf in (share, build):
        where = "its build" if leaf is None else f"evidence {leaf.key}"
        yield Claim(where, None if leaf is None else _text(leaf.facts.get("origin")))
    for name in inputs:
        rows = [b for b in lake.batches if b.table == name]
        logged = [
            leaf
            for leaf in lake.log
            if leaf.type in ("landing", "publication") and leaf.subject.startswith(f"{name}@")
        ]
        if not rows:
            yield Claim(f"governance.batches {name}", None)
        if not logged:
            yield Claim(f"evidence of {name}", None)
        yield from (Claim(f"governance.batches {b.batch_id}", b.origin) for b in rows)
        yield from (Claim(f"evidence {x.key}", _text(x.facts.get("origin"))) for x in logged)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
