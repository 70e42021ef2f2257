"""The outbox: from the moment that a rule has decided, an event is on disk until the bus has it."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from safecity.ownership import next_epoch

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    headers TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    appended_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class OutboxError(Exception):
    """The outbox's disk did not take or give a message; nothing that it held is lost."""


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to the bus."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int
    """Wall clock of the decision: what the bus's retention goes by."""


@dataclass(frozen=True)
class Backlog:
    """What waits in the outbox."""

    messages: int
    size_bytes: int
    oldest_seconds: float
    """Age of the oldest message; 0 when there is none."""


class Outbox:
    """A queue in one SQLite file. One thread opens it; another may open the same file for itself.

    Args:
        path: the file; its folder is made when missing.

    Raises:
        OutboxError: the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)

    def append(self, messages: Sequence[Outgoing]) -> None:
        """Put messages in, all or none; on return they survive a loss of power.

        Raises:
            OutboxError: the disk is full or broken; none was taken.
        """
        rows = [
            (m.topic, m.key, m.value, _pack_headers(m.headers), m.timestamp_ms, time.time()) for m in messages
        ]
        with _disk_errors(self.path), self._transaction():
            self._db.executemany(
                "INSERT INTO outbox (topic, key, value, headers, timestamp_ms, appended_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def waiting(self, limit: int) -> list[tuple[int, Outgoing]]:
        """The oldest messages with their sequence numbers, in the order in which they came.

        Raises:
            OutboxError: the disk is broken.
        """
        with _disk_errors(self.path):
            rows = self._db.execute(
                "SELECT sequence, topic, key, value, headers, timestamp_ms FROM outbox"
                " ORDER BY sequence LIMIT ?",
                (limit,),
            ).fetchall()
        return [(row[0], Outgoing(row[1], row[2], row[3], _unpack_headers(row[4]), row[5])) for row in rows]

    def settle(self, sequences: Sequence[int]) -> None:
        """Take out what the bus has acknowledged.

        Raises:
            OutboxError: the disk is broken; the messages will be published again.
        """
        with _disk_errors(self.path), self._transaction():
            self._db.executemany("DELETE FROM outbox WHERE sequence = ?", [(s,) for s in sequences])

    def backlog(self) -> Backlog:
        """What waits.

        Raises:
            OutboxError: the disk is broken.
        """
        with _disk_errors(self.path):
            count, size, oldest = self._db.execute(
                "SELECT count(*), coalesce(sum(length(value)), 0), min(appended_at) FROM outbox"
            ).fetchone()
        return Backlog(count, size, max(0.0, time.time() - oldest) if oldest is not None else 0.0)

    def raise_epoch(self) -> int:
        """An epoch above that of every start on this outbox before, and above every hand-over until now.

        Raises:
            OutboxError: the disk is full or broken.
        """
        with _disk_errors(self.path), self._transaction():
            known = self._db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
            epoch = next_epoch(known[0] if known else 0, time.time())
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (epoch,))
        return epoch

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled back by itself.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise OutboxError(f"outbox {path}: {error}") from error


def _pack_headers(headers: Sequence[tuple[str, bytes]]) -> str:
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _unpack_headers(packed: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(packed))
