"""Run the command line: ``python -m cli``, which ``./jingshu`` does."""

from __future__ import annotations

from cli.main import main
from contracts.private import private_process

if __name__ == "__main__":
    private_process()
    main()
