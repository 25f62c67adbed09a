"""How commands speak: in the language of whoever runs them (``contracts.words.reader``)."""

from __future__ import annotations

from typing import TypedDict

import click

from contracts.words import Words, reader, text

#: The option of every command that can answer a program.
JSON = click.option(
    "--json", "as_json", is_flag=True, help=text("输出一个 JSON 对象。", "Print one JSON object.")
)


class About(TypedDict):
    """What ``--help`` says of a command, as click takes it."""

    help: str
    epilog: str


def about(zh: str, en: str, *examples: str) -> About:
    r"""Return a command's help, with command lines that can be typed as they stand.

    The first sentence also stands in its group's overview. Used as
    ``@click.command(**about("列出批次。", "List batches.", "./jingshu batch list"))``.
    """
    lines = "\n  ".join(examples)
    return About(help=text(zh, en), epilog=f"\b\n{text('示例：', 'Example:')}\n  {lines}")


def tell(zh: str, en: str, *, err: bool = False) -> None:
    """Print one line, whole in the language of whoever reads it."""
    click.echo(text(zh, en), err=err)


def words_of(told: Words | str) -> Words:
    """Return a text whole in each language, be it carried about or read from where it is kept."""
    return told if isinstance(told, Words) else Words.read(told)


def shown(told: Words | str) -> str:
    """Return a text that was carried about, or kept, in the language of whoever reads it."""
    return words_of(told).to(reader())
