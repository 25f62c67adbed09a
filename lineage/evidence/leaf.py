"""Leaves: one fact each, as canonical JSON (RFC 8785), never with personal data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast, get_args

import rfc8785

from contracts.words import Words
from lineage.evidence.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonScalar = str | int | float | bool | None

#: What is logged: of deliveries and batches, of products, of sharing, of people's requests, of who
#: may come in.
LeafType = Literal[
    "contract",
    "delivery",
    "refusal",
    "landing",
    "verdict",
    "publication",
    "withdrawal",
    "level",
    "build",
    "share",
    "table",
    "grant",
    "revoke",
    "reads",
    "request",
    "answer",
    "correction",
    "destruction",
    "rights",
    "trade",
    "asset",
    "crossborder",
    "catalogue",
    "recipient",
    "invitation",
    "token",
    "account",
    "session",
    "audit",
    "adoption",
    "calendar",
    "cost",
    "closing",
    "approval",
    "measure",
    "opening",
]
LEAF_TYPES: tuple[LeafType, ...] = get_args(LeafType)

#: An entry's length is a big-endian uint16 in its bundle (c2sp.org/tlog-tiles).
MAX_ENTRY_BYTES = 65_535

#: Facts of who noted it (``lineage.evidence.machine``): another machine notes the same fact.
MADE_BY = frozenset({"code_commit", "lock_sha256", "host"})

_EXACT = 2**53
_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)")
#: As ``lineage.evidence.clock`` writes it: later times are greater as text.
_MACHINE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")
_FIELDS = {"type", "subject", "facts", "at"}
_OTHERS = Words("请查看是否为其他日志的条目。", "Look for another log's entries.")


@dataclass(frozen=True)
class Leaf:
    """One fact of one batch, version or grant; ``(type, subject)`` names it once for all time.

    ``facts`` holds digests, counts, versions and actors; ``at`` is when the fact came about, as
    RFC 3339 in UTC. ``machine_time`` is when the log took it, by the clock of the log's machine:
    the log writes it, in strictly rising order. Leaves of the version before have none.

    Raises:
        EvidenceError: A field has no canonical form, or the leaf is over 65,535 bytes.
    """

    type: LeafType
    subject: str
    facts: Mapping[str, JsonScalar] = field(hash=False)
    at: str
    machine_time: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", dict(self.facts))
        if self.type not in LEAF_TYPES:
            raise _refused(
                Words(f"{self.type!r} 不是存证的类型", f"{self.type!r} is no type of leaf"),
                Words(f"请使用 {LEAF_TYPES} 之一。", f"Use one of {LEAF_TYPES}."),
            )
        if not self.subject or not self.subject.isprintable():
            raise _refused(
                Words(
                    f"{self.subject!r} 不能作为对象的名称",
                    f"{self.subject!r} cannot name a subject",
                ),
                Words("请使用可打印的名称。", "Use a printable name."),
            )
        if not _is_utc(self.at):
            raise _refused(
                Words(f"{self.at!r} 不是 UTC 时间", f"{self.at!r} is no time in UTC"),
                Words("请按 RFC 3339 书写，以 Z 结尾。", "Write RFC 3339 that ends in Z."),
            )
        if self.machine_time is not None and not _is_machine_time(self.machine_time):
            raise _refused(
                Words("其机器时间的秒没有六位小数", "its machine time has no six digits"),
                Words("请由日志自行写入。", "Let the log write it."),
            )
        for name, value in self.facts.items():
            _require_exact(name, value)
        if len(self.canonical()) > MAX_ENTRY_BYTES:
            raise _refused(
                Words("超过 65,535 字节", "it is over 65,535 bytes"),
                Words("大的内容请只记其摘要。", "Log the digest of what is large."),
            )

    @property
    def key(self) -> str:
        """``type:subject``, the name of the fact."""
        return f"{self.type}:{self.subject}"

    def canonical(self) -> bytes:
        """Return the log entry: canonical JSON by RFC 8785."""
        logged = {} if self.machine_time is None else {"machine_time": self.machine_time}
        return _canonical({**self._claim(), "at": self.at, **logged})

    def agrees_with(self, other: Leaf) -> bool:
        """Say whether both leaves state the same fact; when and by which code may differ."""
        return _canonical(self._stated()) == _canonical(other._stated())

    @classmethod
    def parse(cls, entry: bytes) -> Leaf:
        """Read a log entry back.

        Raises:
            EvidenceError: It is no canonical leaf.
        """
        try:
            data = json.loads(entry)
        except (ValueError, RecursionError) as error:
            raise _refused(Words("它不是 JSON", "it is no JSON"), _OTHERS) from error
        if not isinstance(data, dict) or not _has_leaf_types(data):
            raise _refused(
                Words("它缺少 type、subject、facts 和 at", "it lacks type, subject, facts and at"),
                _OTHERS,
            )
        leaf = cls(**data)
        if leaf.canonical() != entry:
            raise _refused(
                Words("它不是规范 JSON", "it is not canonical JSON"),
                Words("请按 RFC 8785 书写。", "Write it by RFC 8785."),
            )
        return leaf

    def _stated(self) -> dict[str, object]:
        stated = {name: value for name, value in self.facts.items() if name not in MADE_BY}
        return {**self._claim(), "facts": stated}

    def _claim(self) -> dict[str, object]:
        return {"type": self.type, "subject": self.subject, "facts": self.facts}


def _require_exact(name: str, value: JsonScalar) -> None:
    """Require of a fact that it can be written as JSON and read back."""
    if not isinstance(value, str | int | float | bool | None):
        raise _refused(
            Words(f"事实 {name!r} 不是 JSON 标量", f"the fact {name!r} is no JSON scalar"),
            Words("请改记其摘要。", "Log its digest."),
        )
    if isinstance(value, int | float) and not -_EXACT < value < _EXACT:
        # Past 2**53 a float is written as an integer that cannot be read back.
        raise _refused(
            Words(f"事实 {name!r} 不是精确的数", f"the fact {name!r} is no exact number"),
            Words("请写作文本。", "Write it as text."),
        )


def _has_leaf_types(data: dict[str, object]) -> bool:
    texts = data.keys() - {"facts"}
    return (
        texts - {"machine_time"} == _FIELDS - {"facts"}
        and isinstance(data.get("facts"), dict)
        and all(isinstance(data[name], str) for name in texts)
    )


def _is_machine_time(text: str) -> bool:
    return _MACHINE_TIME.fullmatch(text) is not None and _is_utc(text)


def _is_utc(at: str) -> bool:
    if not _UTC.fullmatch(at):
        return False
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return False
    return True


def _canonical(data: dict[str, object]) -> bytes:
    try:
        return rfc8785.dumps(cast("dict[str, JsonScalar]", data))
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise _refused(
            Words("有事实没有规范的 JSON 形式", "a fact has no canonical JSON"),
            Words("请写作普通文本。", "Write it as plain text."),
        ) from error


def _refused(problem: Words, remedy: Words) -> EvidenceError:
    return EvidenceError(
        Words(f"存证被拒绝：{problem.zh}。", f"The evidence leaf is refused: {problem.en}."),
        remedy,
    )
