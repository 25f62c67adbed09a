"""Set-up, step by step, without a network: Java, jars (real Ivy, local files), lock and stamp."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pyspark
import pytest

from contracts.errors import JingshuError
from contracts.layout import ROOT
from infra.setup import java, prepare
from infra.setup.spark_jars import Jar, ensure_jars, read_lock

POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>org.example</groupId><artifactId>thing</artifactId><version>1.0</version></project>"""


def fake_java(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/bin/sh\n"
        f"echo '    java.home = {home}' >&2\n"
        f"echo '    java.specification.version = {version}' >&2\n",
        "utf-8",
    )
    program.chmod(0o755)
    return home


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a shell, and neither Java nor apt-get; its ``PATH`` folder is returned."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "SYSTEM_JAVAS", tmp_path / "jvm")
    return path


def test_java_home_comes_first(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = fake_java(tmp_path / "chosen", "21")
    (bare_machine / "java").symlink_to(fake_java(tmp_path / "other", "17") / "bin/java")
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    assert java.ensure_java() == chosen


def test_an_old_java_is_passed_over(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "eight", "1.8")))
    (bare_machine / "java").symlink_to(fake_java(tmp_path / "eleven", "11") / "bin/java")
    fitting = fake_java(tmp_path / "jvm" / "seventeen", "17")
    assert java.ensure_java() == fitting


@pytest.mark.usefixtures("bare_machine")
def test_without_java_the_error_says_what_to_install() -> None:
    with pytest.raises(JingshuError, match="apt-get install openjdk-17-jre-headless"):
        java.ensure_java()


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a venv with pyspark, and Ivy settings that know local files only."""
    folder = tmp_path / ".venv"
    packages = folder / "lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (packages / "pyspark").symlink_to(Path(pyspark.__file__).parent)
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "thing-1.0.jar").write_bytes(b"the jar")
    (repository / "thing-1.0.pom").write_text(POM, "utf-8")
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(
        '<ivysettings><settings defaultResolver="local"/><resolvers>'
        '<filesystem name="local" m2compatible="true">'
        f'<ivy pattern="{repository}/[module]-[revision].pom"/>'
        f'<artifact pattern="{repository}/[artifact]-[revision].[ext]"/>'
        "</filesystem></resolvers></ivysettings>",
        "utf-8",
    )
    monkeypatch.setenv("JINGSHU_IVY_SETTINGS", str(settings))
    return folder


THING = Jar("org.example", "thing", "1.0", hashlib.sha256(b"the jar").hexdigest())


def java_home() -> Path:
    home = java.find_java()
    assert home is not None
    return home


def test_jars_are_fetched_once(venv: Path, tmp_path: Path) -> None:
    ensure_jars(venv, (THING,), java_home())
    assert [file.name for file in (venv / "jars").iterdir()] == ["thing-1.0.jar"]
    ensure_jars(venv, (THING,), tmp_path / "no java is needed now")


def test_a_damaged_jar_is_fetched_again(venv: Path) -> None:
    (venv / "jars").mkdir()
    (venv / "jars" / "thing-1.0.jar").write_bytes(b"half of")
    ensure_jars(venv, (THING,), java_home())
    assert THING.is_in(venv / "jars")


def test_other_bytes_than_pinned_are_refused(venv: Path) -> None:
    pinned = Jar("org.example", "thing", "1.0", "0" * 64)
    with pytest.raises(JingshuError, match=r"thing-1\.0\.jar"):
        ensure_jars(venv, (pinned,), java_home())
    assert not list(venv.glob("jars*"))


def test_a_killed_fetch_leaves_nothing_behind(venv: Path) -> None:
    (venv / "jars.half").mkdir()
    (venv / "jars.half" / "thing-1.0.jar").write_bytes(b"half of")
    ensure_jars(venv, (THING,), java_home())
    assert sorted(path.name for path in venv.glob("jars*")) == ["jars"]


def test_the_packaged_jars_fit_the_installed_delta() -> None:
    from importlib.metadata import version

    pinned = {jar.name: jar.revision for jar in read_lock(prepare.JARS_LOCK)}
    series = version("pyspark").rpartition(".")[0]
    assert pinned[f"delta-spark_{series}_2.13"] == version("delta-spark")


def test_the_lock_pins_by_hash_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert "--find-links" not in lock
    for requirement in lock.split("\n\n")[0].replace("\\\n", " ").splitlines():
        if "==" in requirement and not requirement.lstrip().startswith("#"):
            assert "--hash=sha256:" in requirement, requirement


def test_the_lock_covers_what_is_asked_for() -> None:
    asked = {
        line.split("#")[0].strip()
        for line in (ROOT / "requirements.in").read_text("utf-8").splitlines()
    }
    lock = (ROOT / "requirements.lock").read_text("utf-8").lower().replace("_", "-")
    for requirement in filter(None, asked):
        name = requirement.partition("=")[0].partition(">")[0].partition("<")[0].partition("[")[0]
        assert f"\n{name.lower()}==" in f"\n{lock}".replace("[connect]", ""), requirement


def test_a_second_set_up_waits_for_the_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock, order = tmp_path / ".cache" / "setup.lock", []

    def second() -> None:
        with prepare._one_at_a_time(lock):
            order.append("second")

    waiter = threading.Thread(target=second)
    with prepare._one_at_a_time(lock):
        waiter.start()
        said = ""
        while "Waiting for another set-up" not in said:
            assert waiter.is_alive()
            said += capfd.readouterr().err
            time.sleep(0.01)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


def test_a_ready_tree_is_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = fake_java(tmp_path / "java", "17")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(os.path.realpath(sys.executable))
    (tmp_path / ".venv/jars").mkdir()
    stamp = tmp_path / ".venv" / "ready"
    prepare.write_stamp(stamp, tmp_path, home)
    before = stamp.read_bytes()
    prepare.prepare(tmp_path)
    assert stamp.read_bytes() == before
    assert capfd.readouterr().err == ""
