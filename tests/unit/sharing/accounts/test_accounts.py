"""Local accounts: three administrators kept apart, passwords, logins, and their audit rows."""

from __future__ import annotations

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Final

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import select
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from cli.main import jingshu
from contracts.errors import JingshuError, UsageError
from sharing.accounts import accounts, sessions
from sharing.accounts.accounts import ADMINISTRATORS, SeparationError, require_separate
from sharing.accounts.failures import MOST_NAMES
from sharing.accounts.passwords import (
    LONGEST,
    SHORTEST,
    Passwords,
    WeakPasswordError,
    one_time_password,
    require_strong,
)
from sharing.accounts.sessions import (
    ABSOLUTE,
    FREE_TRIES,
    IDLE,
    LONGEST_LOCK,
    LoginRefusedError,
    OpenSession,
    find_session,
    is_token_of,
    lock_after,
    log_in,
    log_out,
)
from sharing.accounts.tables import (
    Account,
    AccountEvent,
    AppendOnlyError,
    LoginFailure,
    LoginSession,
)
from sharing.people import GIVEN_ROLES, Actor, ForbiddenError, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from sharing.control import Control

AT = datetime(2026, 7, 15, 1, tzinfo=UTC)
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
OWN = "一句别人猜不到的话 and so on"
SYS = Actor("sys", "gov_data", frozenset({"sysadmin"}))
SEC = Actor("sec", "gov_data", frozenset({"secadmin"}))


def an_account(control: Control, name: str = "li.health", *roles: Role) -> str:
    """Make an account that chose its own password."""
    issued = accounts.add_account(control, QUICK, SYS, name, "health", AT)
    if roles:
        accounts.set_roles(control, SEC, name, roles, AT)
    accounts.change_password(control, QUICK, name, issued, OWN, AT)
    return name


def enter(
    control: Control, name: str = "li.health", password: str = OWN, at: datetime = AT
) -> OpenSession:
    return log_in(control, QUICK, name, password, at)


def events(control: Control) -> list[tuple[str, str, str]]:
    with control.read() as session:
        rows = session.scalars(select(AccountEvent).order_by(AccountEvent.id))
        return [(r.actor, r.account, r.action) for r in rows]


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_only_the_system_administrator_makes_accounts(control: Control, role: Role) -> None:
    actor = Actor("who", "health", frozenset({role}))
    if role == "sysadmin":
        assert accounts.add_account(control, QUICK, actor, "new", "health", AT)
        return
    with pytest.raises(ForbiddenError):
        accounts.add_account(control, QUICK, actor, "new", "health", AT)
    with pytest.raises(ForbiddenError):
        accounts.disable_account(control, actor, "new", AT)
    with pytest.raises(ForbiddenError):
        accounts.reset_password(control, QUICK, actor, "new", AT)
    assert accounts.list_accounts(control) == []


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_only_the_security_administrator_gives_roles(control: Control, role: Role) -> None:
    an_account(control)
    actor = Actor("who", "health", frozenset({role}))
    if role == "secadmin":
        accounts.set_roles(control, actor, "li.health", ["cdo"], AT)
    else:
        with pytest.raises(ForbiddenError):
            accounts.set_roles(control, actor, "li.health", ["cdo"], AT)
    (found,) = accounts.list_accounts(control)
    assert found.roles == (("cdo",) if role == "secadmin" else ())


def test_a_new_account_may_nothing(control: Control) -> None:
    an_account(control)
    assert sessions.actor_of(enter(control)) == Actor("li.health", "health", frozenset())


@pytest.mark.parametrize("pair", list(combinations(GIVEN_ROLES, 2)), ids="+".join)
def test_no_account_joins_an_administrator_with_another_role(pair: tuple[Role, Role]) -> None:
    if set(pair) & set(ADMINISTRATORS):
        with pytest.raises(SeparationError):
            require_separate(pair)
    else:
        assert set(require_separate(pair)) == set(pair)


@given(st.sets(st.sampled_from(GIVEN_ROLES)))
def test_separate_roles_are_one_administrator_or_none(roles: set[Role]) -> None:
    try:
        kept = require_separate(roles)
    except SeparationError:
        assert len(roles) > 1
        assert roles & set(ADMINISTRATORS)
    else:
        assert set(kept) == roles
        assert len(kept) <= 1 or not set(kept) & set(ADMINISTRATORS)


@pytest.mark.parametrize("role", ["system", "root", ""])
def test_a_role_that_is_none_is_not_given(role: str) -> None:
    with pytest.raises(UsageError, match="no role"):
        require_separate([role])


