"""Verify a Jingshu dossier (存证卷宗): python3 verify_dossier.py [BUNDLE] [LOG.VKEY] [WITNESSES].

It needs Python 3.9 or newer and nothing else, no network and nothing of Jingshu. BUNDLE is the zip
or its unpacked folder (default: this file's). LOG.VKEY is the log's public key and WITNESSES a file
of lines `witness NAME VKEY`, as you obtained them yourself; without them the bundle's own are used.
What it prints of a leaf it derives from the leaf. 所印事实均由存证原文推出，不取卷内文字。
退出码 Exit code: 0 成立 holds · 1 不成立，并指明何处 broken, and where.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator  # noqa: TC003  (nothing but what every Python has)
from pathlib import Path
from runpy import run_path
from typing import Any

Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SIGNATURE, _VKEY, _PROOF = 64, 33, "c2sp.org/tlog-proof@v1"
#: The version of the sentences below: a manifest that states it must have them word for word.
WORDS = 1
#: What a leaf of each type says; of several forms, the first whose fact it has.
_FORMS = """
contract||契约变更 contract changed|契约 {subject} 登记，文件 {file}，数据级别 {level}
delivery||交付 delivery|{provider} 的数据集 {dataset} 业务日期 {business_date} 的交付状态为 \
{state}，应于 {due_at} 前到，实于 {received_at} 到，批次 {batch_id}
refusal||拒收 delivery refused|{provider} 业务日期 {business_date} 的交付（{subject}）被拒收，未存入
landing||落地 file landed|{provider} 的数据集 {dataset} 业务日期 {business_date} 的原始文件落地，\
批次 {subject}，第 {revision} 次修订，{size_bytes} 字节，{rows_landed} 行，来源 {origin}
verdict||裁决 verdict given|对批次 {subject} 裁决：{decision}，合格 {rows_good} 行，\
不合格 {rows_bad} 行，重复 {rows_duplicate} 行
publication||发布 published|批次 {subject} 发布为第 {silver_version} 版，\
{rows_published} 行，隔离 {rows_quarantined} 行，重复 {rows_duplicate} 行
withdrawal||撤回 withdrawn|{actor} 撤回批次 {subject}，此后为第 {silver_version} 版
level||定级变更 level changed|{contract_id} 的列 {column} 由 {from} 改为 {to}，方法 {function}，\
批准文号 {approval}，{approved_by} 于 {approved_on} 批准
build||成品 product built|成品 {subject} 生成为第 {version} 版，{rows} 行，\
抑制 {rows_suppressed} 处，依据 {inputs}
share||共享版本 shared version projected|共享表 {subject} 第 {version} 版由成品 {source} 投影，\
规则 {policy}，{rows} 行，最小组 k={k}
table|folder_sha256|外部表登记 foreign table added|{by} 登记外部表 {table}，数据级别 {level}
table||外部表移除 foreign table removed|{by} 移除外部表 {table}
grant||授权 access granted|{granted_by} 授权 {recipient} 读取 {table}，用途：{purpose}，\
至 {until} 止，依据申请 {request}
revoke||收回授权 access revoked|{revoked_by} 收回 {recipient} 对 {table} 的授权
reads|table|读取 shared reads of an hour|自 {from} 至 {until}，{table} 被请求 {requests} 次，\
成功 {answered} 次，文件 {files} 个（含全部接收方）
reads||读取记录到期清理 records of reads removed|{until} 以前的 {records} 条请求记录到期清理
request||申请 access requested|{body} 的 {actor} 对申请 {subject} 办理：{action}，状态 {state}
answer||答复 request answered|{body} 的 {actor} 对申请 {subject} 答复：{action}，状态 {state}
correction|ask|更正申请 correction asked|就申请 {ask} 向 {provider} 提出更正 \
{subject}，契约 {contract}
correction||更正答复 correction answered|更正 {subject} 已答复，结果 {state}
destruction||销毁 destroyed|{body} 的 {actor} 对申请 {subject} 证明销毁：{action}，状态 {state}
rights||确权登记 rights in data|{actor} 登记 {subject}：数据集 {dataset} 的 {right_type} \
由 {holder} 享有，授予方 {grantor}，自 {from} 至 {to}
trade|lister|上架 listing|{lister} 上架或下架 {subject}：{product}，规则 {policy}，第 {version} 版
trade|buyer|交易 trade|{buyer} 购买 {listing}（{subject}），用途 {use}，\
金额 {amount_fen} 分，退款对应 {refund_of}
trade||分配规则 split rule|{actor} 登记收益分配规则 {subject}：{shares}
asset|month|成本账结账 closed month of costs|{body} 的 {month} 月成本账结账，\
{costs} 笔，{amount_fen} 分
asset||成本账 costs|成本账记录 {subject}
crossborder|outcome|出境判定 decision on an export|{exporter} {year} 年向境外提供 {table} \
第 {version} 版：{outcome}，依据规则 {row}（版本 {rule_version}）
crossborder||出境安全评估 assessment of an export|{exporter} 的评估 {subject}：\
{kind}，有效至 {last_day}
catalogue|ruling|数源裁定 ruling of the catalogue|{actor} 裁定 {subject}：{ruling}，{body}，\
依据 {legal_basis}
catalogue||目录登记 step of the catalogue|{actor} 对 {provider} 的目录项 {subject} \
办理：{action}，状态 {state}
recipient||接收方登记 recipient|{created_by} 登记接收方 {subject}，所属 {body}，限来自 {networks}
invitation||邀请 invitation|{created_by} 邀请 {recipient}，至 {expires_at} 止，启用于 {used_at}
token||凭证 token|{recipient} 的访问凭证，{created_at} 签发，至 {expires_at} 止，撤销于 {revoked_at}
account||账户 account|账户 {subject}：所属 {body}，角色 {roles}，停用于 {disabled_at}
session||登录 login|登录会话 {subject}
audit||账户审计 account audit|{actor} 对账户 {account} 办理 {action}：{detail}
adoption||接管旧库 rows taken over|接管旧版本数据库的 {rows} 行
calendar||工作日历 calendar of working days|{body} 的 {actor} 依 {notice} 登记工作日历 \
{subject}，{days} 天
cost||记账或冲销 cost booked or reversed|{body} 记账 {subject}：数据集 {dataset}，{kind}，\
{quantity} {unit}，{amount_fen} 分，发生于 {incurred_on}，记于 {booked_on}
closing||成本账结账 month of costs closed|{subject} 结账，{costs} 笔，{amount_fen} 分
approval||补记批准 late cost approved|{actor} 批准补记 {subject}：{body} 的数据集 {dataset}，\
发生于 {incurred_on}
measure||机时计量 machine time measured|{actor} 计量机时至 {until_at}（{subject}）
opening||启封原件 sealed original opened|{actor} 启封批次 {subject} 的原始文件
"""
_VALUES = dict(
    pair.split("=")
    for pair in """
