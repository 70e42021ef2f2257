"""A real PostgreSQL for the tests, in a folder and on a socket of its own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The newest PostgreSQL's programs, where Debian puts them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server's URL without a database's name; ``create_database`` makes one."""
    programs = binaries()
    if programs is None:
        pytest.skip("NO POSTGRESQL, SO THE STORE WAS NOT TESTED ON IT: apt-get install postgresql")
    folder = tmp_path_factory.mktemp("postgres")
    # It refuses to run as root.
    be = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if be:
        for path in (folder, *folder.parents[:3]):
            path.chmod(0o755)
        subprocess.run(["chown", "postgres", str(folder)], check=True)
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
