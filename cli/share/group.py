"""``./jingshu share``: grant, revoke, hand over profiles, share tables of others, list."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import click

from cli.lazy import Entry, LazyGroup
from cli.share.recipients import RECIPIENTS, local
from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.words import Words, text

if TYPE_CHECKING:
    from contracts.model import Level
    from sharing.grants.grants import GrantView


#: Subgroups that live in modules of their own.
ENTRIES: Final = {
    "request": Entry(
        "cli.share.request:request",
        text("申请数据，答复申请。", "Ask for data, and answer who asks."),
    ),
    "catalogue": Entry(
        "cli.share.catalogue:catalogue", text("政务数据目录。", "The catalogue of government data.")
    ),
    "rights": Entry(
        "cli.share.rights:rights",
        text("确权、上架、结算与入表。", "Rights, listings, settlement, assets."),
    ),
    "crossborder": Entry(
        "cli.share.crossborder:crossborder", text("判定数据出境。", "Decide on data going abroad.")
    ),
    "kpi": Entry(
        "cli.share.kpi:kpi",
        text("共享、答复与交付的指标。", "Rates of sharing, answering and delivering."),
    ),
    "calendar": Entry(
        "cli.share.calendar:calendar", text("来年的工作日历。", "Working days of a year to come.")
    ),
    "account": Entry(
        "cli.share.account:account", text("门户的账户与角色。", "Accounts and roles of the portal.")
    ),
    "notices": Entry(
        "cli.share.notices:notices", text("发送待发的通知。", "Send what the outbox holds.")
    ),
}


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    **about(
        "把共享表授权给接收方、撤销授权、签发凭证文件。\n\n"
        "TABLE 写全名 share.schema.table，或只写表名。",
        "Grant shared tables to recipients, revoke them, and write profile files.\n\n"
        "TABLE is share.schema.table, or the plain table name.",
        "./jingshu share grant demo heat_readiness__demo --purpose 应急值守",
    ),
)
def share() -> None:
    """Grant shared tables to recipients, revoke them, and write profile files."""


@share.command(
    **about(
        "授权 RECIPIENT 读取 TABLE；新的接收方一并建立。\n\n"
        "默认只共享当前版本。部门只能为自己的接收方申请，另见 share body。",
        "Let RECIPIENT read TABLE; a new recipient is created.\n\n"
        "By default only the current version is shared. A body asks for its own recipients "
        "only: see also share body.",
        "./jingshu share grant demo heat_readiness__demo --purpose 应急值守 --until 2027-06-30",
    )
)
@click.argument("recipient")
@click.argument("table")
@click.option(
    "--purpose", required=True, metavar="P", help=text("数据的用途。", "What the data is for.")
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help=text("截止日（含当日，北京时间）。", "The last day, in Beijing time."),
)
@click.option(
    "--history",
    is_flag=True,
    help=text(
        "自今日版本起，历史版本与变更也一并共享。",
        "Share versions and changes too, from today's version on.",
    ),
)
@click.option(
    "--history-from",
    type=click.IntRange(0),
    metavar="N",
    help=text(
        "自第 N 版起，历史版本与变更也一并共享。",
        "Share versions and changes too, from version N on.",
    ),
)
@click.option(
    "--body",
    metavar="B",
    help=text(
        "新接收方的归属部门，例如 health。",
        "Whose a new recipient is, such as health.",
    ),
)
def grant(
    recipient: str,
    table: str,
    purpose: str,
    until: datetime | None,
    history: bool,
    history_from: int | None,
    body: str | None,
) -> None:
    """Let RECIPIENT read TABLE; a new recipient is created."""
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
    ends, what = _until(last_day), f"{recipient} → {found}"
    tell(f"已授权：{what}{ends.zh}。", f"Granted: {what}{ends.en}.")


@share.command(
    **about(
        "终止 RECIPIENT 对 TABLE 或全部表的授权，立即生效。\n\n"
        "JINGSHU_BUCKET_URLS=presigned 时，已给出的存储桶链接到期才失效。",
        "End RECIPIENT's grants of TABLE, or of all tables; it works at once.\n\n"
        "With JINGSHU_BUCKET_URLS=presigned, URLs of buckets that are out already work until "
        "they end.",
        "./jingshu share revoke demo heat_readiness__demo",
    )
)
@click.argument("recipient")
@click.argument("table", required=False)
def revoke(recipient: str, table: str | None) -> None:
    """End RECIPIENT's grants of TABLE, or of all tables; it works at once."""
    from sharing.control import Control
    from sharing.gateway.urls import urls_from_env
    from sharing.grants import grants
    from sharing.tables.names import Catalog
    from sharing.tables.storage import Bucket

    with Control(Home.from_env()) as control:
        names = grants.revoke(control, recipient, table, actor=getpass.getuser())
        outside = {str(t) for t in Catalog(control).tables() if isinstance(t.root, Bucket)}
    for name in names:
        tell(f"已撤销：{recipient} → {name}。", f"Revoked: {recipient} → {name}.")
    urls = urls_from_env()
    waiting = [name for name in names if name in outside and urls.is_presigned]
    if waiting:
        minutes = -(-urls.life_s // 60)
        tell(
            f"  已给出的存储桶链接最多还能用 {minutes} 分钟：{'、'.join(waiting)}。",
            f"  URLs of the bucket that are out work for up to {minutes} minutes more: "
            f"{', '.join(waiting)}.",
        )


for _command in RECIPIENTS:
    share.add_command(_command)


@share.command(
    "return",
    **about(
        "把应回流的产品数据授权给各区；./jingshu run 每天也会办理。",
        "Grant each district what products return to it; ./jingshu run does so every day.",
        "./jingshu share return",
    ),
)
def return_() -> None:
    """Grant each district what products return to it; ./jingshu run does so every day."""
    from contracts.requested import city_tree
    from sharing.control import Control
    from sharing.grants.returned import grant_returned

    home = Home.from_env()
    with Control(home) as control:
        new = grant_returned(control, city_tree(home))
    for district, table in new:
        tell(f"已回流：{district} ← {table}。", f"Returned: {district} ← {table}.")
    if not new:
        tell("没有新的回流。", "Nothing new is returned.")


@share.command(
    **about(
        "清理过期的请求记录，并说明保留了多少。\n\n"
        "保留 JINGSHU_RECORDS_DAYS 天（默认 200，依法不少于六个月），至多 JINGSHU_RECORDS_MOST "
        "条。网关启动时及每小时也会清理；摘要一直在存证日志里。",
        "Remove request records that are past their time, and say what is kept.\n\n"
        "Kept for JINGSHU_RECORDS_DAYS days (200 by default, by law not less than six months), "
        "JINGSHU_RECORDS_MOST at most; the gateway does the same at its start and every hour. "
        "Digests stay in the evidence log.",
        "./jingshu share records --json",
    )
)
@JSON
def records(*, as_json: bool) -> None:
    """Remove request records that are past their time, and say what is kept."""
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
    since = Words("", "")
    if kept.oldest is not None:
        at = local(kept.oldest)
        since = Words(f"，最早一条为 {at}", f", the oldest of {at}")
    tell(
        f"已清理 {kept.removed} 条，保留 {kept.rows} 条{since.zh}。",
        f"Removed {kept.removed} records, kept {kept.rows}{since.en}.",
    )


@share.command(
    **about(
        "把他人写成的 Delta 表原样加入共享，以三级名称标识；之后再授权。\n\n"
        "列须为 L1–L2：按标签，或由 --level 担保。\n\n"
        "存储桶按 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY、AWS_REGION 与 AWS_ENDPOINT_URL 打开，"
        "网关也须有这些环境变量。",
        "Share a Delta table that others wrote, as it is, by three names; then grant it.\n\n"
        "Columns must be L1–L2, by their tags or by --level.\n\n"
        "A bucket is opened by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and "
        "AWS_ENDPOINT_URL, which the gateway needs too.",
        "./jingshu share add trips --share partner --schema x --table t --level L2",
    )
)
@click.argument("where", metavar="DIR|s3://BUCKET/PREFIX")
@click.option("--share", "share_", required=True, metavar="S", help=text("共享名。", "The share."))
@click.option("--schema", required=True, metavar="X", help=text("模式名。", "The schema."))
@click.option("--table", required=True, metavar="T", help=text("表名。", "The table."))
@click.option(
    "--level",
    type=click.Choice(["L1", "L2"]),
    help=text(
        "为未标级的列担保其级别，并记入存证。",
        "Answer for the level of columns without a tag; it is in evidence.",
    ),
)
def add(where: str, share_: str, schema: str, table: str, level: Level | None) -> None:
    """Share a Delta table that others wrote, as it is, by three names; then grant it."""
    from sharing.control import Control
    from sharing.tables import foreign
    from sharing.tables.storage import storage_of

    with Control(Home.from_env()) as control:
        found, snapshot = foreign.add_table(
            control, storage_of(where), share_, schema, table, level=level, actor=getpass.getuser()
        )
        files = snapshot.files()
    version, count = snapshot.version, len(files)
    tell(
        f"已共享：{found}，第 {version} 版，{count} 个文件。",
        f"Shared: {found}, version {version}, {count} files.",
    )
    if snapshot.features:
        features = ", ".join(snapshot.features)
        tell(f"  客户端须支持：{features}。", f"  Clients must read: {features}.")
    if any(f.vector or f.inline_vector for f in files):
        tell(
            "  注意：已删除的行仍在接收方取得的文件中；REORG TABLE … APPLY (PURGE) 可将其清除。",
            "  Deleted rows are still in the files that recipients get;"
            " REORG TABLE … APPLY (PURGE) takes them out.",
            err=True,
        )


@share.command(
    **about(
        "把他人的表移出共享；其文件夹原样保留。",
        "Take a table of others out of its share; the folder stays as it is.",
        "./jingshu share remove partner.x.t",
    )
)
@click.argument("table")
def remove(table: str) -> None:
    """Take a table of others out of its share; the folder stays as it is."""
    from sharing.control import Control
    from sharing.tables import foreign

    with Control(Home.from_env()) as control:
        found = foreign.remove_table(control, table, actor=getpass.getuser())
    tell(f"已移除：{found}。", f"Removed: {found}.")


@share.command(
    "list",
    **about(
        "列出共享表、全部接收方与全部授权，新的在前。",
        "Show the shared tables, every recipient, and every grant, newest first.",
        "./jingshu share list --json",
    ),
)
@JSON
def list_(as_json: bool) -> None:
    """Show the shared tables, every recipient, and every grant, newest first."""
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
    tell("共享表：", "Shared tables:")
    for name in tables:
        click.echo(f"  {name}")
    tell("接收方：", "Recipients:")
    for r in known:
        click.echo(f"  {r.name}  {r.body or text('无归属', 'no body')}")
    tell("授权：", "Grants:")
    for g in rows:
        ends = "" if g.until is None else f"  {text('至', 'until')} {g.until}"
        click.echo(f"  {g.state:8} {g.recipient} → {g.table}  {shown(g.purpose)}{ends}")


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


def _until(last_day: date | None) -> Words:
    if last_day is None:
        return Words("", "")
    return Words(f"（至 {last_day}）", f" (until {last_day})")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
