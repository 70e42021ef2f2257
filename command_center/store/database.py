"""Opening the database: engine, durability, migrations."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from safecity.redaction import redact

MIGRATIONS = Path(__file__).parent / "migrations"


class StoreError(Exception):
    """The store cannot be used now; the message says why, without secrets."""


def open_engine(url: str) -> Engine:
    """Connect, and bring the tables up to date.

    Args:
        url: SQLAlchemy's, e.g. ``sqlite:////var/lib/safecity/store.sqlite`` or
            ``postgresql+psycopg://user:password@host/database``.

    Raises:
        StoreError: no such database, no driver, no permission, or made by a newer safecity.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _make_sqlite_durable)
        migrate(engine)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"the database's driver is missing ({error.name}): pip install 'safecity[postgres]'"
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the store cannot be opened: {redact(error).splitlines()[0]}") from None
    return engine


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _make_sqlite_durable(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # Readers never wait for the writer; a commit is on the disk when it returns.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
