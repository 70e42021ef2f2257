"""Events and the bus positions that they came from, written together or not at all."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from command_center.store.database import StoreError, open_engine
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


class Store:
    """The centre's memory. Safe to use from several threads.

    Args:
        url: SQLAlchemy's.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._insert: Any = sqlite.insert if self.engine.dialect.name == "sqlite" else postgresql.insert

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
        """
        with self.writing() as connection:
            stored = record_events(connection, self._insert, batch.events)
            duplicates = len(batch.events) - len(stored)
            replayed = record_replayed(connection, self._insert, batch.replayed)
            reports = [
                {
                    "camera_id": camera_id,
                    "reported_at": to_micros(status.reported_at),
                    "status": status.model_dump_json(),
                }
                for camera_id, status in batch.statuses.items()
            ]
            self._put(connection, statuses, reports)
            begun = [
                {"camera_id": camera_id, "epoch": epoch, "since": to_micros(since)}
                for (camera_id, epoch), since in batch.takeovers.items()
            ]
            self._put(connection, takeovers, begun)
            places = [
                {"topic": topic, "partition": partition, "next_offset": offset}
                for (topic, partition), offset in batch.positions.items()
            ]
            self._put(connection, positions, places)
            self._add(connection, event_counts, count_by_camera_and_kind(stored), "stored")
            rises = {DUPLICATES: duplicates, DEAD_LETTERS: batch.dead_letters}
            counted = [{"name": name, "value": rise} for name, rise in rises.items() if rise]
            self._add(connection, counters, counted, "value")
        return Recorded(tuple(stored), duplicates, replayed)

    def takeovers(self, camera_ids: Collection[str]) -> dict[str, dict[int, datetime]]:
        """Of these cameras: since when, in event time, the owner of each epoch has had it."""
        found: dict[str, dict[int, datetime]] = {}
        if not camera_ids:
            return found
        with self.reading() as connection:
            for row in connection.execute(sa.select(takeovers).where(takeovers.c.camera_id.in_(camera_ids))):
                found.setdefault(row.camera_id, {})[row.epoch] = from_micros(row.since)
        return found

    def statuses(self) -> dict[str, Status]:
        """The newest status of every camera that ever reported."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(statuses.c.status)).scalars().all()
        found = [Status.model_validate_json(row) for row in rows]
        return {status.camera_id: status for status in found}

    def _put(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, or replace those with the same key."""
        if not rows:
            return
        insert = self._insert(table)
        replaced = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=replaced), rows
        )

    def _add(
        self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], column: str
    ) -> None:
        """Add the rows' numbers to those that stand under the same key."""
        if not rows:
            return
        insert = self._insert(table)
        sums = {column: table.c[column] + insert.excluded[column]}
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums), rows
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
