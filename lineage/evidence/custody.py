"""The chain of custody: which leaves a leaf rests on, back to the provider's file.

A leaf is known by names and asks for others: a share for the build that it was projected from, a
build for the silver versions that it read, a publication for its verdict and its landing, a grant
for its request. What nobody answers is a gap, and a dossier says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lineage.evidence.leaf import JsonScalar

#: What a leaf is known by: a kind, then what tells it from others of its kind.
Name = tuple[str, ...]


class Fact(Protocol):
    """A leaf, or an entry of the log that was read without checking its form."""

    @property
    def type(self) -> str:
        """The leaf's type."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def facts(self) -> Mapping[str, JsonScalar]:
        """What it states."""


_BATCH: Final = frozenset({"landing", "verdict", "publication", "withdrawal"})
_DELIVERY: Final = frozenset({"delivery", "refusal"})
_STEPS: Final = frozenset({"request", "answer", "destruction"})
#: Rows that let a recipient in; those of accounts and sessions are of the city's own people.
_ENTRY: Final = frozenset({"invitation", "token"})

#: Why the chain ends where a leaf of a kind is missing: Chinese, English.
_MISSING: Final[Mapping[str, tuple[str, str]]] = {
    "build": (
        "日志中没有该共享版本所依据的成品生成记录",
        "no leaf says how the product version that it was projected from was built",
    ),
    "silver": (
        "日志中没有该成品所读数据版本的发布记录",
        "no leaf says which publication made the version that it read",
    ),
    "verdict": ("日志中没有发布所依据的裁决记录", "no leaf holds the verdict that it was based on"),
    "landing": ("日志中没有该批次的落地记录", "no leaf says which file of the provider landed"),
    "delivery": (
        "日志中没有该批次的交付记录",
        "no leaf says when the provider delivered it",
    ),
    "contract": (
        "日志中没有所依据契约版本的记录",
        "no leaf says which file the contract version was",
    ),
    "request": (
        "日志中没有所称申请的记录",
        "no leaf of the request that it names is in the log",
    ),
    "recipient": (
        "日志中没有该接收方的登记记录",
        "no leaf says who the recipient is and who admitted it",
    ),
    "approval": (
        "所依据的批准文件在日志之外，仅记其文号",
        "the approval is a document outside of the log, known by its number only",
    ),
    "no request": (
        "该授权未注明共享申请，日志仅记授权人与用途",
        "it names no request: the log holds who granted it and for what only",
    ),
    "foreign": (
        "该表由其他单位保存，其来源不在本日志内",
        "another office keeps this table: where its data came from is not in this log",
    ),
    "no share": (
        "日志中没有该表任何共享版本的记录",
        "no leaf says that any version of the table was shared",
    ),
    "no reads": (
        "日志中尚无该表的读取记录；读取按小时记录，整点过后写入",
        "no read of the table is in the log yet; an hour's reads are logged when it is over",
    ),
    "whose reads": (
        "读取按表和小时合计，涵盖全部接收方；各次读取属于谁，须以摘要相符的网关记录查明",
        "reads are counted over all recipients: whose each was, the records of this digest tell",
    ),
}


