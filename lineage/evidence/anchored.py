"""What a home's log is anchored to: who else holds a copy of its head, and how old that is.

Whoever has the log's key can sign a rebuilt log; a copy that others hold is what such a log meets.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.words import Words, reader
from lineage.evidence.anchor import Receipt, read_receipts
from lineage.evidence.checkpoint import Checkpoint
from lineage.evidence.errors import NoteError
from lineage.evidence.keeping import Keeping
from lineage.evidence.offline import problem_of, verify_consistency
from lineage.evidence.tilecheck import Finding
from lineage.evidence.tiles import read_at_most
from lineage.evidence.witness import lines_of, text_of
from lineage.evidence.witnesses import pinned_witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.evidence.note import Verifier
    from lineage.evidence.witnesses import Pinned

_MOST_BYTES: Final = 1 << 20
#: Seconds, and the unit's names.
_UNITS: Final = ((86400, "天", "days"), (3600, "小时", "hours"), (60, "分钟", "minutes"))
_UNANCHORED: Final = Words(
    "未锚定：别处没有日志头的副本，持有日志私钥者可以重建整本日志而不被发现。",
    "Not anchored: nobody else holds a copy of the log's head, so whoever has its key could rebuild"
    " the log unseen.",
)


@dataclass(frozen=True)
class Copy:
    """A copy of the log's head that others hold: of how many leaves, since when.

    ``is_local``: its holder runs on this machine, so it guards against little.
    """

    kind: Literal["witness", "chain"]
    name: str
    size: int
    at: datetime
    is_local: bool = False


@dataclass(frozen=True)
class Anchoring:
    """What is to be told of a log beside whether it holds; ``copy`` None: it is not anchored."""

    size: int
    copy: Copy | None
    age_s: int | None

    def to_json(self) -> dict[str, Any]:
        """Return plain data: ``kind`` is ``witness``, ``chain`` or ``none``."""
        if self.copy is None:
            return {"kind": "none", "leaves": self.size}
        told = asdict(self.copy)
        at = told.pop("at").isoformat().replace("+00:00", "Z")
        local = told.pop("is_local")
        covered = told.pop("size")
        return {
            **told,
            "covers": covered,
            "leaves": self.size,
            "at": at,
            "age_seconds": self.age_s,
            "local": local,
        }

    @property
    def mark(self) -> Words:
        """Say in a word what stands beside ``holds``."""
        if self.copy is None:
            return Words("未锚定", "not anchored")
        if self.copy.is_local:
            return Words("仅在本机锚定", "anchored on this machine only")
        return Words("已锚定", "anchored")

    def sentences(self) -> list[str]:
        """Say it to whoever runs this command; a reader of whom nothing is known gets two lines."""
        said, who = self.words, reader()
        return [said.zh, said.en] if who == "both" else [said.to(who)]

    @property
    def words(self) -> Words:
        """Say it in sentences."""
        if self.copy is None:
            return _UNANCHORED
        c = self.copy
        age_zh, age_en = _age(self.age_s or 0)
        who_zh, who = (
            (f"见证者 {c.name} 联署", f"the witness {c.name} cosigned")
            if c.kind == "witness"
            else (f"链 {c.name} 记录", f"the chain {c.name} holds")
        )
        zh = f"{who_zh}了前 {c.size:,} 条（共 {self.size:,} 条），最新的外部副本距今{age_zh}。"
        en = (
            f"{who[0].upper()}{who[1:]} the first {c.size:,} of {self.size:,} leaves; the newest"
            f" outside copy is {age_en} old."
        )
        if c.is_local:
            zh += "见证者就在本机：能改动本机的人也能改动它，所防有限。"
            en += (
                " This witness runs on this very machine: whoever can change the machine can change"
                " it too, so it guards against little."
            )
        return Words(zh, en)


def anchoring(home: Home, at: datetime) -> Anchoring | None:
    """Return what a home's log is anchored to by its files; None where there is no log.

    The newest sound copy counts, one that is held elsewhere before one on this machine.
    """
    keeping = Keeping.of(home)
    try:
        verifier = keeping.verifier()
        size = Checkpoint.open(keeping.checkpoint.read_bytes(), verifier).size
    except (NoteError, OSError):
        return None
    if not size:
        return None
    copies = [c for _, c in _copies(home, verifier) if isinstance(c, Copy)]
    newest = max(copies, key=lambda c: (not c.is_local, c.at), default=None)
    age_s = None if newest is None else max(0, int((at - newest.at).total_seconds()))
    return Anchoring(size, newest, age_s)


def verify_witnessed(home: Home, verifier: Verifier) -> Iterator[Finding]:
    """Check that the log begins with what every pinned witness cosigned."""
    for where, found in _cosigned(home, verifier):
        if isinstance(found, Finding):
            yield found
            continue
        _, note = found
        for finding in verify_consistency(note, home.evidence, verifier.encode()):
            problem = Words(
                f"日志与见证者所见不符：{finding.problem.zh}",
                f"The log is not what was witnessed: {finding.problem.en}",
            )
            yield Finding(where, problem)


def _copies(home: Home, verifier: Verifier) -> Iterator[tuple[str, Copy | Finding]]:
    for where, found in _cosigned(home, verifier):
        yield where, found if isinstance(found, Finding) else found[0]
    for name, receipt in read_receipts(home.evidence):
        if isinstance(receipt, Receipt):
            at = datetime.fromisoformat(receipt.time).astimezone(UTC)
            yield name, Copy("chain", receipt.chain_id, receipt.size, at)


def _cosigned(home: Home, verifier: Verifier) -> Iterator[tuple[str, tuple[Copy, str] | Finding]]:
    """Yield each checkpoint that a pinned witness cosigned, wherever it is kept."""
    local = local_memory(home, verifier)
    for witness in pinned_witnesses(home):
        for path in (witness.file_in(home), local):
            where = f"{path.parent.name}/{path.name}"
            try:
                found = _read(path, witness, verifier, local)
            except (NoteError, OSError, UnicodeDecodeError) as error:
                why = problem_of(error)
                problem = Words(f"不能接受：{why.zh}", f"It cannot be accepted: {why.en}")
                yield where, Finding(where, problem)
                continue
            if found is not None:
                yield where, found


def local_memory(home: Home, log: Verifier) -> Path:
    """Return where the demo's own witness keeps what it cosigned of a log."""
    return home.root / "witness" / f"{log.key_id.hex()}.checkpoint"


def _read(path: Path, witness: Pinned, verifier: Verifier, local: Path) -> tuple[Copy, str] | None:
    """Read a kept checkpoint; None where there is none, or none of this witness's."""
    if not path.exists():
        return None
    note = read_at_most(path, _MOST_BYTES).decode()
    at_s = witness.key.cosigned_at(text_of(note), lines_of(note))
    if at_s is None:
        if path != local:
            raise NoteError(
                Words(f"{witness.name} 没有联署它。", f"{witness.name} did not cosign it."),
                Words("请向见证者重新索取。", "Ask the witness for it again."),
            )
        return None  # the demo's witness keeps what it cosigned itself, and another is pinned
    head = Checkpoint.open(note.encode(), verifier)
    at = datetime.fromtimestamp(at_s, UTC)
    return Copy("witness", witness.name, head.size, at, witness.is_local), note


def _age(seconds: int) -> tuple[str, str]:
    """Return an age in Chinese and in English, in the largest unit that it has two of."""
    for unit_s, zh, en in _UNITS:
        if (n := seconds // unit_s) > 1:
            return f" {n} {zh}", f"{n} {en}"
    return "不到两分钟", "under two minutes"
