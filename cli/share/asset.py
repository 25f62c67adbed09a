"""``./jingshu share rights asset``: what data costs, and what it is in the books (入表)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor, local_user
from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sharing.control import Control
    from sharing.people import Actor
    from sharing.rights.assets import Booked, Cost
    from sharing.rights.recognition import AssetUse, EntityType, Phase, Test

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(
    **about(
        "各主体的数据成本账，以及数据资源如何入表。\n\n"
        "不得倒填：入账日即当日，不早于 2024 年；补记已过账期须他人批准；更正以红字冲销。",
        "Each body's books of what its data costs, and what data is in the books.\n\n"
        "Costs are booked today and not of before 2024; late ones need another person's "
        "approval; what is wrong is reversed.",
        "./jingshu share rights asset list",
    )
)
def asset() -> None:
    """Each body's books of what its data costs, and what data is in the books."""


def _of_a_cost(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what says which cost is meant."""
    kinds = click.Choice(["staff", "storage", "fee"])
    for part in reversed(
        (
            click.argument("body"),
            click.argument("dataset"),
            click.option(
                "--kind",
                required=True,
                type=kinds,
                help=text(
                    "类别：staff 以分钟计，storage 以 MiB × 天计，fee 以分计。",
                    "The kind: staff in minutes, storage in MiB × days, fee in fen.",
                ),
            ),
            click.option(
                "--quantity",
                required=True,
                type=int,
                help=text("数量，以该类别的单位计。", "How much, in the kind's unit."),
            ),
            click.option(
                "--incurred", required=True, type=_DAY, help=text("发生日。", "When it came about.")
            ),
            click.option(
                "--version",
                type=int,
                help=text("只计入表的这一版本。", "Of one version of the table only."),
            ),
        )
    ):
        command = part(command)
    return command


@asset.command(
    **about(
        "今日为 BODY 记入 DATASET 的一笔成本，按发生日的费率。",
        "Book a cost of DATASET for BODY today, at the rate of the day it came about.",
        "./jingshu share rights asset book health health__disease_case --kind staff --quantity "
        "90 --incurred 2026-07-13",
    )
)
@_of_a_cost
@click.option("--reason", default="", help=text("费用说明。", "What it was for."))
@click.option(
    "--approval", metavar="ID", help=text("补记费用的批准编号。", "The approval of a late cost.")
)
@AS
def book(reason: str, approval: str | None, acting: str | None, **parts: Any) -> None:
    """Book a cost of DATASET for BODY today, at the rate of the day it came about."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    home, cost = Home.from_env(), _cost(reason, **parts)
    with Control(home) as control:
        who = _who(control, acting, cost.body)
        cost_id = assets.book(control, city_tree(home), cost, who, utc_now(), approval)
    tell(f"已记账：{cost_id}。", f"Booked: {cost_id}.")


@asset.command(
    **about(
        "批准他人补记一笔已过账期的成本。",
        "Approve that another person books a cost of before the open period.",
        "./jingshu share rights asset approve health health__disease_case --kind staff "
        "--quantity 90 --incurred 2026-05-13 --reason 漏记 --as li.health",
    )
)
@_of_a_cost
@click.option("--reason", required=True, help=text("补记的理由。", "Why it is booked late."))
@AS
def approve(reason: str, acting: str | None, **parts: Any) -> None:
    """Approve that another person books a cost of before the open period."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import approvals

    home, cost = Home.from_env(), _cost(reason, **parts)
    with Control(home) as control:
        who = _who(control, acting, cost.body)
        made = approvals.approve(control, city_tree(home), cost, who, utc_now())
    tell(f"已批准：{made}。", f"Approved: {made}.")


@asset.command(
    "approve-runs",
    **about(
        "批准他人补记 BODY 在已过账期的运行。",
        "Approve that another person books BODY's runs of before the open period.",
        "./jingshu share rights asset approve-runs health --reason 补计 --as li.health",
    ),
)
@click.argument("body")
@click.option("--reason", required=True, help=text("补记的理由。", "Why they are booked late."))
@AS
def approve_runs(body: str, reason: str, acting: str | None) -> None:
    """Approve that another person books BODY's runs of before the open period."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import approvals

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        made = approvals.approve_runs(control, city_tree(home), body, reason, who, utc_now())
    tell(f"已批准 {len(made)} 次运行。", f"Approved {len(made)} runs.")


@asset.command(
    **about(
        "为 BODY 各表的每次运行按阶段各记账一次；同时的运行分摊时间。",
        "Book every run of a table of BODY's, each stage, once; runs share the clock.",
        "./jingshu share rights asset measure health",
    )
)
@click.argument("body")
@AS
def measure(body: str, acting: str | None) -> None:
    """Book every run of a table of BODY's, each stage, once; runs share the clock."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        made = assets.book_runs(control, city_tree(home), body, who, utc_now())
    booked = len(made.made)
    tell(f"已记账 {booked} 次运行。", f"Booked {booked} runs.")
    if made.waiting:
        tell(
            f"{made.waiting} 次运行待批准：见 asset approve-runs。",
            f"{made.waiting} runs wait for an approval: see asset approve-runs.",
        )


@asset.command(
    **about(
        "以今日的红字分录冲销一笔成本。",
        "Take a cost back by a row of today.",
        "./jingshu share rights asset reverse B2026-0001 --reason 误记",
    )
)
@click.argument("cost_id", metavar="ID")
@click.option("--reason", required=True, help=text("理由。", "Why."))
@AS
def reverse(cost_id: str, reason: str, acting: str | None) -> None:
    """Take a cost back by a row of today."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    with Control(Home.from_env()) as control:
        body = next((c.cost.body for c in assets.costs(control) if c.id == cost_id), "")
        made = assets.reverse(control, cost_id, reason, _who(control, acting, body), utc_now())
    tell(f"已冲销：{cost_id} → {made}。", f"Reversed: {cost_id} → {made}.")


@asset.command(
    **about(
        "结账：BODY 的这一月不再记入成本，其摘要进入存证。",
        "Let a month of BODY's take no more costs; its digest goes into evidence.",
        "./jingshu share rights asset close health 2026-06",
    )
)
@click.argument("body")
@click.argument("month", metavar="YYYY-MM")
@AS
def close(body: str, month: str, acting: str | None) -> None:
    """Let a month of BODY's take no more costs; its digest goes into evidence."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import periods

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        periods.close_month(control, city_tree(home), body, month, who, utc_now())
    tell(f"已结账：{body} {month}。", f"Closed: {body} {month}.")


@asset.command(
    "list",
    **about(
        "列出全部成本，以及各主体账上每表按版本与类别的合计。",
        "Show every cost, and in each body's books each table's sums by version and kind.",
        "./jingshu share rights asset list --body health",
    ),
)
@click.option("--dataset", metavar="T", help=text("只看一个表。", "Of one table only."))
@click.option("--body", metavar="B", help=text("只看一个主体的账。", "One body's books only."))
@JSON
def list_(dataset: str | None, body: str | None, as_json: bool) -> None:
    """Show every cost, and in each body's books each table's sums by version and kind."""
    from sharing.control import Control
    from sharing.rights import assets

    with Control(Home.from_env()) as control:
        found = assets.costs(control, dataset, body)
    sums = assets.totals(found)
    if as_json:
        document = {
            "costs": [_as_json(one) for one in found],
            "totals": [
                {"body": of, "dataset": name, "version": version, "fen": dict(by)}
                for (of, name, version), by in sums.items()
            ],
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for (of, name, version), by in sums.items():
        parts = ", ".join(f"{kind} {amount}" for kind, amount in sorted(by.items()))
        at = "" if version is None else f"@{version}"
        fen = text("分", "fen")
        click.echo(f"{of}  {name}{at}  {sum(by.values())} {fen} = {parts}")
    if not found:
        tell("没有记账。", "Nothing was booked.")


@asset.command(
    **about(
        "判定数据资源在持有者账上如何列报（财会〔2023〕11 号），并说明理由。",
        "Say what a data resource is in its holder's books, with the reasons.\n\n"
        "By the Ministry of Finance's provisions of 2023, No. 11.",
        "./jingshu share rights asset recognise --use held_for_sale --controlled --benefits "
        "--measurable",
    )
)
@click.option(
    "--entity",
    default="enterprise",
    show_default=True,
    type=click.Choice(["enterprise", "administrative_unit"]),
    help=text("持有主体的性质。", "What kind of body holds it."),
)
@click.option(
    "--use",
    required=True,
    type=click.Choice(["own_business", "held_for_sale"]),
    help=text("持有目的。", "What it is held for."),
)
@click.option(
    "--phase",
    default="acquired",
    show_default=True,
    type=click.Choice(["acquired", "research", "development", "completed"]),
    help=text("外购，或研发到哪一阶段。", "Bought, or how far developed."),
)
@click.option(
    "--controlled", is_flag=True, help=text("由主体拥有或者控制。", "It is owned or controlled.")
)
@click.option("--benefits", is_flag=True, help=text("很可能带来利益。", "Benefits are probable."))
@click.option(
    "--measurable", is_flag=True, help=text("成本能够可靠计量。", "Its cost is measured reliably.")
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    help=text(
        "开发支出已满足的一项资本化条件（企业会计准则第 6 号，可多个）。",
        "A test of CAS 6 that its development meets; may stand often.",
    ),
)
@JSON
def recognise(
    entity: EntityType,
    use: AssetUse,
    phase: Phase,
    controlled: bool,
    benefits: bool,
    measurable: bool,
    tests: tuple[Test, ...],
    as_json: bool,
) -> None:
    """Say what a data resource is in its holder's books, with the reasons."""
    from sharing.rights import recognition

    conditions = recognition.Conditions(controlled, benefits, measurable, phase, frozenset(tests))
    found = recognition.recognise(entity, use, conditions)
    if as_json:
        kept = [reason.en for reason in found.reasons]
        click.echo(json.dumps({**vars(found), "reasons": kept}, ensure_ascii=False))
        return
    line = text("不列报", "no line") if found.line is None else shown(found.line)
    click.echo(f"{found.case}  {line}")
    for reason in found.reasons:
        click.echo(f"  {shown(reason)}")


def _who(control: Control, acting: str | None, body: str) -> Actor:
    return actor(control, acting) if acting else local_user(body)


def _cost(reason: str, incurred: datetime, **parts: Any) -> Cost:
    from sharing.rights.assets import Cost

    return Cost(incurred_on=incurred.date(), reason=reason, **parts)


def _as_json(one: Booked) -> dict[str, Any]:
    days = {
        "incurred_on": one.cost.incurred_on.isoformat(),
        "booked_on": one.booked_on.isoformat(),
    }
    names = ("id", "number", "unit", "amount_fen", "reverses", "approval")
    return {**vars(one.cost), **days, **{name: getattr(one, name) for name in names}}
