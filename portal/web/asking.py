"""Asking for data: a form for one dataset, and a text for what a form cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from contracts.document import load_yaml
from contracts.errors import JingshuError, UsageError
from contracts.model import SHARE_CEILING
from contracts.product import Release
from contracts.words import Words
from portal.web import words
from portal.web.errors import DATASET, not_there
from portal.web.pages import go, refuse, render
from sharing.requests import flow
from sharing.requests.asked import parse_asked
from sharing.requests.parties import level_under

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.responses import Response

    from contracts.model import Column, Contract
    from portal.web.site import Visit
    from sharing.requests.asked import Asked

_COLUMN: Final = "column."
_EXAMPLE: Final = """\
title: 高温应对
recipient: {body}
body: {body}
purpose: 高温期间值守
legal_basis: 突发事件应对法 第七条
scenario: 值守席每日查看
scope: 应急处
mode: api
until: {until}
sources:
  - {{contract: civil.elder_service, key: elder_id}}
  - {{contract: health.disease_case, key: person_id, rows: "icd10 LIKE 'T67%'"}}
by: [street_code]
"""


@dataclass(frozen=True)
class Choice:
    """A way in which a column may be asked for; ``key`` is what the form sends."""

    key: str
    release: Release
    is_owners: bool

    @property
    def arguments(self) -> str:
        """The mask's arguments in words."""
        return ", ".join(f"{k}={v}" for k, v in (self.release.model_extra or {}).items())


@dataclass(frozen=True)
class Askable:
    """A column with the ways in which it may be asked for: none of what is above the ceiling."""

    column: Column
    choices: tuple[Choice, ...]


def askable(contract: Contract) -> tuple[Askable, ...]:
    """Return a source's columns, each with the masks under which it may be shown."""
    return tuple(Askable(column, tuple(_choices(column))) for column in contract.columns)


def new_page(visit: Visit) -> Response:
    """Show the form that asks for one dataset."""
    contract = _contract(visit, visit.query("contract"))
    return render(visit, "new.html", **_found(visit, contract))


def new(visit: Visit) -> Response:
    """Keep a request for one dataset as a draft, for the visitor's own body."""
    contract = _contract(visit, visit.fields.one("contract"))
    try:
        ask_id = _draft(visit, parse_asked(_parts(visit, contract), Words("申请", "the request")))
    except JingshuError as wrong:
        return refuse(
            visit, "new.html", wrong, **_found(visit, contract), address=_form_of(contract)
        )
    return go(f"/requests/{ask_id}")


def _form_of(contract: Contract) -> str:
    """Return the address of the form that asks for a dataset."""
    return f"/requests/new?contract={quote(contract.id, safe='')}"


def text_page(visit: Visit) -> Response:
    """Show the text that asks for several sources at once."""
    until = f"{visit.at.year}-12-31"
    return render(visit, "text.html", text=_EXAMPLE.format(body=visit.actor.body, until=until))


def text(visit: Visit) -> Response:
    """Keep a request that was written as YAML or JSON as a draft."""
    written = visit.fields.one("text")
    try:
        ask_id = _draft(visit, parse_wording(written))
    except JingshuError as wrong:
        return refuse(visit, "text.html", wrong, text=written)
    return go(f"/requests/{ask_id}")


def parse_wording(written: str) -> Asked:
    """Return a request that somebody wrote as YAML or JSON.

    Raises:
        UsageError: It cannot be read, or cannot be meant.
    """
    # load_yaml bounds what a text may hold, and reads files only.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "申请.yaml"
        file.write_text(written, encoding="utf-8")
        try:
            data = load_yaml(file).data
        except JingshuError as bad:
            raise UsageError(bad.problem, bad.remedy) from None
    return parse_asked(data, file.name)


def _draft(visit: Visit, asked: Asked) -> str:
    return flow.draft(visit.web.control, visit.tree, asked, visit.actor, visit.at)


def _parts(visit: Visit, contract: Contract) -> dict[str, Any]:
    named = {name: visit.fields.one(name) for name in words.FIELD if name != "body"}
    return {**named, "body": visit.actor.body, "sources": [_source(visit, contract)]}


def _source(visit: Visit, contract: Contract) -> dict[str, Any]:
    if contract.product is not None:
        return {"contract": contract.id, "policy": visit.fields.one("policy")}
    return {
        "contract": contract.id,
        "providers": visit.fields.every("providers"),
        "columns": _columns(visit.fields.below(_COLUMN), contract),
        "rows": visit.fields.one("rows").strip() or None,
    }


def _columns(chosen: Mapping[str, str], contract: Contract) -> dict[str, Any]:
    """Return the masks of the columns that were chosen; what was not offered is no choice."""
    offered = {
        (a.column.name, choice.key): choice.release
        for a in askable(contract)
        for choice in a.choices
    }
    found = {}
    for name, key in chosen.items():
        if not key:
            continue
        if (name, key) not in offered:
            raise UsageError(
                Words(
                    f"不能按 {key!r} 申请字段 {name}。", f"{name} cannot be asked for as {key!r}."
                ),
                Words("请在表单中选择。", "Choose in the form."),
            )
        found[name] = offered[name, key].model_dump()
    return found


def _choices(column: Column) -> Iterator[Choice]:
    owners = column.release
    every = [Choice("owner", owners, is_owners=True)] if owners else []
    every += [
        Choice(mask, Release.model_validate({"mask": mask, **more}), is_owners=False)
        for mask, more in (("keep", {}), ("hmac_sm3", {"purpose": "request"}))
        if owners is None or owners.mask != mask
    ]
    for choice in every:
        mask = choice.release.mask
        if mask != "drop" and level_under(column.effective_level, mask) <= SHARE_CEILING:
            yield choice


def _contract(visit: Visit, contract_id: str) -> Contract:
    """Return what is asked for: what requests made is nobody else's to ask for."""
    entries = visit.web.shelf.entries(visit.at)
    if contract_id not in {entry.contract for entry in entries}:
        raise not_there(DATASET)
    return visit.tree.contract(contract_id)


def _found(visit: Visit, contract: Contract) -> dict[str, Any]:
    return {
        "contract": contract,
        "policies": contract.product.policies if contract.product else (),
        "columns": () if contract.product else askable(contract),
        "providers": [s.provider for s in contract.servers] if len(contract.servers) > 1 else [],
        "typed": visit.fields,
    }
