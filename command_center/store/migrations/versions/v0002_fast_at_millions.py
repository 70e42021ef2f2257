"""What is slow at five million events: a camera's newest, and the counts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index for the events of a camera, and a table of counts."""
    op.create_index("ix_events_camera_time", "events", ["camera_id", "occurred_at", "sequence"])
    op.create_table(
        "event_counts",
        sa.Column("camera_id", sa.String(63), primary_key=True),
        sa.Column("kind", sa.String(63), primary_key=True),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO event_counts (camera_id, kind, stored) "
        "SELECT camera_id, kind, count(*) FROM events GROUP BY camera_id, kind"
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("event_counts")
    op.drop_index("ix_events_camera_time", "events")
