"""Changes of contracts that break readers: which do, and that each is told once to who reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cli.main import jingshu
from contracts.moment import utc_now
from contracts.product import Release
from sharing.control import Control, Grant
from sharing.grants import grants
from sharing.notices import facts, outbox, seen
from sharing.notices.collect import collect
from sharing.notices.facts import BreakingChange
from sharing.notices.shape import Break, Shape, SharedColumn, breaks, shapes
from tests.support.returning import returning_tree
from tests.support.sharing.lakes import PRODUCT, SHARED, TREE
from tests.support.sharing.posting import Post, posting
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.tree import Tree

AT: Final = datetime(2026, 7, 16, 3, tzinfo=UTC)
OTHER: Final = "heat_readiness__other"
#: A constant of a row condition; it may be a value of the data, so it must never be told.
VALUE: Final = "110105"
SHOWN: Final = shapes(TREE)[SHARED]


def keeping(**columns: Any) -> Shape:
    made = {name: column(**parts) for name, parts in columns.items()}
    return Shape(contract="c.x", version="1.2.0", columns=made)


def column(
    kind: str = "string", mask: str = "keep", *, level: Any = "L1", required: bool = False, **a: Any
) -> SharedColumn:
    return SharedColumn(
        type=kind, is_required=required, level=level, release=Release(mask=mask, **a)
    )


def release(mask: str, **arguments: Any) -> Release:
    return Release(mask=mask, **arguments)


BASE: Final = keeping(a={}, n={"kind": "bigint"})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"columns": {"a": column()}}, [Break("column", "n")]),
        ({"columns": {**BASE.columns, "b": column()}}, []),
        ({"version": "1.3.0"}, []),
        ({"version": "2.0.0"}, [Break("version", before="1.2.0", after="2.0.0")]),
        ({"version": "0.9.0"}, []),
        ({"rows": "a = 'x'"}, [Break("rows")]),
        ({"k": 20}, [Break("k", before="-", after="20")]),
        ({"l": 2}, [Break("l", before="-", after="2")]),
        ({"inputs": ("health.disease_case",)}, []),
        ({}, []),
    ],
    ids=str,
)
def test_a_change_of_a_table(change: dict[str, Any], found: list[Break]) -> None:
    assert list(breaks(BASE, BASE.model_copy(update=change))) == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"rows": "a = 'x'"}, {"rows": "a = 'y'"}, ["rows"]),
        ({"rows": "a = 'x'"}, {"rows": None}, ["rows"]),
        ({"k": 20}, {"k": 30}, ["k"]),
        ({"k": 20}, {"k": 10}, []),
        ({"k": 20}, {"k": None}, []),
        ({"l": 2}, {"l": 3}, ["l"]),
        ({"l": 3}, {"l": 2}, []),
        ({"inputs": ("x.y", "x.z")}, {"inputs": ("x.z",)}, ["input"]),
        ({"inputs": ("x.y", "x.z")}, {"inputs": ("x.z", "x.y")}, []),
    ],
    ids=str,
)
def test_a_change_of_what_was_there(
    before: dict[str, Any], after: dict[str, Any], found: list[str]
) -> None:
    old, new = BASE.model_copy(update=before), BASE.model_copy(update=after)
    assert [b.what for b in breaks(old, new)] == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (column("bigint"), column("string"), "type"),
        (column("bigint"), column("double"), "type"),
        (column("double"), column("bigint"), "type"),
        (column("date"), column("timestamp"), "type"),
        (column("decimal(10,2)"), column("decimal(12,2)"), ""),
        (column("decimal(10,2)"), column("decimal(12, 3)"), ""),
        (column("decimal(10,2)"), column("decimal(10,3)"), "type"),
        (column("decimal(10,2)"), column("decimal(9,2)"), "type"),
        (column("decimal(10,2)"), column("double"), "type"),
        (column(required=True), column(), "empty"),
        (column(), column(required=True), ""),
        (column(level="L1"), column(level="L2"), ""),
        (column(level="L2"), column(level="L3"), "level"),
        (column(level="L3"), column(level="L4"), ""),
        (column(level="L3"), column(level="L1"), ""),
    ],
    ids=lambda c: f"{c.type} {c.level} {c.is_required}" if isinstance(c, SharedColumn) else c,
)
def test_a_change_of_a_column(before: SharedColumn, after: SharedColumn, found: str) -> None:
    old, new = (Shape(contract="c", version="1", columns={"a": c}) for c in (before, after))
    assert [(b.what, b.name) for b in breaks(old, new)] == ([(found, "a")] if found else [])


@pytest.mark.parametrize(
    ("before", "after", "is_breaking"),
    [
        (release("keep"), release("partial", keep_first=3, keep_last=4), True),
        (release("partial", keep_first=3, keep_last=4), release("keep"), False),
        (release("partial", keep_first=3, keep_last=4), release("prefix", length=3), True),
        (release("partial", keep_first=3, keep_last=4),
         release("partial", keep_first=3, keep_last=0), True),
        (release("partial", keep_first=3, keep_last=4),
         release("partial", keep_first=2, keep_last=9), True),
        (release("partial", keep_first=3, keep_last=4),
         release("partial", keep_first=4, keep_last=4), False),
        (release("prefix", length=6), release("prefix", length=4), True),
        (release("prefix", length=4), release("prefix", length=6), False),
        (release("round_coordinate", to=0.01), release("round_coordinate", to=0.1), True),
        (release("round_coordinate", to=0.1), release("round_coordinate", to=0.01), False),
        (release("round_coordinate", to=0.1), release("round_coordinate", to=0.03), True),
        (release("generalise", step=10), release("generalise", step=5), False),
        (release("generalise", step=10), release("generalise", step=3), True),
        (release("generalise", step=5), release("generalise", step=10), True),
        (release("truncate_date", to="month"), release("truncate_date", to="year"), True),
        (release("truncate_date", to="year"), release("truncate_date", to="quarter"), False),
        (release("hmac_sm3", purpose="a"), release("hmac_sm3", purpose="a"), False),
        (release("hmac_sm3", purpose="a"), release("hmac_sm3", purpose="b"), True),
        (release("hmac_sm3", purpose="a"), release("sm4", bureau="a"), True),
        (release("hmac_sm3", purpose="a"), release("keep"), False),
        (release("keep"), release("hmac_sm3", purpose="a"), True),
        (release("prefix", length=4), release("prefix"), True),
    ],
    ids=lambda r: str(r) if isinstance(r, bool) else f"{r.mask} {r.model_extra}",
)  # fmt: skip
def test_a_change_of_a_mask(before: Release, after: Release, is_breaking: bool) -> None:  # noqa: FBT001
    old, new = (
        BASE.model_copy(update={"columns": {"a": column().model_copy(update={"release": r})}})
        for r in (before, after)
    )
    assert [b.what for b in breaks(old, new)] == (["mask"] if is_breaking else [])


_COLUMNS = st.builds(
    column,
    st.sampled_from(["string", "bigint", "decimal(10,2)"]),
    level=st.sampled_from(["L1", "L2", "L3"]),
    required=st.booleans(),
)
_SHAPES = st.builds(
    Shape,
    contract=st.just("c.x"),
    version=st.sampled_from(["1.0.0", "1.1.0", "2.0.0"]),
    columns=st.dictionaries(st.sampled_from("abcd"), _COLUMNS),
    rows=st.none() | st.sampled_from(["a = 1", "a = 2"]),
    k=st.none() | st.integers(2, 30),
    l=st.none() | st.integers(2, 4),
    inputs=st.lists(st.sampled_from(["x.y", "x.z"]), unique=True).map(tuple),
)


@given(_SHAPES, _SHAPES)
def test_what_is_added_never_breaks_and_what_is_lost_always_does(one: Shape, two: Shape) -> None:
    assert breaks(one, one) == ()
    assert [b.what for b in breaks(one, None)] == ["gone"]
    lost = {b.name for b in breaks(one, two) if b.what == "column"}
    assert lost == set(one.columns) - set(two.columns)
    more = one.model_copy(update={"columns": {**two.columns, **one.columns}})
    assert breaks(one, more) == ()
    assert Shape.model_validate_json(one.model_dump_json()) == one


def test_a_shape_is_what_the_policy_shares() -> None:
    policy = PRODUCT.product_plan.policies[0]
    kept = {name for name, how in policy.columns.items() if how.mask != "drop"}
    assert set(SHOWN.columns) == kept
    assert "nearest_depot_id" not in SHOWN.columns, "it is dropped"
    assert (SHOWN.contract, SHOWN.version, SHOWN.k) == (PRODUCT.id, PRODUCT.version, 20)
    assert SHOWN.inputs == PRODUCT.product_plan.inputs
    assert SHOWN.columns["elders_served"].type == "bigint"
    assert SHOWN.columns["duty_phone"].release.mask == "partial"


@dataclass
class Told:
    """A city whose contracts change; ``new`` collects and returns who was told of which table."""

    control: Control
    patch: pytest.MonkeyPatch
    at: datetime = AT

    def be(self, **product: Any) -> Told:
        return self.have(changed(**product))

    def have(self, tree: Tree) -> Told:
        self.patch.setattr("sharing.notices.collect.city_tree", lambda _home: tree)
        return self

    def new(self) -> list[tuple[str, str]]:
        self.at += timedelta(hours=1)
        known = {n.key for n in outbox.list_notices(self.control)}
        count = collect(self.control, self.at)
        found = [n for n in outbox.list_notices(self.control) if n.key not in known]
        assert len(found) == count
        assert {n.kind for n in found} <= {"breaking_change"}
        return sorted((n.body, n.subject.rpartition(" ")[2]) for n in found)

    def text(self) -> str:
        """Return the newest notice's words."""
        with self.control.read() as session:
            rows = session.query(outbox.NoticeRow).order_by(outbox.NoticeRow.made_at.desc())
            return rows.limit(1).one().text


