"""Reading: pages, the live stream's next events, totals, old pages to delete."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from command_center.store.replays import newest_of_run, select_replayed
from command_center.store.rows import Cursor, Filter, Order, StoredEvent, Totals
from command_center.store.schema import counters, event_counts, events, replayed_events, takeovers, to_micros
from command_center.store.store import DEAD_LETTERS, DUPLICATES, Store, read_rows

LATENCY_WINDOW = 10_000
"""Latencies are those of the last so many events."""
_COUNT_DOWN = (
    sa.update(event_counts)
    .where(event_counts.c.camera_id == sa.bindparam("camera"), event_counts.c.kind == sa.bindparam("of"))
    .values(stored=event_counts.c.stored - sa.bindparam("gone"))
)


def page(
    store: Store, wanted: Filter, order: Order, limit: int, after: Cursor | None
) -> tuple[list[StoredEvent], Cursor | None]:
    """Events, by event time, and where the next page begins (None: nowhere)."""
    table = events if wanted.run is None else replayed_events
    place = sa.tuple_(table.c.occurred_at, table.c.sequence)
    query = sa.select(events) if wanted.run is None else select_replayed()
    query = query.where(*_conditions(table, wanted))
    if order is Order.NEWEST:
        query = query.order_by(table.c.occurred_at.desc(), table.c.sequence.desc())
        if after is not None:
            query = query.where(place < (after.occurred_at, after.sequence))
    else:
        query = query.order_by(table.c.occurred_at, table.c.sequence)
        if after is not None:
            query = query.where(place > (after.occurred_at, after.sequence))
    with store.reading() as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
    if len(rows) <= limit:
        return read_rows(rows), None
    last = rows[limit - 1]
    return read_rows(rows[:limit]), Cursor(last.occurred_at, last.sequence)


def revisions(store: Store, event_id: str, run: str | None = None) -> list[StoredEvent]:
    """All revisions of one event, oldest first; none when there is no such event.

    Args:
        store: where to look.
        event_id: of the event.
        run: the name of the replay that told it; None: it is live.
    """
    table = events if run is None else replayed_events
    query = sa.select(events) if run is None else select_replayed().where(replayed_events.c.run == run)
    query = query.where(table.c.event_id == event_id).order_by(table.c.revision)
    with store.reading() as connection:
        return read_rows(connection.execute(query).all())


def stored_after(store: Store, sequence: int, limit: int) -> list[StoredEvent]:
    """The next events in the order of storing."""
    query = sa.select(events).where(events.c.sequence > sequence).order_by(events.c.sequence).limit(limit)
    with store.reading() as connection:
        return read_rows(connection.execute(query).all())


def last_sequence(store: Store) -> int:
    """Of the event that was stored last; 0 when there is none."""
    with store.reading() as connection:
        return connection.execute(sa.select(sa.func.max(events.c.sequence))).scalar_one() or 0


def totals(store: Store) -> Totals:
    """Counts over everything in the store: revisions count each."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(event_counts).where(event_counts.c.stored > 0)).all()
        counted = {row.name: row.value for row in connection.execute(sa.select(counters)).all()}
    by_kind: dict[str, int] = {}
    by_camera: dict[str, int] = {}
    for camera_id, kind, number in rows:
        by_kind[kind] = by_kind.get(kind, 0) + number
        by_camera[camera_id] = by_camera.get(camera_id, 0) + number
    return Totals(
        stored=sum(by_kind.values()),
        duplicates=counted.get(DUPLICATES, 0),
        dead_letters=counted.get(DEAD_LETTERS, 0),
        by_kind=by_kind,
        by_camera=by_camera,
    )


def recent_latencies(store: Store) -> list[float]:
    """Milliseconds from capture to store of the last :data:`LATENCY_WINDOW` events."""
    query = sa.select(events.c.latency_ms).order_by(events.c.sequence.desc()).limit(LATENCY_WINDOW)
    with store.reading() as connection:
        return [value for value in connection.execute(query).scalars() if value is not None]


def delete_stored_before(store: Store, time: datetime, limit: int = 5000) -> int:
    """Delete up to ``limit`` rows stored before ``time``, and say how many; call again while it is all."""
    old = sa.select(events.c.sequence).where(events.c.stored_at < to_micros(time)).limit(limit)
    delete = sa.delete(events).where(events.c.sequence.in_(old))
    with store.writing() as connection:
        deleted = connection.execute(delete.returning(events.c.camera_id, events.c.kind)).all()
        counts = Counter((row.camera_id, row.kind) for row in deleted)
        if counts:
            connection.execute(
                _COUNT_DOWN,
                [{"camera": camera, "of": kind, "gone": n} for (camera, kind), n in sorted(counts.items())],
            )
    return len(deleted)


def delete_takeovers_before(store: Store, time: datetime) -> int:
    """Forget the hand-overs of before ``time``, but for each camera's newest; how many there were."""
    later = takeovers.alias()
    newest = sa.select(sa.func.max(later.c.epoch)).where(later.c.camera_id == takeovers.c.camera_id)
    old = sa.delete(takeovers).where(
        takeovers.c.since < to_micros(time), takeovers.c.epoch < newest.scalar_subquery()
    )
    with store.writing() as connection:
        return connection.execute(old).rowcount


def delete_replayed_before(store: Store, time: datetime) -> int:
    """Delete the rows of replays that were stored before ``time``, and say how many."""
    old = sa.delete(replayed_events).where(replayed_events.c.stored_at < to_micros(time))
    with store.writing() as connection:
        return connection.execute(old).rowcount


def _conditions(table: sa.Table, wanted: Filter) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.run is not None:
        conditions.append(table.c.run == wanted.run)
    if not wanted.revisions:
        conditions.append(events.c.newest if wanted.run is None else newest_of_run())
    if wanted.camera_id is not None:
        conditions.append(table.c.camera_id == wanted.camera_id)
    if wanted.kind is not None:
        conditions.append(table.c.kind == wanted.kind)
    if wanted.since is not None:
        conditions.append(table.c.occurred_at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(table.c.occurred_at < to_micros(wanted.until))
    return conditions
