"""The emergency bureau's walk: elders × illness by street, from a refusal to a revoked grant."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import delta_sharing
import pytest
from deltalake import DeltaTable
from requests import HTTPError

from contracts.layout import ROOT, Home
from contracts.requested import city_tree
from jobs.seal.rows import opened_table
from jobs.verify import verify
from jobs.verify.lake import Lake
from sharing import recipients
from sharing.control import Control, utc_now
from sharing.joined.make import make_table, retire_ended
from sharing.requests import flow
from sharing.requests.asked import parse_asked
from sharing.requests.parties import AboveCeilingError
from sharing.requests.tables import read_ask
from sharing.requests.verify import requests
from tests.conftest import DAYS
from tests.gateways import running_gateway
from tests.unit.sharing.asking import person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from jobs.verify import Finding
    from sharing.requests.states import Action
    from tests.conftest import City

pytestmark = pytest.mark.spark

K = 20
ASKER = person("emergency", "requester")
#: Any illness: of one alone, hardly a street has a single elder.
WISH: dict[str, Any] = {
    "title": "独居老人与疾病",
    "recipient": "emergency",
    "body": "emergency",
    "purpose": "高温转移安置",
    "legal_basis": "突发事件应对法 第七条",
    "scenario": "按街道调派救护力量",
    "scope": "市应急局指挥中心",
    "until": (datetime.now(UTC) + timedelta(days=30)).date(),
    "sources": [
        {"contract": "civil.elder_service", "key": "elder_id"},
        {"contract": "health.disease_case", "key": "person_id", "rows": "icd10 LIKE '%'"},
    ],
    "by": ["street_code"],
    "k": K,
}


@pytest.fixture
def home(city: City, tmp_path: Path) -> Home:
    copied = Home(tmp_path / "home")
    shutil.copytree(city.home.root, copied.root)
    return copied


def test_the_walk(city: City, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Control(home) as control:
        _raw_is_refused(control, city)
        ask_id = _agreed(control, city)
        with control.read() as session:
            ask = read_ask(session, ask_id)
        assert make_table(home, ask, DAYS[-1]) == make_table(home, ask, DAYS[-1])
        cdo = person("civil", "cdo")
        assert flow.act(control, city.tree, ask_id, "deliver", cdo, utc_now()) == "delivered"
        with running_gateway(home, ROOT / "contracts") as gateway:
            monkeypatch.setenv("JINGSHU_GATEWAY_PORT", gateway.environment["JINGSHU_GATEWAY_PORT"])
            file = tmp_path / "emergency.share"
            recipients.write_profile(recipients.issue_profile(control, "emergency"), file)
            url = f"{file}#jingshu.requests.request_{ask_id.lower().replace('-', '_')}__emergency"
            frame = delta_sharing.load_as_pandas(url)
            assert set(frame.columns) == {
                "street_code",
                "business_date",
                "persons",
                "persons_in_all",
                "suppressed",
            }
            shown = {
                r.street_code: (_whole(r.persons), _whole(r.persons_in_all))
                for r in frame.itertuples()
            }
            assert shown == _truth(city)
            assert any(persons for persons, _ in shown.values()), "some street shows its elders"
            assert any(both is None for _, both in shown.values()), "and some hides who is ill"
            assert _findings(home) == []
            assert flow.sweep(control, city.tree, utc_now()) == [(ask_id, "note_first_read")]
            flow.act(control, city.tree, ask_id, "close", ASKER, utc_now(), {"reason": "汛情解除"})
            with pytest.raises(HTTPError) as gone:
                delta_sharing.load_as_pandas(url)
            assert gone.value.response.status_code == 404
        retire_ended(home, control)
        said = {"method": "覆写", "proof": "签字单 17"}
        flow.act(control, city.tree, ask_id, "destroy", ASKER, utc_now(), said)
    assert [p.id for p in city_tree(home).active_products()] == [
        p.id for p in city.tree.active_products()
    ]
    assert _findings(home) == []


def _raw_is_refused(control: Control, city: City) -> None:
    raw = [
        {**source, "columns": {source["key"]: {"mask": mask}}}
        for source, mask in zip(WISH["sources"], ("keep", "hmac_sm3"), strict=True)
    ]
    for source in raw:
        with pytest.raises(AboveCeilingError, match="above L2"):
            flow.draft(
                control,
                city.tree,
                parse_asked({**WISH, "sources": [source], "by": []}, "raw"),
                ASKER,
                utc_now(),
            )


def _agreed(control: Control, city: City) -> str:
    def take(action: Action, body: str, role: str, **said: str) -> str:
        return flow.act(control, city.tree, ask_id, action, person(body, role), utc_now(), said)

    ask_id = flow.draft(control, city.tree, parse_asked(WISH, "wish"), ASKER, utc_now())
    take("submit", "emergency", "cdo")
    take("accept", "civil", "steward")
    assert take("agree", "civil", "cdo") == "accepted"
    assert take("agree", "health", "cdo") == "accepted"
    assert take("agree_as_authority", "gov_data", "authority", pia_id="PIA-2026-0044") == "agreed"
    return ask_id


def _truth(city: City) -> Mapping[str, tuple[int | None, int | None]]:
    """Count in Python what the job counted on Spark, from the published rows in clear."""
    elders, cases = (_rows(city, name) for name in ("civil.elder_service", "health.disease_case"))
    ill = {row["person_id"] for row in cases if row["icd10"] is not None}
    living = {(row["street_code"], row["elder_id"]) for row in elders}
    persons = Counter(street for street, _ in living)
    both = Counter(street for street, elder in living if elder in ill)
    return {street: _told(n, both[street]) for street, n in persons.items()}


def _told(persons: int, both: int) -> tuple[int | None, int | None]:
    is_few = both > 0 and (both < K or persons - both < K)
    return (persons if persons >= K else None, None if is_few else both)


def _rows(city: City, contract_id: str) -> list[dict[str, Any]]:
    contract = city.tree.contract(contract_id)
    name = contract.table(contract.servers[0].provider)
    rows = DeltaTable(str(city.home.table("silver", name))).to_pyarrow_table()
    opened: list[dict[str, Any]] = opened_table(city.home, contract, name, rows).to_pylist()
    return opened


def _whole(value: float) -> int | None:
    return None if value != value else int(value)  # noqa: PLR0124 - NaN is what pandas calls NULL


def _findings(home: Home) -> list[Finding]:
    tree = city_tree(home, ROOT / "contracts")
    report = verify(home, tree)
    report.add(requests(Lake(home, tree)))
    return [*report.broken, *report.recovering]
