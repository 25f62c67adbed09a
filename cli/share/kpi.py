"""``./jingshu share kpi``: rates of sharing, answering and delivering (指标)."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from contracts.layout import Home
from contracts.requested import city_tree


@click.command(epilog="例 Example: ./jingshu share kpi --provider health --json")
@click.option("--provider", metavar="P", help="只看一个部门 One provider only (default: sums).")
@click.option(
    "--baseline-days",
    type=click.FloatRange(min=0, min_open=True),
    help="申请到首次读取的原有天数 Days it used to take from request to first read.",
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object, all rows.")
def kpi(provider: str | None, baseline_days: float | None, as_json: bool) -> None:
    """指标 Show rates of sharing with their numerators and denominators.

    共享率说的是现在，其余按月：到期、答复、满 30 天或共享结束之月。 The sharing rate is of
    now; the others are of a month: when due, answered, 30 days after a fix, or when a share ended.
    """
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.kpis.rates import WORDS, efficiency, kpis, totals

    home = Home.from_env()
    tree = city_tree(home)
    with Control(home) as control:
        rows = kpis(home, tree, control, utc_now())
        took = efficiency(control, None if baseline_days is None else baseline_days * 86_400)
    if as_json:
        found = [{**asdict(row), "rate": row.rate} for row in rows]
        speed = {**asdict(took), "ratio": took.ratio}
        click.echo(json.dumps({"kpis": found, "efficiency": speed}, ensure_ascii=False))
        return
    shown = [r for r in rows if r.provider == provider] if provider else totals(rows)
    for row in shown:
        where = "模拟数据 simulated" if row.is_simulated else ""
        month = row.month or ("现在 now" if row.name == "sharing_rate" else "各月 all months")
        click.echo(
            f"{WORDS[row.name]:34} {row.shown:>7}"
            f"  {row.numerator}/{row.denominator}  {month} {where}"
        )
    if took.median_s is not None:
        ratio = "" if took.ratio is None else f"，{took.ratio:.1f} × （目标 target 4 ×）"
        click.echo(
            f"申请到首次读取 request to first read: {took.median_s:.0f} s"
            f"（{took.requests} 件 requests）{ratio}"
        )
    if not shown:
        click.echo("尚无可计的指标 Nothing to count yet.")
