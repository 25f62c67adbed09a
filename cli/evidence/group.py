"""``./jingshu evidence``: prove what was logged, and verify proofs and logs (存证)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.evidence.anchor import anchor as anchor_command
from cli.evidence.anchor import chain, witness
from cli.evidence.dossier import dossier
from cli.opening import open_
from cli.words import JSON, about, shown, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.words import Words, text
from lineage.evidence.anchored import Anchoring, anchoring
from lineage.evidence.errors import EvidenceError, NoteError
from lineage.evidence.leaf import LEAF_TYPES, Leaf
from lineage.evidence.log import EvidenceLog
from lineage.evidence.note import Verifier
from lineage.evidence.offline import verify_consistency, verify_log, verify_proof
from lineage.evidence.proof import Proof
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from lineage.evidence.tilecheck import Finding

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_NO_KEY = (
    Words("--log 需要您信任的公钥。", "--log needs the key that you trust."),
    Words("请用 --vkey FILE 给出。", "Give it by --vkey FILE."),
)
_NOTHING = (
    Words("只有 --vkey，没有可核验的对象。", "--vkey alone names nothing to verify."),
    Words("请加上 FILE 或 --log DIR。", "Add FILE or --log DIR."),
)
_NO_PROOF = (
    Words("--leaf 是一份证明的条目。", "--leaf is the entry of a proof."),
    Words("请加上证明的 FILE。", "Add the proof's FILE."),
)
_NO_LOG = (
    Words(
        "--rpc 读回的是日志的上链内容，不是证明的。", "--rpc reads a log's anchors, not a proof's."
    ),
    Words("请去掉 FILE。", "Leave FILE out."),
)


@click.group(
    **about(
        "证明一件事已记入日志，并核验日志。\n\n"
        "每一步（落地、裁决、发布、共享、授权、撤回）都在只增日志（C2SP tlog-tiles）里"
        "留下一条带签名的记录；它的证明不需要网络，也不必信任本机。",
        "Prove that an event was logged, and verify the log.\n\n"
        "Each landing, verdict, publication, share, grant and withdrawal leaves one signed,"
        " append-only record (C2SP tlog-tiles); a proof of it needs no network and no trust in"
        " this machine.",
        "./jingshu evidence prove landing:health__disease_case@20260715-0123456789ab"
        " --out p.tlog-proof",
        "./jingshu evidence verify p.tlog-proof",
    )
)
def evidence() -> None:
    """Prove that an event was logged, and verify the log."""


@evidence.command(
    **about(
        "输出一条存证的离线证明（.tlog-proof）。\n\n"
        "SUBJECT 是 type:subject，或只有一条记录的 subject。",
        "Print the offline proof (.tlog-proof) of one logged fact.\n\n"
        "SUBJECT is type:subject, or a subject with one fact only.",
        "./jingshu evidence prove publication:health__disease_case@20260715-0123456789ab"
        " --out p.tlog-proof",
    )
)
@click.argument("subject")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=text("写到这个文件。", "Write here."),
)
def prove(subject: str, out: Path | None) -> None:
    """Print the offline proof (.tlog-proof) of one logged fact."""
    log = EvidenceLog(Home.from_env())
    proof = log.prove(_key(log, subject))
    if out is None:
        click.echo(proof, nl=False)
        return
    out.write_text(proof, encoding="utf-8")
    tell(f"已写 {out}", f"Wrote {out}")


@evidence.command(
    **about(
        "只凭文件核验本机的日志、一份证明，或任何一个日志。\n\n"
        "不带参数：本机日志，含回滚检查、上链回执与见证者联署。FILE：一份证明；"
        "加 --log 还核对该日志仍含证明里的检查点所签的内容。"
        "--log：别处的日志，须给出您信任的公钥；任何 tlog-tiles 日志都可以，不论其条目是什么。\n\n"
        "退出码：0 成立 · 1 不成立，并指明何处 · 2 用法有误。",
        "Verify this home's log, a proof, or any log from its files alone.\n\n"
        "Without arguments: this home's log, with rollback, receipts of anchors and what witnesses"
        " cosigned. FILE: one proof; with --log also that the log still holds what the proof's"
        " checkpoint signed. --log asks for the key you trust, and takes any tlog-tiles log,"
        " whatever its entries are.\n\n"
        "Exit code: 0 holds · 1 broken, and where · 2 usage.",
        "./jingshu evidence verify",
        "./jingshu evidence verify p.tlog-proof --vkey log.vkey",
        "./jingshu evidence verify --log copy/evidence --vkey log.vkey --json",
        "./jingshu evidence verify --rpc http://127.0.0.1:26657",
    )
)
@click.argument("file", required=False, type=_FILE)
@click.option(
    "--log",
    "directory",
    type=_DIRECTORY,
    help=text("另一日志的文件夹。", "Another log's folder."),
)
@click.option(
    "--vkey",
    "vkey_file",
    type=_FILE,
    help=text("那个日志的公钥文件。", "That log's public key."),
)
@click.option(
    "--origin",
    metavar="LINE",
    help=text("它的来源行，如不是公钥的名称。", "Its origin line, if not its key's name."),
)
@click.option(
    "--leaf",
    "leaf_file",
    type=_FILE,
    help=text("FILE 所证明的条目原文。", "The entry that FILE proves."),
)
@click.option(
    "--rpc",
    metavar="URL",
    help=text("从这个节点读回上链的内容。", "Read the anchors back from this node."),
)
@JSON
def verify(
    file: Path | None,
    directory: Path | None,
    vkey_file: Path | None,
    origin: str | None,
    leaf_file: Path | None,
    rpc: str | None,
    *,
    as_json: bool,
) -> None:
    """Verify this home's log, a proof, or any log from its files alone."""
    if directory is not None and vkey_file is None:
        raise UsageError(*_NO_KEY)
    if directory is None and file is None and (vkey_file or origin):
        raise UsageError(*_NOTHING)
    if leaf_file is not None and file is None:
        raise UsageError(*_NO_PROOF)
    if rpc is not None and file is not None:
        raise UsageError(*_NO_LOG)
    if file is None and directory is None:
        findings = verify_home(Home.from_env())
    else:
        trusted = _Trusted(_vkey(vkey_file), origin)
        findings = _findings(file, leaf_file, directory, trusted)
    if rpc is not None:
        findings += _anchor_findings(directory, vkey_file, rpc)
    is_own = file is None and directory is None
    anchor = anchoring(Home.from_env(), datetime.now(UTC)) if is_own else None
    _report(findings, _subject(file, directory), anchor, as_json=as_json)
    if findings:
        raise click.exceptions.Exit(1)


