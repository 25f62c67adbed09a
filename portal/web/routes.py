"""Every page: its method and path, what it needs by permissions.csv, and who makes it."""

from __future__ import annotations

from functools import partial
from typing import Final

from portal.web import (
    accounts,
    asking,
    audit,
    catalogue,
    pages,
    reports,
    requests,
    session,
    start,
)
from portal.web.site import LOGIN, OpenPage, Page
from portal.words import Word
from sharing.requests.states import TRANSITIONS

_ASK: Final = "/requests/{ask_id}"

OPEN_PAGES: Final = (
    OpenPage("GET", "/style.css", pages.style),
    OpenPage("GET", "/language/{language}", pages.choose_language),
    OpenPage("GET", session.LOGIN_PATH, session.login_page),
    OpenPage("POST", session.LOGIN_PATH, session.login, hashes=True),
)
PAGES: Final = (
    Page("GET", "/", LOGIN, start.start, Word("首页", "start")),
    Page("POST", "/logout", LOGIN, session.logout, is_for_new=True),
    Page("GET", "/password", LOGIN, session.password_page, is_for_new=True),
    Page("POST", "/password", LOGIN, session.password, is_for_new=True, hashes=True),
    # The catalogue is every department's to read (Decree 809, Art. 16).
    Page("GET", "/catalogue", LOGIN, catalogue.search, Word("目录", "catalogue")),
    Page("GET", "/catalogue/{contract}", LOGIN, catalogue.entry),
    Page("GET", "/requests", "read_requests", requests.list_page, Word("申请", "requests")),
    Page("GET", "/requests/new", "draft_request", asking.new_page),
    Page("POST", "/requests/new", "draft_request", asking.new),
    Page("GET", "/requests/text", "draft_request", asking.text_page),
    Page("POST", "/requests/text", "draft_request", asking.text),
    Page("GET", _ASK, "read_requests", requests.detail),
    *(
        Page("POST", f"{_ASK}/{t.action}", t.permission, partial(requests.step, t.action))
        for t in TRANSITIONS.values()
        if t.sources  # a draft follows from nothing: it is made above
    ),
    Page("POST", f"{_ASK}/uses", "record_use", requests.use),
    Page("POST", f"{_ASK}/corrections", "ask_correction", requests.correct),
    Page("POST", "/corrections/{issue_id}", "answer_correction", requests.answer),
    Page("GET", "/kpis", "read_reports", reports.rates, Word("指标", "KPI")),
    Page("GET", "/accounts", "manage_accounts", accounts.accounts_page, Word("账户", "accounts")),
    Page("POST", "/accounts", "manage_accounts", accounts.add, hashes=True),
    Page("POST", "/accounts/{name}/reset", "manage_accounts", accounts.reset, hashes=True),
    Page("POST", "/accounts/{name}/disable", "manage_accounts", accounts.disable),
    Page("GET", "/roles", "manage_roles", accounts.roles_page, Word("角色", "roles")),
    Page("POST", "/roles/{name}", "manage_roles", accounts.give_roles),
    Page("GET", "/audit", "read_records", audit.records, Word("审计", "audit")),
)
MENU: Final = tuple(page for page in PAGES if page.menu is not None)
