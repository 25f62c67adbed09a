"""``./jingshu evidence open``: a sealed original in clear, for an auditor (启封原件)."""

from __future__ import annotations

from pathlib import Path

import click

from cli.acting import AS, actor
from contracts.layout import Home


@click.command(
    "open",
    epilog="例 Example: ./jingshu evidence open 20260715-1a2b --out 原件.csv --reason 庭审核对原件",
)
@click.argument("batch_id", metavar="BATCH")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="写到新文件，权限 0600 Write this new file, mode 0600.",
)
@click.option(
    "--reason", required=True, metavar="R", help="理由，入存证 Why; its digest is logged."
)
@AS
def open_(batch_id: str, out: Path, reason: str, acting: str | None) -> None:
    """启封 Write a batch's original file in clear, as the provider delivered it; auditors only.

    先留存证再写文件：何人、理由摘要、密文与明文两个摘要。
    The log first takes who opened it, the digest of why, and both digests of the file: as kept
    (sealed) and in clear.
    """
    from jobs.operations.opening import open_original, provider_of
    from sharing.control import Control
    from sharing.people import require

    home = Home.from_env()
    provider = provider_of(home, batch_id)
    with Control(home) as control:
        who = actor(control, acting)
    require(who, "open_original", provider)
    opened = open_original(home, batch_id, out, who.name, reason)
    click.echo(f"已写 Wrote {out}; 存证 evidence {opened.key}")
    for name in ("file_sha256", "sealed_sha256"):
        if opened.facts.get(name):
            click.echo(f"  {name} {opened.facts[name]}")
