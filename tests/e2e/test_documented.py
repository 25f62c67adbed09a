"""What the pages and every ``--help`` tell people to type, typed over a city's finished day.

The home is a copy, and nothing lies where the day was run: nobody's home is where ours was.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from cli.main import COMMANDS, main
from contracts.layout import ROOT, Home
from infra.reference.commands import every_command
from jobs.record import governance
from tests.support.documented import SUBCOMMANDS, core, parse, snippets, typed, words_of
from tests.support.gateways import running_gateway
from tests.support.sharing.holidays import NOTICE_2027

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.commands import Running

pytestmark = pytest.mark.e2e

SNIPPETS: Final = snippets()
TYPED: Final = list(dict.fromkeys(s.text for s in SNIPPETS if s.kind == "command"))
CODE: Final = list(dict.fromkeys(s.text for s in SNIPPETS if s.kind == "python"))
_IN_ORDER: Final = "unit/cli/test_typed_as_documented.py::test_{}_as_documented"
_OVER_A_LAKE: Final = (
    "unit/cli/test_typed_over_a_lake.py"
    "::test_batches_are_done_again_released_and_withdrawn_as_documented"
)
_ON_A_CHAIN: Final = "e2e/test_chain.py::test_{}"
#: Commands that last, or need what a finished simulated day has not: read down to their last option
#: here, and run by the test that is named. Those of ``unit/cli`` type the examples themselves.
RUN_ELSEWHERE: Final = {
    "run": "e2e/test_run.py::test_every_delivery_of_the_day_comes_to_an_end",
    "up": "e2e/test_up.py::test_all_parts_are_up_and_say_where",
    "down": "e2e/test_up.py::test_down_leaves_nothing",
    "portal serve": _IN_ORDER.format("pages_are_served_until_ctrl_c"),
    "portal web": _IN_ORDER.format("pages_are_served_until_ctrl_c"),
    "batch release": _OVER_A_LAKE,
    "batch withdraw": _OVER_A_LAKE,
    "backfill": _OVER_A_LAKE,
    "sandbox make": _IN_ORDER.format("a_simulated_provider_is_made"),
    "evidence anchor": _IN_ORDER.format("the_log_is_anchored"),
    "evidence chain": _ON_A_CHAIN.format("the_chain_is_brought_up_and_down"),
    "evidence witness": _IN_ORDER.format("the_log_is_cosigned"),
    "evidence verify --rpc": _IN_ORDER.format("the_log_is_anchored"),
    "lineage send": _IN_ORDER.format("lineage_is_sent"),
    "share rights": _IN_ORDER.format("rights_are_granted_traded_and_booked"),
    "share crossborder": _IN_ORDER.format("exports_are_decided"),
    "share notices test": _IN_ORDER.format("a_notice_is_tried"),
    "share request approve": _IN_ORDER.format("a_request_is_approved"),
}
#: What would run these tests in themselves, as ``.ci/run`` does; and what takes minutes a command.
ONLY_READ: Final = ("test", "bench")
#: What ends otherwise over this home, and well.
ENDS: Final = {
    "status": 1,
    "share catalogue check": 1,
}
#: What begins a home: there are accounts already where the others are typed.
IN_A_NEW_HOME: Final = "share account bootstrap --sysadmin"
_REQUEST: Final = "share request {} R2026-0001"
_EXAMPLE: Final = "share request draft --example > 申请.yaml"
_DRAFT: Final = (_EXAMPLE, "share request draft 申请.yaml")
_SUBMITTED: Final = (*_DRAFT, _REQUEST.format("submit"))
_ACCEPTED: Final = (*_SUBMITTED, _REQUEST.format("accept"))
_AGREED: Final = (*_ACCEPTED, _REQUEST.format("agree"))
_DELIVERED: Final = (*_AGREED, _REQUEST.format("deliver"))
_DISPUTED: Final = (*_SUBMITTED, f"{_REQUEST.format('dispute')} --reason 久不受理")
_BROUGHT: Final = (*_DISPUTED, f"{_REQUEST.format('dispute-bring')} --reason 协商不成")
_CORRECT: Final = (
    f"{_REQUEST.format('correct')} --contract emergency.heat_readiness --provider emergency"
    " --said 人数不对"
)
_ENTRY: Final = "share catalogue {} 320003/000017 {}"
_ASSESS: Final = _ENTRY.format(
    "assess", "--outcome clear --signed-by cdo.health --pia PIA-2026-0012"
)
_SUBMIT: Final = _ENTRY.format("submit", "")
#: What has to be so before an example makes sense.
BEFORE: Final = {
    "share request draft 申请.yaml": (_EXAMPLE,),
    "share request submit": _DRAFT,
    "share request supplement": _SUBMITTED,
    "share request resubmit": (*_SUBMITTED, f"{_REQUEST.format('supplement')} --missing 范围"),
    "share request accept": _SUBMITTED,
    "share request agree": _ACCEPTED,
    "share request refuse": _ACCEPTED,
    "share request extend": _ACCEPTED,
    "share request deliver": _AGREED,
    "share request correct": _DELIVERED,
    "share request use": _DELIVERED,
    "share request suspend": _DELIVERED,
    "share request resume": (*_DELIVERED, f"{_REQUEST.format('suspend')} --reason 核查"),
    "share request close": _DELIVERED,
    "share request withdraw": _SUBMITTED,
    "share request end-service": _DELIVERED,
    "share request stop-service": _DELIVERED,
    "share request destroy": (*_DELIVERED, f"{_REQUEST.format('close')} --reason 用毕"),
    "share request dispute": _SUBMITTED,
    "share request dispute-settle": _DISPUTED,
    "share request dispute-bring": _DISPUTED,
    "share request dispute-rule": _BROUGHT,
    "share request dispute-refer": _BROUGHT,
    "share request dispute-note": (
        *_BROUGHT,
        f"{_REQUEST.format('dispute-refer')} --reason 请决定",
    ),
    "share request answer": (*_DELIVERED, _CORRECT),
    "share catalogue change": (_SUBMIT, _ENTRY.format("review", "approve")),
    "share catalogue review": (_ASSESS, _SUBMIT),
    "share catalogue submit": (_ENTRY.format("change", "--reason 职责"), _ASSESS),
}
#: What a dbt model that reads a shared table says, without columns.
DBT_EVENT: Final = {
    "eventType": "COMPLETE",
    "eventTime": "2026-07-16T00:00:00Z",
    "producer": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt",
    "run": {"runId": "0191e2c0-0000-7000-8000-0000000000aa"},
    "job": {"namespace": "dbt", "name": "models.board"},
    "inputs": [{"namespace": "jingshu://beijing", "name": "shared.heat_readiness__demo"}],
    "outputs": [{"namespace": "postgres://bi:5432", "name": "db.public.board"}],
}
_ID: Final = re.compile(r"\b[RC]\d{4}-\d{4}\b")
_BATCH: Final = re.compile(r"\b20\d{6}-[0-9a-f]{4,12}\b|\bID\b")


@dataclass
class Desk:
    """A folder to type in: ``var`` is the home, and the files that examples name are there."""

    folder: Path
    home: Home
    spark_remote: str
    capture: pytest.CaptureFixture[str]
    ids: dict[str, str] = field(default_factory=dict)

    def type(self, command: str) -> tuple[int, str]:
        """Type a command; what it prints goes where ``>`` says."""
        said, _, file = command.partition(" > ")
        words = words_of(self.meant(said))
        words = words[words[0] == "./jingshu" :]
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = self.capture.readouterr()
        if file:
            Path(file).write_text(printed.out, "utf-8")
        for found in _ID.findall(printed.out):
            self.ids[found[0]] = found
        return int(ended.value.code or 0), printed.out + printed.err

    def meant(self, command: str) -> str:
        """Put this lake's own batch, grant and request for those of the example."""
        command = _ID.sub(lambda m: self.ids.get(m[0][0], m[0]), command.replace("~", "."))
        return _BATCH.sub(lambda _: self._batch(command), command)

    def _batch(self, command: str) -> str:
        """Return a held batch where one is decided, else a published one."""
        if re.search(r"batch (reject|release)", command):
            return next(r.batch_id for r in self._batches() if r.status in ("held", "rejected"))
        return next(r.batch_id for r in self._batches() if r.table == "health__disease_case")

    def _batches(self) -> list[governance.BatchRow]:
        return governance.latest_batches(self.home)