def bootstrapped(control: Control) -> dict[str, str]:
    names: dict[Role, str] = {"sysadmin": "sys", "secadmin": "sec", "auditor": "aud"}
    return accounts.bootstrap(control, QUICK, "root", names, AT)


def test_the_first_three_administrators_are_made_once(control: Control) -> None:
    issued = bootstrapped(control)
    assert {a.name: a.roles for a in accounts.list_accounts(control)} == {
        "sys": ("sysadmin",),
        "sec": ("secadmin",),
        "aud": ("auditor",),
    }
    assert len(set(issued.values())) == 3
    with pytest.raises(SeparationError, match="already"):
        bootstrapped(control)


def test_the_three_administrators_are_three_accounts(control: Control) -> None:
    same: dict[Role, str] = {"sysadmin": "one", "secadmin": "one", "auditor": "two"}
    with pytest.raises(SeparationError):
        accounts.bootstrap(control, QUICK, "root", same, AT)


def test_the_last_administrator_of_a_kind_stays(control: Control) -> None:
    bootstrapped(control)
    with pytest.raises(SeparationError, match="last"):
        accounts.disable_account(control, SYS, "aud", AT)
    with pytest.raises(SeparationError, match="last"):
        accounts.set_roles(control, SEC, "aud", [], AT)
    an_account(control, "aud2", "auditor")
    accounts.disable_account(control, SYS, "aud", AT)


def test_nobody_changes_their_own_roles(control: Control) -> None:
    bootstrapped(control)
    with pytest.raises(ForbiddenError, match="own roles"):
        accounts.set_roles(control, SEC, "sec", ["cdo"], AT)


@pytest.mark.parametrize("name", ["sec", "aud"])
def test_the_system_administrator_cannot_play_another_one(control: Control, name: str) -> None:
    bootstrapped(control)
    with pytest.raises(SeparationError):
        accounts.reset_password(control, QUICK, SYS, name, AT)
    an_account(control, "li.health", "cdo")
    assert accounts.reset_password(control, QUICK, SYS, "li.health", AT)


@pytest.mark.parametrize("name", ["", "Li", "李", "a b", "a\nb", "-a", "a" * 64, "<b>", "../a"])
def test_a_name_is_a_plain_word(control: Control, name: str) -> None:
    with pytest.raises(UsageError):
        accounts.add_account(control, QUICK, SYS, name, "health", AT)
    with pytest.raises(UsageError):
        accounts.add_account(control, QUICK, SYS, "li", name, AT)


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "li.healthhealth", "li.health1234", "aaaaaaaaaaaaaaaa", "x" * 257,
     "123456789012", "qwertyuiopas", "abcabcabcabcabc", "passwordpassword", "Password!Password!",
     "password2026!", "iloveyou iloveyou", "michaeljackson", "1qaz2wsx3edc4rfv", "jingshu1234",
     "京枢Jingshu123京枢", "ＰＡＳＳＷＯＲＤpassword", "passwordiloveyou", "Iloveyou Password!2026",
     "1dragon2monkey3", "sunshine-summer-love"],
)  # fmt: skip
def test_a_password_that_guessing_finds_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        require_strong(password, "li.health", "health")


@pytest.mark.parametrize(
    "password",
    [OWN, "correct horse battery", "allsmallletters no digits", "sJI0dxkpBMEH5a0oKJucMg-0",
     "the password of my dreams", "$9%2^8&1*7(6)3 fish"],
)  # fmt: skip
def test_a_password_needs_length_and_no_composition(password: str) -> None:
    require_strong(password, "li.health", "health")


COMMON: Final = FREQUENCY_LISTS["passwords"]
#: Words of everyday sentences: none is short enough to say nothing.
EVERYDAY: Final = [
    *(w for w in FREQUENCY_LISTS["english_wikipedia"][:3000] if len(w) > 2),
    *("今天", "天气", "真好", "我们", "一起", "gongyuan", "tianqi", "zoulu", "women"),
]


@given(
    st.lists(st.sampled_from(COMMON), min_size=2, max_size=3),
    st.sampled_from(["", " ", "-"]),
    st.text("0123456789!", max_size=2),
    st.sampled_from([str, str.upper, str.title]),
)
def test_common_passwords_put_together_are_refused(
    parts: list[str], between: str, after: str, written: Callable[[str], str]
) -> None:
    password = written(between.join(parts)) + after
    assume(len(password) >= SHORTEST)
    with pytest.raises(WeakPasswordError):
        require_strong(password, "li.health", "health")


