"""Run the web application: ``python -m portal.web --port 8792``."""

from __future__ import annotations

import sys

from portal.web.serving import PORTAL
from sharing.serving import serve

if __name__ == "__main__":
    sys.exit(serve(PORTAL))
