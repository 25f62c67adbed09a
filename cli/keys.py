"""``./jingshu keys``: the keys that seal columns and make pseudonyms, none ever shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from cli.words import about, tell
from contracts.words import Words, text

if TYPE_CHECKING:
    from jobs.seal.keys import FileKeys, Key

_NAME = click.argument("name")
_JSON = click.option(
    "--json", "as_json", is_flag=True, help=text("输出一个 JSON 数组。", "Print one JSON array.")
)


@click.group(
    **about(
        "列出并轮换密钥，它们封存四级列、生成假名。\n\n"
        "bureau/<provider> 封存该单位的四级列与原始文件；purpose/<purpose> 生成该用途的假名。"
        "密钥在首次需要时生成；没有命令会显示它。密钥存在 $JINGSHU_HOME/keys/seal："
        "请备份此目录，与湖分开存放。",
        "List and rotate the keys that seal L4 columns and make pseudonyms.\n\n"
        "bureau/<provider> seals that body's L4 columns and its original files;"
        " purpose/<purpose> makes the pseudonyms of that purpose. A key is made when it is first"
        " needed; no command shows one. They lie in $JINGSHU_HOME/keys/seal: back that folder up,"
        " apart from the lake.",
        "./jingshu keys rotate bureau/health",
    )
)
def keys() -> None:
    """List and rotate the keys that seal L4 columns and make pseudonyms."""


@keys.command(
    "list",
    **about(
        "列出每个密钥：名称、版本数、最新版本的生成时间。",
        "List every key: name, versions, and when the newest was made.",
        "./jingshu keys list --json",
    ),
)
@_JSON
def list_keys(*, as_json: bool) -> None:
    """List every key: name, versions, and when the newest was made."""
    files = _files()
    found = [_described(files.versions(name)) for name in files.names()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for key in found:
        click.echo(f"{key['name']}  v{key['versions']}  {key['newest_at']}")
    if not found:
        tell(
            "尚无密钥：首次四级数据交付时生成。",
            "There is no key yet: the first L4 delivery makes one.",
        )


@keys.command(
    **about(
        "给密钥添加一个版本：此后封存的都用新版本。\n\n"
        "旧版本仍可解封它封存的内容，表在重写时用新版本重新封存。一个用途的假名随其密钥改变。",
        "Add a version to a key: what is sealed from now on is sealed with it.\n\n"
        "Older versions go on opening what they sealed, and a table is sealed anew whenever it is"
        " rewritten. Pseudonyms of a purpose change with its key.",
        "./jingshu keys rotate bureau/civil",
    )
)
@_NAME
def rotate(name: str) -> None:
    """Add a version to a key: what is sealed from now on is sealed with it."""
    made = _files().rotate(name)
    tell(
        f"已轮换：{name} 现为第 {made.version} 版。",
        f"Rotated: {name} is at version {made.version} now.",
    )


def _described(versions: list[Key]) -> dict[str, object]:
    newest = versions[-1]
    made = newest.created_at.isoformat(timespec="seconds")
    return {"name": newest.name, "versions": len(versions), "newest_at": made}


def _files() -> FileKeys:
    from contracts.errors import UsageError
    from contracts.layout import Home
    from jobs.seal.keys import FileKeys, keys_of

    provider = keys_of(Home.from_env())
    if not isinstance(provider, FileKeys):
        raise UsageError(
            Words(
                "JINGSHU_KEY_PROVIDER 指定了自己的密钥提供者。",
                "JINGSHU_KEY_PROVIDER names a provider of its own.",
            ),
            Words("请在那里列出和轮换密钥。", "List and rotate its keys there."),
        )
    return provider
