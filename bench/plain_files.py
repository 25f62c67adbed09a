"""Serves a folder by HTTP, with ranges, and nothing else: ``python -m bench.plain_files PORT DIR``.

What the gateway is held against: no rights, no signatures, no record.
"""

from __future__ import annotations

import sys

import uvicorn
from starlette.staticfiles import StaticFiles


def main(port: str, folder: str) -> None:
    """Serve until the process is ended."""
    uvicorn.run(
        StaticFiles(directory=folder), host="127.0.0.1", port=int(port), log_level="warning"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
