"""Ends a process at a step of a job, as a kill would."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree

#: A module, a function of it, which of its calls, and what happens before that call.
Crash = tuple[str, str, int, str]

#: Ends the process at the ``nth`` call of a function, before or after it.
_EXIT_AROUND: Final = """
import {module} as target
real, calls = target.{name}, [0]
def crash(*a, **k):
    calls[0] += 1
    if calls[0] == {nth}:
        {before}
    made = real(*a, **k)
    if calls[0] == {nth}:
        os._exit(9)
    return made
target.{name} = crash
"""


def die(home: Home, tree: Tree, crash: Crash, code: str, told: str) -> str:
    """Run code in a process that ends itself at a step; return what it had said by then."""
    module, name, nth, before = crash
    imports = "import os, sys\nfrom jobs import entry, steps\nfrom jobs.record import batches\n"
    program = imports + _EXIT_AROUND.format(module=module, name=name, nth=nth, before=before)
    environment = os.environ | {
        "JINGSHU_HOME": str(home.root),
        "JINGSHU_CONTRACTS": str(tree.root),
        "PYTHONPATH": str(ROOT),
    }
    child = subprocess.run(
        [sys.executable, "-c", program + code],
        env=environment,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 9, child.stderr
    return child.stdout + child.stderr
