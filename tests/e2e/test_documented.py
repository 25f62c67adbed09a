"""What the pages and every ``--help`` tell people to type, typed over a city's finished day.

The home is a copy, and nothing lies where the day was run: nobody's home is where ours was.
"""

from __future__ import annotations

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
from jobs import governance
from tests.documented import SUBCOMMANDS, all_commands, parse, snippets, words_of
from tests.gateways import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.commands import Running

pytestmark = pytest.mark.e2e

SNIPPETS: Final = snippets()
TYPED: Final = list(dict.fromkeys(s.text for s in SNIPPETS if s.kind == "command"))
CODE: Final = list(dict.fromkeys(s.text for s in SNIPPETS if s.kind == "python"))
#: Commands that last, need what this machine has not, or say no of a simulated city: read down to
#: their last option here, and run by the test that is named.
RUN_ELSEWHERE: Final = {
    "run": "e2e/test_run.py",
    "up": "e2e/test_up.py",
    "down": "e2e/test_up.py",
    "test": "unit/test_command_line.py",
    "bench": "unit/test_command_line.py",
    "portal serve": "unit/portal/test_serve.py",
    "portal web": "unit/portal_web/test_serving.py",
    "evidence anchor": "e2e/test_chain.py",
    "evidence chain": "e2e/test_chain.py",
    "lineage send": "unit/lineage/test_delivery.py",
    "share request approve": "unit/sharing/test_request_command.py",
    "share rights": "unit/sharing/test_rights_command.py",
    "share crossborder": "unit/sharing/test_crossborder_command.py",
    "share notices test": "unit/sharing/test_notices_sent.py",
}
#: What ends otherwise over this home, and well.
ENDS: Final = {"status": 1, "share catalogue check": 1}
#: What has to be so before an example makes sense: commands, the last of which names its id.
_DRAFT = ("share request draft 申请.yaml",)
_SUBMITTED = (*_DRAFT, "share request submit R2026-0001")
_ACCEPTED = (*_SUBMITTED, "share request accept R2026-0001")
_AGREED = (*_ACCEPTED, "share request agree R2026-0001")
_DELIVERED = (*_AGREED, "share request deliver R2026-0001")
_CLOSED = (*_DELIVERED, "share request close R2026-0001 --reason 用毕")
_CORRECT = "share request correct R2026-0001 --contract emergency.heat_readiness"
_CORRECTION = (*_DELIVERED, f"{_CORRECT} --provider emergency --said 人数不对")
BEFORE: Final = {
    "share request submit": _DRAFT,
    "share request supplement": _SUBMITTED,
    "share request resubmit": (*_SUBMITTED, "share request supplement R2026-0001 --missing 范围"),
    "share request accept": _SUBMITTED,
    "share request agree": _ACCEPTED,
    "share request refuse": _ACCEPTED,
    "share request extend": _ACCEPTED,
    "share request deliver": _AGREED,
    "share request correct": _DELIVERED,
    "share request use": _DELIVERED,
    "share request suspend": _DELIVERED,
    "share request resume": (*_DELIVERED, "share request suspend R2026-0001 --reason 核查"),
    "share request close": _DELIVERED,
    "share request destroy": _CLOSED,
    "share request answer": _CORRECTION,
    "batch release": ("batch retry HELD",),
}
_ID: Final = re.compile(r"\b[RC]\d{4}-\d{4}\b")
_BATCH: Final = re.compile(r"\b20\d{6}-[0-9a-f]{4,12}\b|\b(ID|HELD)\b")


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
        said, _, file = command.removeprefix("./jingshu ").partition(" > ")
        words = words_of(self.meant(said))
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
        command = command.replace("~", str(self.folder)).replace("3f2a9c", self._grant())
        command = _ID.sub(lambda m: self.ids.get(m[0][0], m[0]), command)
        return _BATCH.sub(lambda _: self._batch(command), command)

    def _batch(self, command: str) -> str:
        wanted = "held" if re.search(r"batch (reject|release|retry HELD)|HELD", command) else None
        rows = [
            r
            for r in governance.latest_batches(self.home)
            if (r.status in ("held", "rejected") if wanted else r.table == "health__disease_case")
        ]
        return rows[0].batch_id

    def _grant(self) -> str:
        with pytest.raises(SystemExit):
            main(["share", "list", "--json"])
        grants = json.loads(self.capture.readouterr().out)["grants"]
        return str(grants[0]["id"])


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
    for name in ("trips", "DIR"):
        write_deltalake(made / name, pa.table({"day": ["2026-07-15"], "trips": [3]}))
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


