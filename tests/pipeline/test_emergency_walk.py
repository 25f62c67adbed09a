"""The emergency bureau's walk: elders × illness by street, from a refusal to a revoked grant."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import delta_sharing
import pytest
from deltalake import DeltaTable
from requests import HTTPError

from contracts.layout import ROOT, Home
from contracts.moment import utc_now
from contracts.requested import city_tree
from jobs.record import governance
from jobs.seal.rows import opened_table
from jobs.verify import verify
from lineage.evidence import verify_dossier
from lineage.evidence.custody import gaps_of
from lineage.evidence.dossier import compile_dossier
from lineage.evidence.machine import this_machine
from lineage.evidence.scope import GrantScope
from sharing.control import Control
from sharing.gateway.reads import settle_reads
from sharing.grants import recipients
from sharing.joined.make import make_table, retire_ended
from sharing.requests import flow
from sharing.requests.asked import parse_asked
from sharing.requests.parties import AboveCeilingError
from sharing.requests.tables import read_ask
from sharing.verify.lake import CityLake
from sharing.verify.requests import requests
from tests.conftest import DAYS
from tests.support.gateways import running_gateway
from tests.support.lineage.dossiers import keys_of, stranger_says, without
from tests.support.sharing.asking import person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from jobs.verify import Finding
    from lineage.evidence.dossier import Dossier
    from lineage.evidence.leaf import Leaf
    from sharing.requests.states import Action
    from tests.conftest import City

pytestmark = pytest.mark.spark

AT = "2026-07-19T01:00:00Z"
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


def test_the_walk(
    city: City,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
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
            flow.act(
                control,
                city.tree,
                ask_id,
                "close",
                ASKER,
                utc_now(),
                flow.Statement({"reason": "汛情解除"}),
            )
            with pytest.raises(HTTPError) as gone:
                delta_sharing.load_as_pandas(url)
            assert gone.value.response.status_code == 404
        retire_ended(home, control)
        said = {"method": "覆写", "proof": "签字单 17"}
        flow.act(control, city.tree, ask_id, "destroy", ASKER, utc_now(), flow.Statement(said))
        settle_reads(control, utc_now() + timedelta(hours=2))
    made = _custody_is_whole(city, home, ask_id)
    _a_stranger_sees_who_agreed(home, made.files, ask_id, tmp_path, capsys)
    assert [p.id for p in city_tree(home).active_products()] == [
        p.id for p in city.tree.active_products()
    ]
    assert _findings(home) == []


def _custody_is_whole(city: City, home: Home, ask_id: str) -> Dossier:
    """From each provider's file to the recipient's reads, over what the stages wrote themselves."""
    name = f"request_{ask_id.lower().replace('-', '_')}__emergency"
    made = compile_dossier(home, GrantScope(f"emergency/jingshu.requests.{name}"), [], AT)
    assert list(verify_dossier.check(made.files, made.files["log.vkey"])) == []
    of_type: dict[str, list[Leaf]] = {}
    for leaf in made.leaves:
        of_type.setdefault(leaf.type, []).append(leaf)
    (build,) = of_type["build"]
    (share,) = of_type["share"]
    assert build.subject.partition("@")[2] == share.facts["source"]
    for leaf in (build, *of_type["landing"]):  # commit, lock and host of what made it
        assert this_machine().facts().items() <= leaf.facts.items()
    assert set(this_machine().facts()) == {"code_commit", "lock_sha256", "host"}
    inputs = ("civil__elder_service", "health__disease_case")
    batches = {
        f"{b.table}@{b.batch_id}": b
        for b in governance.latest_batches(home)
        if b.table in inputs and b.silver_version is not None
    }
    assert len(batches) >= len(inputs)
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.drop.rglob("*")
        if path.is_file()
    }
    for kind in ("landing", "verdict", "publication"):
        assert {leaf.subject.partition("/")[0] for leaf in of_type[kind]} == set(batches), kind
    for leaf in of_type["landing"]:
        batch = batches[leaf.subject.partition("/")[0]]
        assert leaf.facts["file_sha256"] == files[batch.file_name], "what the provider put there"
    assert {leaf.facts["batch_id"] for leaf in of_type["delivery"]} == {
        b.batch_id for b in batches.values()
    }
    steps = [leaf for kind in ("request", "answer", "destruction") for leaf in of_type[kind]]
    assert {leaf.subject for leaf in steps} == {f"{ask_id}#{n}" for n in range(len(steps))}
    agreed = {
        leaf.facts["body"] for leaf in of_type["answer"] if "agree" in str(leaf.facts["action"])
    }
    assert agreed == {"civil", "health", "gov_data"}
    assert {gap.kind for gap in made.gaps} == {"whose reads"}
    assert [leaf.facts["approval"] for leaf in of_type["level"]] == [ask_id] * len(of_type["level"])
    for leaf in (build, of_type["landing"][0], of_type["verdict"][0], of_type["delivery"][0]):
        rest = [other for other in made.leaves if other.subject != leaf.subject]
        assert any(gap.kind == leaf.type for gap in gaps_of(rest)), leaf.key
    manifest = json.loads(made.files["manifest.json"])
    assert [gap["leaf"] for gap in manifest["gaps"]] == [leaf.key for leaf in of_type["reads"]]
    return made


def _a_stranger_sees_who_agreed(
    home: Home,
    files: dict[str, bytes],
    ask_id: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert stranger_says(home, files, folder) == 0
    said = capsys.readouterr().out
    assert "GAP" not in said
    for action, body in (
        ("submit", "emergency"),
        ("accept", "civil"),
        ("agree", "civil"),
        ("agree", "health"),
        ("agree_as_authority", "gov_data"),
        ("deliver", "civil"),
        ("destroy", "emergency"),
    ):
        assert any(f": {action} by " in s and s.endswith(f" for {body}") for s in said.splitlines())
    assert f"lowered by approval {ask_id}\n" in said
    steps = [key for key in keys_of(files) if key.partition(":")[2].startswith(f"{ask_id}#")]
    for gone, gap in (
        (steps, f"GAP no submission of request {ask_id}"),
        ([key for key in steps if key.endswith("#3")], f"GAP no step 3 of request {ask_id}"),
        ([key for key in steps if key.startswith("answer:")], f"GAP no answer of request {ask_id}"),
    ):
        assert stranger_says(home, without(home, files, *gone), folder) == 3
        assert gap in capsys.readouterr().out


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
        return flow.act(
            control, city.tree, ask_id, action, person(body, role), utc_now(), flow.Statement(said)
        )

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
    report.add(requests(CityLake(home, tree)))
    return [*report.broken, *report.recovering]
