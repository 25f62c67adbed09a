"""From the city's drop folder to a recipient's data frame: granted, masked, and taken back."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import delta_sharing
import pytest
from requests import HTTPError

from contracts.layout import ROOT, Home
from sharing import grants, recipients
from sharing.control import Control
from tests.conftest import DAYS, City
from tests.gateways import Gateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.spark

TABLE = "heat_readiness__demo"
NAME = f"jingshu.emergency.{TABLE}"


@pytest.fixture(scope="module")
def gateway(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over a copy of the city, so that grants leave the shared one as it is."""
    home = Home(tmp_path_factory.mktemp("granted") / "home")
    shutil.copytree(city.home.root, home.root)
    with running_gateway(home, ROOT / "contracts") as running:
        yield running


@pytest.fixture
def profile(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile file of a recipient who was granted the city's shared table."""
    monkeypatch.setenv("JINGSHU_GATEWAY_PORT", gateway.environment["JINGSHU_GATEWAY_PORT"])
    file = tmp_path / "demo.share"
    with Control(gateway.home) as control:
        grants.grant(control, "demo", TABLE, "高温应急", actor="test")
        recipients.write_profile(recipients.issue_profile(control, "demo"), file)
    return file


@pytest.mark.parametrize("use_delta_format", [False, True], ids=["parquet", "delta"])
def test_a_recipient_reads_masked_values_only(
    city: City, profile: Path, *, use_delta_format: bool
) -> None:
    frame = delta_sharing.load_as_pandas(f"{profile}#{NAME}", use_delta_format=use_delta_format)
    assert len(frame) == 349 * len(DAYS)
    assert "nearest_depot_id" not in frame.columns
    assert "nearest_depot_km" not in frame.columns
    for phone in frame["duty_phone"].dropna():
        assert "*" in phone[3:-4], "the middle of the number is hidden"
    for column in ("nearest_depot_lon", "nearest_depot_lat"):
        assert all(v == round(v, 2) for v in frame[column].dropna())
    counts = frame[["elders_served", "heat_cases"]].stack()
    assert not counts.between(1, 19).any(), "no cell of fewer than k persons"
    truth = city.truths[DAYS[-1]].heat_readiness
    newest = frame[frame["business_date"].astype(str) == str(DAYS[-1])]
    shown = dict(zip(newest["street_code"], newest["elders_served"].fillna(-1), strict=True))
    assert shown == {
        code: -1 if cell.elders_served is None else cell.elders_served
        for code, cell in truth.items()
    }


@pytest.mark.parametrize("use_delta_format", [False, True], ids=["parquet", "delta"])
def test_the_changes_of_every_day_make_the_table(
    gateway: Gateway, profile: Path, *, use_delta_format: bool
) -> None:
    with Control(gateway.home) as control:
        grants.grant(control, "demo", TABLE, "高温应急", history_from=1, actor="test")
    url = f"{profile}#{NAME}"
    feed = delta_sharing.load_table_changes_as_pandas(
        url, starting_version=1, use_delta_format=use_delta_format
    )
    assert feed["_commit_version"].nunique() >= len(DAYS)
    came_and_went = {"insert": 1, "delete": -1}
    left: Counter[tuple[str, str]] = Counter()
    for row in feed.to_dict("records"):
        key = (row["street_code"], str(row["business_date"])[:10])
        left[key] += came_and_went[row["_change_type"]]
    frame = delta_sharing.load_as_pandas(url)
    days = frame["business_date"].astype(str).str[:10]
    assert +left == Counter(zip(frame["street_code"], days, strict=True))


def test_what_was_not_granted_is_not_there(gateway: Gateway, profile: Path) -> None:
    with pytest.raises(HTTPError) as refused:
        delta_sharing.load_as_pandas(f"{profile}#jingshu.emergency.heat_readiness__other")
    assert refused.value.response.status_code == 404
    with Control(gateway.home) as control:
        grants.revoke(control, "demo", TABLE, actor="test")
    with pytest.raises(HTTPError) as gone:
        delta_sharing.load_as_pandas(f"{profile}#{NAME}")
    assert gone.value.response.status_code == 404
