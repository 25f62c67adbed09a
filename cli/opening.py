"""``./jingshu evidence open``: a sealed original in clear, for an auditor (启封原件)."""

from __future__ import annotations

from pathlib import Path

import click

from cli.acting import AS, actor
from cli.words import about, tell
from contracts.layout import Home
from contracts.words import text


@click.command(
    "open",
    **about(
        "按提供方交付时的样子写出一个批次的原件（明文）；限审计员。\n\n"
        "先留存证再写文件：何人启封、理由的摘要，以及文件的两个摘要，留存的（密文）与明文的。",
        "Write a batch's original file in clear, as the provider delivered it; auditors only.\n\n"
        "The log first takes who opened it, the digest of why, and both digests of the file: as"
        " kept (sealed) and in clear.",
        "./jingshu evidence open 20260715-1a2b --out 原件.csv --reason 庭审核对原件",
    ),
)
@click.argument("batch_id", metavar="BATCH")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=text("写到这个新文件，权限 0600。", "Write this new file, mode 0600."),
)
@click.option(
    "--reason",
    required=True,
    metavar="R",
    help=text("理由，其摘要入存证。", "Why; its digest is logged."),
)
@AS
def open_(batch_id: str, out: Path, reason: str, acting: str | None) -> None:
    """Write a batch's original file in clear, as the provider delivered it; auditors only."""
    from jobs.operations.opening import open_original, provider_of
    from sharing.control import Control
    from sharing.people import require

    home = Home.from_env()
    provider = provider_of(home, batch_id)
    with Control(home) as control:
        who = actor(control, acting)
    require(who, "open_original", provider)
    opened = open_original(home, batch_id, out, who.name, reason)
    tell(f"已写 {out}；存证 {opened.key}", f"Wrote {out}; evidence {opened.key}")
    for name in ("file_sha256", "sealed_sha256"):
        if opened.facts.get(name):
            click.echo(f"  {name} {opened.facts[name]}")
