"""The tables. Times are whole microseconds since 1970, UTC: the same in every database, and sortable."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# SQLite numbers rows by itself only where the key is an INTEGER.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("event_id", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("camera_id", String(63), nullable=False),
    Column("kind", String(63), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("latency_ms", Float),
    Column("event", Text, nullable=False),
    Column("trace", Text),
    UniqueConstraint("event_id", "revision", name="uq_events_event_id_revision"),
    Index("ix_events_camera_kind_time", "camera_id", "kind", "occurred_at"),
    Index("ix_events_camera_time", "camera_id", "occurred_at", "sequence"),
    Index("ix_events_kind_time", "kind", "occurred_at"),
    Index("ix_events_time", "occurred_at", "sequence"),
    Index("ix_events_stored_at", "stored_at"),
    sqlite_autoincrement=True,
)

replayed_events = Table(
    "replayed_events",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("run", String(63), nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("camera_id", String(63), nullable=False),
    Column("kind", String(63), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    UniqueConstraint("run", "event_id", "revision", name="uq_replayed_run_event_id_revision"),
    Index("ix_replayed_run_time", "run", "occurred_at", "sequence"),
    Index("ix_replayed_stored_at", "stored_at"),
    sqlite_autoincrement=True,
)
"""Events of replays, by the run's name: a table of their own, so that nothing live can show one of them."""

event_counts = Table(
    "event_counts",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("kind", String(63), primary_key=True),
    Column("stored", BigInteger, nullable=False),
)
"""Rows of ``events`` by camera and kind: counting five million takes seconds."""

positions = Table(
    "positions",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)

statuses = Table(
    "statuses",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("reported_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
)

takeovers = Table(
    "takeovers",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
)
"""Event time of the first frame that the owner of an epoch decided on."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("value", BigInteger, nullable=False),
)


def to_micros(time: datetime) -> int:
    """An aware time as it is stored."""
    return (time - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """A stored time, UTC."""
    return EPOCH + timedelta(microseconds=micros)
