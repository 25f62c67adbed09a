"""The servers' settings: parsed once, refused in words where they cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cli.main import jingshu
from contracts.errors import UsageError
from sharing.endpoint import gateway_serving, web_serving
from sharing.grants import recipients
from sharing.grants.recipients import is_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from sharing.control import Control
    from sharing.endpoint import Serving

BOTH = [(gateway_serving, "GATEWAY", 8791), (web_serving, "WEB", 8792)]


@pytest.mark.parametrize(("serving", "name", "port"), BOTH)
def test_a_server_is_on_the_loopback_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, serving: Callable[[], Serving], name: str, port: int
) -> None:
    found = serving()
    assert (found.host, found.port, found.trusted) == ("127.0.0.1", port, ())
    assert found.url == f"http://127.0.0.1:{port}"
    assert not found.is_proxy("127.0.0.1")
    monkeypatch.setenv(f"JINGSHU_{name}_PORT", "9000")
    monkeypatch.setenv("JINGSHU_BIND", "0.0.0.0")  # noqa: S104 - what is tested
    monkeypatch.setenv("JINGSHU_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16,2001:db8::/32")
    found = serving()
    assert (found.port, found.own_host, found.is_in_clear) == (9000, "127.0.0.1", True)
    monkeypatch.setenv(f"JINGSHU_{name}_URL", "https://share.city:8443")
    found = serving()
    assert (found.url, found.is_in_clear) == ("https://share.city:8443", False)
    trusted = ["10.0.0.5", "10.1.2.3", "2001:db8::7", "10.0.0.6", "192.0.2.1", "nobody", ""]
    assert [found.is_proxy(a) for a in trusted] == [True, True, True, False, False, False, False]


def test_a_server_of_one_ipv6_address_is_reached_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_BIND", "2001:db8::7")
    assert gateway_serving().url == "http://[2001:db8::7]:8791"
    monkeypatch.setenv("JINGSHU_BIND", "::")
    assert gateway_serving().own_host == "::1"


@pytest.mark.parametrize("url", ["https://share.city", "http://10.0.0.1:8080", "https://[::1]:1"])
@pytest.mark.parametrize(("serving", "name", "port"), BOTH)
def test_the_address_is_the_proxys_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    serving: Callable[[], Serving],
    name: str,
    port: int,
) -> None:
    monkeypatch.setenv(f"JINGSHU_{name}_URL", url)
    assert serving().url == url


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(
            (name, url)
            for name in ("JINGSHU_GATEWAY_URL", "JINGSHU_WEB_URL")
            for url in (
                "share.city",
                "https://share.city/x",
                "https://share.city/",
                "https://share.city?x",
                "ftp://x",
                "https://",
                "https://x:port",
                "https://me@x",
                "https://[",
            )
        ),
        *((n, p) for n in ("JINGSHU_GATEWAY_PORT", "JINGSHU_WEB_PORT") for p in ("70000", "x")),
        ("JINGSHU_WEB_PORT", "9" * 5000),
        ("JINGSHU_BIND", "localhost"),
        ("JINGSHU_BIND", "10.0.0.0/8"),
        ("JINGSHU_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("JINGSHU_TRUSTED_PROXIES", "*"),
        ("JINGSHU_TRUSTED_PROXIES", "10.0.0.5 10.0.0.6"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(UsageError, match=name):
        (web_serving if "_WEB_" in name else gateway_serving)()


def test_profiles_and_invitations_name_the_public_address(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    monkeypatch.setenv("JINGSHU_GATEWAY_URL", "https://share.city")
    recipients.create_recipient(control, "demo", "test")
    profile = recipients.issue_profile(control, "demo")
    assert profile.endpoint == "https://share.city/delta-sharing"
    told = CliRunner().invoke(jingshu, ["share", "invite", "demo"])
    assert told.output.startswith("https://share.city/activate?key=")


def test_an_ipv4_address_in_ipv6_notation_is_that_address() -> None:
    assert is_within("::ffff:10.1.2.3", "10.1.0.0/16")
    assert not is_within("::ffff:10.2.2.3", "10.1.0.0/16")
