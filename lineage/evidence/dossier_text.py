"""What a dossier says in plain words, Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lineage.evidence.checkpoint import Checkpoint
    from lineage.evidence.leaf import Leaf
    from lineage.evidence.scope import Scope

TITLE: Final = "京枢存证卷宗 Jingshu evidence dossier"

#: What a leaf of each type states; a type without words is shown as it is.
_WORDS: Final = {
    "contract": "契约变更 contract changed",
    "delivery": "交付 delivery",
    "refusal": "拒收 delivery refused",
    "landing": "落地 file landed",
    "verdict": "裁决 verdict given",
    "publication": "发布 published",
    "withdrawal": "撤回 withdrawn",
    "level": "定级变更 level changed",
    "build": "成品 product built",
    "share": "共享版本 shared version projected",
    "grant": "授权 access granted",
    "revoke": "收回授权 access revoked",
    "reads": "读取 shared reads of an hour",
    "request": "申请 access requested",
    "answer": "答复 request answered",
    "correction": "更正 corrected",
    "destruction": "销毁 destroyed",
    "rights": "确权登记 rights in data",
    "trade": "上架与交易 listing and trade",
    "asset": "成本账结账 closed month of costs",
    "crossborder": "出境判定、安全评估 decision on an export, or an assessment",
    "catalogue": "目录登记与数源裁定 step or ruling of the catalogue",
    "calendar": "工作日历 calendar of working days",
    "cost": "记账或冲销 cost booked or reversed",
    "closing": "成本账结账 month of costs closed",
    "approval": "补记批准 late cost approved",
    "measure": "机时计量 machine time measured",
}

_README: Final = """\
{title}

范围 About: {scope}
出具 Issued: {issued_at} (UTC)
日志 Log: {origin}, {size} 条 leaves
本卷 Here: {count} 条存证 leaves

一、内容
  manifest.json    卷宗目录：每条存证的类型、对象、事实、时间、摘要，以及其余文件的 SHA-256
  manifest.note    日志私钥对目录的签名
  log.vkey         日志公钥；请与日志方公布的公钥核对
  checkpoint       日志检查点：签名的树根
  leaves/          存证原文（规范 JSON，RFC 8785），不含个人信息
  proofs/          每条存证在树中的证明（c2sp.org/tlog-proof@v1）
  older/           此前已交他人（例如上链）的检查点，及其为本检查点前缀的一致性证明
  verify_dossier.py  核验程序：只需 Python 3.9 以上，不联网，不依赖京枢

二、核验
  python3 verify_dossier.py            使用卷内公钥
  python3 verify_dossier.py . LOG.VKEY 使用自行取得的公钥（推荐）
  退出码 0 成立；1 不成立，并指明何处。程序不足 200 行，可逐行审阅，或按上述公开规范自行编写。

三、证明了什么
  所列事实在检查点签署之前已写入只增日志；此后任何改动、删除、插入或调换都会使核验不成立。
  存证只记摘要与计数：原始文件是否一致，以其 SHA-256、SM3 与存证所记相比。

1. Contents
  manifest.json    what is here: type, subject, facts, time and digests of every leaf, and the
                   SHA-256 of every other file; manifest.note is the log key's signature of it
  log.vkey         the log's public key: compare it with the one its operator publishes
  checkpoint       the signed root of the log's tree
  leaves/          the leaves as logged (canonical JSON, RFC 8785), without personal data
  proofs/          that each leaf is in that tree (c2sp.org/tlog-proof@v1)
  older/           checkpoints that others hold, e.g. on a chain, each with the proof that its tree
                   is the beginning of this one
  verify_dossier.py  the verifier: Python 3.9 or newer, no network, nothing of Jingshu

2. To verify
  python3 verify_dossier.py            with the key in this bundle
  python3 verify_dossier.py . LOG.VKEY with a key that you obtained yourself (better)
  Exit code 0: it holds. 1: it does not, and the part is named. The program has at most 200 lines:
  read it, or write your own from the public specifications that it names.

3. What is proved
  Each fact was in the append-only log before the checkpoint was signed; any change, removal,
  insertion or reordering since then breaks the verification. Leaves hold digests and counts: an
  original file is the one meant if its SHA-256 and SM3 are those of its leaf.
"""


def in_words(leaf: Leaf) -> str:
    """Return one line on a leaf: when, what, of what, and its facts."""
    facts = ", ".join(f"{name} {value}" for name, value in leaf.facts.items() if value is not None)
    return f"{leaf.at} {_WORDS.get(leaf.type, leaf.type)}: {leaf.subject} ({facts})"


def readme(scope: Scope, head: Checkpoint, issued_at: str, count: int) -> str:
    """Return the bundle's README."""
    return _README.format(
        title=TITLE,
        scope=scope,
        issued_at=issued_at,
        origin=head.origin,
        size=head.size,
        count=count,
    )