@given(st.lists(st.sampled_from(EVERYDAY), min_size=5, max_size=5, unique=True))
def test_a_sentence_of_five_words_is_no_common_password(words: list[str]) -> None:
    sentence = " ".join(words)
    assume(len(sentence) >= SHORTEST)
    require_strong(sentence, "li.health", "health")


@pytest.mark.parametrize(
    "sentence", ["thecatsatonthewarmmat", "woaibeijingtiananmen", "今天天气真好我们一起出去走走"]
)
def test_a_sentence_without_spaces_is_one(sentence: str) -> None:
    require_strong(sentence, "li.health", "health")


def test_a_one_time_password_is_strong_enough() -> None:
    require_strong(one_time_password(), "li.health", "health")


def failures(control: Control) -> list[tuple[str | None, bool, str, str, int]]:
    """Return what is on record of failed logins: account, whether a digest, address, why, times."""
    with control.read() as session:
        rows = session.scalars(select(LoginFailure).order_by(LoginFailure.id))
        return [(r.account, r.tried is not None, r.address, r.reason, r.times) for r in rows]


def fail(control: Control, name: str, at: datetime = AT, address: str = "10.0.0.1") -> None:
    with pytest.raises(LoginRefusedError):
        log_in(control, QUICK, name, "wrong", at, address=address)


def test_failed_logins_are_on_record_by_address_account_and_reason(control: Control) -> None:
    an_account(control)
    for _ in range(FREE_TRIES + 2):
        fail(control, "li.health")
    fail(control, "li.health", address="10.0.0.2")
    fail(control, "li.health", AT + timedelta(days=1))
    accounts.disable_account(control, SYS, "li.health", AT)
    fail(control, "li.health")
    issued = accounts.add_account(control, QUICK, SYS, "new", "health", AT)
    with pytest.raises(LoginRefusedError):
        enter(control, "new", issued, AT + timedelta(days=4))
    assert failures(control) == [
        ("li.health", False, "10.0.0.1", "password", FREE_TRIES),
        ("li.health", False, "10.0.0.1", "locked", 2),
        ("li.health", False, "10.0.0.2", "locked", 1),
        ("li.health", False, "10.0.0.1", "password", 1),
        ("li.health", False, "10.0.0.1", "disabled", 1),
        ("new", False, "", "expired", 1),
    ]


def test_a_name_that_is_no_account_s_is_kept_as_a_keyed_digest(control: Control) -> None:
    """It may be a password that somebody typed into the wrong field."""
    for name in (OWN, OWN, "x" * 5000):
        fail(control, name)
    assert failures(control) == [
        (None, True, "10.0.0.1", "unknown", 2),
        (None, True, "10.0.0.1", "unknown", 1),
    ]
    with control.read() as session:
        kept = session.scalars(select(LoginFailure.tried)).all()
    assert hashlib.sha256(OWN.encode()).hexdigest() not in kept


