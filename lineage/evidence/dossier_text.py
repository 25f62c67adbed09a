"""What a dossier says in plain words, Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lineage.evidence import verify_dossier

if TYPE_CHECKING:
    from lineage.evidence.checkpoint import Checkpoint
    from lineage.evidence.leaf import Leaf
    from lineage.evidence.scope import Scope

TITLE: Final = "京枢存证卷宗 Jingshu evidence dossier"

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
  witnessed/、timestamps/、anchors/  见证者联署、RFC 3161 时间戳、上链回执（有则附；没有即未锚定）
  verify_dossier.py、verify_anchors.py  核验程序：只需 Python 3.9 以上，不联网，不依赖京枢

二、核验
  python3 verify_dossier.py            使用卷内公钥
  python3 verify_dossier.py . LOG.VKEY WITNESSES
                                       使用自行取得的日志公钥、见证者公钥（推荐）
  退出码 0 成立；1 不成立，并指明何处。
  程序两个文件，共约 600 行，可逐行审阅，或按上述公开规范自行编写。
  程序所印每条事实均由存证原文推出；manifest.json 中的文字与之不符即不成立。

三、证明了什么
  所列事实在检查点签署之前已写入该日志；没有日志私钥的人此后作任何改动、删除、插入或调换，
  都会使核验不成立。持有私钥者可重建整本日志并重新签名，只有他人所存的日志头（见证者、时间戳、链）
  能揭穿；核验程序会指明哪些存证有、哪些没有这样的锚定。时间为日志所在机器自己的时钟。
  本说明、卷宗的出具时间与缺口说明由出具方书写并签名，不在日志之内。
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
  witnessed/, timestamps/, anchors/  cosignatures of witnesses, RFC 3161 timestamps, receipts of a
                   chain, where there are any; where there are none, the log is not anchored
  verify_dossier.py, verify_anchors.py  the verifier: Python 3.9 or newer, no network, nothing of
                   Jingshu

2. To verify
  python3 verify_dossier.py            with the key in this bundle
  python3 verify_dossier.py . LOG.VKEY WITNESSES
                                       with keys that you obtained yourself (better)
  Exit code 0: it holds. 1: it does not, and the part is named. The program has about 600 lines in
  two files: read it, or write your own from the public specifications that it names. All that it
  prints of a fact it derives from the leaf; words in manifest.json that differ are an error.

3. What is proved
  Each fact was in this log before the checkpoint was signed. A change, removal, insertion or
  reordering since then, by anyone without the log's private key, breaks the verification. Whoever
  has the key can rebuild the log and sign it anew: only a head that others hold (a witness, a
  timestamp, a chain) shows that, and the verifier says which leaves have such an anchor. Times are
  the log machine's own clock. This text, the time of issue and the gaps are the issuer's words,
  signed, and not in the log. Leaves hold digests and counts: an
  original file is the one meant if its SHA-256 and SM3 are those of its leaf.
"""


def in_words(leaf: Leaf) -> list[str]:
    """Return the lines on a leaf, as the verifier derives them."""
    fields = {"type": leaf.type, "subject": leaf.subject, "facts": dict(leaf.facts), "at": leaf.at}
    return verify_dossier.in_words(fields)


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
