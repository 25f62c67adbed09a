"""``./jingshu evidence dossier``: a bundle for a court or an auditor (存证卷宗)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.words import about, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.words import Words, text

if TYPE_CHECKING:
    from lineage.evidence.scope import DatasetScope, GrantScope

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    **about(
        "写出一件事的全部存证及其证明，附一个不需要京枢的核验程序。\n\n"
        "已有的见证者联署、时间戳和上链回执一并放入，并证明其检查点为当前日志的前缀。",
        "Write the leaves of one affair with their proofs, and a verifier that needs no"
        " Jingshu.\n\n"
        "Cosignatures of witnesses, timestamps and receipts of a chain are put in too, where there"
        " are any, each of a checkpoint that is proved to be the beginning of the log.",
        "./jingshu evidence dossier --grant demo/jingshu.emergency.heat_readiness__demo"
        " --out grant.zip",
        "./jingshu evidence dossier --dataset civil.elder_service --from 2026-07-15"
        " --to 2026-07-18 --out july.zip",
        "python3 verify_dossier.py july.zip",
    )
)
@click.option("--grant", metavar="G", help=text("授权的编号或对象。", "The grant's id or subject."))
@click.option(
    "--dataset",
    metavar="D",
    help=text("契约、表或数据集。", "A contract, table or dataset."),
)
@click.option(
    "--from",
    "first",
    type=_DAY,
    metavar="D1",
    help=text("首个业务日期。", "First business date."),
)
@click.option(
    "--to",
    "last",
    type=_DAY,
    metavar="D2",
    help=text("末个业务日期。", "Last business date."),
)
@click.option(
    "--checkpoint",
    "older",
    multiple=True,
    type=_FILE,
    help=text(
        "对方早先持有的检查点；可多次。",
        "An older checkpoint that the reader holds; repeatable.",
    ),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help=text("写到这个 .zip 或新文件夹。", "Write this .zip or new folder."),
)
def dossier(
    grant: str | None,
    dataset: str | None,
    first: datetime | None,
    last: datetime | None,
    older: tuple[Path, ...],
    out: Path,
) -> None:
    """Write the leaves of one affair with their proofs, and a verifier that needs no Jingshu."""
    from lineage.evidence.anchor import Receipt, read_receipts
    from lineage.evidence.dossier import compile_dossier

    scope = _scope(grant, dataset, first, last)
    home = Home.from_env()
    anchored = [r.checkpoint for _, r in read_receipts(home.evidence) if isinstance(r, Receipt)]
    held = [path.read_text("utf-8", errors="replace") for path in older]
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    made = compile_dossier(home, scope, [*anchored, *held], now)
    made.write(out)
    count = len(made.leaves)
    of = scope.words
    tell(
        f"已写 {out}：{of.zh.strip()} 的 {count} 条存证", f"Wrote {out}: {count} leaves of {of.en}"
    )
    for gap in made.gaps:
        told = gap.to_json()
        tell(f"  链条止于此：{told['zh']}", f"  custody ends: {told['en']}")
    command = "python3 verify_dossier.py"
    tell(f"在任何地方都可核验：{command}", f"Verify it anywhere: {command}")


def _scope(
    grant: str | None, dataset: str | None, first: datetime | None, last: datetime | None
) -> GrantScope | DatasetScope:
    """Return what the dossier is about: one grant, or one dataset with its dates."""
    from lineage.evidence.scope import DatasetScope, GrantScope

    if (grant is None) == (dataset is None):
        raise UsageError(
            Words("一份卷宗只关于一件事。", "A dossier is about one thing."),
            Words("请给出 --grant G 或 --dataset D。", "Give --grant G, or --dataset D."),
        )
    if grant is not None:
        if first is not None or last is not None:
            raise UsageError(
                Words("--from 与 --to 属于 --dataset。", "--from and --to belong to --dataset."),
                Words("请去掉它们。", "Leave them out."),
            )
        return GrantScope(grant)
    if dataset is None or first is None or last is None:
        raise UsageError(
            Words("--dataset 需要日期。", "--dataset needs its dates."),
            Words("请加上 --from D1 --to D2。", "Add --from D1 --to D2."),
        )
    return DatasetScope(dataset, first.date(), last.date())
