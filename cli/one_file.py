"""What the commands that take one file have in common: options, and what they say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.words import tell
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.trial import Given

CONTRACT = click.option(
    "--contract",
    required=True,
    metavar="C",
    help=text("契约的编号，或一份契约文件。", "Its id, or a contract file."),
)
PROVIDER = click.option(
    "--provider",
    metavar="P",
    help=text("提供方（默认为第一家）。", "Whose export it is (default: the first)."),
)
DAY = click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="D",
    help=text("业务日期。", "Business date."),
)
SIMULATED = click.option(
    "--simulated",
    is_flag=True,
    help=text("文件是模拟数据。", "The file is simulated data."),
)


def say_which(given: Given) -> None:
    """Print which file it is, and by which contract it is read."""
    mark = f"{text('模拟数据', 'simulated')} · " if given.origin == "simulated" else ""
    contract = given.delivery.contract
    click.echo(f"{mark}{given.delivery.name} · {contract.id} {contract.version}")


def say_noticed(findings: Iterable[str], notes: Iterable[str]) -> None:
    """Print what was noticed about it, and what was done to it as its contract says."""
    for finding in map(Words.read, findings):
        tell(f"注意：{finding.zh}", f"noticed: {finding.en}")
    for note in map(Words.read, notes):
        tell(f"如约：{note.zh}", f"as agreed: {note.en}")
