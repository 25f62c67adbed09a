"""``jingshu backfill``: what cannot be meant is said before any Spark is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.shop import shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calling import Jingshu

SPAN = ("--from", "2026-07-15", "--to", "2026-07-16")


@pytest.fixture(autouse=True)
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("Spark was asked for")

    monkeypatch.setattr("cli.spark.running_spark", started)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shop.nothing", *SPAN), "no contract 'shop.nothing'"),
        (("shop.totals", *SPAN), "Backfill an input: shop.stock"),
        (("shop.sale", *SPAN, "--provider", "x"), "It has: shop"),
        (("shop.sale", "--from", "2026-07-16", "--to", "2026-07-15"), "lies after"),
        (("shop.sale", "--from", "2026-07-16", "--to", "2199-07-15"), "in the future"),
        (("shop.sale", *SPAN, "--from-raw"), "No original bytes of shop.sale are kept"),
        (("shop.sale", "--from", "2026-07-16"), "--to"),
        (("shop.sale", "--from", "yesterday", "--to", "2026-07-15"), "yesterday"),
    ],
)
def test_wrong_usage(
    jingshu: Jingshu, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = jingshu("backfill", *arguments, contracts=shop_tree(tmp_path / "contracts").root)
    assert said.code == 2
    assert words in said.err
    assert not (tmp_path / "empty").exists(), "a question that cannot be meant writes nothing"
