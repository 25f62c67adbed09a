"""What questions to lineage cost when very many runs are on disk: catching up, then asking."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from contracts.delivery import Delivery
from contracts.words import text
from lineage import index, stages
from lineage.events import ndjson
from lineage.names import find
from lineage.plan import product_sql
from lineage.stages import Made, Occasion
from lineage.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.layout import Home
    from contracts.tree import Tree
    from lineage.runs import Run
    from lineage.store import Store
    from lineage.walk import Direction

_FIRST_DAY: Final = date(2024, 1, 1)
_DAY: Final = date(2099, 12, 30)
_NEXT: Final = date(2099, 12, 31)
_VERSION: Final = 987_654_321
_REPEATS: Final = 7
_EVENTS_A_RUN: Final = 2


@dataclass(frozen=True)
class LineageFigures:
    """Seconds on this machine. ``catch_up_s`` gives (events on disk, seconds) as they grew.

    ``questions_ms`` is the median of each question with nothing new on disk; ``after_a_run_ms``
    the same when a run was added before each, so that the folder must be listed.
    """

    events: int
    files: int
    event_bytes: int
    index_bytes: int
    catch_up_s: tuple[tuple[int, float], ...]
    questions_ms: dict[str, float]
    after_a_run_ms: float
    full_read_s: float

    @property
    def slowest_ms(self) -> float:
        """The slowest question of all, with the index warm."""
        return max(self.questions_ms.values())


def measure(home: Home, tree: Tree, events: int, say: Callable[[str], None]) -> LineageFigures:
    """Write the events of many city days, index them, and ask; ``say`` hears of progress."""
    files = _files(tree)
    steps = [events // 4, events // 2, events]
    written = size = 0
    catching = []
    home.lineage_events.mkdir(parents=True, exist_ok=True)
    for step in steps:
        say(text(f"写事件，至 {step:,} 个", f"writing up to {step:,} events"))
        while written < step:
            name, data = next(files)
            (home.lineage_events / name).write_bytes(data)
            written, size = written + _EVENTS_A_RUN, size + len(data)
        time.sleep(2.5)  # what has just changed is looked at again
        seconds = _timed(partial(index.ask, home, _file_count))
        catching.append((written, round(seconds, 2)))
        say(
            text(
                f"用 {seconds:.1f} s 追上了 {written:,} 个事件",
                f"caught up with {written:,} events in {seconds:.1f} s",
            )
        )
    questions = _questions(tree)
    index.ask(home, lambda store: store.names())
    asked = {
        name: _median_ms(partial(index.ask, home, question)) for name, question in questions.items()
    }
    return LineageFigures(
        events=written,
        files=written // _EVENTS_A_RUN,
        event_bytes=size,
        index_bytes=(home.lineage_events.parent / "index.db").stat().st_size,
        catch_up_s=tuple(catching),
        questions_ms=asked,
        after_a_run_ms=_after_a_run(home, files, next(iter(questions.values()))),
        full_read_s=round(_timed(lambda: _read_whole(home)), 1),
    )


def _files(tree: Tree) -> Iterator[tuple[str, bytes]]:
    """Yield the file names and bytes of days without end: every feed, product and share.

    One day's runs are made as the stages make them; the other days are these with other dates,
    versions and run ids, or writing the events would take hours.
    """
    templates = [(run.run_id, ndjson(run)) for run in _day(tree)]
    for day in count():
        business_date = (_FIRST_DAY + timedelta(days=day)).isoformat()
        changes = (
            (_DAY.isoformat(), business_date),
            (_NEXT.isoformat(), (_FIRST_DAY + timedelta(days=day + 1)).isoformat()),
            (f"{_DAY:%Y%m%d}-", business_date.replace("-", "") + "-"),
            (str(_VERSION), str(day)),
        )
        for made_id, template in templates:
            run_id = str(uuid5(UUID(made_id), business_date))
            data = template.replace(made_id.encode(), run_id.encode())
            for old, new in changes:
                data = data.replace(old.encode(), new.encode())
            yield f"{run_id}.ndjson", data


def _day(tree: Tree) -> Iterator[Run]:
    """Yield the runs of one day, dated and numbered so that both can be found in their text."""
    at = datetime.combine(_DAY, time_of_day(hour=1), UTC)
    made: dict[str, Any] = {"origin": "simulated", "started_at": at}
    for number, feed in enumerate(tree.feeds()):
        delivery = Delivery(feed.contract, feed.provider, _DAY)
        batch_id = f"{_DAY:%Y%m%d}-{number:012d}"
        yield stages.land_run(
            delivery,
            Occasion("landed", ended_at=at, **made),
            batch_id=batch_id,
            file_name=f"{feed.table}.csv",
            made=Made(_VERSION, 100),
        )
        yield stages.publish_run(
            delivery,
            Occasion("published", ended_at=at + timedelta(minutes=30), **made),
            batch_id=batch_id,
            results=(),
            made=Made(_VERSION, 99, 1),
            bronze_version=None,
        )
    for product in tree.products.values():
        yield stages.build_run(
            tree,
            product,
            Occasion("published", ended_at=at + timedelta(hours=2), **made),
            business_date=_DAY,
            input_versions={f.table: _VERSION for f in tree.feeds()},
            sql=product_sql(tree, product),
            made=Made(_VERSION, 100),
        )
        for policy in product.product_plan.policies:
            yield stages.share_run(
                product,
                policy,
                Occasion("published", ended_at=at + timedelta(hours=3), **made),
                business_date=_DAY,
                input_version=_VERSION,
                made=Made(_VERSION, 100),
            )


def _file_count(store: Store) -> int:
    return store.file_count()


def _questions(tree: Tree) -> dict[str, Callable[[Store], object]]:
    product = next(p for p in tree.products.values() if p.product_plan.policies)
    shared = f"shared/{product.product_table}__{product.product_plan.policies[0].name}"
    feed = next(f for f in tree.feeds() if f.contract.id in product.product_plan.inputs)
    bronze = f"bronze/{feed.table}"

    def walked(name: str, direction: Direction, at: str | None = None) -> Callable[[Store], object]:
        def question(store: Store) -> object:
            return Walk(store, direction, at).begin(*find(store, name))

        return question

    return {
        f"up {shared}": walked(shared, "up"),
        f"up {shared}.*": lambda store: [
            walked(f"{shared}.{c}", "up")(store)
            for c in product.product_plan.policies[0].columns
            if product.product_plan.policies[0].columns[c].mask != "drop"
        ],
        f"up {shared} --at 7": walked(shared, "up", "7"),
        f"down {bronze}": walked(bronze, "down"),
        f"down {bronze} --at 7": walked(bronze, "down", "7"),
        f"down file://{feed.provider}/{feed.contract.dataset}": walked(
            f"file://{feed.provider}/{feed.contract.dataset}", "down"
        ),
    }


def _after_a_run(
    home: Home, files: Iterator[tuple[str, bytes]], question: Callable[[Store], object]
) -> float:
    times = []
    for _ in range(3):
        name, data = next(files)
        (home.lineage_events / name).write_bytes(data)
        times.append(_timed(lambda: index.ask(home, question)) * 1000)
    return round(statistics.median(times), 1)


def _read_whole(home: Home) -> int:
    """Read as it was before there was an index: every file, every event."""
    from lineage.outbox import read

    return sum(1 for _ in read(home))


def _median_ms(call: Callable[[], object]) -> float:
    return round(statistics.median(_timed(call) * 1000 for _ in range(_REPEATS)), 1)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_words(figures: LineageFigures) -> str:
    """Return the figures for people."""
    megabyte = 1 << 20
    written, index = figures.event_bytes / megabyte, figures.index_bytes / megabyte
    python = sys.version.split()[0]
    size = text(
        f"{figures.events:,} 个事件，{figures.files:,} 个文件，{written:,.0f} MiB；"
        f"索引 {index:,.0f} MiB（Python {python}）",
        f"{figures.events:,} events, {figures.files:,} files, {written:,.0f} MiB;"
        f" index {index:,.0f} MiB (Python {python})",
    )
    lines, before = [size], 0
    for events, seconds in figures.catch_up_s:
        rate = (events - before) / seconds
        lines.append(
            "  "
            + text(
                f"追上 {events:,} 个：{seconds:.1f} s，每秒 {rate:,.0f} 个事件",
                f"caught up to {events:,}: {seconds:.1f} s, {rate:,.0f} events/s",
            )
        )
        before = events
    lines += [f"  {ms:8.1f} ms  {name}" for name, ms in figures.questions_ms.items()]
    lines.append(
        f"  {figures.after_a_run_ms:8.1f} ms  {text('新增一次运行之后', 'after one more run')}"
    )
    all_read = text("不用索引通读", "reading all, without index")
    lines.append(f"  {figures.full_read_s * 1000:8.0f} ms  {all_read}")
    return "\n".join(lines)
