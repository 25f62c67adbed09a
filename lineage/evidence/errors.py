"""What can go wrong with evidence, each with the one thing to do about it."""

from __future__ import annotations

from typing import Final

from contracts.errors import JingshuError
from contracts.words import Words

#: Where nothing was logged yet: the problem and the remedy.
NO_LOG: Final = (
    Words("尚无存证日志。", "There is no evidence log yet."),
    Words("请先让一个批次落地：`./jingshu run`。", "Land a batch first: `./jingshu run`."),
)
#: The remedy where something in the log is not as it must be.
VERIFY: Final = Words("请运行 `./jingshu evidence verify`。", "Run `./jingshu evidence verify`.")
_NOT_SIGNED: Final = Words(
    "存证日志分块的哈希与其检查点不符。",
    "The evidence log's tiles do not hash to its checkpoint.",
)
#: The remedy where a file of ours is damaged.
RESTORE: Final = Words("请从备份恢复。", "Restore it from a backup.")


class EvidenceError(JingshuError, ValueError):
    """Something about the evidence log that cannot be accepted or found."""


class NoteError(EvidenceError):
    """A signed note, key or checkpoint that is malformed or not signed by the known key."""


class TileError(EvidenceError):
    """A tile or entry bundle that is missing or damaged.

    ``where`` is its name below the log's folder, e.g. ``tile/0/000.p/5``; ``problem`` goes on.
    """

    def __init__(self, where: str, problem: Words) -> None:
        super().__init__(
            Words(f"{where}：{problem.zh}。", f"{where}: {problem.en}."),
            Words(
                "请运行 `./jingshu evidence verify`，并从备份恢复该文件。",
                "Run `./jingshu evidence verify` and restore the file from a backup.",
            ),
        )
        self.where = where
        self.detail = problem
        self.args = (where, problem)


class TreeError(EvidenceError):
    """Stored tiles that do not hash to what was signed."""

    def __init__(
        self,
        problem: Words = _NOT_SIGNED,
    ) -> None:
        super().__init__(
            problem,
            Words(
                "请运行 `./jingshu evidence verify`，并从备份恢复其指明的文件。",
                "Run `./jingshu evidence verify`; restore what it names from a backup.",
            ),
        )
        self.args = (problem,)


class EvidenceConflictError(EvidenceError):
    """A fact is already logged with other contents; both leaves' digests are named."""

    def __init__(self, key: str, logged_sha256: str, offered_sha256: str) -> None:
        super().__init__(
            Words(
                f"{key} 已存证（sha256:{logged_sha256}）；现提交的存证内容不同"
                f"（sha256:{offered_sha256}）。",
                f"{key} is already logged as leaf sha256:{logged_sha256}; the leaf offered now says"
                f" something else (sha256:{offered_sha256}).",
            ),
            Words(
                "请查明哪一份属实；更正本身是另一项事实，须以自己的对象存证。",
                "Find out which is true; a correction is a fact of its own, with its own subject.",
            ),
        )
        self.key = key
        self.logged_sha256 = logged_sha256
        self.offered_sha256 = offered_sha256
        self.args = (key, logged_sha256, offered_sha256)


class EvidenceRollbackError(EvidenceError):
    """The log was cut back or replaced since its key last signed; nothing may be appended."""

    def __init__(self, problem: Words) -> None:
        super().__init__(
            problem,
            Words(
                "请从备份恢复 evidence/，并在继续写入之前上报此事件。",
                "Restore evidence/ from its backup, and report the incident before appending"
                " again.",
            ),
        )
        self.args = (problem,)


class ChainError(EvidenceError):
    """An answer of a chain's node that cannot be believed, or no answer at all."""

    def __init__(self, problem: Words) -> None:
        super().__init__(
            problem,
            Words(
                "请改问该链的另一个节点；参见 `./jingshu evidence anchor --help`。",
                "Ask another node of the chain; see `./jingshu evidence anchor --help`.",
            ),
        )
        self.args = (problem,)


class WitnessError(EvidenceError):
    """A witness that does not cosign the log's head, or whose answer cannot be believed."""
