"""``./jingshu share``: what it prints, writes and exits with."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click
import pytest

from cli.main import main
from cli.share.group import share
from tests.support.sharing.served import TABLE, districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home


@pytest.fixture
def run(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["share", *arguments])
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return call


def test_grant_profile_list_revoke(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("grant", "demo", TABLE, "--purpose", "演示", "--until", "2999-12-31")
    assert (status, f"demo → jingshu.city.{TABLE}" in out, "2999-12-31" in out) == (0, True, True)
    status, out, _ = run("profile", "demo")
    assert (status, json.loads(out)["shareCredentialsVersion"]) == (0, 1)
    status, out, _ = run("list", "--json")
    assert status == 0
    listed = json.loads(out)
    assert listed["tables"] == [f"jingshu.city.{TABLE}"]
    (granted,) = listed["grants"]
    assert granted["until"] == "2999-12-31"
    assert (granted["recipient"], granted["state"], granted["purpose"]) == (
        "demo",
        "active",
        "演示",
    )
    status, out, _ = run("revoke", "demo", TABLE)
    assert (status, f"demo → jingshu.city.{TABLE}" in out) == (0, True)
    status, out, _ = run("list")
    assert (status, f"demo → jingshu.city.{TABLE}  演示" in out, "revoked" in out) == (
        0,
        True,
        True,
    )


def test_a_profile_goes_into_a_private_file(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    run("grant", "demo", TABLE, "--purpose", "演示")
    path = tmp_path / "demo.share"
    status, out, _ = run("profile", "demo", "--out", str(path))
    token = json.loads(path.read_text())["bearerToken"]
    assert (status, path.stat().st_mode & 0o777, token in out) == (0, 0o600, False)


def test_a_recipient_is_given_its_body(run: Callable[..., tuple[int, str, str]]) -> None:
    run("grant", "demo", TABLE, "--purpose", "演示")
    run("grant", "clinic", TABLE, "--purpose", "演示", "--body", "health")
    assert json.loads(run("list", "--json")[1])["recipients"] == [
        {"name": "clinic", "body": "health"},
        {"name": "demo", "body": None},
    ]
    assert "demo  无归属 no body" in run("list")[1]
    assert run("body", "demo", "med_ins")[0] == 0
    assert "demo  med_ins" in run("list")[1]
    status, _, err = run("body", "clinic", "med_ins")
    assert (status, "holds 1 active grants" in err) == (1, True)


def test_nothing_to_revoke_is_a_finding(run: Callable[..., tuple[int, str, str]]) -> None:
    run("grant", "demo", TABLE, "--purpose", "演示")
    run("revoke", "demo")
    status, _, err = run("revoke", "demo")
    assert (status, "no open grant" in err) == (1, True)


def test_a_table_above_the_ceiling_is_a_finding(
    run: Callable[..., tuple[int, str, str]], home: Home
) -> None:
    write_shared(home, "raw__x", districts(("110101", "景山", 1), level="L4"))
    status, _, err = run("grant", "demo", "raw__x", "--purpose", "演示")
    assert (status, "elders (L4)" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant", "demo", "nothing__here", "--purpose", "演示"),
        ("grant", "demo", TABLE),
        ("grant", "demo", TABLE, "--purpose", " "),
        ("grant", "demo", TABLE, "--purpose", "演示", "--until", "2020-01-01"),
        ("grant", "demo", TABLE, "--purpose", "演示", "--until", "tomorrow"),
        ("grant", "De mo", TABLE, "--purpose", "演示"),
        ("grant", "demo", TABLE, "--purpose", "演示", "--body", "No Body"),
        ("body", "demo"),
        ("body", "demo", "med_ins", "--as", "nobody"),
        ("revoke", "nobody"),
        ("profile", "nobody"),
        ("profile",),
        ("lend", "demo"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(
    run: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...]
) -> None:
    status, _, err = run(*arguments)
    assert (status, bool(err)) == (2, True)


@pytest.mark.parametrize("command", ["", *share.commands])
def test_help_has_an_example_in_both_languages(
    run: Callable[..., tuple[int, str, str]], command: str
) -> None:
    status, out, _ = run(*([command] if command else []), "--help")
    assert status == 0
    assert re.search(r"示例： Example:\n\s+\./jingshu share", out)
    assert any("一" <= character <= "鿿" for character in out)
    assert isinstance(share, click.Group)
