"""The database that a simulated city's centre stores into: one of its own, gone afterwards."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from safecity.bench.measure import MeasureError
from safecity.cli import UsageError
from safecity.postgres_dev import PostgresError, postgres_programs, running_postgres
from safecity.redaction import redact

SERVER_SETTINGS = {"shared_buffers": "128MB", "max_wal_size": "1GB"}


@dataclass(frozen=True)
class Database:
    """An empty database."""

    url: str
    pid: int | None
    """Of a server that was started for the run."""

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return sa.make_url(self.url).get_backend_name()

    def size_bytes(self) -> int:
        """Of the whole database on disk."""
        if self.kind == "sqlite":
            path = Path(sa.make_url(self.url).database or "")
            return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
        engine = sa.create_engine(self.url)
        try:
            with engine.connect() as connection:
                found = connection.execute(sa.text("SELECT pg_database_size(current_database())"))
                return int(found.scalar_one())
        finally:
            engine.dispose()


@contextmanager
def simulation_database(store: str, folder: Path, announce: Callable[[str], None]) -> Iterator[Database]:
    """An empty database for the time of a run.

    Args:
        store: ``postgresql`` (a server is started), ``sqlite``, or the SQLAlchemy URL of a PostgreSQL server,
            where a database is made and removed again.
        folder: an empty one, for what is started here.
        announce: told what goes on.

    Raises:
        UsageError: PostgreSQL is not installed, or the one at the URL refuses.
        MeasureError: it did not start.
    """
    if store == "sqlite":
        yield Database(f"sqlite:///{folder / 'store.sqlite'}", None)
    elif store == "postgresql":
        programs = postgres_programs()
        if programs is None or find_spec("psycopg") is None:
            raise UsageError(
                "PostgreSQL is not here: apt-get install postgresql, and pip install 'safecity[postgres]'; "
                "or give --store sqlite, or the URL of a server"
            )
        announce("starting PostgreSQL")
        try:
            with running_postgres(programs, folder, **SERVER_SETTINGS) as address:
                pid = int((folder / "cluster" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
                yield Database(address.format(database="postgres"), pid)
        except PostgresError as error:
            raise MeasureError(str(error)) from None
    else:
        with _database_of_its_own(store) as url:
            yield Database(url, None)


@contextmanager
def _database_of_its_own(server: str) -> Iterator[str]:
    name = f"safecity_simulation_{uuid.uuid4().hex[:8]}"
    try:
        url = sa.make_url(server)
        if url.get_backend_name() != "postgresql":
            raise UsageError(
                f"--store {redact(server)}: want postgresql, sqlite or a PostgreSQL server's URL"
            )
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise UsageError(f"--store: {redact(error).splitlines()[0]}") from None
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        engine.dispose()
