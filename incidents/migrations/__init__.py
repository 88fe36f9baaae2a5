"""The tables' history, run by Alembic within the caller's transaction.

Several processes may open a database at once: the transaction is exclusive on SQLite, and takes an
advisory lock on PostgreSQL, so that one migrates and the others find nothing left to do.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from incidents.errors import StoreUnusable

_ADVISORY_LOCK = 0x51A6A
"""Any number that nobody else uses in this database."""


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables up to a revision.

    Raises:
        StoreUnusable: the database was migrated by a newer program.
    """
    _lock(connection)
    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise StoreUnusable(
            f"the database was made by another version of this program ({error}); "
            "install that version, or restore a backup from before it"
        ) from error


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to a revision (``base`` is none at all); what they held is lost."""
    _lock(connection)
    command.downgrade(_config(connection), revision)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
