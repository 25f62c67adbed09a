"""Run the gateway: ``python -m sharing.gateway --port 8791``."""

from __future__ import annotations

import argparse
import sys

from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.private import keep_private, private_process
from sharing.control import Control
from sharing.gateway.serving import build_server, log_to_stdout


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sharing.gateway",
        description="Serve the shared tables of JINGSHU_HOME by Delta Sharing.",
    )
    parser.add_argument("--port", type=int, help="default: JINGSHU_GATEWAY_PORT, or 8791")
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
