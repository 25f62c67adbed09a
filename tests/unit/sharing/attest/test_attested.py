"""Whoever may write to the control database and has no key changes no right unseen."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from argon2 import PasswordHasher
from sqlalchemy import create_engine, delete, select, text, update

from contracts.layout import ROOT
from contracts.loading import load_tree
from lineage.evidence.log import EvidenceLog
from sharing import migrations, owed
from sharing.accounts import accounts, sessions
from sharing.accounts.passwords import Passwords
from sharing.attest.journal import UnattestedError, settle
from sharing.attest.kinds import RIGHTS
from sharing.control import Control, Grant, OwedLeaf, Recipient, Token
from sharing.grants import grants, recipients
from sharing.grants.belonging import give_body
from sharing.people import Actor
from sharing.verify.attested import attested
from sharing.verify.lake import CityLake
from tests.support.sharing.trading import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from contracts.layout import Home
    from jobs.verify import Finding

TREE = load_tree(ROOT / "contracts")
AT = datetime(2026, 7, 15, 1, tzinfo=UTC)
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
OWN = "一句别人猜不到的话 and so on"
SYS = Actor("sys", "gov_data", frozenset({"sysadmin"}))
SEC = Actor("sec", "gov_data", frozenset({"secadmin"}))
FORGED = "f" * 64


@dataclass(frozen=True)
class Life:
    """A database in which everything happened that ordinarily does."""

    control: Control

    def findings(self) -> list[Finding]:
        checks = attested(CityLake(self.control.home, TREE))
        return [finding for _, finding in checks if finding is not None]

    def named(self) -> list[str]:
        """Return what verify finds broken, as ``where: problem``."""
        return [f"{f.where}: {f.problem.en}" for f in self.findings() if not f.is_recovering]

    def attack(self, *statements: str) -> None:
        """Write to the database as somebody does who has its password, or its file, only."""
        with self.control.write() as session:
            for statement in statements:
                session.connection().execute(text(statement))

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Put the rows of rights back as they are now at the end of the block."""
        tables: list[Any] = [kind.__table__ for kind in RIGHTS]
        with self.control.read() as session:
            kept = [[dict(row._mapping) for row in session.execute(t.select())] for t in tables]
        yield
        with self.control.write() as session:
            connection = session.connection()
            for table in reversed(tables):
                connection.execute(table.delete())
            for table, rows in zip(tables, kept, strict=True):
                connection.execute(table.insert(), rows)


def live(control: Control) -> Life:
    """Invite, activate, rotate, bind, move, empower, reset, log in and out, disable."""
    recipients.create_recipient(control, "demo", "test")
    give_body(control, "demo", "health", SEC, AT)
    recipients.set_networks(control, "demo", ["10.0.0.0/8"])
    recipients.activate(control, recipients.invite(control, "demo", "test"))
    recipients.issue_profile(control, "demo")
    issued = accounts.add_account(control, QUICK, SYS, "li.health", "health", AT)
    accounts.set_roles(control, SEC, "li.health", ["requester"], AT)
    accounts.change_password(control, QUICK, "li.health", issued, OWN, AT)
    opened = sessions.log_in(control, QUICK, "li.health", OWN, AT)
    sessions.find_session(control, opened.id, AT + timedelta(minutes=5))
    sessions.log_out(control, opened, AT)
    accounts.add_account(control, QUICK, SYS, "wang.health", "health", AT)
    accounts.reset_password(control, QUICK, SYS, "wang.health", AT)
    accounts.disable_account(control, SYS, "wang.health", AT)
    return Life(control)


@pytest.fixture
def life(home: Home, control_url: str) -> Iterator[Life]:
    """Ordinary life, on each kind of database."""
    with Control(home) as control:
        yield live(control)


@pytest.fixture
def small(control: Control) -> Life:
    return live(control)


