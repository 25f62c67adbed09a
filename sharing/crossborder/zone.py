"""Negative lists of the free-trade zone (自贸区数据出境负面清单): added by an operator, consulted.

None is shipped, for none was read; without one the zone's rule is undetermined and permits nothing.
A list is a CSV of ``industry,scenario,field,threshold,route`` with its source, version and day
(促进和规范数据跨境流动规定 Art. 6), kept whole in the control database and signed by its leaf.
``threshold`` is the number of persons from which the row holds: 0 holds for any.

A list names data in words of its own, so a column that no name of it matches may be on it all the
same: where the list does not answer, people are asked; no comparison of names makes anything free.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads them)
from typing import TYPE_CHECKING, Final, get_args

from sqlalchemy import Date, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.crossborder.assessments import city_date
from sharing.crossborder.decide import Route
from sharing.owed import OwingRow
from sharing.people import DATA_AUTHORITY, require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from sharing.control import Control
    from sharing.crossborder.count import Exported
    from sharing.people import Actor

_COLUMNS: Final = ["industry", "scenario", "field", "threshold", "route"]
_CHARACTERS: Final = 200
_VERSION_CHARACTERS: Final = 64


class ZoneListRow(OwingRow):
    """A list as it was added."""

    __tablename__ = "share_zone_lists"
    version: Mapped[str] = mapped_column(String(_VERSION_CHARACTERS), primary_key=True)
    source: Mapped[str] = mapped_column(String(_CHARACTERS))
    issued_on: Mapped[date] = mapped_column(Date)
    content: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Listed:
    """A field of a list, the persons from which it counts, and what the list then asks."""

    industry: str
    scenario: str
    field: str
    threshold: int
    route: Route


@dataclass(frozen=True)
class Asks:
    """The strictest that a list asks of an export, and whether it leaves open that it asks more.

    ``route`` is None where no column is on the list by its exact name, which is never clear.
    """

    route: Route | None
    is_clear: bool


@dataclass(frozen=True)
class ZoneList:
    """A list: its version, who issued it when, and its fields."""

    version: str
    source: str
    issued_on: date
    fields: tuple[Listed, ...]

    def asks(self, what: Exported, persons: int) -> Asks:
        """Return what the list asks of an export, by the names of its columns.

        A column is on the list where a name of it is one of the list's fields. Where one only holds
        a field, or is held by one, the field may be meant: it decides nothing, and leaves open
        whether the list asks for more than is found.
        """
        names = {
            n for c in what.columns for n in map(_plain, (c.name, c.header, c.business_name)) if n
        }
        counted = [listed for listed in self.fields if persons >= listed.threshold]
        found = {listed.route for listed in counted if listed.field in names}
        near = {
            listed.route
            for listed in counted
            if any(listed.field in name or name in listed.field for name in names)
        }
        route, most = (
            next((r for r in get_args(Route) if r in routes), None) for routes in (found, near)
        )
        return Asks(route, is_clear=route is not None and route == most)


def add_list(control: Control, content: bytes, made: ZoneList, actor: Actor, at: datetime) -> None:
    """Keep a list with its leaf; ``made`` is what ``parse_list`` read of it.

    Raises:
        UsageError: Its version is there already, its day is still to come.
        ForbiddenError: The actor is not the data authority's.
    """
    require(actor, "keep_exporters", DATA_AUTHORITY)
    if made.issued_on > city_date(at):
        raise UsageError(
            Words(f"日期 {made.issued_on} 尚未到。", f"{made.issued_on} is still to come."),
            Words("请填写清单自身的发布日期。", "Give its own date."),
        )
    with control.write() as session:
        if session.get(ZoneListRow, made.version) is not None:
            raise UsageError(
                Words(
                    f"清单 {made.version} 已添加。", f"The list {made.version} was added already."
                ),
                Words("新清单请用新版本号。", "Give a new list a new version."),
            )
        row = ZoneListRow(version=made.version, source=made.source, issued_on=made.issued_on)
        row.content, row.actor, row.at = content.decode("utf-8-sig"), actor.name, at
        session.add(row)
    owed.settle(control, ZoneListRow)


def parse_list(content: bytes, version: str, source: str, issued_on: date) -> ZoneList:
    """Read a list; UsageError names the line that is wrong."""
    for text, most in ((version, _VERSION_CHARACTERS), (source, _CHARACTERS)):
        if not 0 < len(text.strip()) <= most or not text.isprintable():
            raise UsageError(
                Words("清单未写明来源或版本。", "The list has no source or no version."),
                Words("请填写发布机关、文号与版本。", "Name who issued it, and its version."),
            )
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        lines = list(reader)
    except (UnicodeDecodeError, csv.Error):
        lines = []
    if not lines or list(lines[0]) != _COLUMNS:
        first = ",".join(_COLUMNS)
        raise UsageError(
            Words("这不是负面清单。", "The file is no negative list."),
            Words(f"请以 {first} 为首行（UTF-8）。", f"Make its first line: {first} (UTF-8)."),
        )
    fields = tuple(_listed(line, number) for number, line in enumerate(lines, 2))
    return ZoneList(version.strip(), source.strip(), issued_on, fields)


def list_on(session: Session, at: datetime) -> ZoneList | None:
    """Return the newest list of a time, as it was added by then; None where there is none."""
    row = session.scalars(
        select(ZoneListRow)
        .where(ZoneListRow.at <= at, ZoneListRow.issued_on <= city_date(at))
        .order_by(ZoneListRow.issued_on.desc(), ZoneListRow.at.desc())
    ).first()
    if row is None:
        return None
    return parse_list(row.content.encode(), row.version, row.source, row.issued_on)


@owed.owes(ZoneListRow)
def list_leaf(row: ZoneListRow) -> Leaf:
    """Return the leaf of one list: its source, its day and the digest of all of it."""
    return Leaf(
        type="crossborder",
        subject=f"negative_list/{row.version}",
        facts={
            "source": row.source,
            "issued_on": row.issued_on.isoformat(),
            "sha256": sha256(row.content),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def _listed(line: Mapping[str, str], number: int) -> Listed:
    threshold, route, field = line["threshold"], line["route"], _plain(line["field"])
    if not field:
        raise _wrong(number, Words("field 为空", "field is empty"))
    if not (threshold or "").isdecimal():
        words = Words(
            "threshold 须为人数（整数），0 表示不限", "threshold is a number of persons, 0 for any"
        )
        raise _wrong(number, words)
    if route not in (routes := get_args(Route)):
        words = Words(f"route 须为 {' 或 '.join(routes)}", f"route is one of {', '.join(routes)}")
        raise _wrong(number, words)
    return Listed(
        line["industry"],
        line["scenario"],
        field,
        int(threshold),
        route,  # type: ignore[arg-type]  # it was just compared
    )


def _plain(name: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", name or "").split()).casefold()


def _wrong(number: int, problem: Words) -> UsageError:
    return UsageError(
        Words(f"第 {number} 行：{problem.zh}。", f"Line {number}: {problem.en}."),
        Words("请改正该行。", "Mend the line."),
    )
