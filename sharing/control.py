"""Control data of sharing: recipients, tokens, grants and the record of every request.

One database for each home: SQLite in WAL mode, or what ``JINGSHU_CONTROL_URL`` names. The tables
are called ``share_*`` because the jobs keep their intents in the same file.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    column,
    create_engine,
    event,
    func,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from contracts.errors import JingshuError
from lineage.evidence.leaf import LeafType  # noqa: TC001 - SQLAlchemy reads it at run time
from sharing import sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from sqlalchemy import Connection, Dialect, Engine

    from contracts.layout import Home

#: The newest revision of ``sharing/migrations``; an older database is upgraded when it is opened.
HEAD = "0014"
VERSION_TABLE = "share_alembic"
#: PostgreSQL's name for "somebody writes"; any number that nobody else locks.
_WRITERS_LOCK = 0x6A6E6773
PURPOSE_CHARACTERS = 1000
PATH_CHARACTERS = 1024
NETWORKS_CHARACTERS = 1000
FOLDER_CHARACTERS = 1000
ADDRESS_CHARACTERS = 64


class ControlError(JingshuError, RuntimeError):
    """The control database cannot be used as it is."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC in Python, and the same naive time in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Store UTC without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Declares the ``share_*`` tables."""

    type_annotation_map = {datetime: UtcDateTime()}  # noqa: RUF012 - SQLAlchemy's name and form


class AttestedRow(Base):
    """A row that gives or takes a right: the newest leaf of its type and key says the same.

    ``attested`` are the columns that its leaf holds, ``digested`` those it holds as SHA-256.
    """

    __abstract__ = True
    leaf_type: ClassVar[LeafType]
    attested: ClassVar[tuple[str, ...]]
    digested: ClassVar[frozenset[str]] = frozenset()


class OwedLeaf(Base):
    """A leaf that a change of an attested row owes the evidence log; gone once it is logged.

    ``mac`` shows that this home wrote it: the database alone cannot.
    """

    __tablename__ = "share_owed_leaves"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    leaf: Mapped[str] = mapped_column(Text)
    mac: Mapped[str] = mapped_column(String(64))


class Recipient(AttestedRow):
    """Someone outside who may be granted tables."""

    __tablename__ = "share_recipients"
    leaf_type = "recipient"
    attested = ("created_at", "created_by", "networks", "body")
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))
    #: The networks it may come from, as CIDRs with commas between; none is anywhere.
    networks: Mapped[str] = mapped_column(String(NETWORKS_CHARACTERS), server_default="")
    #: Whose it is: that body alone may ask for it. None: made by hand, or before this was kept.
    body: Mapped[str | None] = mapped_column(String(63))


class Activation(AttestedRow):
    """A link, known by its SHA-256 only, that hands out one profile, once."""

    __tablename__ = "share_activations"
    leaf_type = "invitation"
    attested = ("recipient", "created_at", "created_by", "expires_at", "used_at")
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    recipient: Mapped[str] = mapped_column(ForeignKey(Recipient.name), index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Token(AttestedRow):
    """A bearer token, known by its SHA-256 only; it ends at the earlier of its two times."""

    __tablename__ = "share_tokens"
    leaf_type = "token"
    attested = ("recipient", "created_at", "expires_at", "revoked_at")
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    recipient: Mapped[str] = mapped_column(ForeignKey(Recipient.name), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Grant(Base):
    """A recipient's right to one shared table for one purpose.

    It opens the table once its leaf is in the evidence log (``grant_leaf_at``), and no longer from
    ``until_at`` or ``revoked_at`` on.
    """

    __tablename__ = "share_grants"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    recipient: Mapped[str] = mapped_column(ForeignKey(Recipient.name))
    share: Mapped[str] = mapped_column(String(255))
    schema: Mapped[str] = mapped_column(String(255))
    table: Mapped[str] = mapped_column(String(255))
    purpose: Mapped[str] = mapped_column(String(PURPOSE_CHARACTERS))
    granted_at: Mapped[datetime]
    granted_by: Mapped[str] = mapped_column(String(255))
    until_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(255))
    request: Mapped[str | None] = mapped_column(String(16), index=True)
    #: The first version whose history is shared; none is.
    history_from: Mapped[int | None]
    grant_leaf_at: Mapped[datetime | None]
    revoke_leaf_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "share_grants_one_open",
            "recipient",
            "share",
            "schema",
            "table",
            "purpose",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )


