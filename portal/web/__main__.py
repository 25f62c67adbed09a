"""Run the web application: ``python -m portal.web --port 8792``."""

from __future__ import annotations

import argparse
import sys

from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.private import keep_private, private_process
from portal.web.serving import build_server
from sharing.control import Control
from sharing.gateway.serving import log_to_stdout


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m portal.web",
        description="Serve the pages of those who ask, provide and administer.",
    )
    parser.add_argument("--port", type=int, help="default: JINGSHU_WEB_PORT, or 8792")
    port: int | None = parser.parse_args(arguments).port
    log_to_stdout()
    private_process()
    home = Home.from_env()
    keep_private(home.root)
    try:
        with Control(home) as control:
            server = build_server(control, port)
            server.run()
            return 0 if server.started else 1
    except KeyboardInterrupt:
        return 130
    except JingshuError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, UsageError) else 1


if __name__ == "__main__":
    sys.exit(main())
