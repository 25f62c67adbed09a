"""Makes the table of a joined request as any product's: contract, build, share; and retires it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from contracts.approvals import FILE as APPROVALS
from contracts.errors import JingshuError
from contracts.reading import read_contract
from contracts.requested import city_tree
from contracts.words import Words
from jobs.record import governance
from lineage.evidence.durable import write_durably
from sharing.joined.product import approvals, contract_id, document
from sharing.joined.query import query
from sharing.requests.parties import joined_dataset
from sharing.requests.tables import read_asks

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.tables import Ask

_MADE: Final = "published"
_RETIRED: Final = "retired"


class NotMadeError(JingshuError, RuntimeError):
    """A joined request's table that cannot be made now."""


def write_product(home: Home, tree: Tree, ask: Ask, status: str = "active") -> Path:
    """Write a request's contract, SQL and approvals; return the contract's file.

    The contract comes last: without it the folder is nobody's, so a crash leaves nothing half.
    """
    file, drafts = _file(home, ask.id), home.requests / ".drafts"
    for path, text in (
        (file.with_name(f"{joined_dataset(ask.id)}.sql"), query(ask.id, ask.asked, tree)),
        (file.with_name(APPROVALS), _yaml({"approvals": approvals(ask, tree)})),
        (file, _yaml(document(ask, tree, status))),
    ):
        write_durably(path, text.encode(), drafts)
    return file


def make_table(home: Home, ask: Ask, business_date: date) -> str:
    """Make the shared table of an agreed request for one date, on Spark; return its name.

    Raises:
        NotMadeError: An input was never published, or what was made may not be shown.
        TagLossError: A column would be shared above the ceiling.
        ContractError: The request does not fit the tree any more.
    """
    from jobs.build.run import build_product
    from jobs.share.run import share_product

    write_product(home, city_tree(home), ask)
    tree = city_tree(home)
    product = tree.products.get(contract_id(ask.id))
    if product is None:
        raise next(e for e in tree.left_out if e.file.parent == _file(home, ask.id).parent)
    built = build_product(home, tree, product, business_date)
    if built.status != _MADE:
        raise NotMadeError(
            _not_made(product.id, built.status, built.reason),
            Words("请处理后重试。", "Then try again."),
        )
    (shared,) = share_product(home, product, business_date)
    if shared.status != _MADE:
        raise NotMadeError(
            _not_made(shared.table, shared.status, shared.reason),
            Words("请减少所申请的内容。", "Ask for less."),
        )
    return shared.table


def _not_made(what: str, status: str, reason: str) -> Words:
    """Say how what was to be made ended, and why: the reason as it is kept."""
    why = Words.read(reason)
    return Words(f"{what} 的结果是 {status}：{why.zh}。", f"{what} is {status}: {why.en}.")


def newest_date(home: Home) -> date:
    """Return the newest business date on which anything was published."""
    published = [b.business_date for b in governance.latest_batches(home) if b.status == _MADE]
    if not published:
        raise NotMadeError(
            Words("还没有发布过任何数据。", "Nothing was published yet."),
            Words("请先运行一天：./jingshu run。", "Run a day first: ./jingshu run."),
        )
    return max(published)


def retire_ended(home: Home, control: Control) -> None:
    """Stop making the tables of requests that ended; their contracts stay for lineage to read."""
    with control.read() as session:
        ended = [a for a in read_asks(session) if a.asked.is_joined and a.state == "closed"]
    for ask in ended:
        file = _file(home, ask.id)
        if file.exists() and read_contract(file).status != _RETIRED:
            write_product(home, city_tree(home), ask, _RETIRED)


def _file(home: Home, ask_id: str) -> Path:
    name = joined_dataset(ask_id)
    return home.requests / name / f"{name}.odcs.yaml"


def _yaml(data: object) -> str:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)