def changed(version: str = "1.0.0", status: str = "active", **demo: Any) -> Tree:
    """Return the tree whose product has another version, status or policy ``demo``."""
    plan = PRODUCT.product_plan
    policy = plan.policies[0].model_copy(update=demo)
    other = plan.policies[0].model_copy(update={"name": "other"})
    made = plan.model_copy(update={"policies": (policy, other)})
    product = PRODUCT.model_copy(update={"version": version, "status": status, "product": made})
    return replace(TREE, products={**TREE.products, PRODUCT.id: product})


def without(*names: str) -> dict[str, Release]:
    columns = PRODUCT.product_plan.policies[0].columns
    return {name: how for name, how in columns.items() if name not in names}


@pytest.fixture
def told(control: Control, monkeypatch: pytest.MonkeyPatch) -> Told:
    """A city in which ``demo`` and ``ward`` read one table, ``ward`` and ``past`` another."""
    for name in (SHARED, OTHER):
        write_shared(control.home, name, districts(("110101", "东华门", 120)))
    for reader, table in (("demo", SHARED), ("ward", SHARED), ("ward", OTHER), ("past", SHARED)):
        grants.grant(control, reader, table, "值守", actor="test")
    grants.revoke(control, "past", SHARED, actor="test")
    return Told(control, monkeypatch).be()