@evidence.command(
    "log",
    **about(
        "列出本机日志最新的存证，旧的在前。\n\n"
        "时间为写入日志时本机时钟的时间，逐条递增；此前版本的记录为事实发生的时间。",
        "List the newest facts of this home's log, oldest first.\n\n"
        "The time is when this machine's own clock said that the log took the fact, each later"
        " than the one before; of facts logged by an earlier version it is when they came about.",
        "./jingshu evidence log -n 5",
    ),
)
@click.option("-n", "--last", default=20, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("每行输出一个 JSON 对象。", "Print one JSON object a line."),
)
def list_log(last: int, *, as_json: bool) -> None:
    """List the newest facts of this home's log, oldest first."""
    log = EvidenceLog(Home.from_env())
    size = log.size
    for index, entry in islice(log.entries(max(0, size - last)), last):
        leaf = Leaf.parse(entry)
        if as_json:
            click.echo(json.dumps({"index": index, **json.loads(entry)}, ensure_ascii=False))
        else:
            click.echo(f"{index:>8}  {leaf.machine_time or leaf.at:<27}  {leaf.key}")
    if not size and not as_json:
        tell("日志是空的。", "The log is empty.")


def _key(log: EvidenceLog, subject: str) -> str:
    leaf_type, colon, _ = subject.partition(":")
    if colon and leaf_type in LEAF_TYPES:
        return subject
    keys = log.keys_of(subject)
    if not keys:
        raise UsageError(
            Words(f"日志里没有 {subject} 的记录。", f"Nothing is logged of {subject}."),
            Words("请看 `./jingshu evidence log`。", "See `./jingshu evidence log`."),
        )
    if len(keys) > 1:
        count, listed = len(keys), ", ".join(keys)
        raise UsageError(
            Words(f"{subject} 有 {count} 条记录。", f"{subject} has {count} facts."),
            Words(f"请选其一：{listed}。", f"Choose one of {listed}."),
        )
    return keys[0]


