"""Recipients and their bearer tokens: shown once, kept as SHA-256, rotated with a grace period.

A token is handed over by an activation link, which works once, and is good from the recipient's
networks alone where it has any.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from contracts.errors import JingshuError, UsageError
from contracts.moment import utc_now
from contracts.words import Words
from sharing.control import NETWORKS_CHARACTERS, Activation, Recipient, Token, UtcDateTime
from sharing.endpoint import endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from sharing.control import Control

#: How long a token is good for.
TOKEN_LIFE = timedelta(days=90)
#: How long older tokens stay good after a new one is issued.
GRACE = timedelta(hours=24)
#: How long an activation link can be used.
INVITATION_LIFE = timedelta(days=3)
#: Found in a leak by its prefix; 32 random bytes cannot be guessed, so a plain hash is enough.
_TOKEN_PREFIX = "jst_"  # noqa: S105 - no secret, the beginning of each
_TOKEN_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_BODY = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class NotItsRecipientError(JingshuError, PermissionError):
    """A body named a recipient that is not its own."""


@dataclass(frozen=True)
class Profile:
    """A profile file's content, version 1 (Delta Sharing protocol § Profile File Format)."""

    endpoint: str
    token: str = field(repr=False)
    expires_at: datetime

    def to_json(self) -> str:
        """Write the profile as the released clients read it."""
        return json.dumps(
            {
                "shareCredentialsVersion": 1,
                "endpoint": self.endpoint,
                "bearerToken": self.token,
                "expirationTime": self.expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            },
            indent=2,
        )


def create_recipient(control: Control, name: str, actor: str, body: str | None = None) -> None:
    """Make a recipient known, ``body``'s where one is given; one that is known stays as it is.

    Raises:
        UsageError: The name is not a lower-case word of at most 63 letters, digits, ``_`` or ``-``;
            or the body is none.
        NotItsRecipientError: It is known, and not the given body's.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            Words(f"{name!r} 不能作接收方名称。", f"{name!r} cannot name a recipient."),
            Words(
                "请用小写字母、数字、下划线或连字符，以字母或数字开头。",
                "Use lower-case letters, digits, '_' and '-', starting with a letter or digit.",
            ),
        )
    if body is not None:
        require_body(body)
    with control.write() as session:
        if session.get(Recipient, name) is None:
            session.add(Recipient(name=name, created_at=utc_now(), created_by=actor, body=body))
        elif body is not None:
            require_own(session, name, body)


def require_body(body: str) -> None:
    """Raise UsageError for what cannot be a body's id."""
    if not _BODY.fullmatch(body):
        raise UsageError(
            Words(f"{body!r} 不是部门标识。", f"{body!r} names no body."),
            Words("请写部门标识，如 health。", "Give a body's id, such as health."),
        )


def require_own(session: Session, name: str, body: str) -> None:
    """Raise NotItsRecipientError where a recipient is not a body's own.

    Data goes to who holds the recipient's token, so no other body may ask for it.
    """
    row = session.get(Recipient, name)
    if row is not None and row.body == body:
        return
    if row is None or row.body is None:
        raise NotItsRecipientError(
            Words(
                f"接收方 {name} 还没有归属部门。", f"The recipient {name} belongs to no body yet."
            ),
            Words(
                f"请安全管理员先定归属：./jingshu share body {name} {body}。",
                f"Have the security administrator give it its body: ./jingshu share body"
                f" {name} {body}.",
            ),
        )
    raise NotItsRecipientError(
        Words(
            f"接收方 {name} 属于 {row.body}，不属于 {body}。",
            f"The recipient {name} is {row.body}'s, not {body}'s.",
        ),
        Words(
            f"请换用 {body} 自己的接收方，或新的名称。",
            f"Name a recipient of {body}'s own, or a new one.",
        ),
    )


def require_recipient(session: Session, name: str) -> None:
    """Raise UsageError where no recipient has this name."""
    if session.get(Recipient, name) is None:
        known = ", ".join(session.scalars(select(Recipient.name).order_by(Recipient.name)))
        raise UsageError(
            Words(f"没有接收方 {name!r}。", f"There is no recipient {name!r}."),
            Words(
                f"请先给它授权一张表。现有：{known or '无'}。",
                f"Grant it a table first. Known: {known or 'none'}.",
            ),
        )


def issue_profile(
    control: Control, name: str, *, grace: timedelta = GRACE, at: datetime | None = None
) -> Profile:
    """Issue a new token; older ones end after ``grace``. This is the only time it is seen.

    Raises:
        UsageError: There is no such recipient.
    """
    with control.write() as session:
        require_recipient(session, name)
        return _issue(session, name, grace, at or utc_now())


def _issue(session: Session, name: str, grace: timedelta, at: datetime) -> Profile:
    profile = Profile(
        endpoint(),
        _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES),
        # The file names whole seconds; the token must not outlive what it says.
        (at + TOKEN_LIFE).replace(microsecond=0),
    )
    end_tokens(session, name, at + grace)
    session.add(
        Token(
            sha256=_digest(profile.token),
            recipient=name,
            created_at=at,
            expires_at=profile.expires_at,
        )
    )
    return profile


