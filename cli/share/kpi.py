"""``./jingshu share kpi``: rates of sharing, answering and delivering (指标)."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text


@click.command(
    **about(
        "显示共享指标及其分子与分母。\n\n"
        "共享率说的是现在，其余按月：到期、答复、满 30 天或共享结束之月。--json 给出各提供方各"
        "月的全部行。",
        "Show rates of sharing with their numerators and denominators.\n\n"
        "The sharing rate is of now; the others are of a month: when due, answered, 30 days "
        "after a fix, or when a share ended. --json gives the rows of every provider and month.",
        "./jingshu share kpi --provider health --json",
    )
)
@click.option(
    "--provider",
    metavar="P",
    help=text("只看一个提供方（默认为合计）。", "One provider only (default: sums)."),
)
@click.option(
    "--baseline-days",
    type=click.FloatRange(min=0, min_open=True),
    help=text(
        "以往从申请到首次读取所需的天数。",
        "Days it used to take from request to first read.",
    ),
)
@JSON
def kpi(provider: str | None, baseline_days: float | None, as_json: bool) -> None:
    """Show rates of sharing with their numerators and denominators."""
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
    chosen = [r for r in rows if r.provider == provider] if provider else totals(rows)
    for row in chosen:
        where = text("模拟数据", "simulated") if row.is_simulated else ""
        is_now = row.name == "sharing_rate"
        month = row.month or (text("现在", "now") if is_now else text("各月", "all months"))
        click.echo(
            f"{shown(WORDS[row.name]):34} {shown(row.shown):>7}"
            f"  {row.numerator}/{row.denominator}  {month} {where}"
        )
    if took.median_s is not None:
        of = Words(
            f"从申请到首次读取的中位数为 {took.median_s:.0f} 秒（{took.requests} 件申请）",
            f"Median from request to first read: {took.median_s:.0f} s ({took.requests} requests)",
        )
        ratio = Words("", "")
        if took.ratio is not None:
            times = f"{took.ratio:.1f}"
            ratio = Words(
                f"，为原有速度的 {times} 倍（目标 4 倍）", f", {times} times as quick (target: 4)"
            )
        tell(f"{of.zh}{ratio.zh}。", f"{of.en}{ratio.en}.")
    if not chosen:
        tell("尚无可计的指标。", "Nothing to count yet.")