def test_ordinary_life_is_proved_row_by_row(life: Life) -> None:
    assert life.findings() == []
    log = CityLake(life.control.home, TREE).log
    assert {leaf.type for leaf in log} == {
        *("recipient", "invitation", "token", "account", "session", "audit")
    }
    with life.control.read() as session:
        assert session.scalars(select(OwedLeaf.id)).all() == []


def test_leaves_hold_no_password_and_no_secret(small: Life) -> None:
    with small.control.read() as session:
        hashes = session.scalars(text("SELECT password_hash FROM share_accounts")).all()
    log = b"".join(entry for _, entry in EvidenceLog(small.control.home).entries())
    assert hashes
    for kept in (OWN, *hashes, *(str(h).rsplit("$", 1)[1] for h in hashes)):
        assert kept.encode() not in log
    assert b"argon2" not in log
    assert b"jst_" not in log


ATTACKS = {
    "a token is minted": (
        (
            "INSERT INTO share_tokens (sha256, recipient, created_at, expires_at)"
            f" VALUES ('{FORGED}', 'demo', '2026-07-15 01:00:00', '2099-01-01 00:00:00')"
        ),
        f"control.db share_tokens {FORGED}: its token is not in the evidence log",
    ),
    "an ended token lives on": (
        "UPDATE share_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "its revoked_at is not what its newest token leaf says",
    ),
    "a token expires later": (
        "UPDATE share_tokens SET expires_at = '2099-01-01 00:00:00'",
        "its expires_at is not what its newest token leaf says",
    ),
    "a link is made": (
        (
            "INSERT INTO share_activations (sha256, recipient, created_at, created_by, expires_at)"
            f" VALUES ('{FORGED}', 'demo', '2026-07-15 01:00:00', 'test', '2099-01-01 00:00:00')"
        ),
        f"control.db share_activations {FORGED}: its invitation is not in the evidence log",
    ),
    "a used link works again": (
        "UPDATE share_activations SET used_at = NULL",
        "its used_at is not what its newest invitation leaf says",
    ),
    "networks are cleared": (
        "UPDATE share_recipients SET networks = ''",
        "control.db share_recipients demo: its networks is not what its newest recipient leaf says",
    ),
    "a recipient moves": (
        "UPDATE share_recipients SET body = 'med_ins'",
        "control.db share_recipients demo: its body is not what its newest recipient leaf says",
    ),
    "a recipient is made": (
        (
            "INSERT INTO share_recipients (name, created_at, created_by, networks)"
            " VALUES ('mine', '2026-07-15 01:00:00', 'test', '')"
        ),
        "control.db share_recipients mine: its recipient is not in the evidence log",
    ),
    "an account becomes an authority": (
        "UPDATE share_accounts SET roles = 'authority' WHERE name = 'li.health'",
        "control.db share_accounts li.health: its roles is not what its newest account leaf says",
    ),
    "a password is replaced": (
        "UPDATE share_accounts SET password_hash = '$argon2id$mine' WHERE name = 'li.health'",
        "its password_hash_sha256 is not what its newest account leaf says",
    ),
    "an account is enabled again": (
        "UPDATE share_accounts SET disabled_at = NULL WHERE name = 'wang.health'",
        (
            "control.db share_accounts wang.health:"
            " its disabled_at is not what its newest account leaf says"
        ),
    ),
    "an account is made": (
        (
            "INSERT INTO share_accounts (name, body, roles, password_hash, failed, created_at)"
            " VALUES ('mine', 'gov_data', 'authority', 'x', 0, '2026-07-15 01:00:00')"
        ),
        "control.db share_accounts mine: its account is not in the evidence log",
    ),
    "a login is made": (
        (
            "INSERT INTO share_sessions (sha256, account, created_at, seen_at, expires_at) VALUES"
            f" ('{FORGED}', 'li.health', '2026-07-15 01:00:00', '2026-07-15 01:00:00',"
            " '2099-01-01 00:00:00')"
        ),
        f"control.db share_sessions {FORGED}: its session is not in the evidence log",
    ),
    "the audit is deleted": (
        "DELETE FROM share_account_events WHERE action = 'roles'",
        "the control database has no such audit any more",
    ),
    "the audit is changed": (
        "UPDATE share_account_events SET actor = 'another' WHERE action = 'roles'",
        "its actor is not what its newest audit leaf says",
    ),
    "the audit tells of what was not": (
        (
            "INSERT INTO share_account_events (id, at, actor, account, action, detail)"
            " VALUES (999, '2026-07-15 01:00:00', 'sec', 'li.health', 'roles', '')"
        ),
        "control.db share_account_events 999: its audit is not in the evidence log",
    ),
    "a token is removed": (
        "DELETE FROM share_tokens WHERE revoked_at IS NULL",
        "the control database has no such token any more",
    ),
}