def end_tokens(session: Session, name: str, ends: datetime) -> None:
    """Let every token of a recipient end at ``ends``, unless it ends sooner."""
    for row in session.scalars(
        select(Token)
        .where(Token.recipient == name)
        .where(Token.revoked_at.is_(None) | (Token.revoked_at > ends))
    ):
        row.revoked_at = ends


def write_profile(profile: Profile, path: Path) -> None:
    """Write the profile file, readable by its owner alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(profile.to_json() + "\n")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def ensure_profile(control: Control, name: str, path: Path) -> None:
    """Keep the profile file if it still opens this gateway for ``name``; else issue a new one."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        token, address = str(written["bearerToken"]), written["endpoint"]
    except (OSError, ValueError, KeyError, TypeError):
        token, address = "", None
    soon = utc_now() + GRACE
    if address != endpoint() or authenticate(control, token, at=soon) != name:
        write_profile(issue_profile(control, name), path)


#: Built once: the gateway asks it at every request, and building costs more than asking.
_KNOWN: Final = (
    select(Recipient.name, Recipient.networks)
    .join(Token, Token.recipient == Recipient.name)
    .where(
        Token.sha256 == bindparam("sha256"),
        Token.expires_at > bindparam("at", type_=UtcDateTime()),
        Token.revoked_at.is_(None) | (Token.revoked_at > bindparam("at", type_=UtcDateTime())),
    )
)


def authenticate(
    control: Control, token: str, at: datetime | None = None, *, address: str | None = None
) -> str | None:
    """Return the recipient whose valid token this is, or ``None``.

    With an ``address``, the token is good only from the recipient's networks.
    """
    at = (at or utc_now()).astimezone(UTC)
    with control.read() as session:
        asked = {"sha256": _digest(token), "at": at}
        found = session.execute(_KNOWN, asked).one_or_none()
    if found is None or (address is not None and not is_within(address, found.networks)):
        return None
    return str(found.name)


def set_networks(control: Control, name: str, networks: Sequence[str]) -> list[str]:
    """Let a recipient come from these networks alone (CIDR); none lets it come from anywhere.

    Raises:
        UsageError: There is no such recipient, or a network is none.
    """
    try:
        read = sorted({str(ip_network(n.strip())) for n in networks})
    except ValueError as wrong:
        raise UsageError(
            Words(f"网段有误：{wrong}。", f"A network is wrong: {wrong}."),
            Words("请写作 10.1.0.0/16。", "Write it as 10.1.0.0/16."),
        ) from wrong
    kept = ",".join(read)
    if len(kept) > NETWORKS_CHARACTERS:
        raise UsageError(
            Words("网段太多。", "These are too many networks."),
            Words("请写更大的网段。", "Name larger ones."),
        )
    with control.write() as session:
        require_recipient(session, name)
        session.get_one(Recipient, name).networks = kept
    return read


def invite(control: Control, name: str, actor: str, at: datetime | None = None) -> str:
    """Return the key of a link that hands out one profile, once, within three days.

    Raises:
        UsageError: There is no such recipient.
    """
    at = at or utc_now()
    key = secrets.token_urlsafe(_TOKEN_BYTES)
    with control.write() as session:
        require_recipient(session, name)
        session.add(
            Activation(
                sha256=_digest(key),
                recipient=name,
                created_at=at,
                created_by=actor,
                expires_at=at + INVITATION_LIFE,
            )
        )
    return key


def invited(control: Control, key: str, at: datetime | None = None) -> str | None:
    """Return whom an unused link invites, or ``None``; looking at it does not use it."""
    at = at or utc_now()
    with control.read() as session:
        row = session.get(Activation, _digest(key))
        return row.recipient if row and row.used_at is None and row.expires_at > at else None


def activate(control: Control, key: str, at: datetime | None = None) -> tuple[str, Profile] | None:
    """Use a link: return the recipient and its new profile, or ``None`` where it is used or over.

    Of two that come at once, one gets the profile.
    """
    at = at or utc_now()
    with control.write() as session:
        row = session.get(Activation, _digest(key))
        if row is None or row.used_at is not None or row.expires_at <= at:
            return None
        row.used_at = at
        return row.recipient, _issue(session, row.recipient, GRACE, at)


def is_within(address: str, networks: str) -> bool:
    """Tell whether an address is in one of the networks (CIDRs, commas between); none is any."""
    if not networks:
        return True
    try:
        come = ip_address(address)
    except ValueError:
        return False
    if isinstance(come, IPv6Address) and come.ipv4_mapped is not None:
        come = come.ipv4_mapped  # how a proxy that listens for both writes an IPv4 address
    return any(come in ip_network(n) for n in networks.split(","))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
