"""Commands in this process: exit code, output, and a home that they find by its variable."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from contracts.layout import Home
from tests.support.calling import Jingshu, Said
from tests.support.shop import Shop, day, shop_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def jingshu(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Jingshu:
    """Commands of this process."""

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


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, spark_remote: str) -> Shop:
    """A lake that is only looked at: a published batch with a bad row, and a held one."""
    root = tmp_path_factory.mktemp("shop")
    made = Shop(Home(root / "home"), shop_tree(root / "contracts"))
    rows: dict[str, int | str] = {f"A{n}": n for n in range(20)}
    made.deliver("sale", day(1), {**rows, "A7": -7})
    made.deliver("sale", day(2), {**rows, "A1": "one", "A2": "", "A3": -3, "A4": -4})
    return made


@pytest.fixture
def own_shop(shop: Shop, tmp_path: Path) -> Shop:
    """The same lake, to be changed."""
    shutil.copytree(shop.home.root, tmp_path / "own")
    return Shop(Home(tmp_path / "own"), shop.tree)
