"""Whom a request concerns: who must agree, at which level, under which sharing attribute. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.model import LEVELS, SHARE_CEILING, max_level
from contracts.vocabulary import MASK_LOWERS
from contracts.words import Words
from sharing.requests.conditions import condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contracts.model import Contract, Level
    from contracts.tree import Tree
    from sharing.requests.asked import Asked, Source

#: From this level on the data authority signs besides (domain reference §3: approvals).
_AUTHORITY_FROM: Final[Level] = "L3"
#: From this level on it signs on an assessment of the impact on personal information.
_ASSESSED_FROM: Final[Level] = "L4"


class NotSharedError(JingshuError, PermissionError):
    """What is asked for is not shared, and a law says so (Decree 809, Art. 14)."""


class AboveCeilingError(JingshuError, PermissionError):
    """Columns that nobody may be shown as they are asked for."""


@dataclass(frozen=True)
class Parties:
    """The bodies that must each agree, and what the request comes to."""

    providers: tuple[str, ...]
    level: Level
    is_unconditional: bool
    not_shared: tuple[Words, ...]
    """The contracts that are not shared, each with the law that says so."""

    @property
    def needs_authority(self) -> bool:
        """Whether the data authority must agree too."""
        return LEVELS.index(self.level) >= LEVELS.index(_AUTHORITY_FROM)

    @property
    def needs_assessment(self) -> bool:
        """Whether the authority's agreement names an impact assessment."""
        return LEVELS.index(self.level) >= LEVELS.index(_ASSESSED_FROM)


def parties_of(asked: Asked, tree: Tree) -> Parties:
    """Return whom a request concerns.

    Raises:
        UsageError: It names a contract, policy, provider or column that there is not.
    """
    found = [(source, tree.contract(source.contract)) for source in asked.sources]
    by = [asked.by, *[()] * (len(found) - 1)]  # groups are made of the first source's columns
    for (source, contract), columns in zip(found, by, strict=True):
        _check(source, contract, columns)
    levels = [
        level
        for (source, contract), columns in zip(found, by, strict=True)
        for level in _levels(source, contract, columns)
    ]
    return Parties(
        providers=tuple(dict.fromkeys(p for s, c in found for p in _providers(s, c))),
        level=max_level(levels),
        is_unconditional=all(
            c.sharing is not None and c.sharing.attribute == "unconditional" for _, c in found
        ),
        not_shared=tuple(
            _with_law(c.id, c.sharing.legal_basis)
            for _, c in found
            if c.sharing is not None and c.sharing.attribute == "not_shared"
        ),
    )


def level_under(level: Level, mask: str) -> Level:
    """Return the level of a column under a mask: one step down where it is above the ceiling."""
    if level <= SHARE_CEILING or mask not in MASK_LOWERS:
        return level
    return LEVELS[LEVELS.index(level) - 1]


def sources_of(asked: Asked, tree: Tree) -> tuple[tuple[str, str], ...]:
    """Return every (contract, provider) that a request reads."""
    return tuple(
        (source.contract, provider)
        for source in asked.sources
        for provider in _providers(source, tree.contract(source.contract))
    )


def check_shared(parties: Parties) -> None:
    """Raise NotSharedError where a source is not shared."""
    if parties.not_shared:
        raise NotSharedError(
            Words(
                f"依法不予共享：{'、'.join(w.zh for w in parties.not_shared)}。",
                f"Not shared by law: {', '.join(w.en for w in parties.not_shared)}.",
            ),
            Words(
                "请改要其他数据，或请提供方变更目录条目（第十七条）。",
                "Ask for something else, or have the provider change its catalogue entry"
                " (Art. 17).",
            ),
        )


def table_of(ask_id: str, asked: Asked, tree: Tree) -> str:
    """Return the name of the shared table that a request is answered with."""
    first = asked.sources[0]
    if asked.is_joined:
        return f"{joined_dataset(ask_id)}__{policy_name(asked)}"
    return f"{tree.contract(first.contract).product_table}__{first.policy}"


