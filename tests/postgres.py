"""A real PostgreSQL for the tests, in a folder and on a socket of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.postgres_dev import postgres_programs, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server's URL with a place for a ``database``'s name."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("NO POSTGRESQL, SO THE STORE WAS NOT TESTED ON IT: apt-get install postgresql")
    with (
        tempfile.TemporaryDirectory(prefix="safecity-postgres-") as folder,
        running_postgres(programs, Path(folder), fsync="off") as server,
    ):
        yield server
