"""Commands in this process: exit code, output, and a home that they find by its variable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that it printed."""
        return json.loads(self.out)


@pytest.fixture
def jingshu(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Said]:
    """Call a command; ``home`` and ``contracts`` choose where, else an empty home."""

    def call(*arguments: object, home: Path | None = None, contracts: Path | None = None) -> Said:
        monkeypatch.setenv("JINGSHU_HOME", str(home or tmp_path / "empty"))
        if contracts is not None:
            monkeypatch.setenv("JINGSHU_CONTRACTS", str(contracts))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Said(stopped.value.code, out, err)

    return call
