"""What the embedded log forgets: old records, and overtaken ones of compacted topics."""

import sqlite3

from safecity.bus._log import TOMBSTONE_MS
from safecity.bus.port import Cleanup

BOUND = 2_000
"""Records deleted of a topic at a time, so that no writer waits long."""


def prune(connection: sqlite3.Connection, now_ms: int) -> int:
    """Delete up to BOUND records of each topic; returns how many. The caller holds the write lock."""
    topics = connection.execute("SELECT id, partitions, cleanup, retention_ms FROM topics").fetchall()
    before = connection.total_changes
    for topic_id, partitions, cleanup, retention_ms in topics:
        for partition in range(partitions):
            if cleanup == Cleanup.COMPACT:
                _compact(connection, topic_id, partition, now_ms - TOMBSTONE_MS)
            else:
                _expire(connection, topic_id, partition, now_ms - retention_ms)
    return connection.total_changes - before


def _expire(connection: sqlite3.Connection, topic_id: int, partition: int, before_ms: int) -> None:
    connection.execute(
        "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE topic_id = ? AND partition = ? "
        "AND timestamp_ms < ? ORDER BY timestamp_ms LIMIT ?)",
        (topic_id, partition, before_ms, BOUND),
    )


def _compact(connection: sqlite3.Connection, topic_id: int, partition: int, tombstones_before: int) -> None:
    place = {"topic": topic_id, "partition": partition, "before": tombstones_before, "bound": BOUND}
    connection.execute(
        "WITH newest AS (SELECT key, MAX(position) AS position FROM records "
        "                WHERE topic_id = :topic AND partition = :partition GROUP BY key) "
        "DELETE FROM records WHERE id IN ("
        "  SELECT r.id FROM records r JOIN newest USING (key) "
        "  WHERE r.topic_id = :topic AND r.partition = :partition AND (r.position < newest.position "
        "  OR (r.value IS NULL AND r.timestamp_ms < :before)) LIMIT :bound)",
        place,
    )
