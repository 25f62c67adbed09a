"""Run the gateway: ``python -m sharing.gateway --port 8791``."""

from __future__ import annotations

import sys

from sharing.gateway.serving import GATEWAY
from sharing.serving import serve

if __name__ == "__main__":
    sys.exit(serve(GATEWAY))
