"""A real PostgreSQL for the tests, in a folder and on a socket of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The newest PostgreSQL's programs, where Debian puts them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server's URL with a place for a ``database``'s name."""
    programs = binaries()
    if programs is None:
        pytest.skip("NO POSTGRESQL, SO THE STORE WAS NOT TESTED ON IT: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="safecity-postgres-") as folder:
        yield from serve(programs, Path(folder))


def serve(programs: Path, folder: Path) -> Iterator[str]:
    # It refuses to run as root.
    be = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if be:
        shutil.chown(folder, "postgres")
    cluster = folder / "cluster"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*be, programs / "initdb", "-D", cluster, "-U", "safecity", "-A", "trust"], **quiet)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = [*be, programs / "pg_ctl", "-D", cluster, "-w"]
    subprocess.run([*control, "-l", cluster / "log", "-o", options, "start"], **quiet)
    try:
        yield f"postgresql+psycopg://safecity@/{{database}}?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
