"""Why a product must not be listed for trade, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.model import SHARE_CEILING
from contracts.words import Words
from sharing.rights.prices import USES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contracts.model import Contract
    from sharing.rights.offered import Offered
    from sharing.rights.terms import Chain

#: What stops a batch at its audit (jobs.audit.run); a batch may have been released all the same.
_STOPPING: Final = ("failed", "error")
#: Engines whose failures leave nothing open: a row rule's bad rows are in quarantine.
_SETTLED: Final = ("row", "none")


def refusals(found: Offered, chains: Mapping[str, Chain], issues: Sequence[str]) -> Iterator[Words]:
    """Yield, in words, why something that is real must not be listed. Pure."""
    yield from _above(found)
    grading = found.product.grading
    if grading is not None and grading.gb43697 != "general":
        yield Words(
            f"它是 {grading.gb43697} 数据，不得交易",
            f"it is {grading.gb43697} data, which is not traded",
        )
    for dataset, chain in chains.items():
        if not chain:
            uses = " and ".join(USES)
            yield Words(
                f"上架单位无权经营 {dataset}（{'、'.join(USES)}）",
                f"the lister has no right to operate {dataset} for {uses}",
            )
    for contract in _unassessed(found):
        yield Words(
            f"{contract.id} 含个人信息，而未写明影响评估",
            f"{contract.id} holds personal information and names no impact assessment",
        )
    yield from found.lost
    yield from (Words(f"校核 {issue} 尚未办结", f"correction {issue} is open") for issue in issues)
    for check in found.checks:
        if check.severity == "error" and check.engine not in _SETTLED and check.status in _STOPPING:
            yield Words(
                f"{check.batch_id} 的检查 {check.rule_id} 结果为 {check.status}",
                f"check {check.rule_id} of {check.batch_id} is {check.status}",
            )


def cannot_list(table: str, problems: Sequence[Words]) -> Words:
    """Say that a table cannot be listed, with every reason."""
    zh, en = "；".join(p.zh for p in problems), "; ".join(p.en for p in problems)
    return Words(f"{table} 不能上架：{zh}。", f"{table} cannot be listed: {en}.")


def _above(found: Offered) -> Iterator[Words]:
    """Yield why its level forbids a trade: above L2, or an aggregate whose k nobody measured."""
    is_measured = found.k is not None and found.k_wanted is not None and found.k >= found.k_wanted
    if found.is_aggregate and not is_measured:
        yield Words(
            f"最小组 k = {found.k}，未测得不小于 {found.k_wanted}",
            f"its smallest group k = {found.k} is not measured to be {found.k_wanted} or more",
        )
    if found.level > SHARE_CEILING and not (found.is_aggregate and is_measured):
        yield Words(
            f"它是 {found.level}，高于 {SHARE_CEILING}",
            f"it is {found.level}, above {SHARE_CEILING}",
        )


def _unassessed(found: Offered) -> Iterator[Contract]:
    """Yield the product and sources that hold personal information and name no assessment."""
    contracts = {c.id: c for c in (found.product, *(feed.contract for feed in found.feeds))}
    for contract in contracts.values():
        grading = contract.grading
        if grading is not None and grading.personal_information and not grading.pia_id:
            yield contract
