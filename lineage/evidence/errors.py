"""What can go wrong with evidence, each with the one thing to do about it."""

from __future__ import annotations

from contracts.errors import JingshuError


class EvidenceError(JingshuError, ValueError):
    """Something about the evidence log that cannot be accepted or found."""


class NoteError(EvidenceError):
    """A signed note, key or checkpoint that is malformed or not signed by the known key."""


class TileError(EvidenceError):
    """A tile or entry bundle that is missing or damaged.

    ``where`` is its name below the log's folder, e.g. ``tile/0/000.p/5``.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(
            f"{where}: {problem}.",
            "Run `./jingshu evidence verify` and restore the file from a backup.",
        )
        self.where = where
        self.detail = problem
        self.args = (where, problem)


class TreeError(EvidenceError):
    """Stored tiles that do not hash to what was signed."""

    def __init__(
        self, problem: str = "The evidence log's tiles do not hash to its checkpoint."
    ) -> None:
        super().__init__(
            problem, "Run `./jingshu evidence verify`; restore what it names from a backup."
        )
        self.args = (problem,)


class EvidenceConflictError(EvidenceError):
    """A fact is already logged with other contents; both leaves' digests are named."""

    def __init__(self, key: str, logged_sha256: str, offered_sha256: str) -> None:
        super().__init__(
            f"{key} is already logged as leaf sha256:{logged_sha256}; the leaf offered now says "
            f"something else (sha256:{offered_sha256}).",
            "Find out which is true; a correction is a fact of its own, with its own subject.",
        )
        self.key = key
        self.logged_sha256 = logged_sha256
        self.offered_sha256 = offered_sha256
        self.args = (key, logged_sha256, offered_sha256)


class EvidenceRollbackError(EvidenceError):
    """The log was cut back or replaced since its key last signed; nothing may be appended."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            problem,
            "Restore evidence/ from its backup, and report the incident before appending again.",
        )
        self.args = (problem,)


class ChainError(EvidenceError):
    """An answer of a chain's node that cannot be believed, or no answer at all."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            problem, "Ask another node of the chain; see `./jingshu evidence anchor --help`."
        )
        self.args = (problem,)


class WitnessError(EvidenceError):
    """A witness that does not cosign the log's head, or whose answer cannot be believed."""
