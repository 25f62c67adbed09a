"""Run the demo's witness: ``python -m infra.witness --port 8793``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from contracts.layout import Home
from contracts.words import text
from infra.witness.local import PORT, make_server


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.witness",
        description=text(
            "为演示在 127.0.0.1 联署 JINGSHU_HOME 的存证日志。",
            "Cosign the evidence log of JINGSHU_HOME, on 127.0.0.1, for a demo.",
        ),
    )
    parser.add_argument("--port", type=int, default=PORT)
    port: int = parser.parse_args(arguments).port
    with make_server(Home.from_env(), port) as server:
        # shutdown() waits for the loop, which a handler would interrupt: so from a thread.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