def test_a_first_sight_is_memory_and_no_news(told: Told) -> None:
    assert told.new() == []
    assert told.new() == []


def test_a_change_is_told_once_to_each_who_may_read_it_now(told: Told) -> None:
    told.new()
    told.be(version="1.1.0", columns=without("heat_cases"))
    assert told.new() == [("demo", SHARED), ("ward", SHARED)]
    assert "删除列 heat_cases" in told.text()
    assert "column removed heat_cases" in told.text()
    assert "1.0.0 变为 1.1.0" in told.text()
    assert "share request draft" in told.text()
    assert told.new() == told.be(version="1.1.0", columns=without("heat_cases")).new() == []


def test_two_grants_of_a_table_are_one_reader(told: Told) -> None:
    grants.grant(told.control, "demo", SHARED, "演练", actor="test")
    told.new()
    assert told.be(k=30).new() == [("demo", SHARED), ("ward", SHARED)]


def test_what_ended_or_begins_later_is_not_told(told: Told) -> None:
    told.new()
    grants.revoke(told.control, "demo", SHARED, actor="test")
    told.be(k=30)
    assert told.new() == [("ward", SHARED)]
    grants.grant(told.control, "late", SHARED, "值守", actor="test")
    assert told.new() == []


def test_a_grant_that_ran_out_is_not_told(told: Told) -> None:
    last = utc_now().date() + timedelta(days=1)
    grants.grant(told.control, "brief", SHARED, "值守", grants.Reach(last), actor="test")
    told.new()
    told.at = utc_now() + timedelta(days=3)
    assert told.be(k=30).new() == [("demo", SHARED), ("ward", SHARED)]


