"""The events of a folder read whole and asked by plain search: what the index must agree with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage import outbox
from lineage.facts import Ran, ran
from lineage.names import find
from lineage.walk import Walk, as_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from contracts.layout import Home
    from lineage.walk import Direction, Facts


@dataclass
class PlainFacts:
    """Answers as ``Store`` does, by looking at every run."""

    runs: list[Ran]

    @classmethod
    def of(cls, home: Home) -> PlainFacts:
        runs = []
        for path in home.lineage_events.glob("*.ndjson"):
            only = type(home)(home.root / "only")
            only.lineage_events.mkdir(parents=True, exist_ok=True)
            copy = only.lineage_events / path.name
            copy.write_bytes(path.read_bytes())
            for number, event in enumerate(outbox.read(only), 1):
                run = ran(event, path.name, number)
                runs += [run] if run else []
            copy.unlink()
        return cls(sorted(runs, key=lambda r: r.order))

    def newest_write(
        self,
        name: str,
        *,
        version: str | None = None,
        batch: str | None = None,
        before: Ran | None = None,
        without: Collection[str] = (),
    ) -> Ran | None:
        for run in reversed(self.runs):
            use = run.wrote(name)
            if (
                use is not None
                and version in (None, use.version)
                and batch in (None, run.batch)
                and (before is None or run.order < before.order)
                and run.batch not in without
            ):
                return run
        return None

    def newest_read(self, name: str, *, version: str | None = None) -> Ran | None:
        for run in reversed(self.runs):
            if any(version in (None, u.version) for u in run.inputs if u.dataset == name):
                return run
        return None

    def read_as(self, name: str, version: str | None, batch: str | None) -> list[Ran]:
        return [
            run
            for run in self.runs
            for use in run.inputs
            if use.dataset == name
            and use.version == version
            and (version is not None or run.batch == batch)
        ]

    def read_between(self, name: str, first_us: int, last_us: int | None) -> list[Ran]:
        return [
            run
            for run in self.runs
            for use in run.inputs
            if use.dataset == name
            and use.version is None
            and first_us <= run.at_us
            and (last_us is None or run.at_us <= last_us)
        ]

    def next_write_us(self, name: str, after_us: int) -> int | None:
        later = [r.at_us for r in self.runs if r.wrote(name) and r.at_us > after_us]
        return min(later, default=None)

    def users(self, source: str) -> list[str]:
        used = {
            u.dataset
            for r in self.runs
            for u in r.outputs
            if u.graph is not None and source in u.graph.sources
        }
        return sorted(used)

    def versions(self, name: str) -> list[str]:
        newest: dict[str, int] = {}
        for run in self.runs:
            wrote = [u for u in run.outputs if u.graph is not None]
            for use in (*run.inputs, *wrote):
                if use.dataset == name and use.version is not None:
                    newest[use.version] = run.at_us
        return sorted(newest, key=lambda v: (newest[v], v), reverse=True)

    def simulated_since_us(self, name: str) -> int | None:
        said = [
            r.at_us
            for r in self.runs
            for u in (*r.inputs, *r.outputs)
            if u.dataset == name and u.about.origin == "simulated"
        ]
        return min(said, default=None)

    def names(self) -> list[str]:
        return sorted({u.dataset for r in self.runs for u in (*r.inputs, *r.outputs)})


def every_answer(facts: Any) -> dict[str, Any]:
    """Everything that may be asked: each table and column, up and down, at each version."""
    asked: Facts = facts
    found: dict[str, Any] = {"": asked.names()}
    for name in asked.names():
        versions = asked.versions(name)
        found[f"{name}@"] = versions
        run = asked.newest_write(name) or asked.newest_read(name)
        use = run and (run.wrote(name) or run.read(name))
        if not use:
            continue
        assert find(asked, name) == (name, None)
        columns = sorted({*use.about.levels, *(use.graph.columns if use.graph else ())})
        directions: tuple[Direction, ...] = ("up", "down")
        for direction in directions:
            for at in (None, *versions):
                for column in (None, *columns[:2]):
                    node = Walk(asked, direction, at).begin(name, column)
                    found[f"{direction} {name}.{column}@{at}"] = as_json(node, direction)
    return found
