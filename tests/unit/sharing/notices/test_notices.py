"""Notices: what is told of which fact, and the outbox that sends each once it can."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from contracts.words import Words
from jobs.record import governance
from jobs.record.governance import BatchRow, DeliveryRow
from sharing.notices import collect, facts, outbox
from sharing.notices.addresses import Book, origin, read_book, read_secret
from sharing.notices.facts import BreakingChange, RunOfDate, Timer
from sharing.notices.notice import KINDS, Notice, plain
from sharing.notices.shape import Break

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.control import Control

AT = datetime(2026, 7, 16, 3, tzinfo=UTC)
DAY = date(2026, 7, 15)
#: What a check may quote of a cell; it must never be told.
SECRET = "手机 13800138000 of 张三"
CHINESE = re.compile(r"[一-鿿]")


def delivery(state: str = "late", **changes: Any) -> DeliveryRow:
    row: dict[str, Any] = {
        "recorded_at": AT, "provider": "health", "dataset": "disease_case",
        "contract_id": "health.disease_case", "contract_version": "1.0.0", "business_date": DAY,
        "state": state, "batch_id": None, "reason": SECRET, "due_at": AT, "received_at": None,
    }  # fmt: skip
    return DeliveryRow.model_validate(row | changes)


def batch(status: str = "held", **changes: Any) -> BatchRow:
    row: dict[str, Any] = {
        "recorded_at": AT, "provider": "health", "dataset": "disease_case", "batch_id": "b1",
        "business_date": DAY, "contract_id": "health.disease_case", "contract_version": "1.0.0",
        "revision": 1, "origin": "real", "status": status, "reason": SECRET,
        "file_name": f"{SECRET}.csv", "rows_landed": 1200, "rows_published": 0,
        "rows_quarantined": 0, "rows_duplicate": 0, "silver_version": None, "started_at": AT,
        "finished_at": AT,
    }  # fmt: skip
    return BatchRow.model_validate(row | changes)


def timer(**changes: Any) -> Timer:
    made = Timer("r1", "answer", "civil", ("steward", "cdo"), AT, "near")
    return replace(made, **changes)


def a_notice(fact: str = "f", body: str = "health", role: str = "") -> Notice:
    return Notice("late", fact, body, role, "迟交 late", "正文 text\n")


@pytest.mark.parametrize(
    ("state", "told"),
    [("late", 1), ("missing", 1), ("received", 0), ("expected", 0), ("not_due", 0),
     ("refused", 0), ("duplicate", 0)],
)  # fmt: skip
def test_a_delivery_is_told_where_it_is_late_or_missing(state: str, told: int) -> None:
    found = list(facts.of_deliveries([delivery(state)]))
    assert [(n.kind, n.body, n.role) for n in found] == [("late", "health", "steward")] * told


@pytest.mark.parametrize(
    ("status", "roles"),
    [("held", ["steward", "cdo"]), ("rejected", ["steward"]), ("refused", ["steward"]),
     ("published", []), ("landed", []), ("withdrawn", []), ("superseded", []), ("failed", [])],
)  # fmt: skip
def test_a_batch_is_told_where_somebody_must_act(status: str, roles: list[str]) -> None:
    found = list(facts.of_batches([batch(status)]))
    assert [n.role for n in found] == roles
    assert {n.kind for n in found} <= {"held"}


def test_a_withdrawal_is_told_to_each_reader_and_the_provider() -> None:
    found = facts.of_withdrawal(batch("withdrawn"), ["demo", "other", "demo"], ["heat__demo"])
    assert [(n.body, n.role) for n in found] == [("demo", ""), ("other", ""), ("health", "steward")]
    assert all("heat__demo" in n.text for n in found)


@pytest.mark.parametrize(("state", "kind"), [("near", "deadline"), ("over", "overdue")])
def test_a_timer_is_told_to_who_must_act(state: Any, kind: str) -> None:
    found = list(facts.of_timers([timer(state=state)]))
    assert [(n.kind, n.body, n.role) for n in found] == [
        (kind, "civil", r) for r in ("steward", "cdo")
    ]
    assert "2026-07-16 11:00" in found[0].text


def test_a_deadline_that_moved_is_told_again() -> None:
    one, other = timer(roles=("cdo",)), timer(roles=("cdo",), due_at=AT + timedelta(days=10))
    assert len({n.key for n in facts.of_timers([one, one, other])}) == 2


def every_notice() -> list[Notice]:
    change = BreakingChange(
        "heat__demo", 1, "emergency.heat", "1.0.0", "2.0.0", (Break("rows"),), ("demo", "demo")
    )
    return [
        *facts.of_deliveries([delivery()]),
        *facts.of_batches([batch(s) for s in ("held", "rejected", "refused")]),
        *facts.of_withdrawal(batch("withdrawn"), ["demo"], ["heat__demo"]),
        *facts.of_timers([timer(), timer(state="over")]),
        *facts.of_run(RunOfDate("health__disease_case", "health", f"{DAY}", "run 1", "failed")),
        *facts.of_run(RunOfDate("heat_readiness", "", f"{DAY}", "run 2", "overdue")),
        *facts.of_breaking_change(change),
    ]


def test_every_kind_is_made_and_none_quotes_a_reason_or_a_file_name() -> None:
    found = every_notice()
    assert {n.kind for n in found} == set(KINDS)
    for n in found:
        assert "13800138000" not in n.subject + n.text
        assert "张三" not in n.subject + n.text
        assert "\n" not in n.subject
        assert any("\u4e00" <= c <= "\u9fff" for c in n.text)
        assert any("a" <= c <= "z" for c in n.text)


def test_every_notice_says_it_whole_in_chinese_and_then_in_english() -> None:
    for n in every_notice():
        subject = Words.read(n.subject)
        assert subject.zh != subject.en
        chinese, english = n.text.rstrip("\n").split("\n\n")
        for zh, en in ((subject.zh, subject.en), (chinese, english)):
            assert CHINESE.search(zh)
            assert not CHINESE.search(en)


@given(st.text())
def test_an_identifier_is_one_line_of_plain_characters(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert not set("<>\"'\\\r\n") & set(shown)


@pytest.mark.parametrize("hostile", ["health\r\nBcc: x@y.z", "<script>", "a\u202eb"])
def test_a_hostile_identifier_stays_in_its_line(hostile: str) -> None:
    (found,) = facts.of_deliveries([delivery(provider=hostile)])
    assert "\n" not in found.subject
    assert "\r" not in found.text
    assert "<" not in found.text
    assert "\u202e" not in found.text


def test_the_same_fact_is_told_once(control: Control) -> None:
    assert outbox.put(control, [a_notice(), a_notice(), a_notice("g")], AT) == 2
    assert outbox.put(control, [a_notice(), a_notice("h")], AT) == 1
    assert len(outbox.list_notices(control)) == 3


def test_collecting_again_finds_nothing_new(control: Control) -> None:
    governance.append(control.home, "a", [delivery("missing")])
    governance.append(control.home, "b", [batch("held"), batch("withdrawn", batch_id="b2")])
    assert collect.collect(control, AT) == 4
    assert collect.collect(control, AT + timedelta(hours=1)) == 0
    governance.append(control.home, "c", [delivery("late", recorded_at=AT + timedelta(hours=1))])
    assert collect.collect(control, AT + timedelta(hours=2)) == 1


def test_what_is_long_ago_is_no_news(control: Control) -> None:
    governance.append(control.home, "a", [delivery("missing"), delivery("late", dataset="other")])
    governance.append(control.home, "b", [batch("held")])
    assert collect.collect(control, AT + timedelta(days=9)) == 0


BOOK = Book.model_validate(
    {
        "smtp": {"host": "localhost", "port": 2525, "sender": "jingshu@example.cn"},
        "webhooks": {"allow": ["https://hooks.example.cn"]},
        "to": [
            {"body": "health", "roles": ["steward"], "email": "s@example.cn"},
            {"body": "health", "email": "all@example.cn"},
            {"body": "demo", "webhook": "https://hooks.example.cn/in", "secret_file": "demo"},
        ],
    }
)


@pytest.mark.parametrize(
    ("body", "role", "heard"),
    [
        ("health", "steward", ["s@example.cn", "all@example.cn"]),
        ("health", "cdo", ["all@example.cn"]),
     ("health", "", ["s@example.cn", "all@example.cn"]), ("demo", "", ["https://hooks.example.cn/in"]),
     ("civil", "cdo", [])],
)  # fmt: skip
def test_a_notice_goes_where_its_body_listens(body: str, role: str, heard: list[str]) -> None:
    assert [e.address for e in BOOK.listening(body, role)] == heard


def test_a_notice_that_nobody_hears_waits_for_an_address(control: Control) -> None:
    outbox.put(control, [a_notice(body="civil")], AT)
    assert outbox.address(control, BOOK, AT) == 0
    assert [n.state for n in outbox.list_notices(control)] == ["unaddressed"]
    more = Book(smtp=BOOK.smtp, to=(BOOK.to[1].model_copy(update={"body": "civil"}),))
    assert outbox.address(control, more, AT) == 1
    assert outbox.address(control, more, AT) == 0


def queued(control: Control, count: int = 1) -> None:
    outbox.put(control, [a_notice(str(n), role="cdo") for n in range(count)], AT)
    outbox.address(control, BOOK, AT)


def test_a_claim_is_for_one_sender_until_it_runs_out(control: Control) -> None:
    queued(control)
    first = outbox.claim(control, AT)
    assert first is not None
    assert outbox.claim(control, AT + outbox.LEASE - timedelta(seconds=1)) is None
    second = outbox.claim(control, AT + outbox.LEASE)
    assert second is not None
    assert (second.key, second.claim != first.claim) == (first.key, True)
    assert not outbox.mark_sent(control, first, AT), "the zombie's claim is over"
    assert outbox.mark_sent(control, second, AT)
    assert outbox.claim(control, AT + timedelta(days=9)) is None
    assert [n.state for n in outbox.list_notices(control)] == ["sent"]


def test_an_address_is_given_up_after_so_many_failures(control: Control) -> None:
    queued(control)
    at, tries = AT, 0
    while (claimed := outbox.claim(control, at)) is not None:
        tries += 1
        outbox.mark_failed(control, claimed, at, "a\nreason", is_final=False)
        at += outbox.pause_after(tries)
    (found,) = outbox.list_notices(control)
    assert (tries, found.state, found.reason) == (outbox.MOST_ATTEMPTS, "dead", "a reason")


@given(st.integers(0, 1000))
def test_pauses_grow_and_have_an_end(attempts: int) -> None:
    assert outbox.pause_after(attempts) <= outbox.pause_after(attempts + 1) <= timedelta(hours=6)


HOOK = {"body": "d", "webhook": "https://a.example/x", "secret_file": "d"}
SMTP = {"host": "h", "sender": "a@b.c"}


@pytest.mark.parametrize(
    "document",
    [
        {"smtp": SMTP, "to": [{"body": "d", "email": "a@b.c\r\nBcc: x@y.z"}]},
        {"smtp": SMTP, "to": [{"body": "d", "email": "a@b.c\n"}]},
        {"smtp": SMTP, "to": [{"body": "d", "email": "a@b.c, x@y.z"}]},
        {"smtp": SMTP | {"sender": "a@b.c\n"}},
        {"smtp": SMTP | {"username": "u", "password_file": "p", "starttls": False}},
        {"smtp": SMTP | {"username": "u"}},
        {"to": [{"body": "d", "email": "a@b.c"}]},
        {"to": [HOOK]},
        {"webhooks": {"allow": ["https://b.example"]}, "to": [HOOK]},
        {"webhooks": {"allow": ["http://a.example"]}, "to": [HOOK]},
        {"webhooks": {"allow": ["https://a.example:444"]}, "to": [HOOK]},
        {"webhooks": {"allow": ["https://a.example"]}, "to": [HOOK | {"secret_file": "../x"}]},
        {"webhooks": {"allow": ["https://a.example"]}, "to": [HOOK | {"email": "a@b.c"}]},
        {"webhooks": {"allow": ["file:///etc"]}},
        {"more": 1},
    ],
)
def test_a_book_that_could_do_harm_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Book.model_validate(document)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "//a",
        "https://",
        "https://u:p@a/",
        "https://a/#x",
        "https://a\\@b/",
        "https://a/ b",
     "https://a/\r\nX: y", "javascript:alert(1)", "https://a:99999/"],
)  # fmt: skip
def test_a_url_that_may_not_be_called(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        origin(url)


@pytest.mark.parametrize(
    ("url", "same"),
    [("https://A.example/x", "https://a.example:443"), ("http://a:8/x?y", "http://a:8")],
)
def test_an_origin_is_scheme_host_and_port(url: str, same: str) -> None:
    assert origin(url) == same


def test_a_file_that_does_not_read_says_where(home: Home) -> None:
    assert read_book(home) == Book()
    path = home.root / "notices.toml"
    path.write_text('[[to]]\nbody = "d"\nemail = "none"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"to\.0\.email"):
        read_book(home)
    path.write_text("[", encoding="utf-8")
    with pytest.raises(UsageError, match="no TOML"):
        read_book(home)


def test_a_secret_is_long_and_its_owners_own(home: Home) -> None:
    home.keys.mkdir(parents=True)
    path = home.keys / "demo"
    with pytest.raises(UsageError, match="cannot be read"):
        read_secret(home, "demo")
    path.write_bytes(b"x" * 31 + b"\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="less than 32"):
        read_secret(home, "demo")
    path.write_bytes(b"x" * 32 + b"\n")
    assert read_secret(home, "demo") == b"x" * 32
    path.chmod(0o640)
    with pytest.raises(UsageError, match="Others may read"):
        read_secret(home, "demo")
