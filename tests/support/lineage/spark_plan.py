"""Reads column lineage out of Spark's analysed plan: the text of ``EXPLAIN EXTENDED``.

Over Spark Connect the text is all there is. Every attribute carries an expression id (``code#12``),
which is followed from the output down to the leaves; names are not looked at. What the text says
twice (a literal that looks like an attribute) would fail loudly: an id that no child has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: A column of a leaf: the view it stands below (None for a bare relation), and its name.
Leaf = tuple[str | None, str]
Leaves = frozenset[Leaf]

_LINE: Final = re.compile(r"^((?:[: ]  )*)([+:]- )?(.*)$")
_ID: Final = re.compile(r"#(\d+)L?(?!\w)")
_BARE: Final = re.compile(r"([^#]*)#(\d+)L?(?:, |$)")
_ALIAS: Final = re.compile(r" AS ([^#]*?)#(\d+)L?(?=, |$)")
_SUBQUERY: Final = re.compile(r"(?:scalar-subquery|lateral-subquery|exists|list)#(\d+) \[[^\]]*\]")
#: A Python function's call has an id of its own: ``f(a#1)#7``.
_CALL: Final = re.compile(r"\)#(\d+)")
_LAMBDA: Final = re.compile(r"lambda \S+?#\d+L?")
_SAME: Final = frozenset({"SubqueryAlias", "GlobalLimit", "LocalLimit", "ResolvedHint"})
_NONE: Leaves = frozenset()


@dataclass
class Node:
    """One line of the tree; ``inner`` are the plans of the subqueries in its expressions."""

    depth: int
    text: str
    children: list[Node] = field(default_factory=list)
    inner: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return re.split(r"[ (]", self.text, maxsplit=1)[0]


@dataclass(frozen=True)
class Made:
    """What a node makes: attribute ids in order, what each comes from, what decides its rows."""

    outputs: tuple[int, ...]
    values: Mapping[int, Leaves]
    rows: Leaves = _NONE


@dataclass(frozen=True)
class Sources:
    """A plan's output columns by name, and what decides which rows there are."""

    columns: Mapping[str, Leaves]
    rows: Leaves


def sources(explained: str) -> Sources:
    """Return what every output column of an explained query comes from."""
    analysed = explained.partition("== Analyzed Logical Plan ==\n")[2]
    analysed = analysed.partition("\n\n== Optimized")[0]
    schema, _, tree = analysed.partition("\n")
    names = [part.partition(": ")[0].strip() for part in _schema(schema)]
    made = _Reader().made(_tree(tree), {}, None)
    assert len(names) == len(made.outputs), schema
    columns = {n: made.values[i] for n, i in zip(names, made.outputs, strict=True)}
    return Sources(columns, made.rows)


def _schema(line: str) -> list[str]:
    """Split ``a: int, b: decimal(10,2)`` at the commas between columns."""
    return re.findall(r"[^,:]+: (?:[^,(<]|\([^)]*\)|<.*?>)+", line)


