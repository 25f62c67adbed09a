"""The witnesses that a home has pinned, and handing them the log's newest checkpoint.

They are lines ``witness <name> <vkey> <url>`` (c2sp.org/tlog-policy) of the file that
``JINGSHU_WITNESSES`` names, or of ``keys/witnesses``. What they cosigned is public, in
``evidence/witnessed/``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from contracts.errors import UsageError
from contracts.words import Words
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.cosignature import WitnessKey
from lineage.evidence.durable import write_durably
from lineage.evidence.errors import NO_LOG, EvidenceError, NoteError, WitnessError
from lineage.evidence.keeping import Keeping
from lineage.evidence.tree import TileTree
from lineage.evidence.witness import request_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

VARIABLE: Final = "JINGSHU_WITNESSES"
_TIMEOUT_S: Final = 10.0
_FIELDS: Final = 4
_MOST_BYTES: Final = 1 << 16
_OK, _CONFLICT = 200, 409


@dataclass(frozen=True)
class Pinned:
    """A witness that this home believes: its name, its key, and where it takes checkpoints."""

    name: str
    key: WitnessKey
    url: str

    @property
    def is_local(self) -> bool:
        """Tell whether it answers on this machine's own address."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def line(self) -> str:
        """Return its line of the file."""
        return f"witness {self.name} {self.key.encode()} {self.url}\n"

    def file_in(self, home: Home) -> Path:
        """Return where the newest checkpoint that it cosigned is kept."""
        return home.evidence / "witnessed" / f"{self.key.key_id.hex()}.checkpoint"