def path_of(command: str) -> tuple[str, ...]:
    """Return the path of a command's words: those that are commands."""
    words = words_of(command.removeprefix("./jingshu "))
    if words[0].startswith("--"):
        words = words[2:]
    path: tuple[str, ...] = ()
    for word in words:
        if (*path, word) not in SUBCOMMANDS:
            break
        path = (*path, word)
    return path


def under(path: tuple[str, ...], table: dict[str, Any]) -> Any:
    """Return what a table says of a command or of a group that it is in."""
    names = (" ".join(path[:n]) for n in range(len(path), 0, -1))
    return next((table[name] for name in names if name in table), None)


OURS: Final = [t for t in TYPED if "./jingshu " in t]
OTHERS: Final = [t for t in TYPED if "./jingshu " not in t]
TO_RUN: Final = [
    t for t in OURS if under(path_of(t[t.index("./jingshu") :]), RUN_ELSEWHERE) is None
]


@pytest.mark.parametrize("command", OURS)
def test_the_command_line_knows_every_option(command: str, desk: Desk) -> None:
    said = desk.meant(command.partition(" > ")[0])
    assert parse(words_of(said)[1:])


@pytest.mark.parametrize("command", TO_RUN)
def test_a_command_runs_as_it_is_written(command: str, desk: Desk) -> None:
    path = path_of(command[command.index("./jingshu") :])
    for first in BEFORE.get(" ".join(path), ()):
        code, said = desk.type(first)
        assert code == 0, f"{first}: {said}"
    code, said = desk.type(command)
    assert code == ENDS.get(" ".join(path), 0), said


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.splitlines()[-1][:50])
def test_code_runs_as_it_is_written(code: str, desk: Desk) -> None:
    port = urlsplit(json.loads((desk.home.root / "demo.share").read_text())["endpoint"]).port
    with running_gateway(desk.home, ROOT / "contracts", port):
        exec(compile(code, "page", "exec"), {})  # noqa: S102 - it is our own page's
    assert "street_code" in desk.capture.readouterr().out


@pytest.mark.parametrize("command", OTHERS)
def test_another_programs_command_is_one(command: str, folder: Path) -> None:
    words = words_of(command)
    if words[0].startswith("python"):
        words = words[1:]
        assert words == ["verify_dossier.py", "july.zip"]
        shutil.copy(ROOT / "lineage/evidence/verify_dossier.py", folder)
        done = subprocess.run(["python3", *words], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return
    program = ROOT / ".venv" / "bin" / Path(words[0]).name
    done = subprocess.run(
        [program, *words[1:], "--help"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", RUN_ELSEWHERE)
def test_what_is_only_read_here_is_run_elsewhere(path: str) -> None:
    text = (ROOT / "tests" / RUN_ELSEWHERE[path]).read_text("utf-8")
    for word in path.split()[-1:]:
        assert re.search(rf"\b{word}\b", text), path


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


@pytest.mark.parametrize("group", [p[0] for p, c in all_commands() if len(p) == 1])
def test_a_group_has_every_command_that_its_line_promises(group: str) -> None:
    below = {path[1] for path in SUBCOMMANDS if len(path) == 2 and path[0] == group}
    if below:
        promised = set(re.findall(r"[a-z]+", COMMANDS[group].help.lower())) & set(PROMISES)
        assert {PROMISES[verb] for verb in promised} <= below
