"""Page and refresh tokens of a query: what a later request must go on with, sealed by our key.

They pin a table's version, which without a seal would open a history that is not shared.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.digest import sha256
from sharing.gateway.errors import invalid

if TYPE_CHECKING:
    from sharing.gateway.signing import Signer

#: How long a page can be asked for, and new URLs after the first ones have ended (seconds).
PAGE_LIFE_S: Final = 600
REFRESH_GRACE_S: Final = 3600
Use = Literal["page", "refresh"]


@dataclass(frozen=True)
class Place:
    """Where a query goes on: whose it is, which table and version, behind which file.

    ``asked`` is the digest of its other parameters, which must not change between pages.
    """

    use: Use
    recipient: str
    table: str
    version: int
    asked: str
    after: int
    ends_at_s: int


def seal(signer: Signer, place: Place) -> str:
    """Write a token."""
    payload = json.dumps(asdict(place), sort_keys=True).encode()
    return base64.urlsafe_b64encode(signer.digest(f"query {place.use}", payload) + payload).decode()


def unseal(signer: Signer, use: Use, token: str, now_s: float) -> Place:
    """Read a token of ours.

    Raises:
        ApiError: It is not ours, of another use, or over (400).
    """
    length = hashlib.sha256().digest_size
    try:
        raw = base64.b64decode(token.encode("ascii"), b"-_", validate=True)
    except ValueError as error:
        raise invalid(f"Error decoding the {use} token.") from error
    seal_, payload = raw[:length], raw[length:]
    if not hmac.compare_digest(seal_, signer.digest(f"query {use}", payload)):
        raise invalid(f"Error decoding the {use} token.")
    place = Place(**json.loads(payload))
    if now_s >= place.ends_at_s:
        raise invalid(f"The {use} token has expired; query the table again.")
    return place


def digest_of(parameters: Any) -> str:
    """Return what tells two queries' parameters apart."""
    return sha256(json.dumps(parameters, sort_keys=True))[:32]
