"""Runs deliveries through the stages in this process, as the DAGs' tasks would."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from contracts.delivery import Delivery
from jobs import steps
from jobs.build.run import build_product
from jobs.share.run import share_product
from jobs.stages import Ended, LandedBatch, PublishedVersion

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree


def run_delivery(
    home: Home, tree: Tree, contract_id: str, provider: str, day: date
) -> PublishedVersion | Ended:
    """Take one delivery as far as it goes."""
    landed = steps.land_delivery(home, Delivery(tree.contract(contract_id), provider, day))
    if not isinstance(landed, LandedBatch):
        return landed
    return steps.publish_verdict(home, tree, steps.audited(home, tree, landed))


def run_day(home: Home, tree: Tree, day: date, providers: frozenset[str] | None = None) -> None:
    """Run every feed (of some providers), product and share of one date."""
    for feed in tree.feeds(providers):
        run_delivery(home, tree, feed.contract.id, feed.provider, day)
    for product in tree.products.values():
        build_product(home, tree, product, day)
        share_product(home, product, day)


def deliver(
    drop: Path,
    where: str,
    content: bytes,
    *,
    revision: int = 1,
    sent_at: str = "2026-07-15T20:00:00Z",
    is_simulated: bool = True,
    manifest: bool = True,
) -> Path:
    """Put a file and its manifest at ``provider/dataset/date/name`` in a drop folder."""
    file = drop / where
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    if is_simulated:
        (drop / ".jingshu-sandbox.json").write_text('{"origin": "simulated"}')
    if manifest:
        said = {
            "file": file.name,
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "revision": revision,
            "sent_at": sent_at,
        }
        file.with_name(file.name + ".manifest.json").write_text(json.dumps(said))
    return file
