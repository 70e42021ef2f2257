"""The databases that the bench runs on: empty ones, gone afterwards."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from command_center.store.database import StoreError
from command_center.store.schema import metadata
from command_center.store.store import Store
from safecity.bench.measure import MeasureError
from safecity.cli import UsageError
from safecity.postgres_dev import PostgresError, postgres_programs, running_postgres
from safecity.redaction import redact

POSTGRES_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
"""A small server's; the defaults are those of the last century."""


@contextmanager
def bench_databases(url: str | None, announce: Callable[[str], None]) -> Iterator[list[tuple[str, str]]]:
    """Empty databases: the one at ``url``, or SQLite and, where its programs are, PostgreSQL.

    Args:
        url: SQLAlchemy's, of an empty database.
        announce: told what goes on.

    Yields:
        Name and URL of each.

    Raises:
        UsageError: the database at ``url`` cannot be opened or is not empty.
        MeasureError: PostgreSQL did not start.
    """
    if url is not None:
        with _empty(url):
            yield [(url.partition(":")[0].partition("+")[0], url)]
        return
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as folder:
        sqlite = ("sqlite", f"sqlite:///{Path(folder) / 'store.sqlite'}")
        programs = postgres_programs()
        if programs is None or find_spec("psycopg") is None:
            announce("Without PostgreSQL: apt-get install postgresql, and pip install 'safecity[postgres]'")
            yield [sqlite]
            return
        server = Path(folder) / "postgres"
        server.mkdir(mode=0o755)
        Path(folder).chmod(0o755)
        try:
            with running_postgres(programs, server, **POSTGRES_SETTINGS) as address:
                yield [sqlite, ("postgresql", address.format(database="postgres"))]
        except PostgresError as error:
            raise MeasureError(str(error)) from None


@contextmanager
def _empty(url: str) -> Iterator[None]:
    """A database without tables, and without tables again at the end."""
    try:
        engine = sa.create_engine(url)
        there = sa.inspect(engine).get_table_names()
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise UsageError(f"--database cannot be opened: {redact(error).splitlines()[0]}") from None
    if there:
        raise UsageError(
            f"--database is not empty, it has the table {there[0]}; give a new one: createdb bench"
        )
    try:
        yield
    finally:
        with engine.begin() as connection:
            metadata.drop_all(connection)
            connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        engine.dispose()


def open_store(url: str) -> Store:
    """The store in a database.

    Raises:
        MeasureError: it cannot be opened.
    """
    try:
        return Store(url)
    except StoreError as error:
        raise MeasureError(str(error)) from None
