"""The web pages as a service.

Behind a proxy that speaks TLS, ``JINGSHU_WEB_URL`` is the proxy's address, and cookies go by TLS
only.
"""

from __future__ import annotations

from typing import Final

from portal.web.app import build_web
from sharing.endpoint import web_serving
from sharing.serving import Service

PORTAL: Final = Service(
    program="python -m portal.web",
    description="Serve the pages of those who ask, provide and administer.",
    port_help="default: JINGSHU_WEB_PORT, or 8792",
    settings=web_serving,
    build=build_web,
)
