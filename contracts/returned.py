"""回流: rows go back to the districts they are about, each its own (Decree 809, Art. 24).

One declaration becomes a policy a district, so each has a physical table of its own, as every other
policy has: its DAG, levels, k, lineage and evidence are theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.document import ContractError
from contracts.product import Policy
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.model import Contract, Provider
    from contracts.product import Product, Return

_PLACE = ("customProperties",)
#: A district is the first six digits of a division code (GB/T 2260).
_DIGITS = 6


def with_returns(contract: Contract, providers: Mapping[str, Provider], file: Path) -> Contract:
    """Return a product with a policy for every district that its ``return`` sends rows to.

    Raises:
        ContractError: The tree lists no districts, the column is none, or a name is taken.
    """
    product = contract.product
    if product is not None and product.returned_to:
        raise ContractError(
            file,
            None,
            _PLACE,
            Words("returned_to 不由人手填写", "returned_to is not written by hand"),
            Words("请改为声明 return。", "Declare a return instead."),
        )
    if product is None or product.returns is None:
        return contract
    districts = {p.id: p.code for p in providers.values() if p.kind == "district"}
    names = {c.name for c in contract.columns}
    _check(product, product.returns, districts, names, file)
    made = tuple(_policy(product.returns, name, code) for name, code in districts.items())
    policies = (*product.policies, *made)
    returned = product.model_copy(update={"policies": policies, "returned_to": tuple(districts)})
    return contract.model_copy(update={"product": returned})


def _check(
    product: Product, returns: Return, districts: Mapping[str, str], names: set[str], file: Path
) -> None:
    """Raise ContractError where rows cannot be returned as the product says."""
    by = returns.column
    if not districts:
        raise ContractError(
            file,
            None,
            _PLACE,
            Words("没有可回流的区", "rows are returned to no district"),
            Words("请在 providers.yaml 中列出各区。", "List districts in providers.yaml."),
        )
    if by not in names:
        raise ContractError(
            file,
            None,
            _PLACE,
            Words(
                f"回流所依据的 {by!r} 不是列", f"rows are returned by {by!r}, which is no column"
            ),
            Words("请写含区划代码的列。", "Name the column with the division code."),
        )
    if taken := {p.name for p in product.policies} & set(districts):
        name = min(taken)
        raise ContractError(
            file,
            None,
            _PLACE,
            Words(f"已有策略叫 {name!r}", f"a policy is called {name!r} already"),
            Words("请另取名称。", "Call it otherwise."),
        )


def _policy(returns: Return, district: str, code: str) -> Policy:
    column = "`" + returns.column.replace("`", "``") + "`"
    own = f"substring({column}, 1, {_DIGITS}) = '{code}'"
    rows = own if returns.rows is None else f"({returns.rows}) AND {own}"
    return Policy(
        name=district,
        columns=returns.columns,
        rows=rows,
        k=returns.k,
        l=returns.l,
        quasi_identifiers=returns.quasi_identifiers,
        sensitive=returns.sensitive,
    )
