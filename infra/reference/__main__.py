"""``python -m infra.reference``: write the generated pages of ``docs/reference/`` anew."""

from __future__ import annotations

import click

from infra.reference.pages import write


@click.command()
def main() -> None:
    """Write the generated pages of docs/reference anew, and name those that changed."""
    for name in write():
        click.echo(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
