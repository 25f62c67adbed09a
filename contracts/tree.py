"""A tree of contracts: all of one root, the feeds they ask for, and who provides them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.document import ContractError, load_yaml
from contracts.errors import UsageError
from contracts.model import Provider
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from contracts.approvals import Approval
    from contracts.glossary import Term
    from contracts.model import Contract


@dataclass(frozen=True)
class Feed:
    """One provider's deliveries of one dataset: what a DAG and a table are made for."""

    contract: Contract
    provider: str

    @property
    def table(self) -> str:
        """The Delta table's name in bronze, silver and quarantine."""
        return self.contract.table(self.provider)


@dataclass(frozen=True, eq=False)
class Tree:
    """All contracts of one root; each reading is an object of its own, whatever it holds."""

    root: Path
    sources: Mapping[str, Contract]
    products: Mapping[str, Contract]
    providers: Mapping[str, Provider]
    glossary: Mapping[str, Term] = field(default_factory=dict)
    approvals: Mapping[tuple[str, str], Approval] | None = None
    """The register by (id, column); None where the tree has none."""
    left_out: tuple[ContractError, ...] = ()
    """Why a requested product is not among ``products`` (``contracts.requested``)."""

    def contract(self, contract_id: str) -> Contract:
        """Return a source or product by id; UsageError lists what there is."""
        found = self.sources.get(contract_id) or self.products.get(contract_id)
        if found is None:
            known = [*self.sources, *self.products]
            raise UsageError(
                Words(
                    f"{self.root} 中没有契约 {contract_id!r}。",
                    f"There is no contract {contract_id!r} in {self.root}.",
                ),
                Words(
                    f"其中有：{'、'.join(known) or '无'}。",
                    f"It holds: {', '.join(known) or 'nothing'}.",
                ),
            )
        return found

    def file(self, contract: Contract) -> Path:
        """Return a contract's file; one that a request made lies outside the tree."""
        return self.root / contract.source

    def feeds(self, providers: frozenset[str] | None = None) -> Iterator[Feed]:
        """Yield every (contract, provider) of the active sources, in id order."""
        for contract in self.sources.values():
            if not contract.is_active:
                continue
            for server in contract.servers:
                if providers is None or server.provider in providers:
                    yield Feed(contract, server.provider)

    def active_products(self) -> Iterator[Contract]:
        """Return the products that are still made, in id order."""
        return (contract for contract in self.products.values() if contract.is_active)

    def provider(self, provider_id: str) -> Provider:
        """Return a provider; one that the tree does not list is named by its id."""
        return self.providers.get(provider_id) or Provider(
            id=provider_id, name=provider_id, name_en=provider_id, kind="external", code=""
        )


def read_providers(root: Path) -> dict[str, Provider]:
    """Return the providers that a tree lists, by id; none where it lists none."""
    file = root / "providers.yaml"
    if not file.exists():
        return {}
    document = load_yaml(file)
    listed = document.data.get("providers")
    if not isinstance(listed, list):
        raise document.fail(
            ("providers",),
            Words("没有提供方清单", "there is no list of providers"),
            Words("请逐项列出。", "List them."),
        )
    found = [document.parse(Provider, item, ("providers", i)) for i, item in enumerate(listed)]
    return {p.id: p for p in found}