@dataclass(frozen=True)
class Gap:
    """Where the chain ends: at which leaf (None: the dossier as a whole), for want of what."""

    kind: str
    leaf: str | None
    wanted: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return it as a manifest has it, with a sentence in each language."""
        chinese, english = _MISSING[self.kind]
        about = self.leaf or self.wanted or ""
        named = f"（{self.wanted}）" if self.wanted else ""
        called = f" ({self.wanted})" if self.wanted else ""
        return {
            "kind": self.kind,
            "leaf": self.leaf,
            "wanted": self.wanted,
            "zh": f"{about}：{chinese}{named}。",
            "en": f"{about}: {english}{called}.",
        }


@dataclass
class Chain:
    """What the leaves chosen so far ask for."""

    asked: set[Name] = field(default_factory=set)
    #: The newest version of each silver table that a chosen build read.
    read: dict[str, int] = field(default_factory=dict)

    def follow(self, leaves: Iterable[Fact]) -> bool:
        """Ask for what chosen leaves rest on; tell whether any of that is new."""
        before = len(self.asked), dict(self.read)
        for leaf in leaves:
            self.asked.update(grounds_of(leaf), _beside(leaf))
            for table, version in _inputs(leaf):
                self.read[table] = max(version, self.read.get(table, version))
        return (len(self.asked), self.read) != before

    def wants(self, leaf: Fact) -> bool:
        """Tell whether a leaf is one that was asked for."""
        if leaf.type in {"publication", "withdrawal"}:
            version = leaf.facts.get("silver_version")
            newest = self.read.get(_table_of(leaf))
            if newest is not None and isinstance(version, int) and version <= newest:
                return True
        return not self.asked.isdisjoint(names_of(leaf))


def gaps_of(leaves: Iterable[Fact]) -> list[Gap]:
    """Return what the leaves of a dossier ask for and none of them answers, in their order."""
    chosen = list(leaves)
    known = {name for leaf in chosen for name in names_of(leaf)}
    found = dict[Gap, None]()
    for leaf in chosen:
        for name in sorted(grounds_of(leaf)):
            if name not in known:
                found[Gap(name[0], _key(leaf), "@".join(name[1:]))] = None
        if leaf.type == "grant" and not leaf.facts.get("request"):
            found[Gap("no request", _key(leaf))] = None
        if leaf.type == "reads":
            found[Gap("whose reads", _key(leaf))] = None
        if leaf.type == "table":
            found[Gap("foreign", _key(leaf))] = None
    return list(found)


def names_of(leaf: Fact) -> frozenset[Name]:
    """Return what a leaf can be asked for by."""
    unit, facts = leaf.subject.partition("/")[0], leaf.facts
    table, _, rest = unit.partition("@")
    if leaf.type in _BATCH:
        return _names_in_batch(leaf, unit, table)
    named: Mapping[str, Name] = {
        "contract": ("contract", table, rest),
        "build": ("build", str(facts.get("contract_id")), rest),
        "level": ("levels", str(facts.get("contract_id")), str(facts.get("contract_version"))),
        "recipient": ("recipient", leaf.subject.rpartition("#")[0]),
        **dict.fromkeys(_DELIVERY, ("delivery", table, str(facts.get("batch_id")))),
        **dict.fromkeys(_STEPS, ("request", leaf.subject.partition("#")[0])),
        **dict.fromkeys(_ENTRY, ("entry", str(facts.get("recipient")))),
        **{kind: (kind, str(facts.get("table"))) for kind in ("table", "crossborder")},
    }
    return frozenset({named[leaf.type]} if leaf.type in named else ())


def _names_in_batch(leaf: Fact, unit: str, table: str) -> frozenset[Name]:
    if leaf.type == "landing":
        return frozenset({("landing", unit)})
    if leaf.type == "verdict":
        return frozenset({("verdict", unit, str(leaf.facts.get("digest"))), ("verdicts", unit)})
    version = str(leaf.facts.get("silver_version"))
    return frozenset({("silver", table, version), (leaf.type, unit)})


def grounds_of(leaf: Fact) -> frozenset[Name]:
    """Return the names that a leaf rests on: without one of them the chain ends there."""
    unit, facts = leaf.subject.partition("/")[0], leaf.facts
    table, _, batch_id = unit.partition("@")
    asked: set[Name] = set()
    if facts.get("contract_id") and facts.get("contract_version"):
        asked.add(("contract", str(facts["contract_id"]), str(facts["contract_version"])))
    if leaf.type == "share":
        asked.add(("build", str(facts.get("contract_id")), str(facts.get("source"))))
    elif leaf.type == "build":
        asked |= {("silver", name, str(version)) for name, version in _inputs(leaf)}
    elif leaf.type == "publication":
        asked.add(("verdict", unit, str(facts.get("digest"))))
    elif leaf.type == "landing":
        asked.add(("delivery", table, batch_id))
    elif leaf.type == "grant":
        asked.add(("recipient", str(facts.get("recipient"))))
        if facts.get("request"):
            asked.add(("request", str(facts["request"])))
    elif leaf.type == "level":
        asked.add(_approval(str(facts.get("approval"))))
    if leaf.type in {"publication", "verdict", "withdrawal"}:
        asked.add(("landing", unit))
    return frozenset(asked)


def _beside(leaf: Fact) -> set[Name]:
    """Return the names of what belongs to a leaf where it is there, and is no gap where not."""
    unit, facts = leaf.subject.partition("/")[0], leaf.facts
    asked: set[Name] = set()
    if leaf.type in _BATCH:
        asked |= {("verdicts", unit), ("withdrawal", unit)}
    elif leaf.type == "build":
        asked.add(("levels", str(facts.get("contract_id")), str(facts.get("contract_version"))))
    elif leaf.type == "grant":
        table = str(facts.get("table"))
        asked |= {("entry", str(facts.get("recipient"))), ("table", table)}
        asked |= {("crossborder", table), ("crossborder", table.rpartition(".")[2])}
    return asked


def _approval(number: str) -> Name:
    """Return the name of an approval: a request's signatures are in the log, others are not."""
    is_request = number[:1] == "R" and number[1:5].isdigit() and number[5:6] == "-"
    return ("request", number) if is_request else ("approval", number)


def _inputs(leaf: Fact) -> Iterator[tuple[str, int]]:
    """Yield the silver tables that a build read, each with its version."""
    if leaf.type != "build":
        return
    try:
        read = json.loads(str(leaf.facts.get("inputs")))
    except ValueError:
        return
    for table, version in read.items() if isinstance(read, dict) else ():
        if isinstance(version, int):
            yield str(table), version


def _key(leaf: Fact) -> str:
    return f"{leaf.type}:{leaf.subject}"


def _table_of(leaf: Fact) -> str:
    return leaf.subject.partition("@")[0]
