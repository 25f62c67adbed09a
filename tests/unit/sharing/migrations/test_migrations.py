"""The control database's revisions: on both databases they make what the models say, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, select, text

from contracts.moment import utc_now
from sharing import migrations
from sharing.control import HEAD, VERSION_TABLE, Base, Control, Grant, Recipient, is_of_sharing
from sharing.grants.grants import list_grants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import ReflectedIndex

    from contracts.layout import Home


@pytest.fixture
def engine(control_url: str) -> Iterator[Engine]:
    opened = create_engine(control_url)
    yield opened
    opened.dispose()


def test_a_new_database_has_what_the_models_say(engine: Engine, home: Home) -> None:
    migrations.declare_all()
    with Control(home), engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": VERSION_TABLE, "include_name": is_of_sharing},
        )
        assert compare_metadata(context, Base.metadata) == []


def shape_of(engine: Engine) -> dict[str, object]:
    """Return all that the database itself says of its tables, the order of columns aside."""
    asked = inspect(engine)
    return {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in asked.get_columns(table)),
            asked.get_pk_constraint(table),
            sorted(map(str, asked.get_foreign_keys(table))),
            sorted(map(str, asked.get_unique_constraints(table))),
            sorted(map(str, asked.get_check_constraints(table))),
            sorted(map(_index, asked.get_indexes(table))),
        )
        for table in asked.get_table_names()
        if table.startswith("share_")
    }


def _index(index: ReflectedIndex) -> str:
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def test_a_new_database_is_what_all_revisions_make(engine: Engine, home: Home) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection)
    by_revisions = shape_of(engine)
    with engine.begin() as connection:
        migrations.declare_all()
        Base.metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    with Control(home):
        assert shape_of(engine) == by_revisions


def test_the_newest_revision_is_the_one_that_is_opened(engine: Engine, home: Home) -> None:
    with Control(home), engine.connect() as connection:
        assert migrations.revisions(connection)[0] == HEAD


def test_an_old_database_keeps_its_grants(engine: Engine, home: Home) -> None:
    _make_as_the_first_versions_did(engine)
    with Control(home) as control:
        assert [g.recipient for g in list_grants(control)] == ["demo"]
    with engine.connect() as connection:
        assert not engine.dialect.has_table(connection, "share_schema")


def test_many_may_upgrade_an_old_database_at_once(engine: Engine, home: Home) -> None:
    _make_as_the_first_versions_did(engine)

    def open_and_count(_: int) -> int:
        with Control(home) as control, control.read() as session:
            return len(session.scalars(select(Grant.id)).all())

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(open_and_count, range(16))) == {1}


def test_an_upgrade_that_fails_leaves_the_old_database(
    engine: Engine, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade_and_fail(connection: object) -> None:
        upgrade(connection)  # type: ignore[arg-type]  # as it was given
        raise OSError("no space left")

    _make_as_the_first_versions_did(engine)
    upgrade = migrations.upgrade
    monkeypatch.setattr(migrations, "upgrade", upgrade_and_fail)
    with pytest.raises(OSError, match="no space"):
        Control(home)
    with engine.connect() as connection:
        assert engine.dialect.has_table(connection, "share_schema")
        assert not engine.dialect.has_table(connection, VERSION_TABLE)


def _make_as_the_first_versions_did(engine: Engine) -> None:
    """Make the tables of revision 0001 with the mark that the first versions left."""
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0001")
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        connection.execute(text("CREATE TABLE share_schema (version INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO share_schema VALUES (1)"))
        connection.execute(
            insert(Recipient).values(name="demo", created_at=utc_now(), created_by="test")
        )
        connection.execute(
            text(
                'INSERT INTO share_grants (id, recipient, share, "schema", "table", purpose,'
                " granted_at, granted_by) VALUES"
                " ('1', 'demo', 'jingshu', 'city', 'heat', 'duty', :at, 'test')"
            ),
            {"at": utc_now().replace(tzinfo=None)},
        )
