"""``jingshu bench delivery``: lineage events to an endpoint on loopback."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command(epilog="例 Example: ./jingshu bench delivery --json")
@click.option("--runs", type=click.IntRange(min=1), default=300, help="运行数 Runs to send.")
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def delivery(runs: int, as_json: bool) -> int:
    """血缘送达 Lineage events a second, and what a dead endpoint costs a job."""
    from bench.delivery import measure

    found = measure(runs)
    if as_json:
        click.echo(json.dumps({**asdict(found), "dead_ratio": found.dead_ratio}))
    else:
        click.echo(
            f"{found.events:,} 个事件 events of {found.bytes_an_event:,} B:"
            f" 每秒 {found.delivered_per_s:,.0f} a second\n"
            f"写盘 recording {found.recording_s:.2f} s,"
            f" 端点失效时 beside a dead endpoint {found.recording_beside_a_dead_endpoint_s:.2f} s:"
            f" {found.dead_ratio} ×"
        )
    return 0