def test_a_change_without_a_version_is_told_and_says_so(told: Told) -> None:
    told.new()
    assert len(told.be(columns=without("heat_cases")).new()) == 2
    assert "版本仍为 1.0.0，内容已变" in told.text()
    assert "is still 1.0.0, but changed" in told.text()


def test_what_is_taken_back_and_done_again_is_told_again(told: Told) -> None:
    told.new()
    assert len(told.be(columns=without("heat_cases")).new()) == 2
    assert told.be().new() == [], "a column that comes back breaks nobody"
    assert len(told.be(columns=without("heat_cases")).new()) == 2
    assert told.new() == []


def test_a_change_that_nobody_saw_is_none(told: Told) -> None:
    told.new()
    told.be(columns=without("heat_cases"))
    assert told.be().new() == []


@pytest.mark.parametrize(
    "demo",
    [
        {"k": 10},
        {"columns": {**without(), "duty_phone": Release(mask="keep")}},
        {"columns": {**without(), "nearest_depot_km": Release(mask="keep")}},
    ],
    ids=["k lowered", "mask loosened", "column added"],
)
def test_what_shows_more_is_remembered_and_not_told(told: Told, demo: dict[str, Any]) -> None:
    told.new()
    assert told.be(**demo).new() == []
    assert len(told.be().new()) == 2, "to take it away again is news"


def test_a_product_that_is_retired_and_a_policy_that_is_gone_are_told(told: Told) -> None:
    told.new()
    assert told.be(status="deprecated").new() == []
    everybody = [("demo", SHARED), ("ward", SHARED), ("ward", OTHER)]
    assert told.be(status="retired").new() == sorted(everybody)
    assert "不再生成" in told.text()
    assert "made no more" in told.text()
    assert told.new() == told.be().new() == []
    assert told.have(TREE).new() == [("ward", OTHER)], "its policy is gone"


def test_an_input_that_is_retired_is_told(told: Told) -> None:
    told.new()
    name = PRODUCT.product_plan.inputs[0]
    retired = TREE.sources[name].model_copy(update={"status": "retired"})
    tree = changed()
    told.have(replace(tree, sources={**tree.sources, name: retired}))
    assert len(told.new()) == 3
    assert name in told.text()


def test_a_row_condition_is_told_without_what_it_says(told: Told) -> None:
    told.new()
    assert len(told.be(rows=f"district_code = '{VALUE}'").new()) == 2
    assert "行的筛选条件已变" in told.text()
    assert VALUE not in told.text()
    same = f"district_code\n   = '{VALUE}'"
    assert told.be(rows=same).new() == [], "line breaks say nothing"


