"""Events and the bus positions that they came from, written together or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from command_center.store.database import StoreError, open_engine
from command_center.store.rows import Batch, Recorded, StoredEvent
from command_center.store.schema import counters, events, from_micros, positions, statuses, to_micros
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
            stored = [
                row
                for event, trace in batch.events
                if (row := self._record_event(connection, event, trace)) is not None
            ]
            duplicates = len(batch.events) - len(stored)
            for camera_id, status in batch.statuses.items():
                values = {"reported_at": to_micros(status.reported_at), "status": status.model_dump_json()}
                self._put(connection, statuses, {"camera_id": camera_id}, values)
            for (topic, partition), offset in batch.positions.items():
                key = {"topic": topic, "partition": partition}
                self._put(connection, positions, key, {"next_offset": offset})
            self._count(connection, {DUPLICATES: duplicates, DEAD_LETTERS: batch.dead_letters})
        return Recorded(tuple(stored), duplicates)

    def statuses(self) -> dict[str, Status]:
        """The newest status of every camera that ever reported."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(statuses.c.status)).scalars().all()
        found = [Status.model_validate_json(row) for row in rows]
        return {status.camera_id: status for status in found}

    def _record_event(
        self, connection: sa.Connection, event: Event, trace: Trace | None
    ) -> StoredEvent | None:
        now = datetime.now(UTC)
        latency = (now - trace.captured_at).total_seconds() * 1000 if trace else None
        of_event = events.c.event_id == event.event_id
        newer = sa.select(sa.literal(1)).where(of_event, events.c.revision > event.revision)
        is_newest = connection.execute(newer.limit(1)).first() is None
        sequence = connection.execute(
            self._insert(events)
            .values(
                event_id=event.event_id,
                revision=event.revision,
                newest=is_newest,
                camera_id=event.camera_id,
                kind=event.kind,
                occurred_at=to_micros(event.occurred_at),
                stored_at=to_micros(now),
                latency_ms=latency,
                event=event.model_dump_json(),
                trace=trace.model_dump_json() if trace else None,
            )
            .on_conflict_do_nothing(index_elements=["event_id", "revision"])
            .returning(events.c.sequence)
        ).scalar_one_or_none()
        if sequence is None:
            return None
        if is_newest and event.revision > 1:
            older = sa.update(events).where(of_event, events.c.revision < event.revision)
            connection.execute(older.values(newest=False))
        return StoredEvent(sequence, now, latency, event, trace)

    def _put(
        self,
        connection: sa.Connection,
        table: sa.Table,
        key: Mapping[str, object],
        values: Mapping[str, object],
    ) -> None:
        insert = self._insert(table).values(**key, **values)
        connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=dict(values)))

    def _count(self, connection: sa.Connection, rises: Mapping[str, int]) -> None:
        for name, rise in rises.items():
            if rise:
                insert = self._insert(counters).values(name=name, value=rise)
                connection.execute(
                    insert.on_conflict_do_update(
                        index_elements=["name"], set_={"value": counters.c.value + rise}
                    )
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
