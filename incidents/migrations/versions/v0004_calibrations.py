"""The poses that cameras had, and what they were fitted to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "calibrations",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("camera_id", sa.String(length=80), nullable=False),
        sa.Column("camera_version", WHOLE, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("restored_id", sa.String(length=80), nullable=True),
        sa.Column("pose", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "calibrations_by_camera", "calibrations", ["camera_id", "camera_version"], unique=False
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calibrations")
