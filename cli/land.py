"""``./jingshu land``: one export as an all-string table, offline and without Spark (落地)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.one_file import CONTRACT, DAY, PROVIDER, SIMULATED, say_noticed, say_which
from cli.words import JSON, about, tell
from contracts.loading import load_tree
from contracts.words import text

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.trial import Landing

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    **about(
        "离线落地一份导出文件：识别格式、解码、核对表头，各格一律按文本写入。\n\n"
        "DIR 成为一张 Delta 表（日志旁是普通的 Parquet 文件），一条记录一行，"
        "带其在原文件中的起始行号。同一文件再来一次，什么都不写。三级及以上的真实数据会被拒收。\n\n"
        "退出码：0 已落地 · 1 拒收，并说明原因 · 2 用法有误。",
        "Land one export offline: sniff, decode, match the header, write every cell as text.\n\n"
        "DIR becomes a Delta table (plain Parquet files beside its log), one row a record, with the"
        " line that it starts on. The same file again writes nothing. Real data above L2 is"
        " refused.\n\n"
        "Exit code: 0 landed · 1 refused, in words · 2 usage.",
        "./jingshu land 床位.csv --contract civil.elder_service --out /data/landed --simulated",
    )
)
@click.argument("file", type=_FILE)
@CONTRACT
@click.option(
    "--out",
    required=True,
    type=_FOLDER,
    metavar="DIR",
    help=text("写到这里（Delta）。", "Write here (Delta)."),
)
@PROVIDER
@DAY
@SIMULATED
@JSON
def land(
    file: Path,
    contract: str,
    out: Path,
    provider: str | None,
    day: datetime | None,
    simulated: bool,
    as_json: bool,
) -> None:
    """Land one export offline: sniff, decode, match the header, write every cell as text."""
    from jobs.trial import given, land_file

    taken = given(
        load_tree(),
        file,
        contract,
        provider=provider,
        business_date=day.date() if day else None,
        is_simulated=simulated,
    )
    landing = land_file(taken, out)
    if as_json:
        click.echo(json.dumps(_as_json(landing), ensure_ascii=False))
    else:
        _show(landing)


def _as_json(landing: Landing) -> dict[str, object]:
    delivery = landing.given.delivery
    return {
        "file": str(landing.given.file),
        "contract": delivery.contract.id,
        "contract_version": delivery.contract.version,
        "provider": delivery.provider,
        "business_date": delivery.business_date.isoformat(),
        "origin": landing.given.origin,
        "batch_id": landing.batch_id,
        "out": str(landing.out),
        "kind": landing.kind,
        "encoding": landing.encoding,
        "rows": landing.rows,
        "rows_ragged": landing.rows_ragged,
        "findings": list(landing.findings),
        "notes": list(landing.notes),
    }


def _show(landing: Landing) -> None:
    say_which(landing.given)
    where = f"{landing.encoding or landing.kind} · → {landing.out}"
    tell(f"{landing.rows:,} 行 · {where}", f"{landing.rows:,} rows · {where}")
    if landing.rows_ragged:
        tell(
            f"其中 {landing.rows_ragged} 行不成形（_row_error）",
            f"{landing.rows_ragged} of them have no shape (_row_error)",
        )
    say_noticed(landing.findings, landing.notes)