def test_a_table_of_others_that_has_the_same_name_is_not_meant(told: Told) -> None:
    told.new()
    with told.control.write() as session:
        session.query(Grant).filter_by(recipient="demo").update({"share": "others"})
    assert told.be(k=30).new() == [("ward", SHARED)]


def test_a_crash_before_it_is_remembered_tells_it_once(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.new()
    told.be(k=30)
    with monkeypatch.context() as broken:
        broken.setattr(seen, "remember", _crash)
        with pytest.raises(KeyboardInterrupt):
            collect(told.control, AT)
    assert len(outbox.list_notices(told.control)) == 2
    assert told.new() == [], "it is in the outbox already"
    assert told.be().new() == []
    assert len(told.be(k=30).new()) == 2


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_who_comes_second_remembers_nothing_over_the_first(control: Control) -> None:
    first = seen.changes(control, {"t": BASE})
    seen.remember(control, first, AT)
    more, other = (seen.changes(control, {"t": BASE.model_copy(update={"k": k})}) for k in (5, 6))
    seen.remember(control, more, AT)
    seen.remember(control, other, AT)
    (left,) = seen.changes(control, {"t": BASE.model_copy(update={"k": 6})})
    assert (left.seq, left.before and left.before.k, left.after and left.after.k) == (2, 5, 6)


def test_every_break_has_words_and_hostile_names_stay_in_their_line() -> None:
    found = tuple(Break(what, "a\r\nBcc: x@y.z", "<b>", "\u202e") for what in facts._BREAKS)
    (notice,) = facts.of_breaking_change(
        BreakingChange("t", 3, "c", "1", "2", found, ("demo", "demo"))
    )
    assert len([line for line in notice.text.split("\n") if line.startswith("- ")]) == 22
    assert not set("\r<\u202e") & set(notice.text)


def test_from_the_file_to_the_mailbox(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = returning_tree(tmp_path / "tree")
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(root))
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    for name in ("haidian", "miyun"):
        table = f"returned_pharmacy__{name}"
        write_shared(control.home, table, districts((VALUE, "建外", 1)))
        grants.grant(control, name, table, "区级监管", actor="test")
    grants.revoke(control, "miyun", actor="test")
    post = Post()
    with posting(post) as port:
        (control.home.root / "notices.toml").write_text(
            f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsender = "j@example.cn"\n'
            "starttls = false\n"
            '[[to]]\nbody = "haidian"\nemail = "haidian@example.cn"\n'
            '[[to]]\nbody = "miyun"\nemail = "miyun@example.cn"\n',
            encoding="utf-8",
        )
        assert run("collect", "--json") == {"new": 0}
        file = root / "products" / "returned_pharmacy.odcs.yaml"
        document = yaml.safe_load(file.read_text("utf-8"))
        declared = next(c for c in document["customProperties"] if c["property"] == "product")
        del declared["value"]["return"]["columns"]["pharmacy_phone"]
        declared["value"]["return"]["rows"] = f"street_code <> '{VALUE}'"
        document["version"] = "2.0.0"
        file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        assert run("collect", "--json") == {"new": 1}
        assert run("collect", "--json") == {"new": 0}
        assert run("send", "--json") == {"sent": 1, "failed": 0, "dead": 0}
    ((to, message),) = post.taken
    text = message.get_payload(decode=True).decode()
    assert to == ["haidian@example.cn"]
    assert "column removed pharmacy_phone" in text
    assert "行的筛选条件已变" in text
    assert "goes from 1.0.0 to 2.0.0" in text
    assert VALUE not in text


def run(*arguments: str) -> Any:
    done = CliRunner().invoke(jingshu, ["share", "notices", *arguments], standalone_mode=False)
    return json.loads(done.output)