@dataclass(frozen=True)
class _Trusted:
    """Whose signature is believed, and for which log."""

    vkey: str
    origin: str | None


def _findings(
    file: Path | None, leaf_file: Path | None, directory: Path | None, trusted: _Trusted
) -> list[Finding]:
    vkey, origin = trusted.vkey, trusted.origin
    findings = [] if directory is None else verify_log(directory, vkey, origin)
    if file is not None:
        proof = file.read_text(encoding="utf-8", errors="replace")
        leaf = None if leaf_file is None else leaf_file.read_bytes()
        findings += verify_proof(proof, leaf, vkey, origin)
        if directory is not None and not findings:
            checkpoint = Proof.parse(proof).checkpoint
            findings += verify_consistency(checkpoint, directory, vkey, origin)
    return findings


def _anchor_findings(directory: Path | None, vkey_file: Path | None, rpc: str) -> list[Finding]:
    from lineage.evidence.anchor import verify_on_chain, verify_receipts
    from lineage.evidence.cometbft import CometBft

    verifier = Verifier.parse(_vkey(vkey_file))
    evidence = directory or Home.from_env().evidence
    found = [] if directory is None else list(verify_receipts(evidence, verifier))
    return [*found, *verify_on_chain(evidence, verifier, CometBft(rpc))]


def _vkey(vkey_file: Path | None) -> str:
    path = vkey_file or Home.from_env().evidence / "log.vkey"
    try:
        vkey = path.read_text(encoding="utf-8").strip()
        Verifier.parse(vkey)
    except (OSError, UnicodeDecodeError, NoteError) as error:
        raise UsageError(
            Words(f"{path} 里没有公钥。", f"{path} holds no verifier key."),
            Words(
                "请用 --vkey FILE 给出该日志的 log.vkey。",
                "Give the log's log.vkey by --vkey FILE.",
            ),
        ) from error
    return vkey


def _report(
    findings: list[Finding],
    subject: dict[str, object],
    anchor: Anchoring | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        found = [{"where": f.where, "problem": f.problem.en} for f in findings]
        told = {} if anchor is None else {"anchor": anchor.to_json()}
        summary = {"holds": not findings, **subject, **told, "findings": found}
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    for finding in findings:
        where, problem = finding.where, finding.problem
        tell(f"不成立  {where}：{problem.zh}", f"BROKEN  {where}: {problem.en}")
    if not findings:
        facts = subject.pop("facts", {})
        pairs = {**subject, **(facts if isinstance(facts, dict) else {})}
        details = "  ".join(f"{name}={value}" for name, value in pairs.items())
        mark = "" if anchor is None else f"  {shown(anchor.mark)}"
        holds = f"{text('成立', 'HOLDS')}  {details}{mark}"
        click.echo(holds if subject else text("尚无日志。", "There is no log yet."))
    for sentence in [] if anchor is None else anchor.sentences():
        click.echo(shown(sentence))


def _subject(file: Path | None, directory: Path | None) -> dict[str, object]:
    """Describe what was verified; an unreadable part is left to the findings."""
    if file is not None:
        return _proved(file)
    if directory is not None:
        return {"log": str(directory)}
    try:
        log = EvidenceLog(Home.from_env())
        if not log.size:
            return {}
        head = log.checkpoint()
    except (EvidenceError, OSError):
        return {}
    root = base64.b64encode(head.root).decode()
    return {"origin": head.origin, "size": head.size, "root": root}


def _proved(file: Path) -> dict[str, object]:
    """Return what a proof is of; of another log's entry no more than its index is known."""
    try:
        proof = Proof.parse(file.read_text(encoding="utf-8"))
    except (EvidenceError, OSError, UnicodeDecodeError):
        return {}
    try:
        leaf = Leaf.parse(proof.extra or b"")
    except EvidenceError:
        return {"index": proof.index}
    return {"index": proof.index, "fact": leaf.key, "at": leaf.at, "facts": dict(leaf.facts)}


evidence.add_command(dossier)
evidence.add_command(anchor_command)
evidence.add_command(witness)
evidence.add_command(chain)
evidence.add_command(open_)