publish=发布 hold=暂缓 reject=退回 simulated=模拟 received=已到 late=迟到 missing=未到 draft=起草
submit=提交 submitted=已提交 accept=受理 accepted=已受理 agree=同意 agreed=已同意 refuse=拒绝
refused=已拒绝 deliver=提供 delivered=已提供 close=终止 closed=已终止 extend=延期 withdraw=撤回
suspend=暂停 suspended=已暂停 resume=恢复 destroy=销毁 in_use=使用中""".split()  # noqa: SIM905  (a table to be read)
)
_LIMITS = """\
范围：本结果证明所列存证在检查点签署前已写入该日志，此后未改。
存证所记是否属实、卷宗是否列全，不在证明之内；时间为日志所在机器自己的时钟；原始文件须另行比对摘要。
Limits: the listed leaves were in this log before its checkpoint was signed, and are unchanged. That
what they record is true, and that nothing was left out of the dossier, is not proved. Times are the
log machine's own clock; originals must be compared with their digests.
查不出的：日志若由持有日志私钥者重建并重新签名，本程序无法识别。
只有以你另行取得的公钥核实的锚定，才护住其所覆盖的存证。
现已护住前 {covered} 条（共 {size} 条）；所列存证中 {beyond} 条不在其内。
CANNOT BE FOUND: a log that was rebuilt and signed anew with the log's own key. Only an anchor that
was checked with a key you obtained yourself guards the leaves it covers: here the first {covered}
of {size}, which leaves {beyond} of the listed ones open. Ask an independent party for a checkpoint
or a witness's key that it held before."""


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    for bit in bin(number)[:1:-1]:
        total, point = _add(total, point) if bit == "1" else total, _add(point, point)
    return total


