"""``./jingshu share rights asset``: what data costs, and what it is in the books (入表)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor, local_user
from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sharing.control import Control
    from sharing.people import Actor
    from sharing.rights.assets import Booked, Cost
    from sharing.rights.recognition import AssetUse, EntityType, Phase, Test

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(epilog="例 Example: ./jingshu share rights asset list")
def asset() -> None:
    """入表 Each body's books of what its data costs, and what data is in the books.

    不得倒填：入账日即当日，不早于 2024 年；补记已过账期须他人批准；更正以红字冲销。
    Costs are booked today; late ones need another person's approval; what is wrong is reversed.
    """


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
                help="类别 staff: minutes · storage: MiB × days · fee: 分.",
            ),
            click.option("--quantity", required=True, type=int, help="数量 In the kind's unit."),
            click.option("--incurred", required=True, type=_DAY, help="发生日 When it came about."),
            click.option("--version", type=int, help="版本 Of one version of the table only."),
        )
    ):
        command = part(command)
    return command


@asset.command(
    epilog="例 Example: ./jingshu share rights asset book health health__disease_case "
    "--kind staff --quantity 90 --incurred 2026-07-13"
)
@_of_a_cost
@click.option("--reason", default="", help="说明 What it was for.")
@click.option("--approval", metavar="ID", help="批准 The approval of a late cost.")
@AS
def book(reason: str, approval: str | None, acting: str | None, **parts: Any) -> None:
    """记账 Book a cost of DATASET for BODY today, at the rate of the day it came about."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    home, cost = Home.from_env(), _cost(reason, **parts)
    with Control(home) as control:
        who = _who(control, acting, cost.body)
        cost_id = assets.book(control, city_tree(home), cost, who, utc_now(), approval)
    click.echo(f"已记账 booked: {cost_id}")


@asset.command(
    epilog="例 Example: ./jingshu share rights asset approve health health__disease_case "
    "--kind staff --quantity 90 --incurred 2026-05-13 --reason 漏记 --as li.health"
)
@_of_a_cost
@click.option("--reason", required=True, help="理由 Why it is booked late.")
@AS
def approve(reason: str, acting: str | None, **parts: Any) -> None:
    """批准 Approve that another person books a cost of before the open period."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import approvals

    home, cost = Home.from_env(), _cost(reason, **parts)
    with Control(home) as control:
        who = _who(control, acting, cost.body)
        made = approvals.approve(control, city_tree(home), cost, who, utc_now())
    click.echo(f"已批准 approved: {made}")


@asset.command(
    "approve-runs",
    epilog="例 Example: ./jingshu share rights asset approve-runs health "
    "--reason 补计 --as li.health",
)
@click.argument("body")
@click.option("--reason", required=True, help="理由 Why they are booked late.")
@AS
def approve_runs(body: str, reason: str, acting: str | None) -> None:
    """批准 Approve that another person books BODY's runs of before the open period."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import approvals

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        made = approvals.approve_runs(control, city_tree(home), body, reason, who, utc_now())
    click.echo(f"已批准 approved: {len(made)} 次运行 runs")


@asset.command(epilog="例 Example: ./jingshu share rights asset measure health")
@click.argument("body")
@AS
def measure(body: str, acting: str | None) -> None:
    """计量 Book every run of a table of BODY's, each stage, once; runs share the clock."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        made = assets.book_runs(control, city_tree(home), body, who, utc_now())
    click.echo(f"已记账 booked: {len(made.made)} 次运行 runs")
    if made.waiting:
        click.echo(f"待批准 waiting for an approval: {made.waiting} (asset approve-runs)")


@asset.command(epilog="例 Example: ./jingshu share rights asset reverse B2026-0001 --reason 误记")
@click.argument("cost_id", metavar="ID")
@click.option("--reason", required=True, help="理由 Why.")
@AS
def reverse(cost_id: str, reason: str, acting: str | None) -> None:
    """冲销 Take a cost back by a row of today."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import assets

    with Control(Home.from_env()) as control:
        body = next((c.cost.body for c in assets.costs(control) if c.id == cost_id), "")
        made = assets.reverse(control, cost_id, reason, _who(control, acting, body), utc_now())
    click.echo(f"已冲销 reversed: {cost_id} → {made}")


@asset.command(epilog="例 Example: ./jingshu share rights asset close health 2026-06")
@click.argument("body")
@click.argument("month", metavar="YYYY-MM")
@AS
def close(body: str, month: str, acting: str | None) -> None:
    """结账 Let a month of BODY's take no more costs; its digest goes into evidence."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import periods

    home = Home.from_env()
    with Control(home) as control:
        who = _who(control, acting, body)
        periods.close_month(control, city_tree(home), body, month, who, utc_now())
    click.echo(f"已结账 closed: {body} {month}")


@asset.command("list", epilog="例 Example: ./jingshu share rights asset list --body health")
@click.option("--dataset", metavar="T", help="只看一个表 Of one table only.")
@click.option("--body", metavar="B", help="只看一个主体的账 One body's books only.")
@_JSON
def list_(dataset: str | None, body: str | None, as_json: bool) -> None:
    """列表 Show every cost, and in each body's books each table's sums by version and kind."""
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
        parts = "，".join(f"{kind} {fen}" for kind, fen in sorted(by.items()))
        at = "" if version is None else f"@{version}"
        click.echo(f"{of}  {name}{at}  {sum(by.values())} 分 = {parts}")
    if not found:
        click.echo("没有记账 Nothing was booked.")


@asset.command(
    epilog="例 Example: ./jingshu share rights asset recognise --use held_for_sale "
    "--controlled --benefits --measurable"
)
@click.option(
    "--entity",
    default="enterprise",
    show_default=True,
    type=click.Choice(["enterprise", "administrative_unit"]),
    help="主体 What kind of body holds it.",
)
@click.option(
    "--use",
    required=True,
    type=click.Choice(["own_business", "held_for_sale"]),
    help="用途 What it is held for.",
)
@click.option(
    "--phase",
    default="acquired",
    show_default=True,
    type=click.Choice(["acquired", "research", "development", "completed"]),
    help="阶段 Bought, or how far developed.",
)
@click.option("--controlled", is_flag=True, help="拥有或控制 It is owned or controlled.")
@click.option("--benefits", is_flag=True, help="很可能带来利益 Benefits are probable.")
@click.option("--measurable", is_flag=True, help="成本可靠计量 Its cost is measured reliably.")
@click.option(
    "--test",
    "tests",
    multiple=True,
    help="已满足的开发阶段条件（可多个） A test of CAS 6 that its development meets.",
)
@_JSON
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
    """判定 What a data resource is in its holder's books (财会〔2023〕11号), with the reasons."""
    from sharing.rights import recognition

    conditions = recognition.Conditions(controlled, benefits, measurable, phase, frozenset(tests))
    found = recognition.recognise(entity, use, conditions)
    if as_json:
        click.echo(json.dumps(vars(found), ensure_ascii=False))
        return
    click.echo(f"{found.case}  {found.line or '不列报 no line'}")
    for reason in found.reasons:
        click.echo(f"  {reason}")


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
