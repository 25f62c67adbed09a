"""The steps of a batch with types: how often a merge is tried, and what publish says it read."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from contracts.words import Words
from jobs import steps
from jobs.operations import decisions
from jobs.publish.run import TableMovedError
from jobs.stages import Ended, PublishedVersion, Verdict, from_json
from lineage import outbox
from tests.support.selling import HEAD, WHO

if TYPE_CHECKING:
    from jobs.stages import LandedBatch
    from tests.support.selling import Lake


MOVED = Words("表已变动。", "It moved.")
AGAIN = Words("请重新暂存。", "Stage it again.")


def lines(number: int) -> list[str]:
    return [HEAD, f"东,A{number},2026-07-01,buyer"]


class Moving:
    """A table that others move ``times`` times, each time a batch is about to be shown in it."""

    def __init__(self, verdict: Verdict, times: int) -> None:
        self.verdict = verdict
        self.times = times
        self.audits = 0

    def publish(self, *_: Any) -> str:
        if self.times:
            self.times -= 1
            raise TableMovedError(MOVED, AGAIN)
        return "shown"

    def audited(self, _home: Any, _tree: Any, landed: LandedBatch, *, again: bool) -> Verdict:
        assert again
        assert landed.batch == self.verdict.batch
        self.audits += 1
        return self.verdict


@pytest.fixture
def verdict(lake: Lake) -> Verdict:
    return lake.deliver("sale", 1, lines(1))


def published(lake: Lake, moving: Moving, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("jobs.publish.run.publish", moving.publish)
    monkeypatch.setattr("jobs.steps.audited", moving.audited)
    return steps.publish_verdict(lake.home, lake.tree, moving.verdict)


@pytest.mark.parametrize("times", [0, 1, 4])
def test_a_merge_is_laid_anew_while_its_table_moves(
    lake: Lake, verdict: Verdict, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = Moving(verdict, times)
    assert published(lake, moving, monkeypatch) == "shown"
    assert moving.audits == times


def test_a_table_that_keeps_moving_is_named_with_what_to_do(
    lake: Lake, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = Moving(verdict, 99)
    with pytest.raises(steps.TableBusyError) as busy:
        published(lake, moving, monkeypatch)
    assert "shop__sale moved 5 times" in str(busy.value)
    assert f"./jingshu batch retry {verdict.batch_id}" in str(busy.value)
    assert str(pickle.loads(pickle.dumps(busy.value))) == str(busy.value)  # noqa: S301
    assert (moving.audits, 99 - moving.times) == (4, 5)


def test_a_merge_that_the_new_audit_holds_ends_held(
    lake: Lake, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = Moving(verdict, 1)
    held = verdict.model_copy(update={"decision": "hold", "reason": "now too many bad rows"})
    monkeypatch.setattr(moving, "audited", lambda *_, **__: held)
    ended = published(lake, moving, monkeypatch)
    assert isinstance(ended, Ended)
    assert (ended.state, ended.reason, ended.batch_id) == ("held", held.reason, verdict.batch_id)


def read_from(lake: Lake, batch_id: str) -> dict[str, str]:
    """What the runs of a batch's publication say they read: status → bronze version."""
    found = {}
    for event in outbox.read(lake.home):
        if event["eventType"] == "START":  # what it read is told when it ends
            continue
        tags = {tag["key"]: tag["value"] for tag in event["run"]["facets"]["tags"]["tags"]}
        if event["job"]["name"].startswith("publish.") and tags["jingshu.batch_id"] == batch_id:
            (read,) = event["inputs"]
            found[tags["jingshu.status"]] = read["facets"]["version"]["datasetVersion"]
    return found


def test_publish_names_the_bronze_version_that_it_read(lake: Lake) -> None:
    first, second = (lake.publish("sale", number, lines(number)) for number in (1, 2))
    assert read_from(lake, first) == {"published": "0"}
    assert read_from(lake, second) == {"published": "1"}


def test_a_release_from_kept_bytes_names_the_bronze_version_too(lake: Lake) -> None:
    lake.publish("sale", 1, lines(1))
    held = lake.deliver("sale", 2, lines(2), "hold")
    lake.publish("sale", 3, lines(3))  # others landed since
    outcome = decisions.release(lake.home, lake.tree, held.batch_id, WHO, "looked at")
    assert outcome.status == "published"
    assert read_from(lake, held.batch_id) == {"held": "1", "published": "1"}


def test_a_verdict_of_an_earlier_version_is_published(lake: Lake, verdict: Verdict) -> None:
    told = json.loads(verdict.to_json())
    del told["bronze_version"]
    earlier = from_json(json.dumps(told))
    assert isinstance(earlier, Verdict)
    assert earlier.bronze_version is None
    assert isinstance(steps.publish_verdict(lake.home, lake.tree, earlier), PublishedVersion)