def _point(data: bytes) -> Point:
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("it is no point of the curve")
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature (RFC 8032 section 5.1.7)."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != _SIGNATURE or s >= _Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _Q
    left = _times(s, _point(b"X" + b"f" * 31))  # the base point: y = 4/5
    right = _add(_point(signature[:32]), _times(h, _point(public)))
    return not any((left[i] * right[2] - right[i] * left[2]) % _P for i in (0, 1))


def _base64(text: str) -> bytes:
    if b64encode(b64decode(text, validate=True)).decode() != text:
        raise ValueError("it is not canonical base64")
    return b64decode(text)


def _key(vkey: bytes) -> Key:
    name, key_id, blob = vkey.decode().rstrip("\n").split("+", 2)
    key = _base64(blob)
    wanted = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != _VKEY or key[:1] != b"\x01" or wanted.hex() != key_id:
        raise ValueError("it is no Ed25519 vkey")
    return name, wanted, key[1:]


def _open_note(raw: bytes, key: Key) -> str:
    """Return the text that the key signed; signatures of other keys are ignored."""
    text, _, signatures = raw.decode().rpartition("\n\n")
    *lines, end = signatures.split("\n")
    blobs = [_base64(line.split(" ")[2]) for line in lines if line.startswith(f"— {key[0]} ")]
    ours = [blob[4:] for blob in blobs if blob[:4] == key[1]]
    if end or not ours or not all(is_signed(key[2], text.encode() + b"\n", s) for s in ours):
        raise ValueError(f"it is not signed by {key[0]}")
    return text + "\n"


def _head(raw: bytes, key: Key) -> tuple[int, bytes]:
    origin, size, root = _open_note(raw, key).split("\n")[:3]
    if origin != key[0]:
        raise ValueError(f"it is no checkpoint of {key[0]}")
    return int(size), _base64(root)


def _climb(index: int, last: int, old: bytes, new: bytes, path: list[str]) -> tuple[bytes, bytes]:
    """Follow a Merkle path to the roots of the older and the newer tree (RFC 9162 section 2.1)."""
    for sibling in map(_base64, path):
        if last == 0:
            raise ValueError("its path is too long")
        if index & 1 or index == last:
            old = hashlib.sha256(b"\x01" + sibling + old).digest()
            new = hashlib.sha256(b"\x01" + sibling + new).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = hashlib.sha256(b"\x01" + new + sibling).digest()
        index, last = index >> 1, last >> 1
    return (old, new) if last == 0 else (b"", b"")


def _check_leaf(files: dict[str, bytes], entry: dict[str, Any], head: tuple[int, bytes]) -> None:
    """Check one leaf: that it says what the manifest says, and that the log holds it."""
    leaf, proof, index = files[entry["leaf"]], files[entry["proof"]], entry["index"]
    names = {"type", "subject", "facts", "at", *({"machine_time"} & entry.keys())}
    if json.loads(leaf) != {name: entry[name] for name in names}:
        raise ValueError("the leaf does not say what the manifest says of it")
    for name in {"sha256", "sm3"} & hashlib.algorithms_available:
        if hashlib.new(name, leaf).hexdigest() != entry[name]:
            raise ValueError(f"the leaf's {name} is not that of the manifest")
    lines, _, checkpoint = proof.partition(b"\n\n")
    *stated, path = *lines.decode().split("\n")[:3], lines.decode().split("\n")[3:]
    if stated != [_PROOF, f"extra {b64encode(leaf).decode()}", f"index {index}"]:
        raise ValueError("the proof is of another leaf or index")
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    root = _climb(index, head[0] - 1, digest, digest, path)[1]
    if not 0 <= index < head[0] or checkpoint != files["checkpoint"] or root != head[1]:
        raise ValueError("the leaf is not in the tree that the checkpoint signs")


