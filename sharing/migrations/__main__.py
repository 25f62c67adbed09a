"""``python -m sharing.migrations "what changed"``: write the revision that the models ask for."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import create_engine

from sharing import migrations


def main(message: str) -> None:
    """Compare the models with a new database at the newest revision, and write the difference."""
    migrations.declare_all()
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'scratch.db'}")
        with engine.begin() as connection:
            migrations.upgrade(connection)
            number = f"{len(migrations.revisions(connection)) + 1:04d}"
            settings = migrations.config(connection)
            settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(settings, message, autogenerate=True, rev_id=number)
        engine.dispose()
    sys.stderr.write(f"Revision {number} is written: read it, then set HEAD in control.py.\n")


if __name__ == "__main__":
    main(sys.argv[1])
