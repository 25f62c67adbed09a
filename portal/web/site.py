"""What every page has to hand: the control data, the clock, and who asks for what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from contracts.requested import city_tree
from portal.web import guard
from sharing.accounts.sessions import OpenSession, actor_of
from sharing.people import may

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from contracts.layout import Home
    from contracts.tree import Tree
    from contracts.words import Language
    from portal.web.forms import Fields
    from portal.web.shelf import Shelf
    from portal.web.turns import Turns
    from portal.words import Word
    from sharing.accounts.passwords import Passwords
    from sharing.control import Control
    from sharing.people import Actor

#: What a page needs that asks for no right beyond being logged in.
LOGIN: Final = "login"
_MOST_DIGITS: Final = 12


@dataclass(frozen=True)
class OpenPage:
    """A page for whoever comes, logged in or not."""

    method: str
    path: str
    handler: Callable[[Guest], Response]
    #: Whether it hashes a password: few do at the same time.
    hashes: bool = False


@dataclass(frozen=True)
class Page:
    """A page for who is logged in.

    ``needs`` is an action of ``permissions.csv``, or ``LOGIN``. ``menu`` is what the page is called
    in the menu, where it stands there; ``is_for_new`` pages open before the password is one's own;
    those that hash a password (``hashes``) wait for their turn.
    """

    method: str
    path: str
    needs: str
    handler: Callable[[Visit], Response]
    menu: Word | None = None
    is_for_new: bool = False
    hashes: bool = False

    def is_open_to(self, actor: Actor) -> bool:
        """Tell whether somebody's roles let them in; of which bodies, the handler asks."""
        return self.needs == LOGIN or may(actor, self.needs, actor.body)


@dataclass(frozen=True)
class Web:
    """The application: what it serves, at which address, by which clock."""

    control: Control
    base_url: str
    passwords: Passwords
    now: Callable[[], datetime]
    shelf: Shelf
    menu: tuple[Page, ...]
    turns: Turns

    @property
    def home(self) -> Home:
        """Where state lives."""
        return self.control.home

    @property
    def is_https(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.base_url.startswith("https:")


@dataclass(frozen=True)
class Guest:
    """One request of somebody who need not be logged in; ``at`` is its time (UTC)."""

    web: Web
    request: Request
    fields: Fields
    at: datetime

    @cached_property
    def language(self) -> Language:
        """The language that they read."""
        return guard.language(self.web, self.request)


@dataclass(frozen=True)
class Visit(Guest):
    """One request of somebody who is logged in."""

    login: OpenSession

    @property
    def actor(self) -> Actor:
        """Who acts: the login's account as it is now, never what a form says."""
        return actor_of(self.login)

    @cached_property
    def tree(self) -> Tree:
        """The contracts in force, those of requests among them: the same for the whole visit."""
        return city_tree(self.web.home)

    def may(self, action: str, of: str) -> bool:
        """Tell whether the visitor may do an action that concerns a body."""
        return may(self.actor, action, of)

    def path(self, name: str) -> str:
        """Return a part of the address, such as a request's id."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """Return a parameter of the address; empty where there is none."""
        return self.request.query_params.get(name, "").strip()

    def number(self, name: str) -> int | None:
        """Return a parameter of the address that is a whole number; None where it is none."""
        text = self.query(name)
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        return int(text) if is_number else None
