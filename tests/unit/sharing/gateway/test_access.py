"""How a recipient gets in: activation links, networks, and how often it may ask."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from delta_sharing.protocol import DeltaSharingProfile
from sqlalchemy import select

from contracts.errors import UsageError
from contracts.moment import utc_now
from sharing.control import AccessRecord, Activation
from sharing.gateway.errors import ApiError
from sharing.gateway.rates import FAILED, Rate, Rates
from sharing.grants import recipients
from tests.support.sharing.served import TABLE_URL

if TYPE_CHECKING:
    from pathlib import Path

    from sharing.control import Control
    from tests.support.sharing.served import Served

CHINESE = re.compile(r"[一-鿿]")


def test_a_link_hands_out_one_profile_once(served: Served) -> None:
    key = recipients.invite(served.control, "demo", "test")
    path = f"/activate?key={key}"
    for _ in range(2):
        page = served.get(path, token=None)
        assert page.status == 200
        assert "jst_" not in page.text
        chinese, _, english = page.text.partition('<section lang="en">')
        assert "凭证只发放一次" in chinese
        assert "<b>demo</b>" in chinese
        assert "handed out once" in english
        assert "<b>demo</b>" in english
        assert not CHINESE.search(english)
        assert page.headers["referrer-policy"] == "no-referrer"
    given = served.send("POST", path, token=None)
    assert given.status == 200
    assert given.headers["content-disposition"] == 'attachment; filename="demo.share"'
    token = json.loads(given.body)["bearerToken"]
    assert served.get(TABLE_URL + "/version", token=token).status == 200
    assert served.send("POST", path, token=None).status == 404
    assert served.get(path, token=None).status == 404


def test_rule_13_a_profile_is_version_1_as_the_released_client_reads_it(
    served: Served, tmp_path: Path
) -> None:
    given = tmp_path / "demo.share"
    recipients.write_profile(recipients.issue_profile(served.control, "demo"), given)
    assert list(json.loads(given.read_text())) == [
        "shareCredentialsVersion", "endpoint", "bearerToken", "expirationTime"
    ]  # fmt: skip
    read = DeltaSharingProfile.read_from_file(str(given))
    assert (read.share_credentials_version, read.type) == (1, None)
    assert served.get(TABLE_URL + "/version", token=read.bearer_token).status == 200


def test_a_link_s_key_is_in_no_record_and_kept_as_a_digest(served: Served) -> None:
    key = recipients.invite(served.control, "demo", "test")
    served.send("POST", f"/activate?key={key}", token=None)
    with served.control.read() as session:
        paths = list(session.scalars(select(AccessRecord.path)))
        (kept,) = session.scalars(select(Activation))
    assert "/activate" in paths
    assert not any(key in path for path in paths)
    assert key not in kept.sha256
    assert kept.used_at is not None


@pytest.mark.parametrize("query", ["", "?key=", "?key=wrong", "?key=%00", "?other=1"])
def test_another_key_opens_nothing(served: Served, query: str) -> None:
    recipients.invite(served.control, "demo", "test")
    assert served.get("/activate" + query, token=None).status == 404
    assert served.send("POST", "/activate" + query, token=None).status == 404


def test_keys_that_open_nothing_are_slowed_by_address(served: Served) -> None:
    tried = [served.get(f"/activate?key={n}", token=None).status for n in range(FAILED.burst + 60)]
    assert set(tried) == {404, 429}
    assert served.get(TABLE_URL + "/version").status == 200


def test_a_link_ends_after_three_days(control: Control) -> None:
    recipients.create_recipient(control, "demo", "test")
    at = utc_now()
    key = recipients.invite(control, "demo", "test", at)
    late = at + timedelta(days=3)
    assert recipients.invited(control, key, late - timedelta(seconds=1)) == "demo"
    assert recipients.invited(control, key, late) is None
    assert recipients.activate(control, key, late) is None


def test_of_two_who_use_a_link_at_once_one_gets_the_profile(control: Control) -> None:
    recipients.create_recipient(control, "demo", "test")
    key = recipients.invite(control, "demo", "test")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: recipients.activate(control, key), range(8)))
    assert sum(one is not None for one in found) == 1


def test_a_stranger_is_not_invited(control: Control) -> None:
    with pytest.raises(UsageError, match="no recipient"):
        recipients.invite(control, "nobody", "test")


def test_a_token_is_good_from_its_networks_alone(served: Served) -> None:
    url = served.file_urls()[0]
    recipients.set_networks(served.control, "demo", ["10.0.0.0/8", "2001:db8::/32"])
    assert served.get(TABLE_URL + "/version").status == 401
    assert served.open_url(url).status == 403
    recipients.set_networks(served.control, "demo", ["10.0.0.0/8", "127.0.0.1"])
    assert served.get(TABLE_URL + "/version").status == 200
    assert served.open_url(url).status == 200
    recipients.set_networks(served.control, "demo", [])
    assert served.get(TABLE_URL + "/version").status == 200


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0", "", "office", "10.0.0.0/40"])
def test_what_is_no_network_is_refused(control: Control, wrong: str) -> None:
    recipients.create_recipient(control, "demo", "test")
    with pytest.raises(UsageError, match="network"):
        recipients.set_networks(control, "demo", ["10.0.0.0/8", wrong])
    token = recipients.issue_profile(control, "demo").token
    assert recipients.authenticate(control, token, address="192.0.2.1") == "demo"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_asks_too_often_waits_and_nobody_else() -> None:
    clock = Clock()
    rates, rate = Rates(clock), Rate(per_s=2, burst=3)
    for _ in range(3):
        rates.take("a", rate)
    with pytest.raises(ApiError) as refused:
        rates.take("a", rate)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    rates.take("b", rate)
    clock.now += 0.5
    rates.take("a", rate)
    with pytest.raises(ApiError):
        rates.take("a", rate)
    clock.now += 3600
    for _ in range(3):
        rates.take("a", rate)
    with pytest.raises(ApiError):
        rates.take("a", rate)


def test_a_flood_of_wrong_tokens_is_slowed_and_right_ones_are_not(served: Served) -> None:
    statuses = {served.get(TABLE_URL + "/version", token="jst_wrong").status for _ in range(300)}
    assert statuses == {401, 429}
    assert served.get(TABLE_URL + "/version").status == 200
