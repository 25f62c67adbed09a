"""``./jingshu evidence anchor|chain``: checkpoints on a chain (区块链存证试点)."""

from __future__ import annotations

import json

import click

from contracts.layout import Home


@click.command(epilog="例 Example: ./jingshu evidence anchor --rpc http://127.0.0.1:26657")
@click.option("--rpc", required=True, metavar="URL", help="节点 RPC A node's JSON-RPC.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON Print the receipt.")
def anchor(rpc: str, *, as_json: bool) -> None:
    """上链 Anchor the log's checkpoint on a CometBFT chain, and keep the receipt.

    回执存 evidence/anchors/，可公开；`evidence verify --rpc URL` 按高度读回核验。
    Receipts are public; `evidence verify --rpc URL` reads them back by height.
    """
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
    click.echo(
        f"已上链 Anchored {receipt.size} 条 leaves: {receipt.chain_id},"
        f" 高度 height {receipt.height}, 交易 tx {receipt.tx_hash}"
    )


@click.command(epilog="例 Example: ./jingshu evidence witness --json")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON object.")
def witness(*, as_json: bool) -> None:
    """见证 Hand the log's newest checkpoint to the pinned witnesses, who cosign it.

    见证者写在 JINGSHU_WITNESSES 所指的文件，每行 witness NAME VKEY URL（C2SP tlog-witness）。
    Witnesses are lines "witness NAME VKEY URL" of the file that JINGSHU_WITNESSES names.

    退出码 Exit code: 0 都已联署 all cosigned · 1 有的没有 one did not · 2 用法 usage.
    """
    from contracts.errors import UsageError
    from lineage.evidence.errors import EvidenceError
    from lineage.evidence.witnesses import VARIABLE, hand_over_all

    told: dict[str, dict[str, object]] = {}
    for each, found in hand_over_all(Home.from_env()):
        is_away = isinstance(found, EvidenceError)
        told[each.name] = {
            "covers": None if is_away else found,
            "problem": str(found) if is_away else None,
        }
    if not told:
        raise UsageError(
            "没有指定见证者 No witness is pinned.",
            f"在 {VARIABLE} 所指的文件里写上 Write some into a file, and name it by {VARIABLE}.",
        )
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    for name, kept in {} if as_json else told.items():
        size, problem = kept["covers"], kept["problem"]
        click.echo(
            f"未联署 NOT cosigned  {problem}" if problem else f"已联署 {name} cosigned {size}"
        )
    if any(kept["problem"] for kept in told.values()):
        raise click.exceptions.Exit(1)


@click.group(epilog="例 Example: ./jingshu evidence chain up")
def chain() -> None:
    """试点链 Run a local chain of four validators, for the pilot (needs Go once)."""


@chain.command(epilog="例 Example: ./jingshu evidence chain up --json")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON object.")
def up(*, as_json: bool) -> None:
    """启动 Start the validators on 127.0.0.1, and print where they answer."""
    from cli.interrupts import interruptible
    from infra.chain.network import Network

    with interruptible():
        validators = Network(Home.from_env()).start()
    if as_json:
        click.echo(json.dumps({v.name: v.rpc for v in validators}))
        return
    for validator in validators:
        click.echo(f"{validator.name}  {validator.rpc}")


@chain.command(epilog="例 Example: ./jingshu evidence chain down")
def down() -> None:
    """停止 Stop the validators; what the chain holds stays."""
    from infra.chain.network import Network

    stopped = Network(Home.from_env()).stop()
    names = ", ".join(part.name for part in stopped) or "无 nothing was running"
    click.echo(f"已停止 stopped: {names}")
