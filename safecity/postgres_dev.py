"""A PostgreSQL of one's own, in a folder and on a socket in it: for benches and tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = Path("/usr/lib/postgresql")
USER = "safecity"


class PostgresError(Exception):
    """The server did not start; the message ends in what its programs said."""


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs, where Debian puts them or on PATH."""
    found = sorted(PACKAGES.glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_postgres(programs: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Run a server, and stop it at the end.

    Args:
        programs: see :func:`postgres_programs`.
        folder: an empty one, that all may enter; the caller removes it.
        settings: of ``postgresql.conf``, other than the defaults.

    Yields:
        The server's URL for SQLAlchemy, with a place for the ``database``.

    Raises:
        PostgresError: it did not start.
    """
    # It refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    cluster, log = folder / "cluster", folder / "server.log"
    settings = {"listen_addresses": "''", "unix_socket_directories": str(folder), **settings}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    control = [*user, str(programs / "pg_ctl"), "-D", str(cluster), "-w"]
    _run([*user, str(programs / "initdb"), "-D", str(cluster), "-U", USER, "-A", "trust"])
    _run([*control, "-l", str(log), "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://{USER}@/{{database}}?host={folder}"
    finally:
        _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    # The server inherits what pg_ctl writes to: a pipe would never end.
    try:
        subprocess.run(
            command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresError(f"PostgreSQL did not start: {error}") from None
