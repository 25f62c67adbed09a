"""Each delivery fault, as the files show it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contracts.errors import UsageError
from contracts.loading import load_tree
from infra.sandbox.city import generate_day
from infra.sandbox.truth import Faults
from tests.support.exports import FIRST, Made

if TYPE_CHECKING:
    from contracts.layout import Home
    from infra.sandbox.truth import DeliveryFault

CASES = "health/disease_case"


def made(home: Home, feed: str, fault: DeliveryFault | None, after: int = 0) -> Made:
    faults = Faults(deliveries={feed: fault} if fault else {})
    day = FIRST + timedelta(after)
    provider = feed.partition("/")[0]
    return Made(home, generate_day(home, day, providers={provider}, faults=faults))


def manifest(day: Made, feed: str) -> dict[str, Any]:
    file = day.file(feed)
    found: dict[str, Any] = json.loads(file.with_name(f"{file.name}.manifest.json").read_bytes())
    return found


def test_a_manifest_describes_its_file(home: Home) -> None:
    day = made(home, CASES, None)
    content = day.file(CASES).read_bytes()
    said = manifest(day, CASES)
    assert said["file"] == day.file(CASES).name
    assert said["size_bytes"] == len(content)
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert said["sm3"] == hashlib.new("sm3", content).hexdigest()
    assert said["rows"] == day.truth.deliveries[CASES].rows
    assert said["revision"] == 1


@pytest.mark.parametrize("fault", [None, "late"], ids=["in time", "late"])
def test_late_is_after_it_was_due(home: Home, fault: DeliveryFault | None) -> None:
    day = made(home, CASES, fault)
    due = load_tree().contract("health.disease_case").schedule.due_at(FIRST)
    sent = datetime.fromisoformat(manifest(day, CASES)["sent_at"])
    assert (sent > due) == (fault == "late")
    assert day.truth.deliveries[CASES].delivery_state == ("late" if fault else "received")
    assert day.file(CASES).stat().st_mtime == sent.timestamp()


def test_missing_leaves_nothing(home: Home) -> None:
    day = made(home, CASES, "missing")
    assert not day.folder(CASES).exists()
    assert day.truth.deliveries[CASES].file is None


def test_truncated_is_shorter_than_announced(home: Home) -> None:
    day = made(home, CASES, "truncated")
    assert day.file(CASES).stat().st_size < manifest(day, CASES)["size_bytes"]
    assert day.truth.deliveries[CASES].batch_status == "rejected"


@pytest.mark.parametrize("feed", [CASES, "econ_it/innovation_base", "chaoyang/grid_case"])
def test_drifted_renames_a_required_column(home: Home, feed: str) -> None:
    day = made(home, feed, "drifted")
    delivery = day.truth.deliveries[feed]
    contract = load_tree().contract(delivery.contract_id)
    (row, *_) = day.rows(feed).values()
    missing = [c.name for c in contract.columns if c.name not in row]
    assert len(missing) == 1
    assert contract.column(missing[0]).required
    assert delivery.batch_status == "rejected"


@pytest.mark.parametrize("feed", [CASES, "chaoyang/grid_case"])
def test_secret_says_so_in_its_first_line(home: Home, feed: str) -> None:
    day = made(home, feed, "secret")
    encoding = "gb18030" if feed == CASES else "utf-8-sig"
    assert day.file(feed).read_bytes().decode(encoding).startswith("机密★")
    assert day.truth.deliveries[feed].delivery_state == "refused"


def test_duplicate_is_yesterdays_bytes_under_todays_name(home: Home) -> None:
    before = made(home, CASES, None)
    day = made(home, CASES, "duplicate", after=1)
    assert day.file(CASES).read_bytes() == before.file(CASES).read_bytes()
    assert day.file(CASES).name != before.file(CASES).name
    assert manifest(day, CASES)["file"] == day.file(CASES).name
    assert day.truth.deliveries[CASES].delivery_state == "duplicate"


def test_corrected_comes_beside_the_first_and_has_no_faults(home: Home) -> None:
    before = made(home, CASES, None)
    first = before.file(CASES)
    content, time = first.read_bytes(), first.stat().st_mtime_ns
    day = made(home, CASES, "corrected")
    assert (first.read_bytes(), first.stat().st_mtime_ns) == (content, time)
    assert day.file(CASES) != first
    assert manifest(day, CASES)["revision"] == 2
    delivery = day.truth.deliveries[CASES]
    assert delivery.revision == 2
    assert delivery.quarantined == delivery.duplicates == 0
    assert delivery.published > before.truth.deliveries[CASES].published


def test_held_is_over_the_threshold(home: Home) -> None:
    delivery = made(home, CASES, "held").truth.deliveries[CASES]
    allowed = load_tree().contract("health.disease_case").thresholds.bad_rows_percent
    assert 100 * delivery.quarantined / delivery.rows > allowed
    assert delivery.published == 0


def test_no_faults_at_all(home: Home) -> None:
    truth = generate_day(home, FIRST, faults=Faults(rows=False))
    assert {d.batch_status for d in truth.deliveries.values()} == {"published"}
    assert all(not (d.faults or d.near_misses) for d in truth.deliveries.values())


def test_a_list_without_manifest_carries_its_time(home: Home) -> None:
    feed = "econ_it/integration_pilot"
    day = made(home, feed, None)
    assert [f.name for f in day.folder(feed).iterdir()] == [day.file(feed).name]
    due = load_tree().contract("econ_it.integration_pilot").schedule.due_at(FIRST)
    assert day.file(feed).stat().st_mtime < due.timestamp()


@pytest.mark.parametrize(
    ("feed", "fault", "says"),
    [
        ("health/disease_case", "duplicate", "nothing came the day before"),
        ("emergency/depot_stock", "duplicate", "whole state"),
        ("health/no_such", "missing", "no feed"),
    ],
)
def test_faults_that_cannot_be(home: Home, feed: str, fault: DeliveryFault, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        made(home, feed, fault)


def test_what_was_refused_yesterday_does_not_come_again_as_a_duplicate(home: Home) -> None:
    """The default plan of the seventh day would repeat what the sixth day's plan makes secret."""
    providers = {"civil", "econ_it", "emergency", "health", "chaoyang", "dongcheng", "transport"}
    days = [FIRST + timedelta(n) for n in (0, 5, 6)]
    plans = [generate_day(home, day, providers=providers).plan.deliveries for day in days]
    repeated = {f for f, k in plans[2].items() if k == "duplicate"}
    assert [f for f, k in plans[1].items() if k == "secret"] == [CASES]
    assert CASES not in repeated
