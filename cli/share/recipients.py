"""``./jingshu share profile | invite | body | networks``: who receives, and how it gets in."""

from __future__ import annotations

import getpass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.acting import AS, actor
from cli.words import about, tell
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import text

if TYPE_CHECKING:
    from datetime import datetime


@click.command(
    **about(
        "为 RECIPIENT 签发凭证文件；令牌只显示这一次。",
        "Issue a profile file for RECIPIENT; its token is shown this once.",
        "./jingshu share profile demo --out demo.share",
    )
)
@click.argument("recipient")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=text(
        "不打印，写入这一文件（权限 0600，仅本人可读）。",
        "Write here, mode 0600, instead of printing it.",
    ),
)
@click.option(
    "--no-grace",
    is_flag=True,
    help=text(
        "旧令牌立即失效（泄露后使用）；否则 24 小时后失效。",
        "End older tokens at once, after a leak; else in 24 hours.",
    ),
)
def profile(recipient: str, out: Path | None, no_grace: bool) -> None:
    """Issue a profile file for RECIPIENT; its token is shown this once."""
    from sharing.control import Control
    from sharing.grants import recipients

    grace = timedelta(0) if no_grace else recipients.GRACE
    with Control(Home.from_env()) as control:
        issued = recipients.issue_profile(control, recipient, grace=grace)
    if out is None:
        click.echo(issued.to_json())
        return
    recipients.write_profile(issued, out)
    ends = local(issued.expires_at)
    tell(f"已写入 {out}，有效至 {ends}。", f"Written to {out}, valid until {ends}.")


@click.command(
    **about(
        "打印供 RECIPIENT 领取凭证文件的链接；三日内有效，只能用一次。",
        "Print a link where RECIPIENT fetches its profile file, once, within three days.",
        "./jingshu share invite demo",
    )
)
@click.argument("recipient")
def invite(recipient: str) -> None:
    """Print a link where RECIPIENT fetches its profile file, once, within three days."""
    from sharing.control import Control
    from sharing.endpoint import gateway_serving
    from sharing.grants import recipients

    serving = gateway_serving()
    with Control(Home.from_env()) as control:
        key = recipients.invite(control, recipient, getpass.getuser())
    click.echo(f"{serving.url}/activate?key={key}")


@click.command(
    **about(
        "登记 RECIPIENT 归属哪一部门；新的接收方一并建立。\n\n"
        "只有归属部门 BODY 可为它申请。改归属须先无有效授权，旧令牌随即失效。",
        "Say whose RECIPIENT is; one that is new is made.\n\n"
        "Only its BODY may ask for it. It is moved only while it holds no grant; its tokens "
        "end.",
        "./jingshu share body demo med_ins --as secadmin",
    )
)
@click.argument("recipient")
@click.argument("body")
@AS
def body(recipient: str, body: str, acting: str | None) -> None:
    """Say whose RECIPIENT is; one that is new is made."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.grants.belonging import give_body

    with Control(Home.from_env()) as control:
        give_body(control, recipient, body, actor(control, acting), utc_now())
    tell(f"{recipient} 归属 {body}。", f"{recipient} is of {body}.")


@click.command(
    **about(
        "规定 RECIPIENT 只能从 NETWORKS 网段（CIDR）访问；不写则不限。",
        "Let RECIPIENT come from these NETWORKS alone (CIDR); none named: from anywhere.",
        "./jingshu share networks demo 10.1.0.0/16 192.0.2.7/32",
    )
)
@click.argument("recipient")
@click.argument("networks", nargs=-1)
def networks(recipient: str, networks: tuple[str, ...]) -> None:
    """Let RECIPIENT come from these NETWORKS alone (CIDR); none named: from anywhere."""
    from sharing.control import Control
    from sharing.grants import recipients

    with Control(Home.from_env()) as control:
        kept = recipients.set_networks(control, recipient, networks)
    click.echo(f"{recipient}: {', '.join(kept) or text('不限', 'anywhere')}")


def local(at: datetime) -> str:
    """Return a moment as the city's clocks show it, with their offset."""
    return f"{at.astimezone(CITY_TZ):%Y-%m-%d %H:%M} (UTC+8)"


RECIPIENTS: Final = (profile, invite, body, networks)
