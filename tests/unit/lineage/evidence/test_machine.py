"""Which code made a leaf: told from a real repository, a release, or not at all."""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
from typing import TYPE_CHECKING

from contracts.layout import ROOT
from lineage.evidence.leaf import MADE_BY, Leaf
from lineage.evidence.machine import Machine, machine_of, this_machine

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-22T00:30:00Z"
RELEASE = '[project]\nname = "jingshu"\nversion = "9.8.7"\n'


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def test_code_in_a_repository_is_named_by_its_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    digest = hashlib.sha256(b"one==1\n").hexdigest()
    assert machine_of(tmp_path) == Machine(commit, digest, socket.gethostname())
    (tmp_path / "untracked").touch()
    assert machine_of(tmp_path).code_commit == commit
    lock.write_text("one==2\n")
    assert machine_of(tmp_path).code_commit == f"{commit}-dirty"
    inner = tmp_path / "inner"
    inner.mkdir()
    assert machine_of(inner).code_commit == "unknown", "a repository around it is another's"


def test_code_without_a_repository_is_named_by_its_release(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(RELEASE)
    assert machine_of(tmp_path) == Machine(
        "unknown, release 9.8.7", "unknown", socket.gethostname()
    )


def test_this_machine_runs_this_code_with_this_lock() -> None:
    facts = this_machine().facts()
    assert set(facts) == MADE_BY
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown, release .+", facts["code_commit"])
    lock = (ROOT / "requirements.lock").read_bytes()
    assert facts["lock_sha256"] == hashlib.sha256(lock).hexdigest()


def test_the_same_fact_noted_elsewhere_is_the_same_fact() -> None:
    one = Leaf("build", "s", {"rows": 1, **Machine("a", "b", "c").facts()}, AT)
    assert one.agrees_with(Leaf("build", "s", {"rows": 1, **Machine("x", "y", "z").facts()}, AT))
    assert one.agrees_with(Leaf("build", "s", {"rows": 1}, AT)), "as the version before wrote it"
    assert not one.agrees_with(Leaf("build", "s", {**one.facts, "rows": 2}, AT))
