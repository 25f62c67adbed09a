"""What a body asks for (State Council Decree 809, Art. 20): frozen, and read once at the edge."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contracts.document import load_yaml
from contracts.errors import BadValueError, UsageError
from contracts.frozen import Frozen
from contracts.product import Release
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
#: Fewest persons a count may be about (domain reference §3: published counts need k ≥ 20).
SMALLEST_K = 20
#: Columns that a joined request's own query makes (sharing/joined/query.py).
DAY: Final = "business_date"
KEY: Final = "joined_by"
#: The counts of a counting request: persons of the first source, and those who are in all.
PERSONS: Final = "persons"
IN_ALL: Final = "persons_in_all"
SUPPRESSED: Final = "suppressed"


class Urgent(Frozen):
    """Why an answer cannot wait for the usual limit, and when what is given ends by itself."""

    reason: Text
    answer_within_hours: int = Field(ge=1, le=72)
    expires_on: date


class Source(Frozen):
    """One contract that is asked for: a policy of a product, or columns of a provider's dataset.

    ``key`` is the column that names the person or thing by which sources are joined; ``columns``
    are shown, each under a mask; ``rows`` is a condition in SQL over the dataset's own columns.
    """

    contract: Text
    policy: str | None = None
    providers: tuple[str, ...] = ()
    key: str | None = None
    columns: dict[str, Release] = Field(default_factory=dict)
    rows: str | None = Field(default=None, max_length=1000)


class Asked(Frozen):
    """A request: for what, on which legal basis, which data, until when.

    With ``by`` (columns of the first source) persons are counted, never shown, in groups of ``k``
    or more; without it rows are shown under their masks.
    """

    title: Text
    recipient: Text
    body: Text
    purpose: Text
    legal_basis: Text
    scenario: Text
    scope: Text
    mode: Literal["api", "batch", "file"] = "api"
    until: date
    sources: tuple[Source, ...] = Field(min_length=1)
    by: tuple[str, ...] = ()
    k: int = Field(default=SMALLEST_K, ge=SMALLEST_K)
    urgent: Urgent | None = None

    @property
    def is_joined(self) -> bool:
        """Whether a table has to be made for it: it asks for no policy of a product."""
        return self.sources[0].policy is None

    @property
    def ends_on(self) -> date:
        """The last day: an urgent request's own end, where that is earlier."""
        return min(self.until, self.urgent.expires_on) if self.urgent else self.until

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        with_policy = [s for s in self.sources if s.policy is not None]
        if with_policy and len(self.sources) > 1:
            raise BadValueError(
                Words("产品策略须单独申请。", "A product's policy is asked for alone."),
                Words("请只写一个来源。", "Name one source."),
            )
        if with_policy and (self.by or with_policy[0].columns or with_policy[0].rows):
            raise BadValueError(
                Words("策略已定列与行。", "A policy has its columns and rows."),
                Words("请删去 by、columns 和 rows。", "Leave out by, columns and rows."),
            )
        if self.is_joined:
            self._can_be_joined()
        return self

    def _can_be_joined(self) -> None:
        if len({s.contract for s in self.sources}) < len(self.sources):
            raise BadValueError(
                Words("来源重复。", "A contract is named twice."),
                Words("每个来源请只写一次。", "Give each source once."),
            )
        lacking = [s.contract for s in self.sources if s.key is None]
        if lacking and (self.by or len(self.sources) > 1):
            raise BadValueError(
                Words(f"{lacking[0]} 没有关联列（key）。", f"{lacking[0]} has no key."),
                Words("请写明按哪一列关联或计数。", "Name the column it is joined or counted by."),
            )
        shown = [s.contract for s in self.sources if s.columns]
        if self.by and shown:
            raise BadValueError(
                Words(
                    f"{shown[0]} 列出数据，而 by 按人计数。",
                    f"{shown[0]} shows columns, and by counts persons.",
                ),
                Words("两种请只选一种。", "Choose one of them."),
            )
        if not self.by and not shown:
            raise BadValueError(
                Words("没有要任何数据。", "As it stands, nothing is asked for."),
                Words(
                    "请写明要列出的列（columns），或分组计数的列（by）。",
                    "Name columns to show, or by to count in groups.",
                ),
            )
        self._names_differ()

    def _names_differ(self) -> None:
        """Refuse columns that the query would give one name: Spark tells no case apart."""
        made = tuple(_made(self))
        found: dict[str, str] = {}
        for name, contract in _taken(self):
            folded = name.casefold()
            if folded in made:
                raise BadValueError(
                    Words(
                        f"{contract} 列出的 {name} 是查询自用的列名。",
                        f"{contract} shows {name}, which is a column that the query makes itself.",
                    ),
                    Words("请删去这一列。", "Leave it out."),
                )
            if folded in found:
                raise BadValueError(
                    Words(
                        f"{found[folded]} 和 {contract} 都列出 {name}。",
                        f"{found[folded]} and {contract} both show {name}.",
                    ),
                    Words("请只在其中一处写这一列。", "Name it once, of one of them."),
                )
            found[folded] = contract


def _made(asked: Asked) -> Iterator[str]:
    """Yield the columns that a joined request's query makes by itself."""
    is_several = len(asked.sources) > 1
    yield DAY
    if asked.by or is_several:
        yield KEY
    if asked.by:
        yield from (PERSONS, SUPPRESSED)
    if asked.by and is_several:
        yield IN_ALL


def _taken(asked: Asked) -> Iterator[tuple[str, str]]:
    """Yield each column that it shows, and of which contract; a key is shown under no name."""
    yield from ((name, asked.sources[0].contract) for name in asked.by)
    for source in asked.sources:
        yield from ((n, source.contract) for n, r in source.columns.items() if r.mask != "drop")


def read_asked(file: Path) -> Asked:
    """Read a request from a YAML file.

    Raises:
        UsageError: It cannot be meant; the message names the place.
    """
    return parse_asked(load_yaml(file).data, str(file))


def parse_asked(data: object, where: Words | str) -> Asked:
    """Return a request from its parts; raises UsageError naming the first place that is wrong."""
    try:
        return Asked.model_validate(data)
    except ValidationError as bad:
        first = bad.errors(include_url=False)[0]
        file = where if isinstance(where, Words) else Words(where, where)
        place, why = ".".join(map(str, first["loc"])), _why(first)
        raise UsageError(
            Words(
                f"申请内容有误：{file.zh}：{place or '整份申请'}：{why.zh}",
                f"{file.en}: {place or 'the request'}: {why.en}",
            ),
            Words(
                "请改正后再交；示例见 ./jingshu share request draft --example。",
                "Mend it; see ./jingshu share request draft --example.",
            ),
        ) from None


def _why(error: ErrorDetails) -> Words:
    """Return what a type says of a value: our own words, or pydantic's as they are."""
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, BadValueError):
        parts = (raised.problem, raised.remedy)
        problem, remedy = (p if isinstance(p, Words) else Words(p, p) for p in parts)
        return problem.then(remedy)
    return Words(f"{error['msg']}。", f"{error['msg']}.")
