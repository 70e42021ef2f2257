"""Putting a batch of events into their table: each once, each event's newest revision marked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from command_center.store.rows import StoredEvent
from command_center.store.schema import events, to_micros
from safecity.event import Event, Trace

_OUTDATE = (
    sa.update(events)
    .where(events.c.event_id == sa.bindparam("id"), events.c.revision < sa.bindparam("newest_revision"))
    .values(newest=False)
)


def record_events(
    connection: sa.Connection, insert: Any, arrived: Sequence[tuple[Event, Trace | None]]
) -> list[StoredEvent]:
    """Insert those that are new, in the order in which they came, with one statement for all.

    Args:
        connection: in a transaction.
        insert: the dialect's own, which knows ``ON CONFLICT``.
        arrived: events as they came; some may be there already, or twice among them.

    Returns:
        Those that were inserted.
    """
    if not arrived:
        return []
    now, known = datetime.now(UTC), _newest_revisions(connection, arrived)
    newest = dict(known)
    for event, _ in arrived:
        newest[event.event_id] = max(event.revision, newest.get(event.event_id, 0))
    rows = [_row(event, trace, now, event.revision == newest[event.event_id]) for event, trace in arrived]
    new = insert(events).on_conflict_do_nothing(index_elements=["event_id", "revision"])
    inserted = connection.execute(
        new.returning(events.c.event_id, events.c.revision, events.c.sequence), rows
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


def count_by_camera_and_kind(stored: Iterable[StoredEvent]) -> list[dict[str, Any]]:
    """How many rows each camera and kind has got, as rows of the table of counts."""
    counts = Counter((item.event.camera_id, item.event.kind) for item in stored)
    return [
        {"camera_id": camera, "kind": kind, "stored": number} for (camera, kind), number in counts.items()
    ]


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