def policy_file(home: Home) -> Path:
    """Return the file that pins witnesses."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else home.keys / "witnesses"


def pinned_witnesses(home: Home) -> tuple[Pinned, ...]:
    """Read the pinned witnesses; none where there is no file and none is named.

    Raises:
        UsageError: The file that is named is not there, or a line of it is not understood.
    """
    path = policy_file(home)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        if VARIABLE not in os.environ:
            return ()
        raise UsageError(
            Words(f"没有见证者文件 {path}。", f"There is no file {path} of witnesses."),
            Words(f"请改正 {VARIABLE}，或取消设置。", f"Correct {VARIABLE}, or unset it."),
        ) from error
    texts = (line.partition("#")[0].split() for line in lines)
    return tuple(_pinned(path, fields) for fields in texts if fields)


def hand_over_all(home: Home) -> Iterator[tuple[Pinned, int | EvidenceError]]:
    """Have every pinned witness cosign; yield how many leaves each covers, or why it does not.

    One that is away keeps none of the others from theirs.
    """
    for witness in pinned_witnesses(home):
        found: int | EvidenceError
        try:
            found = hand_over(home, witness)
        except EvidenceError as problem:
            found = problem
        yield witness, found


def hand_over(home: Home, witness: Pinned) -> int:
    """Have a witness cosign the log's newest checkpoint, keep it; return how many leaves it covers.

    Raises:
        WitnessError: It does not answer, refuses, or saw another log under this key.
        EvidenceError: There is no log yet, or it is damaged.
    """
    keeping = Keeping.of(home)
    old = _size_of(keeping, witness)
    for _ in range(2):
        head, body = _request(keeping, old)
        status, text = _post(witness, body)
        if status != _CONFLICT:
            break
        old = _size_seen(witness, text, head)
    if status != _OK:
        raise _not_cosigned(witness, status)
    try:
        is_cosigned = witness.key.cosigned_at(text_of(head.note), text) is not None
    except NoteError as error:
        raise WitnessError(error.problem, error.remedy) from error
    if not is_cosigned:
        file = policy_file(home).name
        raise WitnessError(
            Words(
                f"{witness.name} 的答复不是以所登记的公钥签署的。",
                f"The answer of {witness.name} is not signed by the key that is pinned.",
            ),
            Words(f"请改正 {file} 中该见证者的一行。", f"Correct its line in {file}."),
        )
    kept = (head.note + text).encode()
    write_durably(witness.file_in(home), kept, keeping.directory / ".draft")
    return head.size


def _pinned(path: Path, fields: list[str]) -> Pinned:
    if len(fields) != _FIELDS or fields[0] != "witness":
        line = " ".join(fields)
        raise UsageError(
            Words(
                f"{path} 中有一行无法理解：{line}。",
                f"{path} has a line that is not understood: {line}.",
            ),
            Words("每行请写作：witness NAME VKEY URL。", "Write each as: witness NAME VKEY URL."),
        )
    try:
        return Pinned(fields[1], WitnessKey.parse(fields[2]), fields[3].rstrip("/"))
    except NoteError as error:
        problem = Words(f"{path}：{error.problem.zh}", f"{path}: {error.problem.en}")
        raise UsageError(problem, error.remedy) from error


def _size_of(keeping: Keeping, witness: Pinned) -> int:
    """Return the size that a witness cosigned last, as far as is known here."""
    path = keeping.directory / "witnessed" / f"{witness.key.key_id.hex()}.checkpoint"
    try:
        return Checkpoint.open(path.read_bytes(), keeping.verifier()).size
    except (NoteError, OSError):
        return 0


def _request(keeping: Keeping, old: int) -> tuple[Checkpoint, bytes]:
    if not keeping.checkpoint.exists():
        raise WitnessError(*NO_LOG)
    with keeping.locked():
        head = Checkpoint.open(keeping.checkpoint.read_bytes(), keeping.verifier())
        old = min(old, head.size)
        proof = TileTree(keeping.store, head.size).consistency(old)
    return head, request_of(old, proof, head.note)


def _size_seen(witness: Pinned, text: str, head: Checkpoint) -> int:
    """Return the size that a witness says it saw last."""
    size = text.strip()
    if not (size.isascii() and size.isdigit()) or int(size) > head.size:
        raise WitnessError(
            Words(
                f"见证者 {witness.name} 见过本日志的 {size[:20]} 条，而日志现有 {head.size} 条："
                "日志被截短或重建。",
                f"The witness {witness.name} saw {size[:20]} leaves of this log, which has"
                f" {head.size}: it was cut back or rebuilt.",
            ),
            Words(
                "请运行 ./jingshu verify，并从备份恢复 evidence/。",
                "Run ./jingshu verify, and restore evidence/ from its backup.",
            ),
        )
    return int(size)


def _not_cosigned(witness: Pinned, status: int) -> WitnessError:
    return WitnessError(
        Words(
            f"见证者 {witness.name} 不联署日志头（HTTP {status}）：它此前所见的日志不是现有日志的"
            "开头部分，或者它不认识本日志。",
            f"The witness {witness.name} does not cosign the log's head (HTTP {status}): what it"
            " saw of this log before is not the beginning of what is there now, or it does not"
            " know the log.",
        ),
        Words(
            "请运行 ./jingshu verify，并询问见证者的运营方见过什么。",
            "Run ./jingshu verify, and ask the witness's operator what it saw.",
        ),
    )


def _post(witness: Pinned, body: bytes) -> tuple[int, str]:
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = client.post(f"{witness.url}/add-checkpoint", content=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WitnessError(
            Words(
                f"见证者 {witness.name} 在 {witness.url} 没有应答。",
                f"The witness {witness.name} does not answer at {witness.url}.",
            ),
            Words(
                "请稍后再试：./jingshu evidence witness。",
                "Try again later: ./jingshu evidence witness.",
            ),
        ) from error
    if len(answer.content) > _MOST_BYTES:
        raise WitnessError(
            Words(f"{witness.name} 的答复过长。", f"The answer of {witness.name} is too long."),
            Words("请询问其运营方。", "Ask its operator."),
        )
    return answer.status_code, answer.text
