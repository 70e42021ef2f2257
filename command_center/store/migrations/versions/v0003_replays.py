"""Events of replays, in a table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "replayed_events",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("run", sa.String(63), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("camera_id", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.UniqueConstraint("run", "event_id", "revision", name="uq_replayed_run_event_id_revision"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_replayed_run_time", "replayed_events", ["run", "occurred_at", "sequence"])
    op.create_index("ix_replayed_stored_at", "replayed_events", ["stored_at"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("replayed_events")
