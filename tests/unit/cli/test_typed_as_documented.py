"""Documented examples that a finished day has nothing for, typed in order over a home that has it.

The commands are read from the pages and helps; a story says only their order, and what is typed
before them. What differs from home to home is put in their place: a port, an address, a batch.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from tests.support.documented import typed
from tests.support.lineage.chains import Chain
from tests.support.lineage.endpoint import LineageEndpoint
from tests.support.lineage.recording import record
from tests.support.lineage.witnessing import serving
from tests.support.sharing.abroad import STOCK
from tests.support.sharing.lakes import INPUTS, HeatLake
from tests.support.sharing.posting import Post, closed_port, posting
from tests.support.sharing.served import SETTINGS
from tests.support.typing_in_order import Desk, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

#: Who approves late costs of health's, and who may process and operate what the product is of.
ACCOUNTS: Final = (
    "./jingshu share account add li.health --body health",
    "./jingshu share account roles li.health cdo",
)
OPERATED: Final = tuple(
    f"./jingshu share rights grant {feed.table} {right} emergency --legal-basis 协议"
    for feed in INPUTS
    if feed.provider != "emergency"
    for right in ("process", "operate")
)
#: The order that examples make sense in: beginnings of documented commands, and whole commands
#: that are typed before them.
RIGHTS: Final = (
    "share rights grant",
    "share rights check",
    "share rights change",
    "share rights correct",
    "share rights list",
    "share rights revoke",
    *OPERATED,
    "share rights listing make",
    "share rights listing list",
    "share rights listing show",
    "share rights trade rule",
    "share rights trade order",
    "share rights trade list",
    "share rights trade refund",
    "share rights listing withdraw",
    *ACCOUNTS,
    "share rights asset close",
    "share rights asset book",
    "share rights asset approve",
    "share rights asset approve-runs",
    "share rights asset measure",
    "share rights asset list",
    "share rights asset reverse",
    "share rights asset recognise",
)
ABROAD: Final = (
    "share crossborder party",
    "share crossborder parties",
    "share crossborder assess",
    "share crossborder assessments",
    "share crossborder paper",
    "share crossborder papers",
    "share crossborder zone-list",
    "share crossborder decide",
    "share crossborder list",
    "share crossborder give-up",
    "share crossborder ask",
    "share crossborder extend",
)
ZONE: Final = "industry,scenario,field,threshold,route\n零售,库存,sku,1,security_assessment\n"
#: A request of what only an assessment lets go: its sources are of level L3.
ASKED: Final = """title: 高温应对
recipient: med_ins
body: med_ins
purpose: 高温期间医保值守
legal_basis: 突发事件应对法 第七条
scenario: 值守席每日查看
scope: 医保局应急处
until: 2026-09-30
sources:
  - {contract: civil.elder_service, key: elder_id}
  - {contract: health.disease_case, key: person_id, rows: "icd10 LIKE 'T67%'"}
