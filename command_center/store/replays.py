"""Events of replays: kept apart from the live ones, each once in its run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from command_center.store.rows import Run
from command_center.store.schema import from_micros, replayed_events, to_micros
from safecity.event import Event


def record_replayed(connection: sa.Connection, insert: Any, arrived: Sequence[tuple[str, Event]]) -> int:
    """Insert those that are new, and say how many that were.

    Args:
        connection: in a transaction.
        insert: the dialect's own, which knows ``ON CONFLICT``.
        arrived: names of runs and events; some may be there already.
    """
    if not arrived:
        return 0
    now = to_micros(datetime.now(UTC))
    rows = [
        {
            "run": run,
            "event_id": event.event_id,
            "revision": event.revision,
            "camera_id": event.camera_id,
            "kind": event.kind,
            "occurred_at": to_micros(event.occurred_at),
            "stored_at": now,
            "event": event.model_dump_json(),
        }
        for run, event in arrived
    ]
    new = insert(replayed_events).on_conflict_do_nothing(index_elements=["run", "event_id", "revision"])
    return len(connection.execute(new.returning(replayed_events.c.sequence), rows).all())


def newest_of_run() -> sa.ColumnElement[bool]:
    """The condition that no newer revision of an event is in its run."""
    newer = replayed_events.alias("newer")
    return ~sa.exists().where(
        newer.c.run == replayed_events.c.run,
        newer.c.event_id == replayed_events.c.event_id,
        newer.c.revision > replayed_events.c.revision,
    )


def select_replayed() -> sa.Select[Any]:
    """Rows as those of live events are; a replay has no latency and no trace."""
    return sa.select(replayed_events, sa.null().label("latency_ms"), sa.null().label("trace"))


def runs(connection: sa.Connection) -> list[Run]:
    """The runs that there are, the one that came last first."""
    table = replayed_events.c
    newest = sa.func.max(table.stored_at).label("newest")
    query = (
        sa.select(
            table.run,
            sa.func.count().label("events"),
            sa.func.min(table.occurred_at).label("first"),
            sa.func.max(table.occurred_at).label("last"),
            newest,
        )
        .group_by(table.run)
        .order_by(newest.desc(), table.run)
    )
    return [
        Run(row.run, row.events, from_micros(row.first), from_micros(row.last), from_micros(row.newest))
        for row in connection.execute(query)
    ]
