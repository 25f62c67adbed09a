"""``jingshu bench delivery``: lineage events to an endpoint on loopback."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from cli.words import JSON_LAST, about, tell
from contracts.words import text


@click.command(
    **about(
        "测量每秒送达的血缘事件，以及接收端失效时一项作业要多花多少时间。",
        "Measure lineage events a second, and what a dead endpoint costs a job.",
        "./jingshu bench delivery --json",
    )
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=300,
    help=text("发送多少次运行。", "Runs to send."),
)
@JSON_LAST
def delivery(runs: int, as_json: bool) -> int:
    """Measure lineage events a second, and what a dead endpoint costs a job."""
    from bench.delivery import measure

    found = measure(runs)
    if as_json:
        click.echo(json.dumps({**asdict(found), "dead_ratio": found.dead_ratio}))
    else:
        rate, beside = found.delivered_per_s, found.recording_beside_a_dead_endpoint_s
        tell(
            f"{found.events:,} 个事件，每个 {found.bytes_an_event:,} B：每秒 {rate:,.0f} 个\n"
            f"写盘 {found.recording_s:.2f} s，接收端失效时 {beside:.2f} s：{found.dead_ratio} ×",
            f"{found.events:,} events of {found.bytes_an_event:,} B: {rate:,.0f} a second\n"
            f"recording {found.recording_s:.2f} s, beside a dead endpoint {beside:.2f} s:"
            f" {found.dead_ratio} ×",
        )
    return 0
