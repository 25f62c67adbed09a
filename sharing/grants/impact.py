"""Who sees a column: the shared columns made from it, and the recipients that hold a grant."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.words import Reader, Words, reader, text
from lineage.facts import ROWS, printable
from sharing.control import Control, has_control
from sharing.grants.grants import list_grants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home
    from lineage.walk import Node

_SHARED: Final = "shared/"
_BOTH: Final[tuple[Reader, ...]] = ("zh", "en")


@dataclass(frozen=True)
class Holder:
    """A recipient with an active grant of a table, and what for."""

    recipient: str
    purpose: str
    until: str | None


@dataclass(frozen=True)
class SharedColumn:
    """A shared column downstream; ``column`` is None for a table, ``*`` for which rows there are.

    ``type`` is DIRECT where a way leads to it on which values are passed on. ``masking`` says that
    every such way masks; of a table it is None.
    """

    table: str
    column: str | None
    level: str | None
    origin: str | None
    type: Literal["DIRECT", "INDIRECT"] | None
    masking: bool | None
    recipients: tuple[Holder, ...]


@dataclass(frozen=True)
class Impact:
    """All that is shared of a table or column."""

    name: str
    shared: tuple[SharedColumn, ...]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who holds a grant of any of it."""
        return tuple(sorted({h.recipient for s in self.shared for h in s.recipients}))

    def to_dict(self) -> dict[str, Any]:
        """Return the impact as JSON's own types."""
        return {
            "name": self.name,
            "shared": [asdict(s) for s in self.shared],
            "recipients": list(self.recipients),
        }

    def lines(self) -> Iterator[str]:
        """Yield the impact for people."""
        yield printable(self.name)
        if not self.shared:
            yield "  " + text("没有由此产生的共享数据。", "Nothing shared is made from it.")
        for found in self.shared:
            yield f"  {printable(_in_words(found).to(reader()))}"
            for holder in found.recipients:
                until = (
                    text(f"（至 {holder.until}）", f" (until {holder.until})")
                    if holder.until
                    else ""
                )
                purpose = printable(Words.read(holder.purpose).to(reader()))
                yield f"    → {printable(holder.recipient)}  {purpose}{until}"
            if not found.recipients:
                yield "    " + text("无有效授权", "no active grant")


def reached(home: Home, root: Node) -> Impact:
    """Return what is shared below the root of a downward walk, with who may read it now."""
    held = _held(home)
    ways: dict[tuple[str, str | None], list[tuple[Node, bool, bool]]] = {}
    for node, is_direct, is_masked in _ways(root, is_direct=True, is_masked=False):
        if node.seen.name.startswith(_SHARED):
            key = node.seen.name, node.column
            ways.setdefault(key, []).append((node, is_direct, is_masked))
    shared = [_shared(found, held) for _, found in sorted(ways.items(), key=lambda w: str(w[0]))]
    return Impact(root.name, tuple(shared))


def _ways(node: Node, *, is_direct: bool, is_masked: bool) -> Iterator[tuple[Node, bool, bool]]:
    """Yield every step with whether values come that way, and whether they are masked there."""
    yield node, is_direct, is_masked
    for following in node.next:
        passing = [e for e in following.via if e.type == "DIRECT"]
        counted = passing or following.via
        yield from _ways(
            following,
            is_direct=is_direct and bool(passing) and following.column != ROWS,
            is_masked=is_masked or (bool(counted) and all(e.masking for e in counted)),
        )


def _shared(
    ways: list[tuple[Node, bool, bool]], held: dict[str, tuple[Holder, ...]]
) -> SharedColumn:
    node = ways[0][0]
    table = node.seen.name.removeprefix(_SHARED)
    is_direct = any(direct for _, direct, _ in ways)
    is_column = node.column is not None
    return SharedColumn(
        table=node.seen.name,
        column=node.column,
        level=node.level,
        origin=node.origin,
        type=("DIRECT" if is_direct else "INDIRECT") if is_column else None,
        masking=all(m for _, d, m in ways if d == is_direct) if is_column else None,
        recipients=held.get(table, ()),
    )


def _held(home: Home) -> dict[str, tuple[Holder, ...]]:
    """Return the active grants by the shared table's folder name."""
    if not has_control(home):
        return {}
    held: dict[str, tuple[Holder, ...]] = {}
    with Control(home) as control:
        for grant in reversed(list_grants(control)):
            if grant.state == "active":
                table = grant.table.rpartition(".")[2]
                until = grant.until.isoformat() if grant.until else None
                holder = Holder(grant.recipient, grant.purpose, until)
                held[table] = (*held.get(table, ()), holder)
    return held


def _in_words(found: SharedColumn) -> Words:
    name = found.table if found.column is None else f"{found.table}.{found.column}"
    parts = [Words(name, name), Words(found.level or "", found.level or "")]
    parts += [Words("模拟数据", "simulated")] if found.origin == "simulated" else []
    if found.column == ROWS:
        parts.append(Words("决定有哪些行", "decides which rows there are"))
    elif found.type == "INDIRECT":
        parts.append(Words("间接", "INDIRECT"))
    parts += [Words("遮蔽", "masked")] if found.masking else []
    zh, en = ("  ".join(p.to(who) for p in parts if p.en) for who in _BOTH)
    return Words(zh, en)
