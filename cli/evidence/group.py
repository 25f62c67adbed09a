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
from contracts.errors import UsageError
from contracts.layout import Home
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


@click.group(
    epilog="\b\n例 Example:\n"
    "  ./jingshu evidence prove landing:health__disease_case@20260715-0123456789ab"
    " --out p.tlog-proof\n"
    "  ./jingshu evidence verify p.tlog-proof"
)
def evidence() -> None:
    """存证 Prove that an event was logged, and verify the log.

    每一步（落地、裁决、发布、共享、授权、撤回）都在只增日志里留下一条带签名的记录。
    Each landing, verdict, publication, share, grant and withdrawal leaves one signed, append-only
    record (C2SP tlog-tiles); a proof of it needs no network and no trust in this machine.
    """


@evidence.command(
    epilog="例 Example: ./jingshu evidence prove "
    "publication:health__disease_case@20260715-0123456789ab --out p.tlog-proof"
)
@click.argument("subject")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写到文件 Write here.")
def prove(subject: str, out: Path | None) -> None:
    """出证 Print the offline proof (.tlog-proof) of one logged fact.

    SUBJECT 是 type:subject，或只有一条记录的 subject。
    SUBJECT is type:subject, or a subject with one fact only.
    """
    log = EvidenceLog(Home.from_env())
    text = log.prove(_key(log, subject))
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"已写 Wrote {out}")


@evidence.command(
    epilog="\b\n例 Example:\n"
    "  ./jingshu evidence verify\n"
    "  ./jingshu evidence verify p.tlog-proof --vkey log.vkey\n"
    "  ./jingshu evidence verify --log copy/evidence --vkey log.vkey --json\n"
    "  ./jingshu evidence verify --rpc http://127.0.0.1:26657"
)
@click.argument("file", required=False, type=_FILE)
@click.option("--log", "directory", type=_DIRECTORY, help="日志文件夹 Another log's folder.")
@click.option("--vkey", "vkey_file", type=_FILE, help="公钥文件 That log's public key.")
@click.option("--origin", metavar="LINE", help="来源行 Its origin line, if not its key's name.")
@click.option("--leaf", "leaf_file", type=_FILE, help="存证原文 The entry that FILE proves.")
@click.option("--rpc", metavar="URL", help="链上读回 Read the anchors back from this node.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON object.")
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
    """验证 Verify this home's log, a proof, or any log from its files alone.

    不带参数：本机日志，含回滚检查、上链回执与见证者联署。FILE：一份证明。--log：别处的日志，须给出其公钥。
    Without arguments: this home's log, with rollback, receipts of anchors and what witnesses
    cosigned. FILE: one proof;
    with --log also that the log still holds what the proof's checkpoint signed. --log asks for the
    key you trust, and takes any tlog-tiles log, whatever its entries are.

    退出码 Exit code: 0 成立 holds · 1 不成立，并指明何处 broken, and where · 2 用法 usage.
    """
    if directory is not None and vkey_file is None:
        raise UsageError("--log needs the key that you trust.", "Give it by --vkey FILE.")
    if directory is None and file is None and (vkey_file or origin):
        raise UsageError("--vkey alone names nothing to verify.", "Add FILE or --log DIR.")
    if leaf_file is not None and file is None:
        raise UsageError("--leaf is the entry of a proof.", "Add the proof's FILE.")
    if rpc is not None and file is not None:
        raise UsageError("--rpc reads a log's anchors, not a proof's.", "Leave FILE out.")
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


@evidence.command("log", epilog="例 Example: ./jingshu evidence log -n 5")
@click.option("-n", "--last", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="每行一个 JSON One JSON object a line.")
def list_log(last: int, *, as_json: bool) -> None:
    """列出 List the newest facts of this home's log, oldest first.

    时间为写入日志时本机时钟的时间，逐条递增；此前版本的记录为事实发生的时间。
    The time is when this machine's own clock said that the log took the fact, each later than the
    one before; of facts logged by an earlier version it is when they came about.
    """
    log = EvidenceLog(Home.from_env())
    size = log.size
    for index, entry in islice(log.entries(max(0, size - last)), last):
        leaf = Leaf.parse(entry)
        if as_json:
            click.echo(json.dumps({"index": index, **json.loads(entry)}, ensure_ascii=False))
        else:
            click.echo(f"{index:>8}  {leaf.machine_time or leaf.at:<27}  {leaf.key}")
    if not size and not as_json:
        click.echo("日志为空 The log is empty.")


def _key(log: EvidenceLog, subject: str) -> str:
    leaf_type, colon, _ = subject.partition(":")
    if colon and leaf_type in LEAF_TYPES:
        return subject
    keys = log.keys_of(subject)
    if not keys:
        raise UsageError(f"Nothing is logged of {subject}.", "See `./jingshu evidence log`.")
    if len(keys) > 1:
        raise UsageError(f"{subject} has {len(keys)} facts.", f"Choose one of {', '.join(keys)}.")
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
        text = file.read_text(encoding="utf-8", errors="replace")
        leaf = None if leaf_file is None else leaf_file.read_bytes()
        findings += verify_proof(text, leaf, vkey, origin)
        if directory is not None and not findings:
            checkpoint = Proof.parse(text).checkpoint
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
            f"{path} holds no verifier key.", "Give the log's log.vkey by --vkey FILE."
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
        click.echo(f"不成立 BROKEN  {finding.where}: {finding.problem}")
    if not findings:
        facts = subject.pop("facts", {})
        shown = {**subject, **(facts if isinstance(facts, dict) else {})}
        details = "  ".join(f"{name}={value}" for name, value in shown.items())
        mark = "" if anchor is None else f"  {anchor.mark}"
        click.echo(f"成立 HOLDS  {details}{mark}" if subject else "尚无日志 There is no log yet.")
    for sentence in [] if anchor is None else anchor.sentences():
        click.echo(sentence)


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
