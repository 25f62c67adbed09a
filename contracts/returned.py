"""回流: rows go back to the districts they are about, each its own (Decree 809, Art. 24).

One declaration becomes a policy a district, so each has a physical table of its own, as every other
policy has: its DAG, levels, k, lineage and evidence are theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.document import ContractError
from contracts.product import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.model import Contract, Provider
    from contracts.product import Return

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
            file, None, _PLACE, "returned_to is not written by hand", "Declare a return instead."
        )
    if product is None or product.returns is None:
        return contract
    districts = {p.id: p.code for p in providers.values() if p.kind == "district"}
    names = {c.name for c in contract.columns}
    problem, remedy = "", ""
    if not districts:
        problem, remedy = "rows are returned to no district", "List districts in providers.yaml."
    elif product.returns.column not in names:
        problem = f"rows are returned by {product.returns.column!r}, which is no column"
        remedy = "Name the column with the division code."
    elif taken := {p.name for p in product.policies} & set(districts):
        problem, remedy = f"a policy is called {min(taken)!r} already", "Call it otherwise."
    if problem:
        raise ContractError(file, None, _PLACE, problem, remedy)
    made = tuple(_policy(product.returns, name, code) for name, code in districts.items())
    policies = (*product.policies, *made)
    returned = product.model_copy(update={"policies": policies, "returned_to": tuple(districts)})
    return contract.model_copy(update={"product": returned})


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
