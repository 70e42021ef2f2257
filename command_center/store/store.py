"""Events and the bus positions that they came from, written together or not at all."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from command_center.store.database import StoreError, open_engine
from command_center.store.places import move
from command_center.store.recording import count_by_camera_and_kind, record_events
from command_center.store.replays import record_replayed
from command_center.store.rows import Batch, Recorded, StoredEvent
from command_center.store.schema import (
    counters,
    event_counts,
    from_micros,
    positions,
    statuses,
    takeovers,
    to_micros,
)
from safecity.bus.port import TopicPartition
from safecity.event import Event, Trace
from safecity.redaction import redact
from safecity.status import Status

DUPLICATES, DEAD_LETTERS = "duplicates", "dead_letters"
STORING = 7_265_361_001
"""PostgreSQL's advisory lock for whoever stores events: any number that nobody else uses."""


class Store:
    """The centre's memory. Safe to use from several threads.

    Args:
        url: SQLAlchemy's.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self.shared = self.engine.dialect.name != "sqlite"
        """Whether other centres may have it open too: a server's database, not a file."""
        self._insert: Any = postgresql.insert if self.shared else sqlite.insert

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with.

        Raises:
            StoreError: the database does not answer.
        """
        with _told_plainly(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction, which is committed at the end.

        Raises:
            StoreError: nothing of it was stored; trying again is right.
        """
        with _told_plainly(), self.engine.begin() as connection:
            yield connection

    def check(self) -> None:
        """Answer, or raise.

        Raises:
            StoreError: the database does not answer.
        """
        with self.reading() as connection:
            connection.execute(sa.select(1))

    def positions(self) -> dict[TopicPartition, int]:
        """The next offset to read, of every partition that was ever read."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(positions)).all()
        return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}

    def record(self, batch: Batch) -> Recorded:
        """Store a batch with its positions in one transaction. What is there already adds nothing.

        Raises:
            StoreError: nothing of it was stored; trying again is right.
            FencedError: nothing of it was stored; another centre has read on from ``batch.known``.
        """
        with self.writing() as connection:
            move(connection, self._insert, batch.positions, batch.known)
            replayed = record_replayed(connection, self._insert, batch.replayed)
            self._put_statuses(connection, batch.statuses)
            self._put_takeovers(connection, batch.takeovers)
            if batch.events:
                self._take_turns(connection)
            stored = record_events(connection, self._insert, batch.events)
            duplicates = len(batch.events) - len(stored)
            self._add(connection, event_counts, count_by_camera_and_kind(stored), "stored")
            rises = {DUPLICATES: duplicates, DEAD_LETTERS: batch.dead_letters}
            counted = [{"name": name, "value": rise} for name, rise in rises.items() if rise]
            self._add(connection, counters, counted, "value")
        return Recorded(tuple(stored), duplicates, replayed)

    def claim(self, name: str, every_seconds: float) -> bool:
        """Whether work that one of all centres does now and then is due; who is told so does it."""
        now = to_micros(datetime.now(UTC))
        insert = self._insert(counters)
        due = counters.c.value <= now - round(every_seconds * 1_000_000)
        taken = insert.on_conflict_do_update(
            index_elements=[counters.c.name], set_={"value": now}, where=due
        ).returning(counters.c.name)
        with self.writing() as connection:
            return connection.execute(taken, {"name": name, "value": now}).first() is not None

    def takeovers(self, camera_ids: Collection[str]) -> dict[str, dict[int, datetime]]:
        """Of these cameras: since when, in event time, the owner of each epoch has had it."""
        found: dict[str, dict[int, datetime]] = {}
        if not camera_ids:
            return found
        with self.reading() as connection:
            for row in connection.execute(sa.select(takeovers).where(takeovers.c.camera_id.in_(camera_ids))):
                found.setdefault(row.camera_id, {})[row.epoch] = from_micros(row.since)
        return found

    def statuses(self, of: Collection[str] | None = None) -> dict[str, Status]:
        """The newest status of every camera that ever reported, or of these."""
        query = sa.select(statuses.c.status)
        if of is not None:
            query = query.where(statuses.c.camera_id.in_(of))
        with self.reading() as connection:
            rows = connection.execute(query).scalars().all()
        found = [Status.model_validate_json(row) for row in rows]
        return {status.camera_id: status for status in found}

    def reports(self) -> dict[str, datetime]:
        """When each camera reported last, by the worker's clock."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(statuses.c.camera_id, statuses.c.reported_at)).all()
        return {row.camera_id: from_micros(row.reported_at) for row in rows}

    def _take_turns(self, connection: sa.Connection) -> None:
        """Wait until no other centre stores events, and let none until the end of the transaction.

        Followers read on from the highest sequence that they have seen. PostgreSQL gives sequences out before
        rows can be seen: without turns a lower one could come after a higher one, and be missed.
        """
        if self.shared:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(STORING)))

    def _put_statuses(self, connection: sa.Connection, newest: Mapping[str, Status]) -> None:
        if not newest:
            return
        insert = self._insert(statuses)
        replaced = {name: insert.excluded[name] for name in ("reported_at", "status")}
        # In the order of their keys, as all rows that several centres may change: nobody waits in a circle.
        rows = [
            {
                "camera_id": camera_id,
                "reported_at": to_micros(status.reported_at),
                "status": status.model_dump_json(),
            }
            for camera_id, status in sorted(newest.items())
        ]
        connection.execute(
            insert.on_conflict_do_update(index_elements=[statuses.c.camera_id], set_=replaced), rows
        )

    def _put_takeovers(self, connection: sa.Connection, begun: Mapping[tuple[str, int], datetime]) -> None:
        if not begun:
            return
        insert = self._insert(takeovers)
        rows = [
            {"camera_id": camera_id, "epoch": epoch, "since": to_micros(since)}
            for (camera_id, epoch), since in sorted(begun.items())
        ]
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=list(takeovers.primary_key), set_={"since": insert.excluded.since}
            ),
            rows,
        )

    def _add(
        self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], column: str
    ) -> None:
        """Add the rows' numbers to those that stand under the same key."""
        if not rows:
            return
        insert = self._insert(table)
        sums = {column: table.c[column] + insert.excluded[column]}
        keys = [key.name for key in table.primary_key]
        connection.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=sums),
            sorted(rows, key=lambda row: [row[key] for key in keys]),
        )


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(redact(error).splitlines()[0]) from None


def read_row(row: Any) -> StoredEvent:
    """A row of the events table."""
    return StoredEvent(
        sequence=row.sequence,
        stored_at=from_micros(row.stored_at),
        latency_ms=row.latency_ms,
        event=Event.model_validate_json(row.event),
        trace=Trace.model_validate_json(row.trace) if row.trace else None,
    )


def read_rows(rows: Sequence[Any]) -> list[StoredEvent]:
    """Rows of the events table."""
    return [read_row(row) for row in rows]
