"""Reads the DOT language strictly, as far as our graphs use it (graphviz.org/doc)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[A-Za-z_]\w*|[0-9.]+|[{}\[\]=,;])')


@dataclass
class Drawn:
    """A parsed graph: label and nodes of each cluster, labels of nodes, edges with attributes."""

    clusters: dict[str, list[str]] = field(default_factory=dict)
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def label(self, name: str) -> str:
        return self.nodes[name]["label"]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            assert match, f"no token at {text[at : at + 40]!r}"
            assert "\n" not in match[1], "a string breaks its line"
            self.tokens.append(match[1])
            at = match.end()
        self.drawn = Drawn()

    def next(self, expected: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert expected is None or token == expected, (token, expected)
        return token

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.tokens[0] != "[":
            return found
        self.next("[")
        while self.tokens[0] != "]":
            name = self.next()
            self.next("=")
            found[name] = _text(self.next())
            if self.tokens[0] == ",":
                self.next(",")
        self.next("]")
        return found

    def statements(self, cluster: list[str] | None = None) -> str:
        self.next("{")
        label = ""
        while self.tokens[0] != "}":
            token = self.next()
            if token == "subgraph":
                assert self.next().startswith("cluster_")
                inside: list[str] = []
                title = self.statements(inside)
                assert title not in self.drawn.clusters
                self.drawn.clusters[title] = inside
                continue
            if self.tokens[0] == "=":
                self.next("=")
                label = _text(self.next())
            elif self.tokens[0] == "->":
                self.next("->")
                self.drawn.edges.append((token, self.next(), self.attributes()))
            else:
                attributes = self.attributes()
                if token != "node":
                    assert cluster is not None, "a column outside of its table"
                    assert token not in self.drawn.nodes
                    cluster.append(token)
                    self.drawn.nodes[token] = attributes
            self.next(";")
        self.next("}")
        return label


def parse(text: str) -> Drawn:
    """Parse a whole graph; AssertionError where Graphviz would refuse it."""
    parser = _Parser(text)
    parser.next("digraph")
    parser.next("lineage")
    parser.statements()
    assert not parser.tokens
    drawn = parser.drawn
    for tail, head, _ in drawn.edges:
        assert tail in drawn.nodes
        assert head in drawn.nodes
    return drawn


def _text(token: str) -> str:
    if not token.startswith('"'):
        return token
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], token[1:-1])
