"""From the catalogue to delivered data and its end, clicked by two bodies in two browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sharing.grants import grants

if TYPE_CHECKING:
    from tests.support.town import Browser, Town

_WORDS = {
    "title": "高温应对",
    "recipient": "med_ins",
    "purpose": "高温期间医保值守",
    "legal_basis": "突发事件应对法 第七条",
    "scenario": "值守席每日查看",
    "scope": "医保局应急处",
    "mode": "api",
    "until": "2026-09-30",
}


def drafted(asker: Browser) -> str:
    """Find the dataset, fill in the form that its button leads to, and return the draft's id."""
    listed = asker.get("/catalogue?q=高温&provider=emergency")
    assert 'href="/catalogue/emergency.heat_readiness"' in listed.text
    entry = asker.get("/catalogue/emergency.heat_readiness")
    assert 'href="/requests/new?contract=emergency.heat_readiness"' in entry.text
    assert asker.get("/requests/new?contract=emergency.heat_readiness").status_code == 200
    sent = {**_WORDS, "contract": "emergency.heat_readiness", "policy": "demo"}
    kept = asker.post("/requests/new", sent)
    assert kept.status_code == 303, kept.text
    return kept.headers["location"].removeprefix("/requests/")


def test_from_the_catalogue_to_delivered_and_destroyed(town: Town) -> None:
    asker, owner = town.asker, town.owner
    ask_id = drafted(asker)
    assert owner.get(f"/requests/{ask_id}").status_code == 404  # a draft is its asker's
    for browser, action, said in (
        (asker, "submit", {}),
        (owner, "ask_supplement", {"missing": "范围"}),
        (asker, "resubmit", {"wording": ""}),
        (owner, "accept", {}),
        (owner, "agree", {}),
        (owner, "deliver", {}),
        (owner, "suspend", {"reason": "核查"}),
        (owner, "resume", {"reason": "无误"}),
    ):
        assert f"/requests/{ask_id}" in browser.get("/").text or action == "suspend", action
        page = browser.get(f"/requests/{ask_id}").text
        assert f'action="/requests/{ask_id}/{action}"' in page
        town.clock.move(minutes=1)
        done = browser.post(f"/requests/{ask_id}/{action}", said)
        assert done.status_code == 303, (action, done.text)
    assert grants.granted_tables(town.control, "med_ins", town.clock.at) == {"heat_readiness__demo"}
    page = asker.get(f"/requests/{ask_id}").text
    assert "<code>jingshu.emergency.heat_readiness__demo</code>" in page
    assert "./jingshu share profile med_ins --out med_ins.share" in page
    assert "med_ins.share#jingshu.emergency.heat_readiness__demo" in page
    assert all(f">{tool}</h3>" in page for tool in ("pandas", "Polars", "DuckDB"))
    used = {"scenario": "值守", "process": "查看", "effect": "调派两车", "storage": "不落地"}
    assert asker.post(f"/requests/{ask_id}/uses", used).status_code == 303
    assert "调派两车" in owner.get(f"/requests/{ask_id}").text
    assert asker.post(f"/requests/{ask_id}/close", {"reason": "用毕"}).status_code == 303
    assert grants.granted_tables(town.control, "med_ins", town.clock.at) == set()
    assert "share profile" not in asker.get(f"/requests/{ask_id}").text
    proof = {"method": "覆写", "proof": "签字单 17"}
    assert asker.post(f"/requests/{ask_id}/destroy", proof).status_code == 303
    assert "签字单 17" in owner.get(f"/requests/{ask_id}").text
