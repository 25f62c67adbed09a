"""How commands speak: in the language of whoever runs them (``contracts.words.reader``)."""

from __future__ import annotations

import re
from typing import Final, TypedDict

import click

from contracts.words import Words, reader, text

#: The option of every command that can answer a program.
JSON = click.option(
    "--json", "as_json", is_flag=True, help=text("输出一个 JSON 对象。", "Print one JSON object.")
)
#: The same, of a command that tells what it does while it does it.
JSON_LAST = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("末行输出一个 JSON 对象。", "Print one JSON object as the last line."),
)
_FIRST_SENTENCE: Final = re.compile(r".*?(?:。|\.(?=\s|$))", re.DOTALL)


class About(TypedDict):
    """What ``--help`` says of a command, as click takes it."""

    help: str
    short_help: str
    epilog: str


def about(zh: str, en: str, *examples: str) -> About:
    r"""Return a command's help, with command lines that can be typed as they stand.

    The first sentence also stands in its group's overview. Used as
    ``@click.command(**about("列出批次。", "List batches.", "./jingshu batch list"))``.
    """
    lines = "\n  ".join(examples)
    return About(
        help=f"{zh}\n\n{en}" if reader() == "both" else text(zh, en),
        short_help=text(_first_sentence(zh), _first_sentence(en)),
        epilog=f"\b\n{text('示例：', 'Example:')}\n  {lines}",
    )


def _first_sentence(told: str) -> str:
    found = _FIRST_SENTENCE.match(told)
    return " ".join((found[0] if found else told).split())


def tell(zh: str, en: str, *, err: bool = False) -> None:
    """Print a text, whole in the language of whoever reads it."""
    click.echo(printed(zh, en), err=err)


def printed(zh: str, en: str) -> str:
    """Return a text as it stands on a page; for both, a block of lines stands below the other."""
    if reader() != "both":
        return text(zh, en)
    if "\n" in zh.strip():
        return f"{zh}\n{en.lstrip()}"
    indent = zh[: len(zh) - len(zh.lstrip())]
    return f"{indent}{zh.strip()} {en.strip()}"


def shown(told: Words | str) -> str:
    """Return a text that was carried about, or kept, in the language of whoever reads it."""
    return (told if isinstance(told, Words) else Words.read(told)).to(reader())
