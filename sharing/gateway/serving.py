"""The gateway as a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import text
from sharing.endpoint import gateway_serving
from sharing.gateway.app import build_app
from sharing.gateway.reads import settle_reads
from sharing.gateway.retention import remove_old, retention
from sharing.serving import Service

if TYPE_CHECKING:
    from sharing.control import Control


def _tidy(control: Control) -> None:
    """Log the hours of reads that are over, and remove the records whose time is over."""
    settle_reads(control)
    remove_old(control, retention())


GATEWAY: Final = Service(
    program="python -m sharing.gateway",
    description=text(
        "以 Delta Sharing 协议提供 JINGSHU_HOME 的共享表。",
        "Serve the shared tables of JINGSHU_HOME by Delta Sharing.",
    ),
    port_help=text(
        "默认为 JINGSHU_GATEWAY_PORT，或 8791。", "default: JINGSHU_GATEWAY_PORT, or 8791"
    ),
    settings=gateway_serving,
    build=build_app,
    tidy=_tidy,
)
