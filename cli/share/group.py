"""``./jingshu share``: grant, revoke, hand over profiles, share tables of others, list."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.acting import AS, actor
from cli.lazy import Entry, LazyGroup
from contracts.layout import Home
from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from contracts.model import Level
    from sharing.grants.grants import GrantView


#: Subgroups that live in modules of their own.
ENTRIES: Final = {
    "request": Entry("cli.share.request:request", "申请 Ask for data, and answer who asks."),
    "catalogue": Entry("cli.share.catalogue:catalogue", "目录 The catalogue of government data."),
    "rights": Entry("cli.share.rights:rights", "确权 Rights, listings, settlement, assets."),
    "crossborder": Entry("cli.share.crossborder:crossborder", "出境 Decide on data going abroad."),
    "kpi": Entry("cli.share.kpi:kpi", "指标 Rates of sharing, answering and delivering."),
    "calendar": Entry("cli.share.calendar:calendar", "日历 Working days of a year to come."),
    "account": Entry("cli.share.account:account", "账户 Accounts and roles of the portal."),
    "notices": Entry("cli.share.notices:notices", "通知 Send what the outbox holds."),
}


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    epilog="例 Example: ./jingshu share grant demo heat_readiness__demo --purpose 应急值守",
)
def share() -> None:
    """共享 Grant shared tables to recipients, revoke them, and write profile files.

    TABLE 写全名 share.schema.table 或表名。 TABLE is share.schema.table, or the plain table name.
    """


@share.command(
    epilog="例 Example: ./jingshu share grant demo heat_readiness__demo "
    "--purpose 应急值守 --until 2027-06-30"
)
@click.argument("recipient")
@click.argument("table")
@click.option("--purpose", required=True, metavar="P", help="用途 What the data is for.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="截止日（含，北京时间） Last day, in Beijing time.",
)
@click.option(
    "--history",
    is_flag=True,
    help="自今日版本起共享历史与变更 Share versions and changes too, from today's version on.",
)
@click.option(
    "--history-from",
    type=click.IntRange(0),
    metavar="N",
    help="自第 N 版起共享历史 Share versions and changes from version N on.",
)
@click.option("--body", metavar="B", help="归属部门 Whose a new recipient is, such as health.")
def grant(
    recipient: str,
    table: str,
    purpose: str,
    until: datetime | None,
    history: bool,
    history_from: int | None,
    body: str | None,
) -> None:
    """授权 Let RECIPIENT read TABLE; a new recipient is created.

    默认只共享当前版本。 By default only the current version is shared.
    部门只能为自己的接收方申请。 A body asks for its own recipients only: see also share body.
    """
    from sharing.control import Control
    from sharing.grants import grants

    last_day = None if until is None else until.date()
    with Control(Home.from_env()) as control:
        found = grants.grant(
            control,
            recipient,
            table,
            purpose,
            grants.Reach(last_day, -1 if history and history_from is None else history_from),
            actor=getpass.getuser(),
            body=body,
        )
    click.echo(f"已授权 granted: {recipient} → {found}{_until(last_day)}")


@share.command(epilog="例 Example: ./jingshu share revoke demo heat_readiness__demo")
@click.argument("recipient")
@click.argument("table", required=False)
def revoke(recipient: str, table: str | None) -> None:
    """撤销 End RECIPIENT's grants of TABLE, or of all tables; it works at once.

    JINGSHU_BUCKET_URLS=presigned 时，已给出的存储桶链接到期才失效。 With it, URLs of buckets that
    are out already work until they end.
    """
    from sharing.control import Control
    from sharing.gateway.urls import urls_from_env
    from sharing.grants import grants
    from sharing.tables.names import Catalog
    from sharing.tables.storage import Bucket

    with Control(Home.from_env()) as control:
        names = grants.revoke(control, recipient, table, actor=getpass.getuser())
        outside = {str(t) for t in Catalog(control).tables() if isinstance(t.root, Bucket)}
    for name in names:
        click.echo(f"已撤销 revoked: {recipient} → {name}")
    urls = urls_from_env()
    waiting = [name for name in names if name in outside and urls.is_presigned]
    if waiting:
        minutes = -(-urls.life_s // 60)
        click.echo(
            f"  已给出的存储桶链接最多还能用 {minutes} 分钟：{'、'.join(waiting)}。\n"
            f"  URLs of the bucket that are out work for up to {minutes} minutes more: "
            f"{', '.join(waiting)}."
        )


@share.command(epilog="例 Example: ./jingshu share profile demo --out demo.share")
@click.argument("recipient")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="写入文件（仅本人可读） Write here, mode 0600, instead of printing it.",
)
@click.option(
    "--no-grace",
    is_flag=True,
    help="旧令牌立即失效（泄露后用） End older tokens at once, after a leak; else in 24 hours.",
)
def profile(recipient: str, out: Path | None, no_grace: bool) -> None:
    """凭证 Issue a profile file for RECIPIENT; its token is shown this once."""
    from sharing.control import Control
    from sharing.grants import recipients

    grace = timedelta(0) if no_grace else recipients.GRACE
    with Control(Home.from_env()) as control:
        issued = recipients.issue_profile(control, recipient, grace=grace)
    if out is None:
        click.echo(issued.to_json())
        return
    recipients.write_profile(issued, out)
    click.echo(f"已写入 written: {out}，有效至 valid until {_local(issued.expires_at)}")


@share.command("return", epilog="例 Example: ./jingshu share return")
def return_() -> None:
    """回流 Grant each district what products return to it; ./jingshu run does so every day."""
    from contracts.requested import city_tree
    from sharing.control import Control
    from sharing.grants.returned import grant_returned

    home = Home.from_env()
    with Control(home) as control:
        new = grant_returned(control, city_tree(home))
    for district, table in new:
        click.echo(f"已回流 returned: {district} ← {table}")
    if not new:
        click.echo("没有新的回流 Nothing new is returned.")


@share.command(epilog="例 Example: ./jingshu share invite demo")
@click.argument("recipient")
def invite(recipient: str) -> None:
    """邀请 Print a link where RECIPIENT fetches its profile file, once, within three days."""
    from sharing.control import Control
    from sharing.endpoint import gateway_serving
    from sharing.grants import recipients

    serving = gateway_serving()
    with Control(Home.from_env()) as control:
        key = recipients.invite(control, recipient, getpass.getuser())
    click.echo(f"{serving.url}/activate?key={key}")


@share.command(epilog="例 Example: ./jingshu share records --json")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON Print JSON.")
def records(*, as_json: bool) -> None:
    """请求记录 Remove request records that are past their time, and say what is kept.

    保留 JINGSHU_RECORDS_DAYS 天（默认 200，不少于六个月），至多 JINGSHU_RECORDS_MOST 条。
    网关启动时及每小时也会清理；摘要一直在存证日志里。
    Kept for JINGSHU_RECORDS_DAYS (200, not less than six months by law), JINGSHU_RECORDS_MOST at
    most; the gateway does the same at its start and every hour. Digests stay in the evidence log.
    """
    from sharing.control import Control
    from sharing.gateway.reads import settle_reads
    from sharing.gateway.retention import remove_old, retention

    keep = retention()
    with Control(Home.from_env()) as control:
        settle_reads(control)
        kept = remove_old(control, keep)
    if as_json:
        told = {"removed": kept.removed, "rows": kept.rows, "days": keep.days, "most": keep.most}
        oldest = None if kept.oldest is None else kept.oldest.isoformat()
        click.echo(json.dumps({**told, "oldest": oldest}))
        return
    since = "" if kept.oldest is None else f"，最早 the oldest of {_local(kept.oldest)}"
    click.echo(f"已清理 removed: {kept.removed}；保留 kept: {kept.rows}{since}")


@share.command(epilog="例 Example: ./jingshu share body demo med_ins --as secadmin")
@click.argument("recipient")
@click.argument("body")
@AS
def body(recipient: str, body: str, acting: str | None) -> None:
    """归属 Say whose RECIPIENT is; one that is new is made. Only its BODY may ask for it.

    改归属须先无有效授权，旧令牌随即失效。 Moved only while it holds no grant; its tokens end.
    """
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.grants.belonging import give_body

    with Control(Home.from_env()) as control:
        give_body(control, recipient, body, actor(control, acting), utc_now())
    click.echo(f"{recipient}: 归属 of {body}")


@share.command(epilog="例 Example: ./jingshu share networks demo 10.1.0.0/16 192.0.2.7/32")
@click.argument("recipient")
@click.argument("networks", nargs=-1)
def networks(recipient: str, networks: tuple[str, ...]) -> None:
    """网段 Let RECIPIENT come from these NETWORKS alone (CIDR); none named: from anywhere."""
    from sharing.control import Control
    from sharing.grants import recipients

    with Control(Home.from_env()) as control:
        kept = recipients.set_networks(control, recipient, networks)
    click.echo(f"{recipient}: {', '.join(kept) or '不限 anywhere'}")


@share.command(
    epilog="例 Example: ./jingshu share add trips --share partner --schema x --table t --level L2"
)
@click.argument("where", metavar="DIR|s3://BUCKET/PREFIX")
@click.option("--share", "share_", required=True, metavar="S", help="共享名 The share.")
@click.option("--schema", required=True, metavar="X", help="模式名 The schema.")
@click.option("--table", required=True, metavar="T", help="表名 The table.")
@click.option(
    "--level",
    type=click.Choice(["L1", "L2"]),
    help="为未标级的列负责 Answer for the level of columns without a tag; it is in evidence.",
)
def add(where: str, share_: str, schema: str, table: str, level: Level | None) -> None:
    """添加 Share a Delta table that others wrote, as it is, by three names; then grant it.

    列须为 L1–L2：按标签，或由 --level 担保。 Columns must be L1–L2, by their tags or by --level.

    存储桶按 AWS_* 环境变量打开，网关亦须有之 A bucket is opened by AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL, which the gateway needs too.
    """
    from sharing.control import Control
    from sharing.tables import foreign
    from sharing.tables.storage import storage_of

    with Control(Home.from_env()) as control:
        found, snapshot = foreign.add_table(
            control, storage_of(where), share_, schema, table, level=level, actor=getpass.getuser()
        )
        files = snapshot.files()
    click.echo(
        f"已共享 shared: {found}，版本 version {snapshot.version}，{len(files)} 个文件 files"
    )
    if snapshot.features:
        click.echo(f"  须支持 Clients must read: {', '.join(snapshot.features)}")
    if any(f.vector or f.inline_vector for f in files):
        click.echo(
            "  注意：已删除的行仍在文件中 Deleted rows are still in the files that recipients get;"
            " REORG TABLE … APPLY (PURGE) takes them out.",
            err=True,
        )


@share.command(epilog="例 Example: ./jingshu share remove partner.x.t")
@click.argument("table")
def remove(table: str) -> None:
    """移除 Take a table of others out of its share; the folder stays as it is."""
    from sharing.control import Control
    from sharing.tables import foreign

    with Control(Home.from_env()) as control:
        found = foreign.remove_table(control, table, actor=getpass.getuser())
    click.echo(f"已移除 removed: {found}")


@share.command("list", epilog="例 Example: ./jingshu share list --json")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def list_(as_json: bool) -> None:
    """列表 Show the shared tables, every recipient, and every grant, newest first."""
    from sharing.control import Control
    from sharing.grants.belonging import list_recipients
    from sharing.grants.grants import list_grants
    from sharing.tables.names import Catalog

    home = Home.from_env()
    with Control(home) as control:
        tables = [str(t) for t in Catalog(control).tables()]
        rows = list_grants(control)
        known = list_recipients(control)
    if as_json:
        document = {
            "tables": tables,
            "recipients": [{"name": r.name, "body": r.body} for r in known],
            "grants": [_as_json(g) for g in rows],
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    click.echo("共享表 Shared tables:")
    for name in tables:
        click.echo(f"  {name}")
    click.echo("接收方 Recipients:")
    for r in known:
        click.echo(f"  {r.name}  {r.body or '无归属 no body'}")
    click.echo("授权 Grants:")
    for g in rows:
        click.echo(f"  {g.state:8} {g.recipient} → {g.table}  {g.purpose}{_until(g.until)}")


def _as_json(row: GrantView) -> dict[str, str | int | None]:
    return {
        "recipient": row.recipient,
        "table": row.table,
        "purpose": row.purpose,
        "state": row.state,
        "granted_at": _utc(row.granted_at),
        "granted_by": row.granted_by,
        "until": None if row.until is None else row.until.isoformat(),
        "history_from": row.history_from,
        "revoked_at": None if row.revoked_at is None else _utc(row.revoked_at),
    }


def _until(last_day: date | None) -> str:
    return "" if last_day is None else f"（至 until {last_day}）"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _local(at: datetime) -> str:
    return f"{at.astimezone(CITY_TZ):%Y-%m-%d %H:%M} (UTC+8)"
