"""One lead source department for each data item, and what is collected twice (Decree 809, Art. 19).

``rulings.csv`` holds this project's rulings (the authority's are in the register): ``lead`` names
the item's source department, ``distinct`` says why bodies that use one name tell of different
things. The glossary's ``role`` says which names are keys, times, places or markers and so no
collected fact.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model import Contract
    from contracts.tree import Tree

_FILE: Final = Path(__file__).with_name("rulings.csv")


class RulingError(JingshuError, ValueError):
    """A ruling that names no item or body there is, or none where one is owed."""


@dataclass(frozen=True)
class Ruling:
    """What was ruled of one item, by which law, and why."""

    item: str
    ruling: Literal["lead", "distinct"]
    body: str
    legal_basis: str
    reason: str


@dataclass(frozen=True)
class Use:
    """A column of one contract that holds an item, and the body that answers for it."""

    contract: str
    column: str
    body: str


@dataclass(frozen=True)
class Repeated:
    """An item that several bodies collect with no ruling (重复采集)."""

    item: str
    uses: tuple[Use, ...]

    @property
    def bodies(self) -> tuple[str, ...]:
        """The bodies that collect it, by id."""
        return tuple(sorted({u.body for u in self.uses}))

    @property
    def remedy(self) -> Words:
        """What to do: rule, or say in the glossary what the name is for."""
        bodies = ", ".join(self.bodies)
        return Words(
            f"请裁定 {bodies} 中由谁牵头，或对象不同：… catalogue rule；"
            "主键、时间、地点或标记则在 glossary.yaml 中写明其角色。",
            f"Rule which of {bodies} leads, or that they differ: … catalogue rule; "
            "a key, time, place or marker gets its role in glossary.yaml.",
        )


@cache
def rulings(file: Path = _FILE) -> Mapping[str, Ruling]:
    """Return the rulings by item (business name).

    Raises:
        RulingError: A row is neither a lead with its body nor a distinction, or stands twice.
    """
    found: dict[str, Ruling] = {}
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            is_lead = row["ruling"] == "lead"
            sound = row["ruling"] in ("lead", "distinct") and is_lead == bool(row["body"])
            if not sound or row["item"] in found or not row["legal_basis"]:
                item = row["item"]
                raise RulingError(
                    Words(
                        f"{file.name}：关于 {item!r} 的裁定无法读取。",
                        f"{file.name}: the ruling on {item!r} cannot be read.",
                    ),
                    Words(
                        "每项只写一次：lead 须写部门，distinct 不写部门，并写明法律依据。",
                        "Write each item once: lead with a body or distinct without, and the law.",
                    ),
                )
            found[row["item"]] = Ruling(**row)  # type: ignore[arg-type]  # just compared
    return found


def items(tree: Tree) -> Mapping[str, tuple[Use, ...]]:
    """Return, by business name, every column of the sources that holds it.

    A contract that many providers deliver counts once: each collects its own part of it.
    """
    found: defaultdict[str, list[Use]] = defaultdict(list)
    for contract in tree.sources.values():
        for column in contract.columns:
            found[column.business_name].append(Use(contract.id, column.name, _body(contract)))
    return {item: tuple(uses) for item, uses in sorted(found.items())}


def lead_of(tree: Tree, given: Mapping[str, Ruling] | None = None) -> Mapping[str, str]:
    """Return each collected item's lead source department: as ruled, or who alone collects it."""
    ruled = rulings() if given is None else given
    leads: dict[str, str] = {}
    for item, uses in items(tree).items():
        ruling = ruled.get(item)
        bodies = {u.body for u in uses}
        if ruling is not None and ruling.ruling == "lead":
            leads[item] = ruling.body
        elif len(bodies) == 1:
            leads[item] = bodies.pop()
    return leads


def repeated(tree: Tree, given: Mapping[str, Ruling] | None = None) -> tuple[Repeated, ...]:
    """Return what two or more bodies collect with no ruling, keys and the like left out."""
    ruled = rulings() if given is None else given
    return tuple(
        Repeated(item, uses)
        for item, uses in items(tree).items()
        if len({u.body for u in uses}) > 1 and item not in ruled and not _has_role(tree, uses)
    )


def unfounded(tree: Tree, given: Mapping[str, Ruling] | None = None) -> Iterator[Words]:
    """Yield, in words, the rulings that name an item or a lead that the tree does not have."""
    known = items(tree)
    for ruling in (rulings() if given is None else given).values():
        if ruling.item not in known:
            yield Words(
                f"{ruling.item}：没有契约有这一项", f"{ruling.item}: no contract has such an item"
            )
        elif ruling.ruling == "lead" and ruling.body not in {u.body for u in known[ruling.item]}:
            yield Words(
                f"{ruling.item}：{ruling.body} 牵头，却没有在任何契约中采集它",
                f"{ruling.item}: {ruling.body} leads, but collects it in no contract",
            )


def _has_role(tree: Tree, uses: tuple[Use, ...]) -> bool:
    terms = (tree.glossary.get(u.column) for u in uses)
    return any(t is not None and t.role is not None for t in terms)


def _body(contract: Contract) -> str:
    if contract.catalogue is not None:
        return contract.catalogue.source_dept
    return contract.servers[0].provider if contract.servers else contract.domain