def test_what_is_kept_of_failed_logins_is_bounded(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharing.accounts.failures.MOST_ROWS", 30)
    an_account(control)
    fail(control, "li.health")
    for number in range(MOST_NAMES + 5):
        fail(control, f"guess{number}")
    told = failures(control)
    assert len(told) == 1 + MOST_NAMES + 1
    assert told[-1] == (None, False, "10.0.0.1", "unknown", 5)
    for number in range(40):
        fail(control, "guess", address=f"10.0.1.{number}")
    told = failures(control)
    assert len(told) == 1 + 30
    assert told[0] == ("li.health", False, "10.0.0.1", "password", 1)


def test_the_defaults_are_argon2id_and_cost_as_much_as_the_library_says() -> None:
    kept = Passwords().hash(OWN)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_password_is_right(one: str, other: str) -> None:
    kept = QUICK.hash(one)
    assert QUICK.is_right(one, kept)
    if one != other and one.isascii() and other.isascii():
        assert not QUICK.is_right(other, kept)
    assert not QUICK.is_right(one, None)


def test_wide_and_narrow_letters_are_the_same_password() -> None:
    assert QUICK.is_right("ＡＢＣ wide and narrow", QUICK.hash("ABC wide and narrow"))
    assert not QUICK.is_right("x" * (LONGEST + 1), QUICK.hash("x" * (LONGEST + 1)))


def test_neither_password_nor_session_id_is_kept(control: Control) -> None:
    an_account(control)
    opened = enter(control)
    control_bytes = b"".join(p.read_bytes() for p in control.home.root.glob("control.db*"))
    assert opened.id.encode() not in control_bytes
    assert OWN.encode() not in control_bytes
    assert opened.id not in repr(opened)


def test_a_one_time_password_is_only_good_for_some_days(control: Control) -> None:
    issued = accounts.add_account(control, QUICK, SYS, "li", "health", AT)
    end = AT + accounts.ONE_TIME_LIFE
    opened = enter(control, "li", issued, end - timedelta(minutes=5))
    assert opened.account.must_change
    assert find_session(control, opened.id, end) is None
    with pytest.raises(LoginRefusedError):
        enter(control, "li", issued, end)


@pytest.mark.parametrize(("name", "password"), [("li.health", "wrong"), ("nobody", OWN), ("", "")])
def test_a_refused_login_does_not_say_why(control: Control, name: str, password: str) -> None:
    an_account(control)
    with pytest.raises(LoginRefusedError, match="The name or the password is wrong, or"):
        enter(control, name, password)


def test_guessing_is_slowed_and_the_right_password_waits_too(control: Control) -> None:
    an_account(control)
    for _ in range(FREE_TRIES):
        with pytest.raises(LoginRefusedError):
            enter(control, password="wrong")
    with pytest.raises(LoginRefusedError):
        enter(control)
    after = AT + lock_after(FREE_TRIES)
    enter(control, at=after)
    with pytest.raises(LoginRefusedError):
        enter(control, password="wrong", at=after)
    enter(control, at=after)  # the count began anew
    assert ("li.health", "li.health", "lock") in events(control)


def test_many_guesses_at_once_count_as_many(control: Control) -> None:
    an_account(control)
    looked: list[str] = []

    class Counting(Passwords):
        def is_right(self, password: str, kept: str | None) -> bool:
            looked.extend([password] if kept else [])
            return super().is_right(password, kept)

    counting = Counting(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    def guess(number: int) -> None:
        with pytest.raises(LoginRefusedError):
            log_in(control, counting, "li.health", f"guess {number}", AT)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(20)))
    assert len(looked) == FREE_TRIES


@given(st.integers(0, 10_000))
def test_a_lock_grows_and_has_an_end(failed: int) -> None:
    assert timedelta(0) <= lock_after(failed) <= lock_after(failed + 1) <= LONGEST_LOCK
    assert bool(lock_after(failed)) == (failed >= FREE_TRIES)


def test_each_login_has_an_id_of_its_own_and_ends_the_one_before(control: Control) -> None:
    an_account(control)
    first = enter(control)
    second = log_in(control, QUICK, "li.health", OWN, AT, instead_of=first.id)
    assert first.id != second.id
    assert find_session(control, first.id, AT) is None
    assert find_session(control, second.id, AT) == second


def test_an_id_from_outside_opens_nothing(control: Control) -> None:
    an_account(control)
    opened = log_in(control, QUICK, "li.health", OWN, AT, instead_of="chosen-by-attacker")
    assert opened.id != "chosen-by-attacker"
    assert find_session(control, "chosen-by-attacker", AT) is None
    with control.read() as session:
        assert len(session.scalars(select(LoginSession)).all()) == 1


def test_a_login_ends_when_it_is_idle(control: Control) -> None:
    an_account(control)
    opened = enter(control)
    assert find_session(control, opened.id, AT + IDLE - timedelta(seconds=1))
    assert find_session(control, opened.id, AT + 2 * IDLE - timedelta(seconds=2))
    assert find_session(control, opened.id, AT + 3 * IDLE) is None


def test_a_busy_login_ends_all_the_same(control: Control) -> None:
    an_account(control)
    opened, at = enter(control), AT
    while at < AT + ABSOLUTE - IDLE / 2:
        assert find_session(control, opened.id, at)
        at += IDLE / 2
    assert find_session(control, opened.id, AT + ABSOLUTE) is None


@pytest.mark.parametrize("change", ["password", "reset", "roles", "disable", "logout"])
def test_what_changes_an_account_ends_its_logins(control: Control, change: str) -> None:
    an_account(control, "li.health", "cdo")
    opened, other = enter(control), enter(control)
    assert find_session(control, opened.id, AT)
    if change == "password":
        accounts.change_password(control, QUICK, "li.health", OWN, OWN + "!", AT)
    elif change == "reset":
        accounts.reset_password(control, QUICK, SYS, "li.health", AT)
    elif change == "roles":
        accounts.set_roles(control, SEC, "li.health", ["requester"], AT)
    elif change == "disable":
        accounts.disable_account(control, SYS, "li.health", AT)
    else:
        log_out(control, opened, AT)
    assert find_session(control, opened.id, AT) is None
    assert (find_session(control, other.id, AT) is None) == (change != "logout")


