"""What the readers of a contract's parts share: custom properties, and errors that are gathered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from contracts.document import ContractError
from contracts.standard import nearest
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from contracts.document import Document, Faults, Place

_T = TypeVar("_T")
_NONE_READ: Final = Words("请删去：此处一概不读。", "Take it out: none is read here.")


def twice(name: object) -> tuple[Words, Words]:
    """Return the problem and the remedy of what stands somewhere twice."""
    return (
        Words(f"{name!r} 在此出现两次", f"{name!r} stands here twice"),
        Words("请保留其一。", "Keep one of the two."),
    )


@dataclass(frozen=True)
class Part:
    """A reader of one part of a document; what it cannot read is noted, and it goes on."""

    doc: Document
    faults: Faults

    def note(self, errors: Iterable[ContractError]) -> None:
        """Note errors that do not keep the rest from being read."""
        self.faults.found += errors

    def read(self, reader: Callable[[], _T], otherwise: _T) -> _T:
        """Return what ``reader`` reads, or ``otherwise`` where the file is wrong."""
        try:
            return reader()
        except ContractError as wrong:
            self.note(wrong.all)
            return otherwise

    def custom(self, node: Mapping[str, Any], place: Place) -> dict[str, tuple[Any, Place]]:
        """Return ``customProperties`` as name → (value, place of the value)."""
        found: dict[str, tuple[Any, Place]] = {}
        for i, item in enumerate(node.get("customProperties") or ()):
            where = (*place, "customProperties", i)
            if item["property"] in found:
                self.note([self.doc.fail(where, *twice(item["property"]))])
            found[item["property"]] = (item.get("value"), (*where, "value"))
        return found

    def nothing_left(
        self, custom: Mapping[str, tuple[Any, Place]], known: Iterable[str] = ()
    ) -> None:
        """Note custom properties that nothing reads: each would be a silent skip."""
        names = tuple(known)
        for name, (_, place) in custom.items():
            remedy = nearest(name, names) if names else _NONE_READ
            problem = Words(
                f"此处没有程序读取 customProperty {name!r}",
                f"nothing reads the customProperty {name!r} here",
            )
            self.note([self.doc.fail(place[:-1], problem, remedy)])
