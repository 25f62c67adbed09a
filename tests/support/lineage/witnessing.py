"""The local witness of a home, served and pinned."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.witness import local
from lineage.evidence.witnesses import Pinned, pinned_witnesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf

    Make = Callable[[int], Leaf]


@contextmanager
def serving(home: Home) -> Iterator[Pinned]:
    """Serve the home's local witness, and pin it."""
    with local.make_server(home, 0) as server:
        local.pin(home, server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            [pinned] = pinned_witnesses(home)
            yield pinned
        finally:
            server.shutdown()
            thread.join()