def test_a_disabled_account_neither_logs_in_nor_acts(control: Control) -> None:
    an_account(control)
    accounts.disable_account(control, SYS, "li.health", AT)
    with pytest.raises(LoginRefusedError):
        enter(control)
    with pytest.raises(UsageError, match="disabled"):
        accounts.actor_named(control, "li.health")


def test_a_password_is_changed_by_who_knows_it(control: Control) -> None:
    an_account(control)
    with pytest.raises(ForbiddenError, match="wrong"):
        accounts.change_password(control, QUICK, "li.health", "wrong", OWN + "!", AT)
    with pytest.raises(UsageError, match="present one"):
        accounts.change_password(control, QUICK, "li.health", OWN, OWN, AT)
    with pytest.raises(WeakPasswordError):
        accounts.change_password(control, QUICK, "li.health", OWN, "short", AT)
    enter(control)


def test_a_hash_of_weaker_parameters_is_renewed_at_login(control: Control) -> None:
    an_account(control)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    log_in(control, stronger, "li.health", OWN, AT)
    with control.read() as session:
        row = session.get(Account, "li.health")
        assert row is not None
        assert "m=16,t=2" in row.password_hash


def test_a_login_left_open_is_no_place_to_guess_the_password(control: Control) -> None:
    an_account(control)
    opened = enter(control)
    for _ in range(accounts.MOST_WRONG - 1):
        with pytest.raises(ForbiddenError):
            accounts.change_password(control, QUICK, "li.health", "a guess", OWN + "!", AT)
    assert find_session(control, opened.id, AT) is not None
    with pytest.raises(ForbiddenError):
        accounts.change_password(control, QUICK, "li.health", "a guess", OWN + "!", AT)
    assert find_session(control, opened.id, AT) is None
    enter(control, at=AT)  # who knows it logs in, and the count begins anew


def test_each_change_leaves_a_row_that_stays(control: Control) -> None:
    an_account(control, "li.health", "cdo")
    accounts.reset_password(control, QUICK, SYS, "li.health", AT)
    accounts.disable_account(control, SYS, "li.health", AT)
    assert [(actor, action) for actor, _, action in events(control)] == [
        ("sys", "add"),
        ("sec", "roles"),
        ("li.health", "change_password"),
        ("sys", "reset_password"),
        ("sys", "disable"),
    ]
    for change in (_rewrite, _remove):
        with pytest.raises(AppendOnlyError):
            change(control)
    assert len(events(control)) == 5


def _rewrite(control: Control) -> None:
    with control.write() as session:
        session.scalars(select(AccountEvent)).all()[0].actor = "nobody"


def _remove(control: Control) -> None:
    with control.write() as session:
        session.delete(session.scalars(select(AccountEvent)).all()[0])


def test_a_token_belongs_to_its_session_only(control: Control) -> None:
    an_account(control)
    one, other = enter(control), enter(control)
    assert is_token_of(one.csrf_token, one.id)
    assert not is_token_of(other.csrf_token, one.id)
    assert not is_token_of("", one.id)
    assert not is_token_of("é", one.id)


def test_the_command_line(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    monkeypatch.setattr("sharing.accounts.passwords.PasswordHasher", lambda: QUICK._hasher)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(jingshu, ["share", "account", *arguments])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    issued = json.loads(run("bootstrap", "--json"))["passwords"]
    assert set(issued) == set(ADMINISTRATORS)
    added = json.loads(run("add", "li.health", "--body", "health", "--as", "sysadmin", "--json"))
    run("roles", "li.health", "cdo", "--as", "secadmin")
    assert log_in(control, QUICK, "li.health", added["password"], accounts_now()).account.roles == (
        "cdo",
    )
    again = run("password", "li.health")
    assert added["password"] not in again
    run("disable", "li.health")
    listed = {a["name"]: a for a in json.loads(run("list", "--json"))["accounts"]}
    assert listed["li.health"]["disabled_at"] is not None
    assert listed["auditor"]["roles"] == ["auditor"]
    assert "停用 disabled" in run("list")
    for arguments in (["add", "x", "--body", "health", "--as", "auditor"], ["bootstrap"]):
        done = CliRunner().invoke(jingshu, ["share", "account", *arguments])
        assert isinstance(done.exception, JingshuError)


def accounts_now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("password", ["short", "x" * 300, "li.health-1", "password1234", "a" * 12])
def test_a_weak_password_is_refused_in_each_language(password: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        require_strong(password, "li.health", "health")
    assert re.search("[一-鿿]", refused.value.words.zh)
    assert not re.search("[a-z]", refused.value.words.zh)
    assert not re.search("[一-鿿]", refused.value.words.en)
