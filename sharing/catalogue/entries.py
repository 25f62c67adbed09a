"""Entries of the catalogue: what a contract, its provider and the lake say of one dataset.

Fields are those of the 政务信息资源目录编制指南 and of Decree 809, Art. 13. What is missing is a
finding in words; nothing is filled up.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from contracts.model import Contract, Cycle, Level, Provider
    from contracts.tree import Tree

_CODES: Final = Path(__file__).with_name("codes.csv")
#: Class 3 (部门), list number, 目, then the sequence in it (domain reference §4).
CODE: Final = re.compile(r"(3)(\d{2})(\d{3})/(\d{6})")
_CDO: Final = "首席数据官"
_THEME: Final = "主题/"
_NOT_STATED: Final = Words("未写明", "it is not stated")
_NEXT_NUMBER: Final = Words("请取下一个未用的顺序号。", "Take the next free sequence number.")


@dataclass(frozen=True)
class Item:
    """One data item (信息项): its column, its name, type and level."""

    name: str
    title: str
    type: str
    level: Level
    description: str = ""


@dataclass(frozen=True)
class Score:
    """X of Y judged elements that satisfy one dimension of GB/T 36344-2018."""

    satisfied: int
    judged: int


@dataclass(frozen=True)
class LakeFacts:
    """What the lake tells of one provider's table; ``version`` None: nothing is published."""

    version: int | None = None
    updated_at: datetime | None = None
    rows: int | None = None
    origin: str | None = None
    scores: Mapping[str, Score] | None = None


@dataclass(frozen=True)
class Entry:
    """One dataset of one provider, as the catalogue states it."""

    code: str
    contract: str
    contract_version: str
    file: str
    table: str
    title: str
    summary: str
    use_conditions: tuple[str, ...]
    provider: str
    provider_name: str
    provider_name_en: str
    provider_code: str
    source_dept: str
    theme: str
    category: str
    format: str
    cycle: Cycle | None
    items: tuple[Item, ...]
    attribute: str
    mode: str
    scope: tuple[str, ...]
    purposes: tuple[str, ...]
    legal_basis: str
    is_open: bool | None
    gb43697_grade: str
    dept_level: Level | None
    pi_flag: bool | None
    secrecy_review: str
    pia_id: str
    signed_by: str
    related: tuple[str, ...]
    lake: LakeFacts = LakeFacts()

    @property
    def is_mounted(self) -> bool:
        """Tell whether a published version stands behind the entry (挂接)."""
        return self.lake.version is not None

    @property
    def is_simulated(self) -> bool:
        """Tell whether its data came from the simulated city."""
        return self.lake.origin == "simulated"

    @property
    def class_codes(self) -> tuple[str, str, str] | None:
        """类, 项 and 目 as the code has them; None for a code of another form."""
        found = CODE.fullmatch(self.code)
        return None if found is None else (found[1], found[2], found[3])

    @property
    def is_complete(self) -> bool:
        """Tell whether every mandatory field is stated."""
        return next(missing(self), None) is None


@dataclass(frozen=True)
class Finding:
    """What is wrong with an entry: where, which field, and what to do."""

    entry: str
    file: str
    field: str
    problem: Words
    remedy: Words


def entries(tree: Tree, facts: Mapping[str, LakeFacts] | None = None) -> tuple[Entry, ...]:
    """Return the entries of a tree in code order; ``facts`` are by table name. Pure."""
    made = [*_sources(tree, facts or {}), *_products(tree, facts or {})]
    return tuple(sorted(made, key=lambda e: (e.code, e.contract, e.provider)))


def findings(found: Iterable[Entry]) -> tuple[Finding, ...]:
    """Return each missing field, ill-formed code and code that names two datasets."""
    told: list[Finding] = []
    first: dict[str, Entry] = {}
    for entry in found:
        told += missing(entry)
        if not entry.code:
            continue
        other = first.setdefault(entry.code, entry)
        if other is not entry:
            problem = Words(
                f"该编码也用于 {other.provider} 的 {other.contract}",
                f"the code also names {other.contract} of {other.provider}",
            )
            told.append(_finding(entry, "code", problem, _NEXT_NUMBER))
    return tuple(told)


