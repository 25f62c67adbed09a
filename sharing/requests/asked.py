"""What a body asks for (State Council Decree 809, Art. 20): frozen, and read once at the edge."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contracts.document import load_yaml
from contracts.errors import UsageError
from contracts.frozen import Frozen
from contracts.product import Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
            raise ValueError(
                "产品策略须单独申请 a product's policy is asked for alone: name one source"
            )
        if with_policy and (self.by or with_policy[0].columns or with_policy[0].rows):
            raise ValueError(
                "策略已定列与行 a policy has its columns and rows: leave out by, columns and rows"
            )
        if self.is_joined:
            self._can_be_joined()
        return self

    def _can_be_joined(self) -> None:
        if len({s.contract for s in self.sources}) < len(self.sources):
            raise ValueError("来源重复 a contract is named twice: give each source once")
        lacking = [s.contract for s in self.sources if s.key is None]
        if lacking and (self.by or len(self.sources) > 1):
            raise ValueError(
                f"缺少关联列 {lacking[0]} has no key: name the column it is joined or counted by"
            )
        shown = [s.contract for s in self.sources if s.columns]
        if self.by and shown:
            raise ValueError(
                "列出数据与计数只能选一种"
                f" {shown[0]} shows columns, and by counts persons: choose one of them"
            )
        if not self.by and not shown:
            raise ValueError(
                "没有要任何数据"
                " nothing is asked for: name columns to show, or by to count in groups"
            )
        self._names_differ()

    def _names_differ(self) -> None:
        """Refuse columns that the query would give one name: Spark tells no case apart."""
        made = tuple(_made(self))
        found: dict[str, str] = {}
        for name, contract in _taken(self):
            folded = name.casefold()
            if folded in made:
                raise ValueError(
                    f"列名 {name} 由查询自用 {contract} shows {name}, which is a column that the"
                    " query makes itself: leave it out"
                )
            if folded in found:
                raise ValueError(
                    f"列名 {name} 重复 {found[folded]} and {contract} both show {name}: name it"
                    " once, of one of them"
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


def parse_asked(data: object, where: str) -> Asked:
    """Return a request from its parts; raises UsageError naming the first place that is wrong."""
    try:
        return Asked.model_validate(data)
    except ValidationError as bad:
        first = bad.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the request"
        raise UsageError(
            f"申请内容有误 {where}: {place}: {first['msg']}.",
            "请改正后再交 Mend it; see ./jingshu share request draft --example.",
        ) from None
