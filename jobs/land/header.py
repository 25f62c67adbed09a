"""Finds a contract's columns in the header of a file, or says in words why it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.header import header_key, shown
from contracts.words import Words
from jobs.files.decode import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.model import Contract, Export

_BLANK_HEADER: Final = re.compile(r"^(unnamed:\d+)?$")
_MAX_LISTED: Final = 200


class HeaderError(DecodeError):
    """A header that is not the contract's: the wrong layout, in words."""


@dataclass(frozen=True)
class Layout:
    """Where each contract column stands in the file, and what else its header has."""

    positions: dict[str, int]
    extra: dict[str, int]
    unnamed: dict[str, int]
    width: int
    findings: tuple[Words, ...]

    @property
    def needed(self) -> int:
        """How many cells a row must have: up to the last column that has a name."""
        return 1 + max((*self.positions.values(), *self.extra.values()))


def match_header(contract: Contract, export: Export, header: list[str]) -> Layout:
    """Find the contract's columns in a header row.

    Headers are compared as ``contracts.header`` says; aliases come from the contract. Raises
    HeaderError naming what is missing, unknown or twice.
    """
    by_header = _columns_by_key(contract, export)
    positions: dict[str, int] = {}
    extra: dict[str, int] = {}
    unnamed: dict[str, int] = {}
    for index, text in enumerate(header):
        name = by_header.get(header_key(text))
        if name is None:
            if _BLANK_HEADER.match(header_key(text)):
                unnamed[f"Unnamed: {index}"] = index
            else:
                own = shown(text)
                extra[own if own not in extra else f"{own} #{index + 1}"] = index
        elif name in positions:
            twice = shown(text)
            raise HeaderError(
                Words(
                    f"列 {twice!r} 在表头中出现两次。",
                    f"The column {twice!r} stands in the header twice.",
                ),
                Words("每列请只交付一次。", "Deliver each column once."),
            )
        else:
            positions[name] = index
    missing = [c.header for c in contract.columns if c.name not in positions]
    if missing:
        has = _listed(contract, header, by_header)
        lacks = Words(
            f"表头缺少 {'、'.join(missing)}；现有 {has.zh}。",
            f"The header lacks {', '.join(missing)}; it has {has.en}.",
        )
        raise HeaderError(lacks, _as_agreed(contract))
    if extra and export.drift == "freeze":
        raise _unknown(contract, extra)
    findings = tuple(
        Words(f"新增列 {name!r} 已按 L3 另存", f"added column {name!r} kept aside at L3")
        for name in extra
    )
    return Layout(positions, extra, unnamed, len(header), findings)


def _unknown(contract: Contract, extra: Iterable[str]) -> HeaderError:
    of = f"{contract.id} {contract.version}"
    return HeaderError(
        Words(
            f"表头含有 {of} 所没有的列 {'、'.join(extra)[:_MAX_LISTED]}。",
            f"The header has {', '.join(extra)[:_MAX_LISTED]}, unknown to {of}.",
        ),
        Words(
            "请商定新的契约版本，或声明 drift: evolve。",
            "Agree a new contract version, or declare drift: evolve.",
        ),
    )


def completed(contract: Contract, export: Export, names: Iterable[str]) -> list[str]:
    """Return the names that records use as a header, with what each of them left out.

    A record need not name what it has no value for; only a required column must be named. Raises
    HeaderError with the names that records really use.
    """
    used = list(names)
    by_header = _columns_by_key(contract, export)
    there = {by_header.get(header_key(name)) for name in used}
    lost = [c.header for c in contract.columns if c.required and c.name not in there]
    if lost:
        named = _listed(contract, used, by_header)
        raise HeaderError(
            Words(
                f"文件缺少 {'、'.join(lost)}；其记录的名称有 {named.zh}。",
                f"The file lacks {', '.join(lost)}; its records name {named.en}.",
            ),
            _as_agreed(contract),
        )
    return [*used, *(c.header for c in contract.columns if not c.required and c.name not in there)]


def _as_agreed(contract: Contract) -> Words:
    of = f"{contract.id} {contract.version}"
    return Words(
        f"请按 {of} 的版式交付，或商定新版本。",
        f"Deliver the layout of {of}, or agree a new version.",
    )


def _columns_by_key(contract: Contract, export: Export) -> dict[str, str]:
    by_header = {header_key(c.header): c.name for c in contract.columns}
    return by_header | {header_key(h): name for h, name in export.aliases.items()}


def _listed(contract: Contract, header: list[str], known: Mapping[str, str]) -> Words:
    """List the names a header row has; above L2 only those that the contract knows.

    A row of data may stand where the header should, and its cells are in no message.
    """
    names = [name for name in map(shown, header) if name]
    is_open = contract.level in ("L1", "L2")
    told = [name for name in names if is_open or header_key(name) in known]
    zh = "、".join(told)[:_MAX_LISTED] or "其中名称均无"
    en = ", ".join(told)[:_MAX_LISTED] or "none of its names"
    others = len(names) - len(told)
    return (
        Words(f"{zh}，另有 {others} 个单元格", f"{en} and {others} other cells")
        if others
        else Words(zh, en)
    )