by: [street_code]
"""
ASKING: Final = (
    "./jingshu share request draft 申请.yaml",
    "./jingshu share request submit R2026-0001",
    "./jingshu share request accept R2026-0001",
    "./jingshu share request agree R2026-0001 --as-body civil",
    "./jingshu share request agree R2026-0001 --as-body health",
    "share request approve",
)
_PATIENCE_S: Final = 60


def told(story: tuple[str, ...]) -> Iterator[str]:
    """Yield the commands of a story, documented ones as they are written."""
    for part in story:
        if part.startswith("./jingshu "):
            yield part
            continue
        found = typed(part)
        assert found, f"no page and no help tells of {part}"
        yield from found


@pytest.fixture
def desk(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A folder to type in, on a day of the examples, without settings of whoever runs the tests."""
    monkeypatch.setattr("contracts.moment.datetime", Standing)
    for name in (*SETTINGS, "JINGSHU_CONTROL_URL", "JINGSHU_WITNESSES", "OPENLINEAGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    home.root.mkdir(parents=True, exist_ok=True)
    return Desk(home, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("group", "story"), [("share rights", RIGHTS), ("share crossborder", ABROAD)]
)
def test_a_story_tells_every_example_once(group: str, story: tuple[str, ...]) -> None:
    examples = [one for one in told(story) if one not in story]
    assert sorted(examples) == sorted(typed(group))


def test_rights_are_granted_traded_and_booked_as_documented(desk: Desk) -> None:
    HeatLake(desk.home).make()
    desk.type_all(told(RIGHTS))


def test_exports_are_decided_as_documented(desk: Desk) -> None:
    write_deltalake(desk.home.table("silver", STOCK), pa.table({"sku": ["S1"]}))
    desk.write("list.csv", ZONE)
    desk.type_all(told(ABROAD))


def test_a_request_is_approved_as_documented(desk: Desk) -> None:
    desk.write("申请.yaml", ASKED)
    desk.type_all(told(ASKING))


def test_a_notice_is_tried_as_documented(desk: Desk) -> None:
    post = Post()
    with posting(post) as port:
        desk.write(
            "notices.toml",
            f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsender = "j@example.cn"\n'
            'starttls = false\n[[to]]\nbody = "health"\nemail = "data@health.example.gov.cn"\n',
        )
        desk.type_all(typed("share notices test"))
    assert [to for to, _ in post.taken] == [["data@health.example.gov.cn"]]


def test_the_log_is_cosigned_as_documented(desk: Desk) -> None:
    EvidenceLog(desk.home).append([Leaf("build", "t@1", {"n": 1}, "2026-07-13T00:00:00Z")])
    with serving(desk.home):
        desk.type_all(typed("evidence witness"))


def test_the_log_is_anchored_as_documented(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, asked = Chain(), list[str]()

    def node(url: str) -> Chain:
        asked.append(url)
        return chain

    monkeypatch.setattr("lineage.evidence.cometbft.CometBft", node)
    EvidenceLog(desk.home).append([Leaf("build", "t@1", {"n": 1}, "2026-07-13T00:00:00Z")])
    desk.type_all(told(("evidence anchor", "evidence verify --rpc")))
    assert len(chain.texts) == 1
    assert asked == ["http://127.0.0.1:26657"] * 2


def test_lineage_is_sent_as_documented(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = record(desk.home, 2)
    with LineageEndpoint() as endpoint:
        monkeypatch.setenv("OPENLINEAGE_URL", endpoint.url)
        desk.meant = dict.fromkeys(("http://127.0.0.1:5000", "http://marquez:5000"), endpoint.url)
        desk.type_all(typed("lineage send"))
    assert [got.name for got in endpoint.taken] == wanted


def test_a_simulated_provider_is_made_as_documented(desk: Desk) -> None:
    desk.type_all(typed("sandbox make"))
    said = desk.type("./jingshu sandbox truth --date 2026-07-15 --json")
    assert {feed.partition("/")[0] for feed in json.loads(said)["deliveries"]} == {"health"}


def interrupted(port: int) -> threading.Thread:
    """Press Ctrl-C once the server on a port has answered; a server that never does is not one."""

    def press() -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                    break
            except OSError:
                time.sleep(0.05)
        else:
            return
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press, daemon=True)
    pressing.start()
    return pressing


@pytest.mark.parametrize("command", typed("portal serve", "portal web"))
def test_pages_are_served_until_ctrl_c_as_documented(
    command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.home.site.mkdir(parents=True)
    (desk.home.site / "index.html").write_text("<p>日报</p>", "utf-8")
    port = closed_port()
    monkeypatch.setattr("portal.serve.PORT", port)
    monkeypatch.setenv("JINGSHU_WEB_PORT", f"{port}")
    desk.meant = dict.fromkeys(("--port 8795", "--port 8792"), f"--port {port}")
    pressing = interrupted(port)
    said = desk.type(command, ends=130)
    pressing.join(_PATIENCE_S)
    assert f"http://127.0.0.1:{port}/" in said
