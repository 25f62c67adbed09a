"""Finds a contract's columns in the header of a file, or says in words why it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.header import header_key, shown
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
    findings: tuple[str, ...]

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
            raise HeaderError(
                f"The column {shown(text)!r} stands in the header twice.",
                "Deliver each column once.",
            )
        else:
            positions[name] = index
    missing = [c.header for c in contract.columns if c.name not in positions]
    if missing:
        raise HeaderError(
            f"The header lacks {'、'.join(missing)}; it has "
            f"{_listed(contract, header, by_header)}.",
            f"Deliver the layout of {contract.id} {contract.version}, or agree a new version.",
        )
    if extra and export.drift == "freeze":
        raise HeaderError(
            f"The header has {'、'.join(extra)[:_MAX_LISTED]}, unknown to {contract.id}"
            f" {contract.version}.",
            "Agree a new contract version, or declare drift: evolve.",
        )
    findings = tuple(f"added column {name!r} kept aside at L3" for name in extra)
    return Layout(positions, extra, unnamed, len(header), findings)


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
        raise HeaderError(
            f"The file lacks {'、'.join(lost)}; its records name"
            f" {_listed(contract, used, by_header)}.",
            f"Deliver the layout of {contract.id} {contract.version}, or agree a new version.",
        )
    return [*used, *(c.header for c in contract.columns if not c.required and c.name not in there)]


def _columns_by_key(contract: Contract, export: Export) -> dict[str, str]:
    by_header = {header_key(c.header): c.name for c in contract.columns}
    return by_header | {header_key(h): name for h, name in export.aliases.items()}


def _listed(contract: Contract, header: list[str], known: Mapping[str, str]) -> str:
    """List the names a header row has; above L2 only those that the contract knows.

    A row of data may stand where the header should, and its cells are in no message.
    """
    names = [name for name in map(shown, header) if name]
    is_open = contract.level in ("L1", "L2")
    told = [name for name in names if is_open or header_key(name) in known]
    listed = "、".join(told)[:_MAX_LISTED] or "none of its names"
    others = len(names) - len(told)
    return f"{listed} and {others} other cells" if others else listed