def missing(entry: Entry) -> Iterator[Finding]:
    """Yield the mandatory fields (Decree 809, Art. 13) that an entry does not state."""
    for field, is_there, remedy in _mandatory(entry):
        if not is_there:
            yield _finding(entry, field, _NOT_STATED, remedy)
    if entry.code and entry.class_codes is None:
        yield _finding(
            entry,
            "code",
            Words(f"{entry.code!r} 不是编码", f"{entry.code!r} is no code"),
            Words("请在契约中写作 3NNNNN/NNNNNN。", "Write it as 3NNNNN/NNNNNN in the contract."),
        )


def search(found: Iterable[Entry], words: str) -> tuple[Entry, ...]:
    """Return the entries that hold every word, in names, summary or items, whatever its case."""
    wanted = words.casefold().split()
    return tuple(e for e in found if all(w in haystack(e) for w in wanted))


def haystack(entry: Entry) -> str:
    """Return the text that ``search`` looks in: Chinese and English names, items, summary."""
    parts = (
        *(entry.code, entry.contract, entry.title, entry.summary, entry.theme, entry.category),
        *(entry.provider, entry.provider_name, entry.provider_name_en, *entry.purposes),
        *(t for i in entry.items for t in (i.name, i.title, i.description)),
    )
    return "\n".join(parts).casefold()


@cache
def registered_codes() -> Mapping[tuple[str, str], str]:
    """Return codes.csv: of a contract with several providers, each further provider's code."""
    with _CODES.open(encoding="utf-8", newline="") as file:
        return {(r["contract"], r["provider"]): r["code"] for r in csv.DictReader(file)}


def code_of(contract: Contract, provider: str) -> str:
    """Return the contract's code; of several providers' one, it is the source department's.

    Empty where none is stated.
    """
    if contract.catalogue is None:
        return ""
    if len(contract.servers) < 2 or provider == contract.catalogue.source_dept:  # noqa: PLR2004
        return contract.catalogue.code
    return registered_codes().get((contract.id, provider), "")


def _mandatory(entry: Entry) -> Iterator[tuple[str, bool, Words]]:
    yield (
        "code",
        bool(entry.code),
        Words(
            "请写 catalogue.code，或 codes.csv 中该提供方的一行。",
            "Write catalogue.code, or the provider's row in codes.csv.",
        ),
    )
    yield "name", bool(entry.title), Words("请写契约名称。", "Write the contract's name.")
    yield "data_items", bool(entry.items), Words("请列出各列。", "List the columns.")
    yield (
        "provider",
        bool(entry.provider_code),
        Words(
            "请在 providers.yaml 中列出该提供方及其代码。",
            "List the provider, with its code, in providers.yaml.",
        ),
    )
    yield "format", bool(entry.format), _write("catalogue.format")
    yield "update_frequency", entry.cycle is not None, _write("catalogue.cycle")
    yield "source_dept", bool(entry.source_dept), _write("catalogue.source_dept")
    yield "sharing_attribute", bool(entry.attribute), _write("sharing.attribute", "14")
    yield "sharing_mode", bool(entry.mode), _write("sharing.mode")
    yield (
        "use_conditions",
        bool(entry.use_conditions),
        Words("请写 description.usage 或 limitations。", "Write description.usage or limitations."),
    )
    if entry.attribute == "conditional":
        remedy = Words(
            "请写 sharing.scope 和 sharing.purposes（第 15 条）。",
            "Write sharing.scope and sharing.purposes (Art. 15).",
        )
        yield "scope_and_purpose", bool(entry.scope and entry.purposes), remedy
    if entry.attribute == "not_shared":
        yield "legal_basis", bool(entry.legal_basis), _write("sharing.legal_basis", "14–15")
    yield "grade", bool(entry.gb43697_grade and entry.dept_level), _write("grading")
    yield "secrecy_review", bool(entry.secrecy_review), _write("grading.secrecy_review", "13")
    if entry.pi_flag:
        yield "pi_impact_assessment", bool(entry.pia_id), _write("grading.pia_id", "13")
    yield (
        "signed_by",
        bool(entry.signed_by),
        Words(
            f"请在 team.members 中写明该提供方的{_CDO}。",
            f"Name the provider's {_CDO} in team.members.",
        ),
    )


