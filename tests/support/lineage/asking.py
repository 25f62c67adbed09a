"""Asks ``jingshu lineage`` in this process, and reads what it answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.main import main


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def tree_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def names(node: dict[str, Any], following: str) -> set[str]:
    own = f"{node['dataset']}.{node['column']}" if "column" in node else node["dataset"]
    return {own}.union(*(names(n, following) for n in node[following]))
