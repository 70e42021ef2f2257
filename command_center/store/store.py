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
_OUTDATE = (
    sa.update(events)
    .where(events.c.event_id == sa.bindparam("id"), events.c.revision < sa.bindparam("newest_revision"))
    .values(newest=False)
)


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
            stored = self._record_events(connection, batch.events)
            duplicates = len(batch.events) - len(stored)
            reports = [
                {
                    "camera_id": camera_id,
                    "reported_at": to_micros(status.reported_at),
                    "status": status.model_dump_json(),
                }
                for camera_id, status in batch.statuses.items()
            ]
            self._put(connection, statuses, reports)
            places = [
                {"topic": topic, "partition": partition, "next_offset": offset}
                for (topic, partition), offset in batch.positions.items()
            ]
            self._put(connection, positions, places)
            self._count(connection, {DUPLICATES: duplicates, DEAD_LETTERS: batch.dead_letters})
        return Recorded(tuple(stored), duplicates)

    def statuses(self) -> dict[str, Status]:
        """The newest status of every camera that ever reported."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(statuses.c.status)).scalars().all()
        found = [Status.model_validate_json(row) for row in rows]
        return {status.camera_id: status for status in found}

    def _record_events(
        self, connection: sa.Connection, arrived: Sequence[tuple[Event, Trace | None]]
    ) -> list[StoredEvent]:
        """Insert those that are new, in the order in which they came, with one statement for all."""
        if not arrived:
            return []
        now, known = datetime.now(UTC), _newest_revisions(connection, arrived)
        newest = dict(known)
        for event, _ in arrived:
            newest[event.event_id] = max(event.revision, newest.get(event.event_id, 0))
        rows = [_row(event, trace, now, event.revision == newest[event.event_id]) for event, trace in arrived]
        insert = self._insert(events).on_conflict_do_nothing(index_elements=["event_id", "revision"])
        inserted = connection.execute(
            insert.returning(events.c.event_id, events.c.revision, events.c.sequence), rows
        )
        sequences = {(row.event_id, row.revision): row.sequence for row in inserted}
        outdated = [
            {"id": event_id, "newest_revision": newest[event_id]}
            for event_id, revision in known.items()
            if revision < newest[event_id]
        ]
        if outdated:
            connection.execute(_OUTDATE, outdated)
        # pop: what came twice in the batch is stored once.
        return [
            StoredEvent(sequence, now, row["latency_ms"], event, trace)
            for (event, trace), row in zip(arrived, rows, strict=True)
            if (sequence := sequences.pop((event.event_id, event.revision), None)) is not None
        ]

    def _put(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, or replace those with the same key."""
        if not rows:
            return
        insert = self._insert(table)
        replaced = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=replaced), rows
        )

    def _count(self, connection: sa.Connection, rises: Mapping[str, int]) -> None:
        for name, rise in rises.items():
            if rise:
                insert = self._insert(counters).values(name=name, value=rise)
                connection.execute(
                    insert.on_conflict_do_update(
                        index_elements=["name"], set_={"value": counters.c.value + rise}
                    )
                )


def _newest_revisions(
    connection: sa.Connection, arrived: Sequence[tuple[Event, Trace | None]]
) -> dict[str, int]:
    """The newest revision that is stored, of those of the events that are."""
    ids = {event.event_id for event, _ in arrived}
    query = (
        sa.select(events.c.event_id, sa.func.max(events.c.revision).label("newest_revision"))
        .where(events.c.event_id.in_(ids))
        .group_by(events.c.event_id)
    )
    return {row.event_id: row.newest_revision for row in connection.execute(query)}


def _row(event: Event, trace: Trace | None, now: datetime, newest: bool) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "revision": event.revision,
        "newest": newest,
        "camera_id": event.camera_id,
        "kind": event.kind,
        "occurred_at": to_micros(event.occurred_at),
        "stored_at": to_micros(now),
        "latency_ms": (now - trace.captured_at).total_seconds() * 1000 if trace else None,
        "event": event.model_dump_json(),
        "trace": trace.model_dump_json() if trace else None,
    }


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