def _write(field: str, article: str = "") -> Words:
    """Say which field of the contract to write, and which article of Decree 809 asks for it."""
    zh, en = (f"（第 {article} 条）", f" (Art. {article})") if article else ("", "")
    return Words(f"请写 {field}{zh}。", f"Write {field}{en}.")


def _finding(entry: Entry, field: str, problem: Words, remedy: Words) -> Finding:
    name = f"{entry.code or entry.contract} ({entry.provider})"
    return Finding(name, entry.file, field, problem, remedy)


def _sources(tree: Tree, facts: Mapping[str, LakeFacts]) -> Iterator[Entry]:
    for feed in tree.feeds():
        provider = tree.provider(feed.provider)
        yield _entry(feed.contract, provider, feed.table, facts.get(feed.table, LakeFacts()), ())


def _products(tree: Tree, facts: Mapping[str, LakeFacts]) -> Iterator[Entry]:
    for contract in tree.products.values():
        maker = contract.catalogue.source_dept if contract.catalogue else contract.domain
        table = contract.product_table
        inputs = tuple(sorted(contract.product_plan.inputs))
        yield _entry(contract, tree.provider(maker), table, facts.get(table, LakeFacts()), inputs)


def _entry(
    contract: Contract, provider: Provider, table: str, lake: LakeFacts, related: tuple[str, ...]
) -> Entry:
    catalogue, sharing, grading = contract.catalogue, contract.sharing, contract.grading
    themes = [t.removeprefix(_THEME) for t in contract.tags if t.startswith(_THEME)]
    plain = [t for t in contract.tags if not t.startswith(_THEME)]
    return Entry(
        code=code_of(contract, provider.id),
        contract=contract.id,
        contract_version=contract.version,
        file=contract.source,
        table=table,
        title=contract.name,
        summary=contract.purpose,
        use_conditions=tuple(t for t in (contract.usage, contract.limitations) if t),
        provider=provider.id,
        provider_name=provider.name,
        provider_name_en=provider.name_en,
        provider_code=provider.code,
        source_dept=_source_dept(contract, provider.id),
        theme=themes[0] if themes else "",
        category=plain[0] if plain else "",
        format=catalogue.format if catalogue else "",
        cycle=catalogue.cycle if catalogue else None,
        items=tuple(
            Item(c.name, c.business_name, c.type, c.effective_level, c.description)
            for c in contract.columns
        ),
        attribute=sharing.attribute if sharing else "",
        mode=sharing.mode if sharing else "",
        scope=sharing.scope if sharing else (),
        purposes=sharing.purposes if sharing else (),
        legal_basis=(sharing.legal_basis or "") if sharing else "",
        is_open=sharing.open if sharing else None,
        gb43697_grade=grading.gb43697 if grading else "",
        dept_level=contract.level if grading else None,
        pi_flag=grading.personal_information if grading else None,
        secrecy_review=(grading.secrecy_review or "") if grading else "",
        pia_id=(grading.pia_id or "") if grading else "",
        signed_by=_signatory(contract, provider),
        related=related,
        lake=lake,
    )


def _source_dept(contract: Contract, provider: str) -> str:
    """Return who is the source: where several deliver one contract, each is of its own part."""
    if contract.catalogue is None:
        return ""
    return provider if len(contract.servers) > 1 else contract.catalogue.source_dept


def _signatory(contract: Contract, provider: Provider) -> str:
    """Return the head who answers for the assessments: the provider's CDO in the team."""
    heads = [m.username for m in contract.members if m.role == _CDO]
    return next((h for h in heads if h in (provider.cdo, f"cdo.{provider.id}")), "")
