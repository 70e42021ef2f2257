"""Events, positions, statuses, counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "events",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("newest", sa.Boolean, nullable=False),
        sa.Column("camera_id", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("trace", sa.Text),
        sa.UniqueConstraint("event_id", "revision", name="uq_events_event_id_revision"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_camera_kind_time", "events", ["camera_id", "kind", "occurred_at"])
    op.create_index("ix_events_kind_time", "events", ["kind", "occurred_at"])
    op.create_index("ix_events_time", "events", ["occurred_at", "sequence"])
    op.create_index("ix_events_stored_at", "events", ["stored_at"])
    op.create_table(
        "positions",
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "statuses",
        sa.Column("camera_id", sa.String(63), primary_key=True),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("counters", "statuses", "positions", "events"):
        op.drop_table(table)
