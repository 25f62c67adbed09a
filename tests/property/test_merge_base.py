"""What a merge is laid over: whatever was published, corrected and withdrawn before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from jobs.refine.merge import base_of, contents
from jobs.tables.silver import Publication

FIRST = date(2026, 7, 1)
Step = tuple[Literal["publish", "withdraw"], int]


def history(steps: list[Step]) -> list[Publication]:
    """Turn steps into a log: a publish is a date's next revision, a withdraw names one in force."""
    said: list[Publication] = []
    revisions: dict[int, int] = {}
    for kind, number in steps:
        gone = {p.batch_id for p in said if p.kind == "withdraw"}
        in_force = [p for p in said if p.kind == "publish" and p.batch_id not in gone]
        if kind == "publish":
            day = number % 5
            revisions[day] = revision = revisions.get(day, 0) + 1
            batch, of = f"d{day}r{revision}", FIRST + timedelta(days=day)
        elif in_force:
            taken = in_force[number % len(in_force)]
            batch, of, revision = taken.batch_id, taken.business_date, taken.revision
        else:
            continue
        stone = f"stones-{len(said)}"
        said.append(Publication(len(said) + 1, kind, batch, of, revision, "", stone))
    return said


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "publish", "withdraw"]), st.integers(0, 20)), max_size=14
)


@given(steps=STEPS, leave_out=st.integers(0, 20))
def test_base_and_replay_are_what_is_wanted_and_nothing_else(
    steps: list[Step], leave_out: int
) -> None:
    said = history(steps)
    there = contents(said)
    without = there[leave_out % len(there)].batch_id if there else ""
    for wanted in (
        there,
        contents([p for p in said if p.batch_id != without]),
        tuple(p for p in there if p.business_date != FIRST),
    ):
        base = base_of(said, wanted)
        held = {p.batch_id for p in contents([p for p in said if p.version <= (base.version or 0)])}
        names = [p.batch_id for p in wanted]
        assert held | set(base.replay) == set(names)
        assert not held & set(base.replay)
        assert list(base.replay) == [n for n in names if n not in held]
        assert base.current_version == (said[-1].version if said else None)
        if base.version is not None:
            assert base.tombstones == said[base.version - 1].tombstones


@given(steps=STEPS)
def test_a_table_holds_one_revision_of_a_date_the_newest_in_force(steps: list[Step]) -> None:
    said = history(steps)
    there = contents(said)
    assert len({p.business_date for p in there}) == len(there)
    gone = {p.batch_id for p in said if p.kind == "withdraw"}
    for p in said:
        if p.kind == "publish" and p.batch_id not in gone:
            shown = next(t for t in there if t.business_date == p.business_date)
            assert shown.revision >= p.revision
    assert not gone & {p.batch_id for p in there}


@given(steps=STEPS)
def test_what_is_there_needs_no_replay(steps: list[Step]) -> None:
    said = history(steps)
    base = base_of(said, contents(said))
    assert base.replay == ()
    assert base.version == (said[-1].version if said else None)
