"""Tokens and profile files: shown once, kept as hashes, rotated with grace."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from contracts.errors import UsageError
from contracts.moment import utc_now
from sharing.control import Token
from sharing.grants import recipients

if TYPE_CHECKING:
    from pathlib import Path

    from sharing.control import Control


#: On SQLite and on PostgreSQL.
pytestmark = pytest.mark.usefixtures("control_url")


@pytest.fixture
def demo(control: Control) -> str:
    recipients.create_recipient(control, "demo", "test")
    return "demo"


def test_a_profile_is_version_1(control: Control, demo: str) -> None:
    written = json.loads(recipients.issue_profile(control, demo).to_json())
    assert sorted(written) == [
        "bearerToken", "endpoint", "expirationTime", "shareCredentialsVersion"
    ]  # fmt: skip
    assert written["shareCredentialsVersion"] == 1
    assert written["endpoint"] == "http://127.0.0.1:8791/delta-sharing"
    assert written["expirationTime"].endswith(".000Z")


def test_the_port_of_the_profile_can_be_set(
    control: Control, demo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_GATEWAY_PORT", "9999")
    assert recipients.issue_profile(control, demo).endpoint.startswith("http://127.0.0.1:9999/")


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "１"])
def test_a_port_that_is_none_is_refused(
    control: Control, demo: str, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("JINGSHU_GATEWAY_PORT", port)
    with pytest.raises(UsageError, match="JINGSHU_GATEWAY_PORT"):
        recipients.issue_profile(control, demo)


def test_rule_14_only_the_hash_of_a_token_is_kept(control: Control, demo: str) -> None:
    profile = recipients.issue_profile(control, demo)
    assert recipients.authenticate(control, profile.token) == demo
    assert profile.token not in repr(profile)
    control.close()
    for file in control.home.root.glob("control.db*"):
        assert profile.token.encode() not in file.read_bytes()


def test_tokens_are_never_alike(control: Control, demo: str) -> None:
    tokens = {recipients.issue_profile(control, demo).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(len(t) for t in tokens) >= 43


@pytest.mark.parametrize("token", ["", "x", "jst_", "令牌", "\udcff"])
def test_another_token_is_nobodys(control: Control, demo: str, token: str) -> None:
    recipients.issue_profile(control, demo)
    assert recipients.authenticate(control, token) is None


def test_a_token_ends_at_the_time_its_profile_says(control: Control, demo: str) -> None:
    profile = recipients.issue_profile(control, demo)
    before = profile.expires_at - timedelta(microseconds=1)
    assert recipients.authenticate(control, profile.token, before) == demo
    assert recipients.authenticate(control, profile.token, profile.expires_at) is None


def test_a_new_token_leaves_the_old_one_its_grace(control: Control, demo: str) -> None:
    at = utc_now()
    old = recipients.issue_profile(control, demo, at=at).token
    new = recipients.issue_profile(control, demo, at=at).token
    still, over = at + recipients.GRACE - timedelta(seconds=1), at + recipients.GRACE
    assert [recipients.authenticate(control, t, still) for t in (old, new)] == [demo, demo]
    assert [recipients.authenticate(control, t, over) for t in (old, new)] == [None, demo]


def test_a_third_token_does_not_lengthen_the_grace_of_the_first(
    control: Control, demo: str
) -> None:
    at = utc_now()
    first = recipients.issue_profile(control, demo, at=at).token
    recipients.issue_profile(control, demo, at=at)
    recipients.issue_profile(control, demo, at=at + timedelta(hours=12))
    assert recipients.authenticate(control, first, at + recipients.GRACE) is None


def test_after_a_leak_the_old_token_ends_at_once(control: Control, demo: str) -> None:
    old = recipients.issue_profile(control, demo).token
    recipients.issue_profile(control, demo)
    new = recipients.issue_profile(control, demo, grace=timedelta(0)).token
    assert [recipients.authenticate(control, t) for t in (old, new)] == [None, demo]


def test_rotating_one_recipient_leaves_the_others(control: Control, demo: str) -> None:
    recipients.create_recipient(control, "other", "test")
    other = recipients.issue_profile(control, "other").token
    recipients.issue_profile(control, demo, grace=timedelta(0))
    assert recipients.authenticate(control, other) == "other"


def test_a_profile_needs_a_recipient(control: Control) -> None:
    with pytest.raises(UsageError, match="no recipient 'demo'"):
        recipients.issue_profile(control, "demo")


def test_a_profile_file_is_its_owners_alone(control: Control, demo: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "demo.share"
    recipients.write_profile(recipients.issue_profile(control, demo), path)
    recipients.write_profile(recipients.issue_profile(control, demo), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in path.parent.iterdir()] == ["demo.share"]


def test_a_profile_that_works_is_kept(control: Control, demo: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.share"
    recipients.ensure_profile(control, demo, path)
    first = path.read_bytes()
    recipients.ensure_profile(control, demo, path)
    assert path.read_bytes() == first
    with control.read() as session:
        assert len(session.scalars(select(Token.sha256)).all()) == 1


@pytest.mark.parametrize("harm", ["", "{}", "[]", '{"bearerToken": "x", "endpoint": null}', "{"])
def test_a_profile_that_does_not_work_is_replaced(
    control: Control, demo: str, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "demo.share"
    path.write_text(harm)
    recipients.ensure_profile(control, demo, path)
    assert recipients.authenticate(control, json.loads(path.read_text())["bearerToken"]) == demo


def test_a_profile_of_another_port_or_recipient_is_replaced(
    control: Control, demo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo.share"
    recipients.create_recipient(control, "other", "test")
    recipients.write_profile(recipients.issue_profile(control, "other"), path)
    recipients.ensure_profile(control, demo, path)
    of_demo = json.loads(path.read_text())
    assert recipients.authenticate(control, of_demo["bearerToken"]) == demo
    monkeypatch.setenv("JINGSHU_GATEWAY_PORT", "9999")
    recipients.ensure_profile(control, demo, path)
    assert ":9999/" in json.loads(path.read_text())["endpoint"]
