"""The whole city in one command: 58 providers and their suppliers, on the embedded stack."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from infra.sandbox.truth import load_truth
from jobs.verify import verify
from tests.support.commands import Running, versions

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 7, 15)
pytestmark = [pytest.mark.e2e, pytest.mark.full]


def test_a_city_day_in_one_command_and_again_without_airflows_database(tmp_path: Path) -> None:
    home, tree = Home(tmp_path / "city"), load_tree(ROOT / "contracts")
    with Running(home, "run", "--date", str(DAY), "--json") as command:
        assert command.finish(patience_s=1800) == 0, command.log
        assert command.leftovers() == []
    [day] = command.summary()["days"]
    found = {f"{d['provider']}/{d['dataset']}": d for d in day["deliveries"]}
    assert {f"{f.provider}/{f.contract.dataset}" for f in tree.feeds()} == set(found)
    for feed, truth in load_truth(home, DAY).deliveries.items():
        assert found[feed]["state"] == (truth.batch_status or truth.delivery_state), found[feed]
        if truth.is_published:
            assert found[feed]["rows_published"] == truth.good
            assert found[feed]["rows_quarantined"] == truth.quarantined
    assert verify(home, tree).findings == []

    before = versions(home)
    shutil.rmtree(home.run / "airflow")
    with Running(home, "run", "--date", str(DAY), "--json") as again:
        assert again.finish(patience_s=1800) == 0, again.log
    assert versions(home) == before
    [same] = again.summary()["days"]
    ends = [[line["state"], line["batch_id"]] for line in same["deliveries"]]
    assert ends == [[line["state"], line["batch_id"]] for line in day["deliveries"]]