def test_an_attack_by_sql_is_named(life: Life) -> None:
    """Each by itself: what it changed is put back before the next one."""
    for attack, (statement, found) in ATTACKS.items():
        with life.put_back():
            life.attack(statement)
            named = life.named()
            assert named, attack
            assert all(found in finding for finding in named), (attack, named)
    assert life.findings() == []


def test_every_row_of_a_lost_database_is_missed(small: Life) -> None:
    home = small.control.home
    small.control.close()
    home.control_db.unlink()
    assert {f.partition(":")[0] for f in small.named()} == {
        *("evidence recipient", "evidence invitation", "evidence token"),
        *("evidence account", "evidence session", "evidence audit"),
    }


def cut(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue a token and die before its leaf is logged."""
    with monkeypatch.context() as patch:
        patch.setattr("sharing.attest.journal.settle_or_warn", lambda _: None)
        recipients.issue_profile(control, "demo")


def test_a_crash_before_the_log_is_recovering_and_heals(
    small: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(small.control, monkeypatch)
    assert {f.problem.en for f in small.findings()} == {"its token is not in the evidence log yet"}
    assert small.named() == []
    recipients.issue_profile(small.control, "demo")
    assert small.findings() == []


def test_what_is_owed_cannot_be_changed_before_it_is_logged(
    small: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(small.control, monkeypatch)
    small.attack("UPDATE share_tokens SET expires_at = '2099-01-01 00:00:00'")
    assert all("its expires_at is not what" in finding for finding in small.named())
    small.attack("DELETE FROM share_owed_leaves")
    settle(small.control)
    assert [f for f in small.named() if "its token is not in the evidence log" in f]


def test_nobody_has_us_log_a_leaf_that_we_did_not_write(
    small: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted note of a planted token is not logged; nor is one of ours that was edited."""
    cut(small.control, monkeypatch)
    with small.control.read() as session:
        ours = session.execute(select(OwedLeaf.leaf, OwedLeaf.mac)).first()
    assert ours is not None
    size = EvidenceLog(small.control.home).size
    small.attack("DELETE FROM share_owed_leaves")
    with small.control.write() as session:
        session.add(OwedLeaf(leaf=ours.leaf.replace("demo", "mine"), mac=ours.mac))
        session.add(OwedLeaf(leaf="rubbish", mac=FORGED))
    settle(small.control)
    assert EvidenceLog(small.control.home).size == size
    planted = [f for f in small.named() if "share_owed_leaves" in f]
    assert [f.partition(": ")[2] for f in planted] == ["it was not written by this home"] * 2


@pytest.mark.parametrize(
    "change", [delete(Token), update(Recipient).values(networks="")], ids=["delete", "update"]
)
def test_a_program_of_ours_cannot_pass_the_log(small: Life, change: Any) -> None:
    def pass_by() -> None:
        with small.control.write() as session:
            session.execute(change)

    with pytest.raises(UnattestedError):
        pass_by()
    assert small.findings() == []


def owing_grant(recipient: str, name: str) -> str:
    """Return the statement for a grant whose leaf is not logged."""
    return (
        'INSERT INTO share_grants (id, recipient, share, "schema", "table", purpose, granted_at,'
        f" granted_by) VALUES ('{name}', '{recipient}', 'jingshu', 'city', 'heat__districts',"
        f" '{name}', '2026-07-01 00:00:00', 'test')"
    )


def key_of_grant(recipient: str, name: str) -> str:
    return f"grant:{recipient}/jingshu.city.heat__districts#{name}"


def make_old(engine: Engine) -> None:
    """Make the database of the version before leaves, with rows that have none."""
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0009")
        for statement in (
            (
                "INSERT INTO share_recipients (name, created_at, created_by, networks)"
                " VALUES ('old', '2026-07-01 00:00:00', 'test', '')"
            ),
            (
                "INSERT INTO share_tokens (sha256, recipient, created_at, expires_at) VALUES"
                f" ('{'a' * 64}', 'old', '2026-07-01 00:00:00', '2099-01-01 00:00:00')"
            ),
            (
                "INSERT INTO share_accounts (name, body, roles, password_hash, failed, created_at)"
                " VALUES ('old', 'health', 'cdo', 'x', 0, '2026-07-01 00:00:00')"
            ),
            owing_grant("old", "crashed"),
        ):
            connection.execute(text(statement))


@pytest.fixture
def old(home: Home, control_url: str) -> Home:
    home.root.mkdir(exist_ok=True)
    engine = create_engine(control_url)
    make_old(engine)
    engine.dispose()
    return home


def test_rows_of_the_version_before_are_taken_over_once(old: Home) -> None:
    with Control(old) as control:
        life = Life(control)
        assert life.findings() == []
        adoption = EvidenceLog(old).find("adoption:control.db")
        assert adoption is not None
        assert adoption.leaf.facts["rows"] == 3
        assert EvidenceLog(old).find(key_of_grant("old", "crashed")) is not None
        assert grants.granted_tables(control, "old") == frozenset()
        owed.settle(control, Grant)
        assert grants.granted_tables(control, "old") == {"heat__districts"}
        recipients.set_networks(control, "old", ["10.0.0.0/8"])
        recipients.issue_profile(control, "old")
        assert life.findings() == []
        life.attack("UPDATE share_accounts SET roles = 'authority'")
        assert life.named() == [
            "control.db share_accounts old: its roles is not what its newest account leaf says"
        ]


def test_the_door_for_old_rows_does_not_open_again(old: Home) -> None:
    """Setting the database back to the version before takes over nothing that was put in."""
    with Control(old) as control:
        _set_back(Life(control))
    with Control(old) as control:
        owed.settle(control, Grant)
        assert EvidenceLog(old).find(key_of_grant("old", "planted")) is None
        assert Life(control).named() == [
            f"control.db share_tokens {FORGED}: its token is not in the evidence log"
        ]


def test_nor_does_it_in_a_home_that_never_was_of_the_version_before(life: Life) -> None:
    _set_back(life)
    home = life.control.home
    with Control(home) as control:
        owed.settle(control, Grant)
        assert EvidenceLog(home).find("adoption:control.db") is None
        assert EvidenceLog(home).find(key_of_grant("demo", "planted")) is None
        assert Life(control).named() == [
            f"control.db share_tokens {FORGED}: its token is not in the evidence log"
        ]


def _set_back(life: Life) -> None:
    """Take the database back to the shape of 0009, and put a token in."""
    with life.control.read() as session:
        name = session.scalars(select(Recipient.name)).one()
        statements = set_back(session.connection(), "0009")
    life.attack(
        *statements,
        "INSERT INTO share_tokens (sha256, recipient, created_at, expires_at) VALUES"
        f" ('{FORGED}', '{name}', '2026-07-15 01:00:00', '2099-01-01 00:00:00')",
    )


def test_an_upgrade_that_was_killed_after_its_leaves_goes_on(
    old: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Home) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sharing.attest.adopt.ensure_key", die)
        with pytest.raises(KeyboardInterrupt):
            Control(old)
    with Control(old) as control:
        assert Life(control).findings() == []
