"""What one request may cost: work is counted, never timed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import sqlglot
from sqlalchemy import event, select

from sharing.control import AccessRecord, Control
from sharing.gateway import affordable as bounds
from sharing.gateway import record, refusals, rights
from sharing.gateway.affordable import affordable
from sharing.gateway.rates import FAILED, Rate, counted
from sharing.gateway.refusals import Refusals
from sharing.grants import grants
from sharing.tables.snapshot import read_snapshot
from tests.support.sharing.served import TABLE, TABLE_URL, districts, serving, write_shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sharing.served import Served

SHARES: Final = "/delta-sharing/shares"
_opened: list[str] | None = None


def _note(name: str, given: tuple[Any, ...]) -> None:
    if _opened is not None and name in {"open", "os.listdir", "os.scandir", "glob.glob"}:
        _opened.append(f"{name} {given[0]}")


sys.addaudithook(_note)  # it cannot be taken away, and does nothing while nobody counts


def work_of(control: Control, ask: Callable[[], object], patch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements and the looks at files that a request takes, in their order."""
    global _opened  # noqa: PLW0603 - a hook is the process's
    done: list[str] = []

    def note(*given: Any) -> None:
        done.append(given[2])

    is_dir = Path.is_dir

    def counted_is_dir(path: Path) -> bool:
        done.append(f"is_dir {path}")
        return is_dir(path)

    event.listen(control._engine, "before_cursor_execute", note)
    with patch.context() as counting:
        counting.setattr(Path, "is_dir", counted_is_dir)
        _opened = done
        try:
            ask()
        finally:
            _opened = None
            event.remove(control._engine, "before_cursor_execute", note)
    return done


