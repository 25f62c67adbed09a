"""Listings: a package with every proof, or every reason why not; simulated data never."""

from __future__ import annotations

import hashlib
import json
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import pytest
import rfc8785
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from contracts.errors import UsageError
from lineage.evidence.log import EvidenceLog
from sharing.people import ForbiddenError
from sharing.requests.corrections import CorrectionRow
from sharing.rights import listing as listed
from sharing.rights.listing import ListingRow, Offer, list_product, listings
from sharing.rights.offered import (
    Claim,
    NotListableError,
    Offered,
    RealOrigin,
    SimulatedDataError,
    offered,
)
from sharing.rights.prices import PriceRule
from sharing.rights.refusals import refusals
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import INPUTS, PRODUCT, SHARED, TREE, HeatLake
from tests.support.sharing.trading import CAPPED, LISTER, OFFER, give_rights

if TYPE_CHECKING:
    from contracts.delivery import Origin
    from contracts.layout import Home
    from sharing.control import Control


def list_it(control: Control, offer: Offer = OFFER) -> str:
    return list_product(control, TREE, offer, LISTER, MONDAY)


@pytest.mark.parametrize(
    ("rule", "commercial"),
    [
        (CAPPED, 104_000),
        (PriceRule("v", 100_000, Fraction(1, 20), 200_000), 105_000),
        (PriceRule("v", 99, Fraction(1, 10), 200_000), 108),
        (PriceRule("v", 0, Fraction(1), 5), 0),
    ],
    ids=["capped", "cost and profit", "a fraction is the buyer's", "no cost"],
)
def test_prices_are_whole_fen(rule: PriceRule, commercial: int) -> None:
    assert rule.price("public_interest") == 0
    assert rule.price("commercial") == commercial


def test_no_price_is_below_zero() -> None:
    with pytest.raises(UsageError, match="below 0"):
        PriceRule("v", -1, Fraction(0), 5)


def test_a_package_holds_every_proof(home: Home, control: Control) -> None:
    HeatLake(home).make()
    give_rights(control)
    listing_id = list_it(control)
    (found,) = listings(control)
    assert (found.id, found.table, found.version, found.is_open) == (listing_id, SHARED, 1, True)
    package = json.loads(found.bundle)
    parts = package["parts"]
    assert set(parts["rights"]) == {PRODUCT.product_table, *(f.table for f in INPUTS)}
    for feed in INPUTS:
        chain = parts["rights"][feed.table]
        assert (chain[0]["holder"], chain[-1]["holder"]) == (feed.provider, "emergency")
    log = EvidenceLog(home)
    assert len(parts["evidence"]) == 2 + len(INPUTS)
    assert all(log.find(key) for key in parts["evidence"])
    assert parts["compliance"] | {"origin": None} == {
        "level": "L2",
        "gb43697": "general",
        "is_aggregate": True,
        "k": 37,
        "k_wanted": 20,
        "origin": None,
        "assessments": {
            f.contract.id: f.contract.grading.pia_id
            for f in INPUTS
            if f.contract.grading and f.contract.grading.personal_information
        },
        "secrecy_review": "SR-2026-0041",
    }
    assert parts["quality"]["scores"] == {"completeness": {"satisfied": 300, "judged": 300}}
    assert parts["price"]["commercial_fen"] == 104_000
    shown = {c["name"] for c in parts["product"]["columns"]}
    assert "duty_phone" in shown
    assert "nearest_depot_id" not in shown, "the policy drops it"
    for name, part in parts.items():
        assert package["sha256"][name] == hashlib.sha256(rfc8785.dumps(part)).hexdigest()
    logged = log.find(f"trade:{listing_id}#0")
    assert logged is not None
    assert logged.leaf.facts["bundle_sha256"] == hashlib.sha256(found.bundle.encode()).hexdigest()


RECORDS: Final = (
    "row product",
    "row share",
    "leaf build",
    "leaf share",
    "leaf landing",
    "leaf publication",
    *(f"batch {feed.provider}-1" for feed in INPUTS),
)


@pytest.mark.parametrize("record", RECORDS)
def test_one_record_of_simulation_anywhere_is_enough(
    home: Home, control: Control, record: str
) -> None:
    HeatLake(home, {record: "simulated"}).make()
    give_rights(control)
    with pytest.raises(SimulatedDataError, match="simulated data is never listed"):
        list_it(control)
    assert listings(control) == []


@pytest.mark.parametrize("record", ["leaf build", "leaf share", "leaf publication"])
def test_what_nothing_proves_to_be_real_is_not(home: Home, control: Control, record: str) -> None:
    HeatLake(home, {record: None}).make()
    give_rights(control)
    with pytest.raises(SimulatedDataError, match="unknown"):
        list_it(control)


def test_a_simulated_batch_that_was_withdrawn_still_counts(home: Home, control: Control) -> None:
    lake = HeatLake(home).make()
    give_rights(control)
    lake.origins = {"batch old": "simulated"}
    lake.state(INPUTS[0], "old", "withdrawn")
    with pytest.raises(SimulatedDataError, match="simulated × 1"):
        list_it(control)


@pytest.mark.parametrize("origins", [(), ("simulated",), ("real", None), ("real", "simulated")])
def test_no_proof_of_origin_is_made_of_less(origins: tuple[Origin | None, ...]) -> None:
    with pytest.raises(SimulatedDataError):
        RealOrigin(tuple(Claim(f"record {i}", origin) for i, origin in enumerate(origins)))


