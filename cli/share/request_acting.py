"""What the commands on a request share: who acts, for whom, on which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from contracts.model import CITY_TZ
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sharing.control import Control
    from sharing.requests.tables import Ask

_F = TypeVar("_F", bound="Callable[..., Any]")


def acting_for(command: _F) -> _F:
    """Add the options that say for whom, and in which role, somebody acts."""
    from sharing.people import GIVEN_ROLES

    command = click.option(
        "--as-role",
        "as_roles",
        multiple=True,
        type=click.Choice(GIVEN_ROLES),
        help=text("只以这一角色办理（可多个）。", "In this role only; may stand often."),
    )(command)
    return click.option("--as-body", metavar="B", help=text("代表哪一部门。", "For which body."))(
        command
    )


def ask_of(control: Control, ask_id: str) -> Ask:
    """Return a request by its number."""
    from sharing.requests.tables import read_ask

    with control.read() as session:
        return read_ask(session, ask_id)


def local(at: datetime) -> str:
    """Return a moment as the city's clocks show it."""
    return f"{at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
