"""``./jingshu keys``: the keys that seal columns and make pseudonyms, none ever shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jobs.seal.keys import FileKeys, Key

_NAME = click.argument("name")
_JSON = click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON array.")


@click.group(epilog="例 Example: ./jingshu keys rotate bureau/health")
def keys() -> None:
    """密钥 List and rotate the keys that seal L4 columns and make pseudonyms.

    bureau/<provider> 封存该单位的四级列与原始文件；purpose/<purpose> 生成该用途的假名。
    A key is made when it is first needed; no command shows one. They lie in
    $JINGSHU_HOME/keys/seal: back that folder up, apart from the lake.
    """


@keys.command("list", epilog="例 Example: ./jingshu keys list --json")
@_JSON
def list_keys(*, as_json: bool) -> None:
    """列出 List every key: name, versions, and when the newest was made."""
    files = _files()
    found = [_described(files.versions(name)) for name in files.names()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for key in found:
        click.echo(f"{key['name']}  v{key['versions']}  {key['newest_at']}")
    if not found:
        click.echo("尚无密钥 There is no key yet: the first L4 delivery makes one.")


@keys.command(epilog="例 Example: ./jingshu keys rotate bureau/civil")
@_NAME
def rotate(name: str) -> None:
    """轮换 Add a version to a key: what is sealed from now on is sealed with it.

    旧版本仍可解封；假名随之改变。 Older versions go on opening what they sealed, and a table is
    sealed anew whenever it is rewritten. Pseudonyms of a purpose change with its key.
    """
    made = _files().rotate(name)
    click.echo(f"已轮换 {name} is at version {made.version} now.")


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
            "JINGSHU_KEY_PROVIDER names a provider of its own.", "List and rotate its keys there."
        )
    return provider
