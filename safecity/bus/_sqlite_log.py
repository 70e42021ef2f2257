"""The embedded log: one SQLite file in WAL mode, shared by the processes of one machine."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from safecity.bus._log import PARTITIONS, Attendance, Entry, place_of
from safecity.bus._sqlite_groups import SqliteGroups
from safecity.bus._sqlite_retention import prune
from safecity.bus._sqlite_schema import TABLES, VERSION
from safecity.bus.port import BusUnavailableError, Record, TopicPartition, TopicSpec
from safecity.redaction import redact

BUSY_SECONDS = 5.0
WAL_BYTES = 64 * 1024 * 1024


class SqliteLog:
    """See :class:`safecity.bus._log.Log`.

    Args:
        path: the file; made when missing, with its folder.

    Raises:
        BusUnavailableError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._set_up()
            except sqlite3.Error:
                self._connection.close()
                raise
        self._groups = SqliteGroups(self._connection)
        self._topics: dict[str, tuple[int, int]] = {}

    def _set_up(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise BusUnavailableError(
                f"{self._path} is of a newer safecity (version {found}, this one knows {VERSION}); upgrade"
            )
        if found < VERSION:
            with self._writing():
                for statement in TABLES.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def ensure(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that are missing."""
        with self._told("written"):
            known = {name for (name,) in self._connection.execute("SELECT name FROM topics")}
            if known.issuperset(spec.name for spec in specs):
                return
            with self._writing():
                self._connection.executemany(
                    "INSERT INTO topics (name, partitions, cleanup, retention_ms) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (name) DO NOTHING",
                    [(s.name, PARTITIONS, s.cleanup.value, s.retention_seconds * 1000) for s in specs],
                )

    def partitions(self, topics: Collection[str]) -> list[TopicPartition]:
        """The partitions of those topics that exist."""
        with self._told("read"):
            found = [(topic, self._topic(topic)) for topic in topics]
        return [TopicPartition(t, n) for t, known in found if known for n in range(known[1])]

    def append(self, entries: Sequence[Entry]) -> None:
        """Append all of them in one commit, or none."""
        with self._told("written"), self._writing():
            ends: dict[tuple[int, int], int] = {}
            rows = []
            for entry in entries:
                known = self._topic(entry.topic)
                if known is None:
                    raise BusUnavailableError(f"there is no topic {entry.topic} on the bus yet")
                place = (known[0], place_of(entry, known[1]))
                position = ends[place] if place in ends else self._end(*place)
                ends[place] = position + 1
                rows.append((*place, position, entry.timestamp_ms, entry.key, _pack(entry), entry.value))
            self._connection.executemany(
                "INSERT INTO records (topic_id, partition, position, timestamp_ms, key, headers, value) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._connection.executemany(
                "INSERT INTO ends VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
                [(*place, end) for place, end in ends.items()],
            )

    def read(self, source: TopicPartition, offset: int, max_records: int, max_bytes: int) -> list[Record]:
        """Records from ``offset`` on, at least one if there is one."""
        records: list[Record] = []
        size = 0
        with self._told("read"):
            known = self._topic(source.topic)
            rows = self._connection.execute(
                "SELECT position, timestamp_ms, key, value, headers FROM records "
                "WHERE topic_id = ? AND partition = ? AND position >= ? ORDER BY position LIMIT ?",
                (known[0] if known else -1, source.partition, offset, max_records),
            )
            for position, timestamp_ms, key, value, headers in rows:
                records.append(Record(*source, position, timestamp_ms, key, value, _unpack(headers)))
                size += len(value or b"")
                if size >= max_bytes:
                    break
            rows.close()
        return records

    def bounds(self, source: TopicPartition) -> tuple[int, int]:
        """The oldest offset that is there, and the next to be written."""
        with self._told("read"):
            known = self._topic(source.topic)
            if known is None:
                return 0, 0
            end = self._end(known[0], source.partition)
            (oldest,) = self._connection.execute(
                "SELECT MIN(position) FROM records WHERE topic_id = ? AND partition = ?",
                (known[0], source.partition),
            ).fetchone()
        return (end if oldest is None else oldest), end

    def version(self) -> int:
        """SQLite's own change counter."""
        with self._told("read"):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def wait(self, version: int, timeout: float) -> None:
        """A file has no bell: sleep, then look again."""
        time.sleep(timeout)

    def committed(self, group: str, source: TopicPartition) -> int | None:
        """The position of the group."""
        with self._told("read"):
            return self._groups.committed(group, source)

    def commit(self, group: str, member: str, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions."""
        with self._told("written"), self._writing(durable=False):
            self._groups.commit(group, member, positions)

    def attend(self, group: str, member: str, topics: Collection[str]) -> Attendance:
        """Join or stay."""
        sources = self.partitions(topics)
        with self._told("written"):
            now = time.monotonic()
            if (calm := self._groups.at_rest(group, member, topics, sources, now)) is not None:
                return calm
            with self._writing(durable=False):
                return self._groups.attend(group, member, topics, sources, now)

    def beat(self, group: str, member: str) -> None:
        """Say that the member lives."""
        with self._told("written"), self._writing(durable=False):
            self._groups.beat(group, member, time.monotonic())

    def release(self, group: str, member: str, sources: Collection[TopicPartition]) -> None:
        """Give partitions back."""
        with self._told("written"), self._writing(durable=False):
            self._groups.release(group, member, sources)

    def leave(self, group: str, member: str) -> None:
        """Give everything back and go."""
        with self._told("written"), self._writing(durable=False):
            self._groups.leave(group, member)

    def prune(self, now_ms: int) -> int:
        """Delete some of what is no longer kept."""
        with self._told("written"), self._writing(durable=False):
            return prune(self._connection, now_ms)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _topic(self, name: str) -> tuple[int, int] | None:
        if name not in self._topics:
            row = self._connection.execute(
                "SELECT id, partitions FROM topics WHERE name = ?", (name,)
            ).fetchone()
            if row is None:
                return None
            self._topics[name] = row
        return self._topics[name]

    def _end(self, topic_id: int, partition: int) -> int:
        row = self._connection.execute(
            "SELECT next_offset FROM ends WHERE topic_id = ? AND partition = ?", (topic_id, partition)
        ).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _writing(self, durable: bool = True) -> Iterator[None]:
        # Records are on disk before they are acknowledged. Positions and leases may be lost in a power
        # cut: then records come again, which readers must bear anyway.
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise BusUnavailableError(redact(_explain(self._path, done, error))) from error


def _explain(path: Path, done: str, error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"the disk of {path} is full; make room, nothing that was acknowledged is lost"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} could not be {done}: another process has kept it locked for {BUSY_SECONDS:g} s"
    return f"{path} could not be {done}: {error}"


def _pack(entry: Entry) -> str:
    return json.dumps([[name, value.decode("latin-1")] for name, value in entry.headers])


def _unpack(headers: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(headers))