def _check_older(raw: bytes, key: Key, head: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return an older checkpoint's head, if its tree is the beginning of this one's."""
    hashes, _, note = raw.partition(b"\n\n")
    (size, root), path = _head(note, key), hashes.decode().split("\n")[1:]
    if not 0 < size <= head[0]:
        raise ValueError("its tree is empty, or larger than the checkpoint's")
    index, last = (size - 1, head[0] - 1) if size < head[0] else (0, 0)
    while index & 1:
        index, last = index >> 1, last >> 1
    path = [b64encode(root).decode(), *path] if last == 0 or size & (size - 1) == 0 else path
    start = _base64(path[0])
    if _climb(index, last, start, start, path[1:]) != (root, head[1]):
        raise ValueError("its tree is not the beginning of the checkpoint's")
    return size, root


def _shown(value: object) -> str:
    """Return a value on one line: what could pass for another line of ours is escaped."""
    text = "—" if value is None else value if isinstance(value, str) else json.dumps(value)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def in_words(leaf: dict[str, Any]) -> list[str]:
    """Say what a leaf states: a Chinese sentence, an English line, and last its digests."""
    facts, kind = leaf["facts"], leaf["type"]
    forms = [line.split("|") for line in _FORMS.strip().split("\n")]
    unknown = ["", "", f"{_shown(kind)} {_shown(kind)}", "{subject}"]
    fits = (f for f in forms if f[0] == kind and (not f[1] or f[1] in facts))
    _, _, label, sentence = next(fits, unknown)
    long = {n for n, v in facts.items() if re.fullmatch(r"[0-9a-f-]{32,}", str(v))}
    named = {*re.findall(r"{(\w+)}", sentence), *long}
    values = {n: _shown(_VALUES.get(v, v) if isinstance(v, str) else v) for n, v in facts.items()}
    values["subject"] = _shown(leaf["subject"])
    zh = re.sub(r"{(\w+)}", lambda found: values.get(found[1], "—"), sentence)
    rest = "、".join(f"{_shown(n)}={values[n]}" for n in sorted(facts.keys() - named))
    also = f"；另记 {rest}" if rest else ""
    all_facts = "; ".join(f"{_shown(n)} {_shown(facts[n])}" for n in sorted(facts.keys() - long))
    (chinese, _, english), at = label.partition(" "), _shown(leaf["at"])
    return [
        f"{at} {chinese}：{zh}{also}。",
        f"{at} {english}: {_shown(leaf['subject'])}; {all_facts or 'no facts'}.",
        " ".join(f"{_shown(n)}={_shown(facts[n])}" for n in sorted(long)),
    ]


def check(files: dict[str, bytes], vkey: bytes) -> Iterator[tuple[str, str]]:
    """Yield the name of each part that does not hold, and why."""
    part = ["log.vkey"]
    try:
        yield from _check(files, vkey, part)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError) as error:
        yield part[0], f"{error} ({type(error).__name__})"


def _check(files: dict[str, bytes], vkey: bytes, part: list[str]) -> Iterator[tuple[str, str]]:
    key = _key(vkey)
    if _key(files["log.vkey"]) != key:
        yield "log.vkey", "it is not the key that was given"
    part[0] = "manifest.json"
    manifest, digest = json.loads(files[part[0]]), hashlib.sha256(files[part[0]]).hexdigest()
    part[0] = "manifest.note"
    if _open_note(files[part[0]], key) != f"{key[0]} dossier@v1\nmanifest.json sha256 {digest}\n":
        yield "manifest.json", "it is not the manifest that was signed"
    listed = {**manifest["files"], "manifest.json": digest, "manifest.note": None}
    for name in sorted(files.keys() | listed.keys()):
        found = hashlib.sha256(files.get(name, b"")).hexdigest()
        if name not in files or listed.get(name, "") not in {None, found}:
            yield name, "it is missing, not listed, or not the file that the manifest lists"
    part[0] = "checkpoint"
    head = _head(files[part[0]], key)
    heads = {head}
    for part[0] in manifest["older_checkpoints"]:
        heads.add(_check_older(files[part[0]], key, head))
    for entry in manifest["leaves"]:
        part[0] = entry["proof"]
        _check_leaf(files, entry, head)
        if manifest.get("words") == WORDS and entry["says"] != in_words(entry):
            yield "manifest.json", f"its words on leaf {entry['index']} are not the leaf's"
    for part[0] in _copies(files):
        if _head(_note_of(part[0], files), key) not in heads:
            yield part[0], "its checkpoint is not proved to be the beginning of this one"
        _held(part[0], files, [])


def _copies(files: dict[str, bytes]) -> list[str]:
    """Return the parts that show who else holds a checkpoint."""
    folders = ("witnessed/", "anchors/", "timestamps/")
    return sorted(n for n in files if n.startswith(folders) and not n.endswith(".tsr"))


def _note_of(name: str, files: dict[str, bytes]) -> bytes:
    is_receipt = name.startswith("anchors/")
    return json.loads(files[name])["checkpoint"].encode() if is_receipt else files[name]


def _held(name: str, files: dict[str, bytes], given: list[str]) -> tuple[int, bool, str, str]:
    """Check a copy: the leaves it covers, whether a key of yours shows it, and it in words."""
    beside = Path(__file__).resolve().with_name("verify_anchors.py")
    note = _note_of(name, files)
    if beside.is_file():
        found = run_path(str(beside))["held"](name, files, note, given, is_signed)
        return int(note.split(b"\n")[1]), *found
    zh = f"{_shown(name)} 未核对：本程序旁没有 verify_anchors.py。"
    return 0, False, zh, f"{_shown(name)} is NOT CHECKED: verify_anchors.py is not beside me."


def report(files: dict[str, bytes], given: list[str]) -> list[str]:
    """Say what holds, derived from the leaves; who else holds the log's head; the limits."""
    manifest = json.loads(files["manifest.json"])
    lines = []
    for leaf in manifest["leaves"]:
        first, *more = in_words(leaf)
        lines += [f"{leaf['index']:>10}  {first}", *(f"{'':>12}{line}" for line in more if line)]
    if manifest.get("words") != WORDS:
        lines.append("卷内文字出自另一版本，未核对，也未印出。")
        lines.append("The manifest's own words are of another version: not checked, not printed.")
    lines.append("出具方自述，日志不证明 Stated by the issuer, not proved by the log:")
    stated = [f"{name} {_shown(manifest.get(name))}" for name in ("about", "issued_at")]
    gaps = [gap if isinstance(gap, dict) else {"zh": gap} for gap in manifest.get("gaps", [])]
    stated += [
        f"缺口 gap: {_shown(gap[tongue])}"
        for gap in gaps
        for tongue in gap
        if tongue in {"zh", "en"}
    ]
    lines += [f"  {line}" for line in stated]
    held = [_held(name, files, given) for name in _copies(files)]
    for _, _, zh, en in held:
        lines += [f"锚定：{zh}", f"Anchor: {en}"]
    if not held:
        lines.append("未锚定：卷内没有他人持有日志头的凭据。")
        lines.append("NOT ANCHORED: nothing here shows that anybody else holds the log's head.")
    covered = max((size for size, is_yours, _, _ in held if is_yours), default=0)
    size = int(files["checkpoint"].split(b"\n")[1])
    beyond = sum(leaf["index"] >= covered for leaf in manifest["leaves"])
    return [*lines, _LIMITS.format(covered=covered, size=size, beyond=beyond)]


def main(arguments: list[str]) -> int:
    """Print what holds or not; return the exit code."""
    bundle = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    lines, told = [], []
    try:
        if bundle.is_dir():
            paths = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*")}
            files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
        else:
            with zipfile.ZipFile(bundle) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
        vkey = Path(arguments[1]).read_bytes() if arguments[1:] else files["log.vkey"]
        given = Path(arguments[2]).read_text("utf-8").split("\n") if arguments[2:] else []
        lines = [f"不成立 BROKEN  {part}: {_shown(text)}" for part, text in check(files, vkey)]
        told = [] if lines else report(files, [line for line in given if line.strip()])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        lines = [f"不成立 BROKEN  {bundle.name}: {error}"]
    if not lines:
        count = len(json.loads(files["manifest.json"])["leaves"])
        told.append(f"成立 HOLDS  {count} 条 leaves. 公钥 Key: {vkey.decode().strip()}")
    sys.stdout.buffer.write(("\n".join(lines or told) + "\n").encode())
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
