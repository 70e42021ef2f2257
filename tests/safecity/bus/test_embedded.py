"""The embedded bus where the machine does not play along."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from safecity.bus import _sqlite_log, open_bus
from safecity.bus._sqlite_log import SqliteLog
from safecity.bus.port import BusUnavailableError
from safecity.settings import Site, parse_site
from tests.safecity.bus.backends import REPOSITORY, publish, read


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return parse_site({"bus": {"backend": "embedded"}}, tmp_path)


def test_a_folder_that_cannot_be_made_is_named_and_works_once_it_can(site: Site) -> None:
    site.data_dir.write_text("a file where the folder should be")
    with open_bus(site) as bus:
        with pytest.raises(BusUnavailableError, match=r"bus\.sqlite could not be opened"):
            bus.ensure_topics()
        site.data_dir.unlink()
        bus.ensure_topics()
        publish(bus, {"a": [b"1"]})


def test_a_file_that_is_no_database_is_named(site: Site) -> None:
    site.data_dir.mkdir()
    (site.data_dir / "bus.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(BusUnavailableError, match="not a database"):
        open_bus(site).ensure_topics()


def test_a_log_of_a_newer_version_is_left_alone(site: Site) -> None:
    site.data_dir.mkdir()
    connection = sqlite3.connect(site.data_dir / "bus.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BusUnavailableError, match="newer safecity"):
        open_bus(site).ensure_topics()


def test_a_lock_is_called_a_lock(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sqlite_log, "BUSY_SECONDS", 0.2)
    with open_bus(site) as bus:
        bus.ensure_topics()
        other = sqlite3.connect(site.data_dir / "bus.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusUnavailableError, match="another process has kept it locked"):
            publish(bus, {"a": [b"1"]})
        other.close()


FILL = """
import resource, sys
from pathlib import Path
from safecity.bus import open_bus
from safecity.bus.port import BusUnavailableError
from safecity.settings import parse_site
bus = open_bus(parse_site({"bus": {"backend": "embedded"}}, Path(sys.argv[1])))
bus.ensure_topics()
producer = bus.producer("test")
kept = []
def publish(value):
    producer.publish("events", key="a", value=value, acknowledge=lambda error: error or kept.append(value))
    producer.flush(10)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
try:
    for _ in range(50):
        publish(bytes(100_000))
    sys.exit("nothing was refused")
except BusUnavailableError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
publish(b"after")
producer.close()
print(len(kept))
"""


def test_when_no_more_can_be_written_what_was_acknowledged_stays(site: Site, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=True,
    )
    said, kept = run.stdout.splitlines()
    assert "bus.sqlite" in said
    assert 1 < int(kept) < 50
    with open_bus(site) as bus:
        consumer = bus.consumer(["events"], group=None)
        records = read(consumer, int(kept))
        consumer.close()
    assert records[-1].value == b"after"


def test_records_are_synced_to_the_disk_before_they_are_acknowledged(tmp_path: Path) -> None:
    # 2 is FULL: the write-ahead log is synced at every commit.
    log = SqliteLog(tmp_path / "bus.sqlite")
    with log._writing():
        assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    log.close()
