"""Positions on the bus, and the fence around them: only who knows where a partition stands may go on from it.

Two centres may believe for a moment that they hold the same partition: one was paused for longer than the
group waits, and does not know that it is out. Both read from where the store stood when they got it. The
first one to store moves the position; the other's batch begins somewhere else than the store stands now, so
none of it is stored.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from command_center.store.schema import positions
from safecity.bus.port import TopicPartition

_MOVE = (
    sa.update(positions)
    .where(
        positions.c.topic == sa.bindparam("of_topic"),
        positions.c.partition == sa.bindparam("number"),
        positions.c.next_offset == sa.bindparam("known"),
    )
    .values(next_offset=sa.bindparam("moved_to"))
)


class FencedError(Exception):
    """Another centre has read on in one of the batch's partitions; nothing of the batch was stored."""


def move(
    connection: sa.Connection,
    insert: Any,
    wanted: Mapping[TopicPartition, int],
    known: Mapping[TopicPartition, int],
) -> None:
    """Move positions, all or none. First in a transaction: whoever else wants one of them waits for its end.

    Args:
        connection: in a transaction.
        insert: the dialect's own, which knows ``ON CONFLICT``.
        wanted: the next offset to read, by partition.
        known: where they are believed to be; a partition that is missing was never read.

    Raises:
        FencedError: one of them is somewhere else.
    """
    first = [
        {"topic": source.topic, "partition": source.partition, "next_offset": offset}
        for source, offset in sorted(wanted.items())
        if source not in known
    ]
    onward = [
        {
            "of_topic": source.topic,
            "number": source.partition,
            "known": known[source],
            "moved_to": offset,
        }
        for source, offset in sorted(wanted.items())
        if source in known
    ]
    moved = 0
    if first:
        new = insert(positions).on_conflict_do_nothing().returning(positions.c.partition)
        moved += len(connection.execute(new, first).all())
    if onward:
        # Both drivers sum the rows that many executions of one statement change.
        moved += connection.execute(_MOVE, onward).rowcount
    if moved != len(wanted):
        raise FencedError("another centre has read on in a partition that this one took for its own")
