"""``./jingshu land``: one export as an all-string table, offline and without Spark (落地)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contracts.loading import load_tree

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.trial import Landing

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    epilog="例 Example: ./jingshu land 床位.csv --contract civil.elder_service --out /data/landed "
    "--simulated"
)
@click.argument("file", type=_FILE)
@click.option("--contract", required=True, metavar="C", help="契约 Its id, or a contract file.")
@click.option("--out", required=True, type=_FOLDER, metavar="DIR", help="写到 Write here (Delta).")
@click.option("--provider", metavar="P", help="提供方 Whose export it is (default: the first).")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="业务日期 Business date."
)
@click.option("--simulated", is_flag=True, help="模拟数据 The file is simulated data.")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def land(
    file: Path,
    contract: str,
    out: Path,
    provider: str | None,
    day: datetime | None,
    simulated: bool,
    as_json: bool,
) -> None:
    """落地 Land one export offline: sniff, decode, match the header, write every cell as text.

    DIR 成为一张 Delta 表（即一组 Parquet 文件），每行带其在原文件中的行号。
    DIR becomes a Delta table (plain Parquet files beside its log), one row a record, with the line
    that it starts on. The same file again writes nothing. Real data above L2 is refused.

    退出码 Exit code: 0 已落地 landed · 1 拒收，并说明原因 refused, in words · 2 用法 usage.
    """
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
    delivery = landing.given.delivery
    mark = "模拟数据 simulated · " if landing.given.origin == "simulated" else ""
    click.echo(f"{mark}{delivery.name} · {delivery.contract.id} {delivery.contract.version}")
    click.echo(f"{landing.rows:,} 行 rows · {landing.encoding or landing.kind} · → {landing.out}")
    if landing.rows_ragged:
        click.echo(f"其中 {landing.rows_ragged} 行不成形 rows of them have no shape (_row_error)")
    for finding in landing.findings:
        click.echo(f"注意 noticed: {finding}")
    for note in landing.notes:
        click.echo(f"如约 as agreed: {note}")
