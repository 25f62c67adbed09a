"""Everything that can be shown has its words, and the catalogue is read anew in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import pytest

from contracts.model import Sharing
from jobs.share.masking import MASKS
from portal.web import words
from portal.web.shelf import Shelf
from sharing.accounts.failures import Reason
from sharing.people import GIVEN_ROLES
from sharing.requests.asked import Asked
from sharing.requests.records import Use
from sharing.requests.registered import UNREGISTERED
from sharing.requests.states import STATES, TRANSITIONS
from tests.support.sharing.asking import MONDAY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from portal.words import Word
    from sharing.control import Control

_NEEDED = {name for transition in TRANSITIONS.values() for name in transition.needs}
_MAY_BE_STATED = {UNREGISTERED, *(name for names in words.OPTIONAL.values() for name in names)}


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (words.STATE, STATES),
        (words.ACTION, TRANSITIONS),
        (words.STATEMENT, _NEEDED | _MAY_BE_STATED),
        (words.ROLE, GIVEN_ROLES),
        (words.MASK, {"drop", *MASKS}),
        (words.MODE, get_args(Asked.model_fields["mode"].annotation)),
        (words.ATTRIBUTE, get_args(Sharing.model_fields["attribute"].annotation)),
        (words.USE, Use.__dataclass_fields__),
        (words.FAILURE, get_args(Reason)),
    ],
    ids=["state", "action", "said", "role", "mask", "mode", "attribute", "use", "failure"],
)
def test_what_can_be_shown_has_its_words(table: Mapping[str, Word], keys: Collection[str]) -> None:
    assert set(table) == set(keys)
    assert all(word.zh and word.en for word in table.values())


def test_the_catalogue_is_at_most_a_minute_old(control: Control) -> None:
    shelf = Shelf(control.home)
    first = shelf.entries(MONDAY)
    assert shelf.entries(MONDAY + timedelta(seconds=59)) is first
    later = shelf.entries(MONDAY + timedelta(seconds=60))
    assert later is not first
    assert later == first
