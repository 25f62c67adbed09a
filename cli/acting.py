"""Who acts on the command line: an account that is named, else the operating system's user."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sharing.control import Control
    from sharing.people import Actor

AS = click.option(
    "--as",
    "acting",
    metavar="NAME",
    help=text("以这一账户及其角色办理。", "Act as this account, with its roles."),
)


def actor(control: Control, acting: str | None, body: str = "") -> Actor:
    """Return who acts: an account, or the operating system's user, who may all for ``body``.

    Without a body it is the data authority's.
    """
    from sharing.accounts.accounts import actor_named
    from sharing.people import DATA_AUTHORITY

    return local_user(body or DATA_AUTHORITY) if acting is None else actor_named(control, acting)


def local_user(body: str, roles: Sequence[str] = ()) -> Actor:
    """Return the operating system's user for a body, in these roles; in every one, if none."""
    from sharing.people import GIVEN_ROLES, Actor

    return Actor(getpass.getuser(), body, frozenset(roles or GIVEN_ROLES))  # type: ignore[arg-type]  # click compared them
