from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from portal.products import Recipient
from portal.report import read_tables
from portal.site import build_site
from sharing.control import Control, Grant
from sharing.control import Recipient as KnownRecipient
from sharing.grants.grants import GrantView

if TYPE_CHECKING:
    from contracts.layout import Home

    from .conftest import City

DAY = date(2026, 7, 15)
AT = datetime(2026, 7, 15, tzinfo=UTC)


def a_grant(recipient: str, table: str, state: str = "active") -> GrantView:
    return GrantView(
        recipient=recipient,
        table=table,
        purpose="高温应急",
        granted_at=AT,
        granted_by="gov_data",
        until=None,
        history_from=None,
        revoked_at=None,
        state=state,  # type: ignore[arg-type]
    )


def test_products_and_their_shares_are_listed_even_where_nothing_built_them(city: City) -> None:
    found = [(p.kind, p.table, p.status.en) for p in city.report().publications]
    assert found == [("product", "ready", "no record"), ("share", "ready__demo", "no record")]


def test_a_product_shows_its_inputs_and_versions_in_order(city: City) -> None:
    city.publish(inputs=json.dumps({"z__b": 7, "a__b": None}), status="waiting", reason="等 z")
    product = city.report().publications[0]
    assert product.inputs == (("a__b", ""), ("z__b", "7"))
    assert product.status.en == "waiting"
    assert product.smallest_cell == 20


@pytest.mark.parametrize("text", ["", "no json", "[1]", '"x"'])
def test_inputs_that_are_no_object_are_shown_as_they_are(city: City, text: str) -> None:
    city.publish(inputs=text)
    assert city.report().publications[0].inputs == (((text, ""),) if text else ())


def test_a_publication_that_no_contract_explains_is_not_hidden(city: City) -> None:
    city.publish("share", "old__demo")
    last = city.report().publications[-1]
    assert (last.kind, last.title, last.contract, last.level) == ("share", "old__demo", None, None)


def test_open_grants_name_the_recipients_of_their_table_only(city: City) -> None:
    city.grants = [
        a_grant("zeta", "jingshu.emergency.ready__demo"),
        a_grant("beta", "jingshu.emergency.ready__demo"),
        a_grant("gone", "jingshu.emergency.ready__demo", "revoked"),
        a_grant("late", "jingshu.emergency.ready__demo", "expired"),
        a_grant("other", "jingshu.emergency.already__demo"),
    ]
    product, share = city.report().publications
    assert product.recipients is None
    assert share.recipients == (Recipient("beta", "高温应急"), Recipient("zeta", "高温应急"))


def test_no_grants_kept_differs_from_nobody_granted(city: City) -> None:
    assert city.report().publications[1].recipients is None
    city.grants = []
    assert city.report().publications[1].recipients == ()


def test_grants_are_read_from_the_control_database(city: City, home: Home) -> None:
    city.deliver("received", "published")
    city.publish("share", "heat_readiness__demo")
    city.save(home)
    assert read_tables(home, DAY)[0].grants is None
    with Control(home) as control, control.write() as session:
        session.add(KnownRecipient(name="demo", created_at=AT, created_by="test"))
        session.flush()
        session.add(
            Grant(
                id="1",
                recipient="demo",
                share="jingshu",
                schema="emergency",
                table="heat_readiness__demo",
                purpose="高温应急演练",
                granted_at=AT,
                granted_by="test",
                grant_leaf_at=AT,
            )
        )
    grants = read_tables(home, DAY)[0].grants
    assert grants is not None
    assert [(g.recipient, g.state) for g in grants] == [("demo", "active")]
    assert "高温应急演练" in build_site(home, DAY).read_text("utf-8")