def _tree(text: str) -> Node:
    root: Node | None = None
    above: list[Node] = []
    for line in text.splitlines():
        found = _LINE.match(line)
        assert found is not None
        if root is not None and found[2] is None:  # a line break inside a literal
            above[-1].text += "\n" + line
            continue
        node = Node(len(found[1]) // 3 + bool(found[2]), found[3])
        while above and above[-1].depth >= node.depth:
            above.pop()
        if above:
            is_inner = node.depth == above[-1].depth + 2
            (above[-1].inner if is_inner else above[-1].children).append(node)
        root = root or node
        above.append(node)
    assert root is not None
    return root


class _Reader:
    def __init__(self) -> None:
        self._ctes: dict[str, Made] = {}

    def made(self, node: Node, outer: Mapping[int, Leaves], view: str | None) -> Made:
        """Return what a node makes; ``outer`` are the attributes of the query around it."""
        if node.kind == "SubqueryAlias":
            view = node.text.split(" ", 1)[1]
        below = [self.made(child, outer, view) for child in node.children]
        values = {**outer}
        for child in below:
            values |= child.values
        rows = _all(child.rows for child in below)
        inner = [self.made(plan, values, None) for plan in node.inner]
        subqueries = [m[1] for m in _SUBQUERY.finditer(node.text)]
        assert len(subqueries) == len(inner), node.text
        for number, plan in zip(subqueries, inner, strict=True):
            is_exists = f"exists#{number} " in node.text
            shown = _NONE if is_exists else _all(plan.values[i] for i in plan.outputs)
            values[int(number)] = shown
            rows |= plan.rows
        return self._one(node, below, inner, values, rows, view)

    def _one(  # noqa: C901, PLR0911, PLR0912  (one a kind of node)
        self,
        node: Node,
        below: list[Made],
        inner: list[Made],
        values: dict[int, Leaves],
        rows: Leaves,
        view: str | None,
    ) -> Made:
        kind, text = node.kind, node.text
        same = below[0].outputs if below else ()
        match kind:
            case "LocalRelation" | "OneRowRelation":
                found = _listed(text)
                return Made(
                    tuple(found), {i: frozenset({(view, name)}) for i, name in found.items()}
                )
            case "CTERelationDef":
                self._ctes[text.split()[1].rstrip(",")] = below[0]
                return below[0]
            case "CTERelationRef":
                return self._renamed(self._ctes[text.split()[1].rstrip(",")], _listed(text))
            case "WithCTE":
                last = below[-1]
                return Made(last.outputs, last.values, last.rows)
            case "View":
                return self._renamed(below[0], _listed(text))
            case "Project":
                return _projected(text.removeprefix("Project [")[:-1], values, rows)
            case "Aggregate":
                grouping, _, made = text.removeprefix("Aggregate [")[:-1].rpartition("], [")
                return _projected(made, values, rows | _of(grouping, values))
            case "Window":
                made = text.removeprefix("Window [").partition("], [")[0]
                new = _projected(made, values, rows)
                return Made((*same, *new.outputs), {**values, **new.values}, rows)
            case "Generate":
                expression, _, outputs = text[:-1].rpartition("[")
                new_ids = [int(i) for i in _ID.findall(outputs)]
                shown = _of(expression, values)
                return Made((*same, *new_ids), {**values, **dict.fromkeys(new_ids, shown)}, rows)
            case "Expand":
                return _expanded(text, values, rows)
            case "Filter" | "Sort" | "RepartitionByExpression":
                return Made(same, values, rows | _of(text, values))
            case "Join" | "LateralJoin":
                kept = below if not re.match(r"Join Left(Semi|Anti)", text) else below[:1]
                joined = tuple(i for m in (*kept, *inner) for i in m.outputs)
                for plan in inner:
                    values |= plan.values
                return Made(joined, values, rows | _of(_without_subqueries(text), values))
            case "Distinct" | "Deduplicate":
                return Made(same, values, rows | _all(values[i] for i in same))
            case "Union" | "Intersect" | "Except":
                return _combined(kind, below, rows)
            case _ if kind in _SAME:
                return Made(same, values, rows)
            case _:
                raise AssertionError(f"this reader does not know {text}")

    @staticmethod
    def _renamed(made: Made, names: Mapping[int, str]) -> Made:
        pairs = zip(names, made.outputs, strict=True)
        return Made(tuple(names), {new: made.values[old] for new, old in pairs}, made.rows)


def _projected(text: str, values: Mapping[int, Leaves], rows: Leaves) -> Made:
    made = dict(_elements(text, values))
    return Made(tuple(_ids(text)), made, rows)


def _ids(text: str) -> Iterator[int]:
    for identity, _ in _split(text):
        yield identity


def _elements(text: str, values: Mapping[int, Leaves]) -> Iterator[tuple[int, Leaves]]:
    for identity, expression in _split(text):
        yield identity, _of(expression, values)


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield a projection's (id, expression): bare attributes, and what ends in ``AS name#id``.

    Not split at commas: literals stand in the text without quotes.
    """
    start = 0
    for alias in [*_ALIAS.finditer(text), None]:
        while bare := _BARE.match(text, start):
            is_inside = bare[1].count("(") != bare[1].count(")")  # f(a#1, …
            if is_inside or (alias is not None and bare.end() > alias.start()):
                break
            yield int(bare[2]), bare[0]
            start = bare.end()
        if alias is not None:
            yield int(alias[2]), text[start : alias.start()]
            start = alias.end() + 2
    assert start >= len(text), f"not understood: {text[start:]}"


def _expanded(text: str, values: Mapping[int, Leaves], rows: Leaves) -> Made:
    """Read grouping sets and UNPIVOT: each output is one of several attributes or literals."""
    choices, _, outputs = text.removeprefix("Expand [[")[:-1].rpartition("]], [")
    ids = [int(i) for i in _ID.findall(outputs)]
    each = [choice.split(", ") for choice in choices.split("], [")]
    assert {len(choice) for choice in each} == {len(ids)}, text
    columns = zip(*each, strict=True)
    made = {i: _all(_of(e, values) for e in c) for i, c in zip(ids, columns, strict=True)}
    return Made(tuple(ids), made, rows)


def _combined(kind: str, below: list[Made], rows: Leaves) -> Made:
    first = below[0]
    places = [[m.values[m.outputs[n]] for m in below] for n in range(len(first.outputs))]
    if kind != "Union":
        rows |= _all(leaves for place in places for leaves in place)
    shown = [_all(place) if kind == "Union" else place[0] for place in places]
    return Made(first.outputs, dict(zip(first.outputs, shown, strict=True)), rows)


def _listed(text: str) -> dict[int, str]:
    """Return the attributes of a leaf's or reference's bracket: id to name, in order."""
    inside = text[text.index("[") + 1 : text.rindex("]")] if "[" in text else ""
    return {int(i): name for name, i in re.findall(r"([^\s,]+)#(\d+)L?", inside)}


def _without_subqueries(text: str) -> str:
    return _SUBQUERY.sub("", text)


def _of(expression: str, values: Mapping[int, Leaves]) -> Leaves:
    bare = _SUBQUERY.sub(r"subquery#\1", _LAMBDA.sub("", expression))  # its own plan says the rest
    called = {int(i) for i in _CALL.findall(bare)} - values.keys()
    return _all(values[int(i)] for i in _ID.findall(bare) if int(i) not in called)


def _all(parts: Iterable[Leaves]) -> Leaves:
    return frozenset().union(*parts)