@pytest.mark.parametrize("path", ["/version", "/query"])
def test_what_is_unknown_and_what_is_another_s_take_the_same_work(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A difference would tell a recipient which tables there are."""
    write_shared(served.home, "secret__plan", districts(("110101", "景山", 1)))
    method = "GET" if path == "/version" else "POST"

    def work(url: str) -> list[str]:
        def ask() -> None:
            assert served.send(method, url + path).status == 404

        ask()
        return work_of(served.control, ask, monkeypatch)

    known = work(TABLE_URL.replace(TABLE, "secret__plan"))
    assert known == work(TABLE_URL.replace(TABLE, "nothing__here"))
    assert known == work(TABLE_URL.replace(TABLE, "SECRET__PLAN"))
    assert known == work(TABLE_URL.replace("jingshu", "elsewhere"))
    assert any("share_grants" in line for line in known)
    assert not any(line.startswith(("open", "os.", "glob", "is_dir")) for line in known)


def test_a_granted_table_is_found_in_any_case(served: Served) -> None:
    shouted = TABLE_URL.replace("jingshu", "JINGSHU").replace(TABLE, TABLE.upper())
    assert served.get(f"{shouted.replace('city', 'City')}/version").status == 200


def test_a_listing_opens_what_it_shows(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(30):
        write_shared(served.home, f"many__{n:02d}", districts(("110101", "景山", n)))
        grants.grant(served.control, "demo", f"many__{n:02d}", "演示", actor="test")
    opened: list[str] = []

    def counting(root: Any, *more: Any, **named: Any) -> Any:
        opened.append(root.path.name)
        return read_snapshot(root, *more, **named)

    monkeypatch.setattr(rights, "read_snapshot", counting)

    def opened_by(path: str) -> tuple[int, int]:
        opened.clear()
        items = served.get(f"{SHARES}{path}").json()["items"]
        return len(items), len(set(opened))

    assert opened_by("") == (1, 1)
    assert opened_by("/jingshu/schemas") == (1, 1)
    assert opened_by("/jingshu/all-tables?maxResults=5") == (5, 6)
    assert opened_by("/jingshu/schemas/city/tables?maxResults=5") == (5, 6)
    assert opened_by("/jingshu/all-tables") == (31, 31)


def test_many_hints_are_passed_over_and_no_row_is_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = sqlglot.parse_one

    def counting(text: str, **more: Any) -> Any:
        if "district" in text or "xxx" in text:  # it parses names of types too
            parsed.append(text)
        return parse(text, **more)

    monkeypatch.setattr(sqlglot, "parse_one", counting)
    first, never = "district = '110105'", "district = '999999'"
    answer = served.query({"predicateHints": [first, *([never] * 20_000)], "limitHint": 0})
    assert answer.status == 200
    assert len(parsed) == bounds.MOST_HINTS
    parsed.clear()
    # Not one is looked at, and yet the client filters: the limit must not cut what it filters.
    whole = served.query({"predicateHints": ["x" * 40_000] * 3, "limitHint": 1})
    assert (len(whole.lines), parsed) == (2 + 2, [])


@pytest.mark.parametrize(
    ("hint", "files", "is_kept"),
    [
        ("n = 1", 100_000, True),
        (f"n IN ({','.join(map(str, range(2000)))})", 100, True),
        (f"n IN ({','.join(map(str, range(2000)))})", 1000, False),
        ("(" * 64 + "n = 1" + ")" * 64, 1, True),
        ("(" * 65 + "n = 1" + ")" * 65, 1, False),
        ("NOT (" * 5000 + "n = 1" + ")" * 5000, 1, False),
        (f"t = '{'x' * 40_000}'", 1, False),
    ],
    ids=["one", "long", "long, many files", "deep", "too deep", "far too deep", "too long"],
)
def test_a_hint_is_looked_at_while_it_is_worth_it(hint: str, files: int, *, is_kept: bool) -> None:
    assert affordable([hint], None, files) == ((hint,) if is_kept else (), None)


def test_a_json_hint_has_the_same_bounds() -> None:
    leaf = '{"op":"equal","children":[{"op":"column"},{"op":"literal"}]}'
    few, many = (f'{{"op":"or","children":[{",".join([leaf] * n)}]}}' for n in (10, 2000))
    deep = '{"op":"not","children":[' * 5000 + leaf + "]}" * 5000
    assert affordable([], few, 1000) == ((), few)
    assert affordable([], many, 1000) == ((), None)
    hidden = many.replace("op", "\\u006fp")
    assert affordable([], hidden, 1000) == ((), None)
    assert affordable([], deep, 1) == ((), None)


def test_a_flood_of_refusals_leaves_a_few_records_that_count_them_all(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "OF_ONE", Rate(per_s=1e-6, burst=5))
    monkeypatch.setattr(record, "COUNTED_S", 0.2)
    forged = f"/files/demo/{TABLE}/0/abc?sp=r&se=1&sig=0"
    for n in range(60):
        path = f"{TABLE_URL}/version?{n}" if n % 2 else forged
        assert served.get(path, token="jst_wrong" if n % 2 else None).status in {401, 403}
    assert served.query().status == 200

    def rows() -> list[AccessRecord]:
        with served.control.read() as session:
            return list(session.scalars(select(AccessRecord).order_by(AccessRecord.id)))

    deadline = time.monotonic() + 60
    while sum(row.times for row in rows()) < 61:
        assert time.monotonic() < deadline, [(r.path, r.times) for r in rows()]
        time.sleep(0.05)
    found = rows()
    alone = [r for r in found if r.times == 1 and r.path != "-"]
    together = [r for r in found if r.path == "-"]
    assert len(found) <= 20
    assert len(alone) == 5 + 1
    assert {r.status for r in together} == {401, 403}
    assert {(r.recipient, r.method) for r in together} == {(None, "-")}


def test_a_gateway_that_stops_writes_what_it_counted(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "OF_ONE", Rate(per_s=1e-6, burst=1))
    with serving(control) as served:
        for _ in range(10):
            assert served.get(f"{TABLE_URL}/version", token="jst_wrong").status == 401
    with control.read() as session:
        assert sorted(session.scalars(select(AccessRecord.times))) == [1, 9]


def test_forged_urls_are_slowed_by_address_and_good_ones_are_not(served: Served) -> None:
    good = served.file_urls()[0]
    forged = f"/files/demo/{TABLE}/0/abc?sp=r&se=1&sig=0"
    statuses = [served.open_url(forged).status for _ in range(FAILED.burst + 60)]
    assert set(statuses) == {403, 429}
    assert served.open_url(good).status == 200


def test_what_a_recipient_was_given_or_denied_is_kept_one_by_one() -> None:
    kept = Refusals()
    row = {"recipient": "demo", "status": 404, "method": "GET", "path": "/x", "times": 1}
    for status in (200, 403, 404):
        for _ in range(refusals.OF_ONE.burst + 1):
            assert not kept.is_counted("10.0.0.1", {**row, "status": status})
    often = [kept.is_counted("10.0.0.1", {**row, "status": 429}) for _ in range(400)]
    assert often[: refusals.OF_ONE.burst] == [False] * refusals.OF_ONE.burst
    assert often[-1]
    [one] = kept.take()
    assert (one["recipient"], one["status"], one["times"]) == ("demo", 429, sum(often))
    assert kept.take() == []


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("nonsense", "nonsense"),
    ],
)
def test_one_host_has_all_addresses_of_its_ipv6_network(address: str, who: str) -> None:
    assert counted(address) == who
