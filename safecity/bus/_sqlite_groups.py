"""Groups in the embedded log: who lives, who holds what, how far. The caller holds the write lock."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from safecity.bus._log import LEASE_SECONDS, Attendance
from safecity.bus._share import settle
from safecity.bus.port import BusUnavailableError, TopicPartition

REFRESH_SECONDS = 2.0


class SqliteGroups:
    """Members, leases and positions over an open connection. Times are the monotonic clock's seconds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def at_rest(
        self,
        group: str,
        member: str,
        topics: Collection[str],
        sources: Sequence[TopicPartition],
        now: float,
    ) -> Attendance | None:
        """The member's standing when nothing has to be written for it, else None."""
        heard = self._heard(group)
        if member not in heard or now - heard[member] > REFRESH_SECONDS:
            return None
        if any(_gone(at, now) for at in heard.values()):
            return None
        leases = self._leases(group)
        standing = settle(member, self._members(group), sources, leases)
        mine = {source for source, holder in leases.items() if holder == member}
        return standing if standing.held == mine else None

    def attend(
        self,
        group: str,
        member: str,
        topics: Collection[str],
        sources: Sequence[TopicPartition],
        now: float,
    ) -> Attendance:
        """Refresh the member, expire dead ones, take what is free and due."""
        self._connection.execute(
            "INSERT INTO members VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET heard_at = excluded.heard_at, topics = excluded.topics",
            (group, member, json.dumps(sorted(topics)), now),
        )
        for name, at in self._heard(group).items():
            if _gone(at, now):
                self.leave(group, name)
        leases = self._leases(group)
        standing = settle(member, self._members(group), sources, leases)
        self._connection.executemany(
            "INSERT INTO leases VALUES (?, ?, ?, ?)",
            [(group, *source, member) for source in standing.held if source not in leases],
        )
        return standing

    def beat(self, group: str, member: str, now: float) -> None:
        """Say that the member lives, if it is still known."""
        self._connection.execute(
            "UPDATE members SET heard_at = ? WHERE group_name = ? AND member = ?", (now, group, member)
        )

    def release(self, group: str, member: str, sources: Collection[TopicPartition]) -> None:
        """Give partitions back."""
        self._connection.executemany(
            "DELETE FROM leases WHERE group_name = ? AND member = ? AND topic = ? AND partition = ?",
            [(group, member, *source) for source in sources],
        )

    def leave(self, group: str, member: str) -> None:
        """Give everything back and go."""
        for table in ("leases", "members"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE group_name = ? AND member = ?", (group, member)
            )

    def committed(self, group: str, source: TopicPartition) -> int | None:
        """The position of the group."""
        row = self._connection.execute(
            "SELECT position FROM positions WHERE group_name = ? AND topic = ? AND partition = ?",
            (group, *source),
        ).fetchone()
        return int(row[0]) if row else None

    def commit(self, group: str, member: str, positions: Mapping[TopicPartition, int]) -> None:
        """Keep positions of partitions that the member holds.

        Raises:
            BusUnavailableError: it no longer holds one of them.
        """
        leases = self._leases(group)
        for source in positions:
            if leases.get(source) != member:
                raise BusUnavailableError(
                    f"{source.topic}/{source.partition} is no longer held by this member of {group}"
                )
        self._connection.executemany(
            "INSERT INTO positions VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET position = excluded.position",
            [(group, *source, position) for source, position in positions.items()],
        )

    def _heard(self, group: str) -> dict[str, float]:
        return dict(
            self._connection.execute("SELECT member, heard_at FROM members WHERE group_name = ?", (group,))
        )

    def _members(self, group: str) -> dict[str, frozenset[str]]:
        rows = self._connection.execute("SELECT member, topics FROM members WHERE group_name = ?", (group,))
        return {member: frozenset(json.loads(topics)) for member, topics in rows}

    def _leases(self, group: str) -> dict[TopicPartition, str]:
        rows = self._connection.execute(
            "SELECT topic, partition, member FROM leases WHERE group_name = ?", (group,)
        )
        return {TopicPartition(topic, partition): member for topic, partition, member in rows}


def _gone(heard_at: float, now: float) -> bool:
    # A time in the future is from before a reboot: the monotonic clock has begun again.
    return now - heard_at > LEASE_SECONDS or heard_at > now + LEASE_SECONDS
