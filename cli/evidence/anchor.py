"""``./jingshu evidence anchor|chain``: checkpoints on a chain (区块链存证试点)."""

from __future__ import annotations

import json

import click

from cli.stack import say_stopped
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.words import Words, text


@click.command(
    **about(
        "把日志的检查点写到一条 CometBFT 链上，并保存回执。\n\n"
        "回执存在 evidence/anchors/，可以公开；`evidence verify --rpc URL` 按高度读回核验。",
        "Anchor the log's checkpoint on a CometBFT chain, and keep the receipt.\n\n"
        "Receipts lie in evidence/anchors/ and are public; `evidence verify --rpc URL` reads them"
        " back by height.",
        "./jingshu evidence anchor --rpc http://127.0.0.1:26657",
    )
)
@click.option(
    "--rpc",
    required=True,
    metavar="URL",
    help=text("一个节点的 JSON-RPC。", "A node's JSON-RPC."),
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("以 JSON 输出回执。", "Print the receipt as JSON."),
)
def anchor(rpc: str, *, as_json: bool) -> None:
    """Anchor the log's checkpoint on a CometBFT chain, and keep the receipt."""
    from lineage.evidence.anchor import anchor_checkpoint
    from lineage.evidence.cometbft import CometBft
    from lineage.evidence.keeping import Keeping
    from lineage.evidence.log import EvidenceLog

    home = Home.from_env()
    EvidenceLog(home).checkpoint()  # says so where there is no log yet
    receipt = anchor_checkpoint(home.evidence, Keeping.of(home).verifier(), CometBft(rpc))
    if as_json:
        click.echo(receipt.model_dump_json())
        return
    tell(
        f"已上链 {receipt.size} 条：{receipt.chain_id}，高度 {receipt.height}，"
        f"交易 {receipt.tx_hash}",
        f"Anchored {receipt.size} leaves: {receipt.chain_id}, height {receipt.height},"
        f" tx {receipt.tx_hash}",
    )


@click.command(
    **about(
        "把日志最新的检查点交给指定的见证者联署。\n\n"
        "见证者写在 JINGSHU_WITNESSES 所指的文件里，每行 witness NAME VKEY URL"
        "（C2SP tlog-witness）。\n\n"
        "退出码：0 都已联署 · 1 有的没有 · 2 用法有误。",
        "Hand the log's newest checkpoint to the pinned witnesses, who cosign it.\n\n"
        'Witnesses are lines "witness NAME VKEY URL" of the file that JINGSHU_WITNESSES names'
        " (C2SP tlog-witness).\n\n"
        "Exit code: 0 all cosigned · 1 one did not · 2 usage.",
        "./jingshu evidence witness --json",
    )
)
@JSON
def witness(*, as_json: bool) -> None:
    """Hand the log's newest checkpoint to the pinned witnesses, who cosign it."""
    from contracts.errors import UsageError
    from lineage.evidence.errors import EvidenceError
    from lineage.evidence.witnesses import VARIABLE, hand_over_all

    answers = {each.name: found for each, found in hand_over_all(Home.from_env())}
    if not answers:
        raise UsageError(
            Words("没有指定见证者。", "No witness is pinned."),
            Words(
                f"请写进一个文件，并用 {VARIABLE} 指明它。",
                f"Write some into a file, and name it by {VARIABLE}.",
            ),
        )
    told = {}
    for name, found in answers.items():
        is_away = isinstance(found, EvidenceError)
        told[name] = {
            "covers": None if is_away else found,
            "problem": found.words.en if isinstance(found, EvidenceError) else None,
        }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    for name, found in {} if as_json else answers.items():
        if isinstance(found, EvidenceError):
            tell(f"未联署  {found.words.zh}", f"NOT cosigned  {found.words.en}")
        else:
            tell(f"已联署  {name} 联署了前 {found} 条", f"cosigned  {name} cosigned {found}")
    if any(isinstance(found, EvidenceError) for found in answers.values()):
        raise click.exceptions.Exit(1)


@click.group(
    **about(
        "运行一条有四个验证节点的本地链，供试点用（需有一次 Go）。",
        "Run a local chain of four validators, for the pilot (needs Go once).",
        "./jingshu evidence chain up",
    )
)
def chain() -> None:
    """Run a local chain of four validators, for the pilot (needs Go once)."""


@chain.command(
    **about(
        "在 127.0.0.1 启动验证节点，并输出它们的地址。",
        "Start the validators on 127.0.0.1, and print where they answer.",
        "./jingshu evidence chain up --json",
    )
)
@JSON
def up(*, as_json: bool) -> None:
    """Start the validators on 127.0.0.1, and print where they answer."""
    from cli.interrupts import interruptible
    from infra.chain.network import Network

    with interruptible():
        validators = Network(Home.from_env()).start()
    if as_json:
        click.echo(json.dumps({v.name: v.rpc for v in validators}))
        return
    for validator in validators:
        click.echo(f"{validator.name}  {validator.rpc}")


@chain.command(
    **about(
        "停止验证节点；链上的内容保留。",
        "Stop the validators; what the chain holds stays.",
        "./jingshu evidence chain down",
    )
)
def down() -> None:
    """Stop the validators; what the chain holds stays."""
    from infra.chain.network import Network

    stopped = Network(Home.from_env()).stop()
    say_stopped([part.name for part in stopped])
