"""The POSIX launcher: finds its tree from anywhere, and sets up only when its stamp is stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from infra.setup.prepare import write_stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAUNCHER = "jingshu"


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A set-up tree with a space in its path, whose interpreter is the one running this test."""
    root = tmp_path / "a tree"
    for name in (LAUNCHER, "requirements.lock", "infra/setup/jars.lock"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for package in ("cli", "contracts"):
        (root / package).symlink_to(ROOT / package)
    executable(root / ".venv/bin/python", f'exec "{sys.executable}" "$@"')
    (root / ".venv/jars").mkdir()
    java = executable(tmp_path / "java home/bin/java", "exit 0").parent.parent
    write_stamp(root / ".venv/ready", root, java)
    return root


def call(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_launcher_is_posix_shell() -> None:
    assert subprocess.run(["sh", "-n", ROOT / LAUNCHER], check=False).returncode == 0
    assert os.access(ROOT / LAUNCHER, os.X_OK)


def test_help_from_elsewhere_through_a_symlink(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree / LAUNCHER)
    done = call(tmp_path / "link", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands" in done.stdout


def test_unknown_command_is_wrong_usage(tree: Path) -> None:
    done = call(tree / LAUNCHER, "no-such-command")
    assert done.returncode == 2
    assert "no-such-command" in done.stderr


def test_the_environment_points_into_the_tree(tree: Path, tmp_path: Path) -> None:
    executable(tree / ".venv/bin/python", 'env; printf "<%s>\\n" "$@"')
    done = call(tree / LAUNCHER, "land", "a file", PYTHONPATH="/elsewhere", JAVA_HOME="/elsewhere")
    lines = done.stdout.splitlines()
    assert {
        f"PYTHONPATH={tree}",
        f"PYSPARK_PYTHON={tree}/.venv/bin/python",
        f"PYSPARK_DRIVER_PYTHON={tree}/.venv/bin/python",
        f"JAVA_HOME={tmp_path}/java home",
        f"JINGSHU_JARS={tree}/.venv/jars",
    } <= set(lines)
    assert lines[-4:] == ["<-m>", "<cli>", "<land>", "<a file>"]


def change_lock(root: Path) -> None:
    with (root / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# newer\n")


def change_jars(root: Path) -> None:
    (root / "infra/setup/jars.lock").write_text("# other jars\n", "utf-8")


def lose_stamp(root: Path) -> None:
    (root / ".venv/ready").unlink()


def halve_stamp(root: Path) -> None:
    stamp = root / ".venv/ready"
    stamp.write_text(stamp.read_text("utf-8").splitlines()[0], "utf-8")


def break_python(root: Path) -> None:
    python = root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")


def lose_jars(root: Path) -> None:
    (root / ".venv/jars").rmdir()


def lose_java(root: Path) -> None:
    (root.parent / "java home/bin/java").unlink()


DAMAGES = [
    change_lock,
    change_jars,
    lose_stamp,
    halve_stamp,
    break_python,
    lose_jars,
    lose_java,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_stale_is_set_up_again(
    tree: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    python = executable(tmp_path / "python", '[ "$1" = -c ] || printf "<%s>" "$@"')
    damage(tree)
    done = call(tree / LAUNCHER, "run", "--date", "2026-07-15", JINGSHU_PYTHON=str(python))
    assert done.stdout == "<-m><infra.setup><run><--date><2026-07-15>"


def test_a_moved_tree_is_set_up_again(tree: Path, tmp_path: Path) -> None:
    moved = tree.rename(tmp_path / "moved")
    python = executable(tmp_path / "python", '[ "$1" = -c ] || echo "set up $PYTHONPATH"')
    done = call(moved / LAUNCHER, JINGSHU_PYTHON=str(python))
    assert done.stdout == f"set up {moved}\n"


def test_set_up_that_did_not_help_ends_in_words(tree: Path) -> None:
    lose_jars(tree)
    done = call(tree / LAUNCHER, "--help", JINGSHU_PREPARED="1")
    assert done.returncode == 1
    assert "call ./jingshu again" in done.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"JINGSHU_LANG": "zh"}, "错误：准备已结束，但"),
        ({"JINGSHU_LANG": "EN", "LANG": "zh_CN.UTF-8"}, "error: Set-up ended, but"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "错误：准备已结束，但"),
        ({"LC_ALL": "en_GB", "LANG": "zh_CN.UTF-8"}, "error: Set-up ended, but"),
    ],
)
def test_the_launcher_speaks_its_reader_s_language(
    tree: Path, environment: dict[str, str], said: str
) -> None:
    lose_jars(tree)
    done = call(tree / LAUNCHER, "--help", JINGSHU_PREPARED="1", **environment)
    assert done.stderr.startswith(said)
    assert ("错误" in done.stderr) != ("error" in done.stderr)


def test_without_a_fitting_python_one_line_says_what_to_install(tree: Path, tmp_path: Path) -> None:
    lose_stamp(tree)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "readlink", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    executable(tools / "python3", "exit 1")  # as an older Python answers the question
    done = call(tree / LAUNCHER, "--help", PATH=str(tools))
    assert done.returncode == 1
    assert "Python 3.11" in done.stderr
    assert len(done.stderr.splitlines()) == 1