def test_the_database_itself_takes_nothing_simulated(home: Home, control: Control) -> None:
    HeatLake(home).make()
    give_rights(control)
    list_it(control)
    with control.read() as session:
        row = session.scalars(select(ListingRow)).one()
        values = {c.key: getattr(row, c.key) for c in ListingRow.__table__.columns}
    forged = values | {"id": "L2026-0002", "origin": "simulated"}
    with pytest.raises(IntegrityError, match="share_listings_real"), control.write() as session:
        session.execute(insert(ListingRow).values(**forged))


def test_every_missing_right_is_named(home: Home, control: Control) -> None:
    HeatLake(home).make()
    with pytest.raises(NotListableError) as refused:
        list_it(control)
    said = str(refused.value)
    assert "no right to operate civil__elder_service" in said
    assert "no right to operate health__disease_case" in said
    assert "emergency__depot_stock" not in said, "that is its own"


def test_a_right_for_the_public_interest_alone_sells_nothing(home: Home, control: Control) -> None:
    HeatLake(home).make()
    give_rights(control, "public_interest")
    with pytest.raises(NotListableError, match="for public_interest and commercial"):
        list_it(control)


def test_only_a_published_version_is_listed(home: Home, control: Control) -> None:
    with pytest.raises(NotListableError, match="No version of heat_readiness__demo is published"):
        list_it(control)
    with pytest.raises(UsageError, match="no share policy 'other'"):
        list_it(control, Offer(PRODUCT.id, "other", "emergency", CAPPED))


@pytest.mark.parametrize("k", [None, 19])
def test_an_aggregate_whose_k_is_not_measured_is_refused(
    home: Home, control: Control, k: int | None
) -> None:
    HeatLake(home, k=k).make()
    give_rights(control)
    with pytest.raises(NotListableError, match=f"k = {k} is not measured to be 20 or more"):
        list_it(control)


def test_unresolved_quality_is_refused(home: Home, control: Control) -> None:
    HeatLake(home).make(status="failed")
    give_rights(control)
    with control.write() as session:
        session.add(
            CorrectionRow(
                id="C2026-0001",
                ask="R2026-0001",
                contract="health.disease_case",
                provider="health",
                said="…",
                asked_at=MONDAY,
                asked_by="li",
                state="open",
            )
        )
    with pytest.raises(NotListableError) as refused:
        list_it(control)
    assert "correction C2026-0001 is open" in str(refused.value)
    assert "check required.street_code of health-1 is failed" in str(refused.value)


def test_bad_rows_in_quarantine_leave_nothing_open(home: Home, control: Control) -> None:
    HeatLake(home).make(status="failed", engine="row")
    give_rights(control)
    list_it(control)
    quality = json.loads(listings(control)[0].bundle)["parts"]["quality"]
    assert quality["scores"] == {"completeness": {"satisfied": 180, "judged": 300}}


def test_what_a_build_did_not_read_is_said(home: Home) -> None:
    HeatLake(home).make()
    shutil.rmtree(home.table("silver", INPUTS[0].table))
    found = offered(home, TREE, PRODUCT.id, "demo")
    assert tuple(reason.en for reason in found.lost) == (
        f"its build was made without {INPUTS[0].table}, other than its contract says",
    )


def altered(found: Offered, **changes: Any) -> Offered:
    return Offered(**{**vars(found), **changes})


def test_levels_grades_and_assessments_are_judged(home: Home) -> None:
    HeatLake(home).make()
    found = offered(home, TREE, PRODUCT.id, "demo")
    chains: dict[str, Any] = {}
    assert list(refusals(found, chains, [])) == []
    grading = PRODUCT.grading
    assert grading is not None
    important = grading.model_copy(update={"gb43697": "important"})
    product = PRODUCT.model_copy(update={"grading": important})
    assert [r.en for r in refusals(altered(found, product=product), chains, [])] == [
        "it is important data, which is not traded"
    ]
    personal = grading.model_copy(update={"personal_information": True, "pia_id": None})
    product = PRODUCT.model_copy(update={"grading": personal})
    (said,) = refusals(altered(found, product=product), chains, [])
    assert "names no impact assessment" in said.en
    plain = tuple(c.model_copy(update={"level": "L3", "lowering": None}) for c in PRODUCT.columns)
    product = PRODUCT.model_copy(update={"columns": plain})
    last = refusals(altered(found, product=product), chains, [])
    assert [r.en for r in last] == ["it is L3, above L2"]


def test_a_version_is_listed_once_until_it_is_withdrawn(home: Home, control: Control) -> None:
    HeatLake(home).make()
    give_rights(control)
    first = list_it(control)
    with pytest.raises(UsageError, match="is listed as L2026-0001"):
        list_it(control)
    with pytest.raises(UsageError, match="says why"):
        listed.withdraw(control, first, " ", LISTER, MONDAY)
    with pytest.raises(ForbiddenError):
        listed.withdraw(control, first, "下架", person("health", "cdo"), MONDAY)
    listed.withdraw(control, first, "下架", LISTER, MONDAY)
    with pytest.raises(UsageError, match="is withdrawn"):
        listed.withdraw(control, first, "再次", LISTER, MONDAY)
    second = list_it(control)
    assert [(x.id, x.is_open) for x in listings(control)] == [(first, False), (second, True)]
    assert EvidenceLog(home).find(f"trade:{first}#1")


def test_only_the_listers_head_lists(home: Home, control: Control) -> None:
    HeatLake(home).make()
    for stranger in (person("health", "cdo"), person("emergency", "steward")):
        with pytest.raises(ForbiddenError):
            list_product(control, TREE, OFFER, stranger, MONDAY)
