"""``./jingshu evidence dossier``: a bundle for a court or an auditor (存证卷宗)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from contracts.errors import UsageError
from contracts.layout import Home

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="\b\n例 Example:\n"
    "  ./jingshu evidence dossier --grant demo/jingshu.emergency.heat_readiness__demo"
    " --out grant.zip\n"
    "  ./jingshu evidence dossier --dataset civil.elder_service --from 2026-07-15 --to 2026-07-18"
    " --out july.zip\n"
    "  python3 verify_dossier.py july.zip"
)
@click.option("--grant", metavar="G", help="授权编号或对象 The grant's id or subject.")
@click.option("--dataset", metavar="D", help="契约、表或数据集 A contract, table or dataset.")
@click.option("--from", "first", type=_DAY, metavar="D1", help="首个业务日期 First business date.")
@click.option("--to", "last", type=_DAY, metavar="D2", help="末个业务日期 Last business date.")
@click.option(
    "--checkpoint",
    "older",
    multiple=True,
    type=_FILE,
    help="对方早先持有的检查点，可多次 An older checkpoint that the reader holds; repeatable.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="写到 .zip 或新文件夹 Write this .zip or new folder.",
)
def dossier(
    grant: str | None,
    dataset: str | None,
    first: datetime | None,
    last: datetime | None,
    older: tuple[Path, ...],
    out: Path,
) -> None:
    """卷宗 Write the leaves of one affair with their proofs, and a verifier that needs no Jingshu.

    已有的见证者联署、时间戳和上链回执一并放入，并证明其检查点为当前日志的前缀。
    Cosignatures of witnesses, timestamps and receipts of a chain are put in too, where there are
    any, each of a checkpoint that is proved to be the beginning of the log.
    """
    from lineage.evidence.anchor import Receipt, read_receipts
    from lineage.evidence.dossier import compile_dossier
    from lineage.evidence.scope import DatasetScope, GrantScope

    if (grant is None) == (dataset is None):
        raise UsageError("A dossier is about one thing.", "Give --grant G, or --dataset D.")
    if grant is not None:
        if first is not None or last is not None:
            raise UsageError("--from and --to belong to --dataset.", "Leave them out.")
        scope: GrantScope | DatasetScope = GrantScope(grant)
    elif dataset is None or first is None or last is None:
        raise UsageError("--dataset needs its dates.", "Add --from D1 --to D2.")
    else:
        scope = DatasetScope(dataset, first.date(), last.date())
    home = Home.from_env()
    anchored = [r.checkpoint for _, r in read_receipts(home.evidence) if isinstance(r, Receipt)]
    held = [path.read_text("utf-8", errors="replace") for path in older]
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    made = compile_dossier(home, scope, [*anchored, *held], now)
    made.write(out)
    click.echo(f"已写 Wrote {out}: {len(made.leaves)} 条存证 leaves of {scope}")
    for gap in made.gaps:
        told = gap.to_json()
        click.echo(f"  链条止于此 custody ends: {told['zh']} {told['en']}")
    click.echo("核验 Verify it anywhere: python3 verify_dossier.py")
