"""What verify answers: how often each invariant was checked, and each thing that does not hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The invariants of design §2 in a line each, as a person reads them.
INVARIANTS: Final[Mapping[int, Words]] = {
    1: Words(
        "行数守恒：入湖 = 发布 + 隔离 + 重复", "rows landed = published + quarantined + duplicates"
    ),
    2: Words(
        "可见即已审：可见的都经审计通过并已存证", "what is visible was audited, passed and logged"
    ),
    3: Words(
        "重复与乱序无害：同一期可见的是最新发布的批次",
        "of one period, the newest published batch is visible",
    ),
    4: Words(
        "列可溯源：每个共享列都溯源到导出或声明的来源",
        "every shared column traces to an export or a declared source",
    ),
    5: Words(
        "分级不丢：级别不丢失，超过上限的不共享",
        "no level is lost, nothing above the ceiling is shared",
    ),
    6: Words(
        "日志只增：存证日志完整，从未被截断", "the evidence log is whole and was never cut back"
    ),
    7: Words("条条有结果：契约的每个要素都有结果", "every contract element has a result"),
    8: Words("模拟可见：模拟数据都标明为模拟", "what is simulated says so"),
}


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: the invariant (design §2), where, and what.

    ``is_recovering`` says that its step was begun and not finished: running it again heals it.
    """

    invariant: int
    where: str
    problem: Words
    is_recovering: bool = False


#: One check that was made: its invariant, and what it found.
Checked = tuple[int, Finding | None]


def checked(
    invariant: int, where: str, problem: Words | str | None, *, is_recovering: bool = False
) -> Checked:
    """Return one check; without a problem it held."""
    if problem is None:
        return invariant, None
    told = problem if isinstance(problem, Words) else Words.read(problem)
    return invariant, Finding(invariant, where, told, is_recovering)


def differs(name: str, mine: object, logged: object) -> Words:
    """Say that a row has another value than its leaf."""
    return Words(
        f"{name} 为 {mine}，其存证写 {logged}", f"{name} is {mine}, its leaf says {logged}"
    )


@dataclass
class Report:
    """What was checked, and what did not hold."""

    checked: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether all invariants hold; a step under way is no broken invariant."""
        return not self.broken

    @property
    def broken(self) -> list[Finding]:
        """The findings that nothing under way explains."""
        return [f for f in self.findings if not f.is_recovering]

    @property
    def recovering(self) -> list[Finding]:
        """The findings of steps that were begun and not finished."""
        return [f for f in self.findings if f.is_recovering]

    def add(self, checks: Iterable[Checked]) -> None:
        """Count checks and keep what they found."""
        for invariant, finding in checks:
            self.checked[invariant] += 1
            if finding is not None:
                self.findings.append(finding)
