"""A folder in which documented commands are typed one after the other, in this process."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from cli.main import main
from contracts.layout import ROOT
from tests.support.sharing.asking import MONDAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from contracts.layout import Home

_VARIABLE = re.compile(r"(\w+)=(\S+) ")


class Standing(datetime):
    """A clock that stands in the days of which the examples tell."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        at = MONDAY.astimezone(tz)
        return cls.combine(at.date(), at.timetz())


@dataclass
class Desk:
    """Where a person types over a home; ``meant`` replaces what is another in every home."""

    home: Home
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    contracts: Path = ROOT / "contracts"
    meant: Mapping[str, str] = field(default_factory=dict)

    def type(self, command: str, ends: int = 0) -> str:
        """Type a command; ``>`` writes its output into a file. Return what it said."""
        said, _, file = command.partition(" > ")
        for example, ours in self.meant.items():
            said = said.replace(example, ours)
        self.capture.readouterr()
        with self.patch.context() as shell:
            shell.setenv("JINGSHU_HOME", str(self.home.root))
            shell.setenv("JINGSHU_CONTRACTS", str(self.contracts))
            shell.chdir(self.home.root)
            while variable := _VARIABLE.match(said):
                shell.setenv(*variable.groups())
                said = said[variable.end() :]
            program, *words = shlex.split(said)
            assert program == "./jingshu", command
            with pytest.raises(SystemExit) as ended:
                main(words)
            printed = self.capture.readouterr()
            if file:
                Path(file).write_text(printed.out, "utf-8")
        told = printed.out + printed.err
        assert (ended.value.code or 0) == ends, f"{command}: {told}"
        return told

    def type_all(self, story: Iterable[str]) -> None:
        """Type commands one after the other; each has to end well."""
        for command in story:
            self.type(command)

    def write(self, name: str, text: str) -> None:
        """Put a file where commands are typed."""
        self.home.root.mkdir(parents=True, exist_ok=True)
        (self.home.root / name).write_text(text, "utf-8")