@pytest.fixture(scope="module")
def home(
    first_day: Running, day_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A copy of the finished day, to be changed; the day's own place is empty meanwhile."""
    copy = Home(tmp_path_factory.mktemp("typed") / "home")
    shutil.copytree(day_home.root, copy.root, symlinks=True)
    aside = day_home.root.rename(day_home.root.with_name("aside"))
    yield copy
    assert not day_home.root.exists(), "something was written where the home lay before"
    aside.rename(day_home.root)


@pytest.fixture(scope="module")
def folder(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that examples are typed in."""
    made = tmp_path_factory.mktemp("desk")
    (made / "var").symlink_to(home.root)
    for name in ("contracts", "tests"):
        (made / name).symlink_to(ROOT / name)
    for name, feed in {
        "病例.csv": "health/disease_case",
        "床位.csv": "civil/elder_service",
    }.items():
        [export] = (home.sandbox / "drop" / feed).glob("2026-07-15/*.csv")
        shutil.copy(export, made / name)
    shutil.copy(home.evidence / "log.vkey", made / "log.vkey")
    shutil.copytree(home.evidence, made / "copy" / "evidence")
    (made / "dbt-events.ndjson").write_text(json.dumps(DBT_EVENT), "utf-8")
    (made / "2027.csv").write_text(NOTICE_2027, "utf-8")
    (made / "list.csv").touch()
    write_deltalake(made / "trips", pa.table({"day": ["2026-07-15"], "trips": [3]}))
    for snippet in SNIPPETS:
        if snippet.kind == "file":
            file = made / snippet.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(snippet.text, "utf-8")
    return made


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """The ids that commands gave to what they made last."""
    return {}


@pytest.fixture
def desk(
    home: Home,
    folder: Path,
    ids: dict[str, str],
    spark_remote: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """Where a person types; the session's Spark is theirs."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    return Desk(folder, home, spark_remote, capsys, ids)


def said_of(command: str, table: Mapping[str, Any], default: Any) -> Any:
    """Return what a table says of the longest beginning of a command."""
    told = f"{core(command)} "
    found = [name for name in table if told.startswith(f"{name} ")]
    return table[max(found, key=len)] if found else default


OURS: Final = [t for t in TYPED if "./jingshu " in t]
OTHERS: Final = [t for t in TYPED if "./jingshu " not in t]
NOT_RUN: Final = {**RUN_ELSEWHERE, **dict.fromkeys(ONLY_READ, "nowhere")}


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.splitlines()[-1][:50])
def test_code_runs_as_it_is_written(code: str, desk: Desk) -> None:
    port = urlsplit(json.loads((desk.home.root / "demo.share").read_text())["endpoint"]).port
    with running_gateway(desk.home, ROOT / "contracts", port):
        exec(compile(code, "page", "exec"), {})  # noqa: S102 - it is our own page's
    assert "street_code" in desk.capture.readouterr().out


def test_the_code_of_a_delivered_request_runs(desk: Desk) -> None:
    code, said = desk.type("share request show R2026-0001 --json")
    assert code == 0, said
    reading = json.loads(said)["reading"]
    assert desk.type(reading["profile_command"])[0] == 0
    profile = json.loads(Path("demo.share").read_text("utf-8"))
    with running_gateway(desk.home, ROOT / "contracts", urlsplit(profile["endpoint"]).port):
        for tool, text in reading["code"].items():
            made: dict[str, Any] = {}
            exec(compile(text, tool, "exec"), made)  # noqa: S102 - it is our own command's
            assert "street_code" in made["frame"].columns, tool
            assert desk.capture.readouterr().out.strip(), tool
    assert set(reading["code"]) == {"pandas", "Polars", "DuckDB"}


@pytest.mark.parametrize("command", OURS, ids=core)
def test_a_command_runs_as_it_is_written(
    command: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if core(command).startswith(IN_A_NEW_HOME):
        monkeypatch.setenv("JINGSHU_HOME", str(tmp_path))
    for first in said_of(command, BEFORE, ()):
        code, said = desk.type(first)
        assert code == ENDS.get(first, 0), f"{first}: {said}"
    assert parse(words_of(desk.meant(command.partition(" > ")[0]))[1:])
    if said_of(command, NOT_RUN, None) is None:
        code, said = desk.type(command)
        assert code == said_of(command, ENDS, 0), said


@pytest.mark.parametrize("command", OTHERS, ids=lambda command: command.split()[0])
def test_another_programs_command_is_one(command: str, folder: Path) -> None:
    words = words_of(command)
    if words[0].startswith("python"):
        words = words[1:]
        assert words == ["verify_dossier.py", "july.zip"]
        shutil.copy(ROOT / "lineage/evidence/verify_dossier.py", folder)
        done = subprocess.run(["python3", *words], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return
    if words[0] == "uv":  # a tool of whoever changes a dependency; no part of ours
        assert all((ROOT / word).is_file() for word in words if word.startswith("requirements."))
        return
    done = subprocess.run([*words, "--help"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("beginning", RUN_ELSEWHERE)
def test_what_is_only_read_here_is_run_elsewhere(beginning: str) -> None:
    assert typed(beginning), "nobody is told to type it any more"
    module, name = RUN_ELSEWHERE[beginning].split("::")
    text = (ROOT / "tests" / module).read_text("utf-8")
    assert name in {n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}


#: What the first page promises of a group, and the command that keeps the promise.
PROMISES: Final = {
    "compare": "diff",
    "replay": "replay",
    "waive": "waive",
    **{
        verb: verb
        for verb in (
            "lint",
            "show",
            "list",
            "retry",
            "release",
            "reject",
            "withdraw",
            "prove",
            "verify",
            "rotate",
            "grant",
            "revoke",
            "build",
            "serve",
            "make",
            "diff",
            "import",
            "export",
        )
    },
}


@pytest.mark.parametrize("group", [p[0] for p, c in every_command() if len(p) == 1])
def test_a_group_has_every_command_that_its_line_promises(group: str) -> None:
    below = {path[1] for path in SUBCOMMANDS if len(path) == 2 and path[0] == group}
    if below:
        promised = set(re.findall(r"[a-z]+", COMMANDS[group].help.lower())) & set(PROMISES)
        assert {PROMISES[verb] for verb in promised} <= below