def joined_dataset(ask_id: str) -> str:
    """Return the dataset name of the product that a request is made into."""
    return f"request_{ask_id.lower().replace('-', '_')}"


def policy_name(asked: Asked) -> str:
    """Return the policy's name, after the recipient: letters, digits and single underscores."""
    return "_".join(filter(None, asked.recipient.replace("-", "_").split("_")))


def _check(source: Source, contract: Contract, by: tuple[str, ...]) -> None:
    if source.policy is not None:
        names = [p.name for p in contract.product.policies] if contract.product else []
        if source.policy not in names:
            raise UsageError(
                Words(
                    f"{contract.id} 没有共享策略 {source.policy!r}。",
                    f"{contract.id} has no share policy {source.policy!r}.",
                ),
                _it_has(names),
            )
        return
    if contract.product is not None:
        raise UsageError(
            Words(
                f"{contract.id} 是产品，申请未写明共享策略。",
                f"{contract.id} is a product, and the request names no policy.",
            ),
            Words("请选一个共享策略。", "Choose a share policy.").then(
                _it_has([p.name for p in contract.product.policies])
            ),
        )
    known = {s.provider for s in contract.servers}
    if strange := sorted(set(source.providers) - known):
        raise UsageError(
            Words(
                f"{contract.id} 没有提供方 {strange[0]!r}。",
                f"{contract.id} has no provider {strange[0]!r}.",
            ),
            _it_has(sorted(known)),
        )
    columns = {c.name for c in contract.columns}
    if source.rows is not None:
        condition(source.rows, columns, contract.id)
    asked_for = {*source.columns, *by, *([source.key] if source.key else [])}
    for name in (*by, *source.columns):
        if name in columns:
            mask = source.columns[name].mask if name in source.columns else "keep"
            _check_ceiling(contract, name, mask)
    if lost := sorted(asked_for - columns):
        raise UsageError(
            Words(
                f"{contract.id} 没有 {lost[0]!r} 列。", f"{contract.id} has no column {lost[0]!r}."
            ),
            _it_has(sorted(columns)),
        )


def _check_ceiling(contract: Contract, name: str, mask: str) -> None:
    """Refuse what would be shown above the ceiling: no provider can agree to that."""
    level = contract.column(name).effective_level
    under = level_under(level, mask)
    if mask != "drop" and under > SHARE_CEILING:
        raise AboveCeilingError(
            Words(
                f"{contract.id}.{name} 为 {level}，经 {mask} 为 {under}：高于可共享的最高级别"
                f" {SHARE_CEILING}。",
                f"{contract.id}.{name} is {level}, under {mask} {under}: above {SHARE_CEILING},"
                " the most that is shared.",
            ),
            Words(
                "请用更强的遮蔽，或改为计数：写 by，不写 columns。",
                "Ask for it under a stronger mask, or for counts: by, and no columns.",
            ),
        )


def _it_has(names: Sequence[str]) -> Words:
    """Say what there is to choose from."""
    return Words(f"可选：{'、'.join(names) or '无'}。", f"It has: {', '.join(names) or 'none'}.")


def _with_law(contract_id: str, legal_basis: str | None) -> Words:
    """Name a contract with the law by which it is not shared."""
    return Words(
        f"{contract_id}（{legal_basis or '未写明法律依据'}）",
        f"{contract_id} ({legal_basis or 'no law is named'})",
    )


def _levels(source: Source, contract: Contract, by: tuple[str, ...]) -> Iterator[Level]:
    if source.policy is not None:
        policy = next(p for p in contract.product_plan.policies if p.name == source.policy)
        kept = (n for n, release in policy.columns.items() if release.mask != "drop")
        yield from (contract.column(name).effective_level for name in kept)
        return
    if source.rows is not None:
        # A condition shows what it is about as well as the column does.
        yield contract.level
    named = {*source.columns, *by, *([source.key] if source.key else [])}
    yield from (contract.column(name).effective_level for name in sorted(named))


def _providers(source: Source, contract: Contract) -> tuple[str, ...]:
    if contract.product is not None:
        return (contract.domain,)
    return source.providers or tuple(s.provider for s in contract.servers)
