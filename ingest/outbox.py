"""The outbox: from the moment that a rule has decided, an event is on disk until the bus has it."""

import json
import sqlite3
import threading
import time
from collections import Counter
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
# Sums are kept, not taken: after an hour without a bus there are too many rows to look at each second.
MIGRATIONS = (
    """
    ALTER TABLE outbox ADD COLUMN best_effort INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX outbox_by_class ON outbox (best_effort, sequence);
    CREATE TABLE totals (best_effort INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
    INSERT INTO totals SELECT 0, count(*), coalesce(sum(length(value) + length(headers)), 0) FROM outbox;
    INSERT INTO totals VALUES (1, 0, 0);
    CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN
        UPDATE totals SET messages = messages + 1, bytes = bytes + length(new.value) + length(new.headers)
        WHERE best_effort = new.best_effort;
    END;
    CREATE TRIGGER outbox_shrinks AFTER DELETE ON outbox BEGIN
        UPDATE totals SET messages = messages - 1, bytes = bytes - length(old.value) - length(old.headers)
        WHERE best_effort = old.best_effort;
    END;
    """,
)
GIVE_UP_AT_ONCE = 500


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


_opening = threading.Lock()
"""Two that make one file a write-ahead log at once may wait for each other: SQLite gives up one of them."""


@dataclass(frozen=True)
class Backlog:
    """What waits in the outbox."""

    messages: int
    size_bytes: int
    """Of values and headers."""
    oldest_seconds: float
    """Age of the oldest message; 0 when there is none."""
    best_effort: int = 0
    """How many of the messages may be given up when there is no room."""


class Outbox:
    """A queue in one SQLite file. One thread opens it; another may open the same file for itself.

    Args:
        path: the file; its folder is made when missing.

    Raises:
        OutboxError: the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opening, _disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
            self._migrate()

    def append(self, messages: Sequence[Outgoing], *, best_effort: bool = False) -> None:
        """Put messages in, all or none; on return they survive a loss of power.

        Args:
            messages: to be published.
            best_effort: they wait behind all others, and :meth:`give_up` may take them out.

        Raises:
            OutboxError: the disk is full or broken; none was taken.
        """
        now = time.time()
        rows = [
            (m.topic, m.key, m.value, _pack_headers(m.headers), m.timestamp_ms, now, best_effort)
            for m in messages
        ]
        with _disk_errors(self.path), self._transaction():
            self._db.executemany(
                "INSERT INTO outbox (topic, key, value, headers, timestamp_ms, appended_at, best_effort)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def waiting(self, limit: int) -> list[tuple[int, Outgoing]]:
        """The next messages with their sequence numbers: those that must not be lost first, each kind in the
        order in which it came.

        Raises:
            OutboxError: the disk is broken.
        """
        with _disk_errors(self.path):
            rows = self._db.execute(
                "SELECT sequence, topic, key, value, headers, timestamp_ms FROM outbox"
                " ORDER BY best_effort, sequence LIMIT ?",
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

    def give_up(self, limit_bytes: int) -> Counter[str]:
        """Take out the oldest best-effort messages until the rest fits; never any other.

        Args:
            limit_bytes: what all messages together may take.

        Returns:
            How many were given up, by topic.

        Raises:
            OutboxError: the disk is broken.
        """
        lost: Counter[str] = Counter()
        while (over := self.backlog().size_bytes - limit_bytes) > 0:
            with _disk_errors(self.path), self._transaction():
                oldest = self._db.execute(
                    "SELECT sequence, topic, length(value) + length(headers) FROM outbox"
                    " WHERE best_effort = 1 ORDER BY sequence LIMIT ?",
                    (GIVE_UP_AT_ONCE,),
                ).fetchall()
                going = list(_enough(oldest, over))
                self._db.executemany("DELETE FROM outbox WHERE sequence = ?", [(s,) for s, _ in going])
            if not going:
                break
            lost.update(topic for _, topic in going)
        return lost

    def backlog(self) -> Backlog:
        """What waits.

        Raises:
            OutboxError: the disk is broken.
        """
        with _disk_errors(self.path):
            kept, best_effort = self._db.execute(
                "SELECT messages, bytes FROM totals ORDER BY best_effort"
            ).fetchall()
            (oldest,) = self._db.execute(
                "SELECT min(appended_at) FROM outbox WHERE sequence IN (SELECT min(sequence) FROM outbox)"
            ).fetchone()
        age = max(0.0, time.time() - oldest) if oldest is not None else 0.0
        return Backlog(kept[0] + best_effort[0], kept[1] + best_effort[1], age, best_effort[0])

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

    def _migrate(self) -> None:
        """Bring the file of an older release up to date; another opener of the same file may be as early."""
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for script in MIGRATIONS[version:]:
                for statement in _statements(script):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={max(version, len(MIGRATIONS))}")

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


def _statements(script: str) -> Iterator[str]:
    # Not executescript, which commits first.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _enough(rows: Sequence[tuple[int, str, int]], wanted: int) -> Iterator[tuple[int, str]]:
    for sequence, topic, size in rows:
        if wanted <= 0:
            return
        wanted -= size
        yield sequence, topic


def _pack_headers(headers: Sequence[tuple[str, bytes]]) -> str:
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _unpack_headers(packed: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(packed))