class ForeignTable(Base):
    """A Delta table that others wrote, shared as it is under three names.

    ``level`` is what a person answers for of untagged columns; none: every column has its tag.
    """

    __tablename__ = "share_foreign_tables"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    share: Mapped[str] = mapped_column(String(255))
    schema: Mapped[str] = mapped_column(String(255))
    table: Mapped[str] = mapped_column(String(255))
    folder: Mapped[str] = mapped_column(String(FOLDER_CHARACTERS))
    level: Mapped[str | None] = mapped_column(String(2))
    keeps_deleted_rows: Mapped[bool]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(255))
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None] = mapped_column(String(255))
    added_leaf_at: Mapped[datetime | None]
    removed_leaf_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "share_foreign_tables_one_open",
            "share",
            "schema",
            "table",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )


class AccessRecord(Base):
    """One line of the gateway's access log: what was asked for and how it was answered.

    Rows are only ever added, and removed by hours when old (``sharing.gateway.retention``).
    """

    __tablename__ = "share_requests"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    recipient: Mapped[str | None] = mapped_column(String(63))
    method: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(String(PATH_CHARACTERS))
    status: Mapped[int]
    version: Mapped[int | None]
    files: Mapped[int]
    #: How many refusals this row stands for; one, unless they came too often.
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    #: What the answer's x-request-id says. None of these four in rows of an earlier version.
    request_id: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(ADDRESS_CHARACTERS))
    #: How long the answer took to make, and the bytes that it announced (none: not known).
    duration_ms: Mapped[int | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)


class LoggedReads(Base):
    """The one row that says up to which hour the requests are in the evidence log."""

    __tablename__ = "share_reads_logged"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime]


class Control:
    """An open control database. Use it in a ``with`` block; it is safe to share among threads."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._engine = _engine(home)
        # Asks for a connection of its own: those of the pool may all be at work.
        self._apart = _engine(home, poolclass=NullPool)
        self._writing = self._engine.execution_options(jingshu_writes=True)
        self._reading = self._engine
        if self._engine.dialect.name == "postgresql":
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one state of the database."""
        with Session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that no other writer runs beside; it commits at the end of the block.

        What attested rows then say goes into the evidence log.
        """
        from sharing.attest import journal  # it declares none of these tables, and needs them all

        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            journal.begin(session, self.home)
            _lock(session.connection())
            yield session
        if session.info.get(journal.OWES):
            journal.settle_or_warn(self)

    def revision(self) -> str | None:
        """Return the revision the database is at: that it answers at all is asked with it."""
        with self._apart.connect() as connection:
            return _revision(connection)

    def _prepare(self) -> None:
        """Bring the tables to ``HEAD``, once, whoever comes first."""
        if self.revision() == HEAD:
            return
        from sharing import migrations
        from sharing.attest import adopt

        with self._writing.begin() as connection:
            _lock(connection)
            found = _revision(connection)
            if found == HEAD:  # somebody else came first
                return
            is_new = not inspect(connection).has_table(Recipient.__tablename__)
            if is_new and found is None:
                migrations.create(connection)
                adopt.open_once(self.home, connection, is_new=True)
                return
            if found not in (None, *migrations.revisions(connection)):
                raise ControlError(*migrations.unknown(found, HEAD))
            migrations.upgrade(connection)
            adopt.open_once(self.home, connection, is_new=False)


def is_of_sharing(name: str | None, kind: str, _parents: object) -> bool:
    """Tell Alembic which tables are ours: the jobs keep theirs in the same file."""
    return kind != "table" or (name or "").startswith("share_")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(
        select(column("version_num", String)).select_from(table(VERSION_TABLE))
    )


def _engine(home: Home, **options: Any) -> Engine:
    url = os.environ.get("JINGSHU_CONTROL_URL")
    if url:
        return create_engine(url, pool_pre_ping=True, **options)
    home.control_db.parent.mkdir(parents=True, exist_ok=True)
    patience = {"timeout": sqlite.BUSY_TIMEOUT_S}
    engine = create_engine(f"sqlite:///{home.control_db}", connect_args=patience, **options)
    event.listen(engine, "connect", sqlite.set_up)
    event.listen(engine, "begin", sqlite.begin)
    return engine


def _lock(connection: Connection) -> None:
    """Let one writer work at a time on PostgreSQL, as BEGIN IMMEDIATE does on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_WRITERS_LOCK)))


def has_control(home: Home) -> bool:
    """Tell whether control data is kept anywhere yet: asking makes no database."""
    return home.control_db.exists() or bool(os.environ.get("JINGSHU_CONTROL_URL"))
