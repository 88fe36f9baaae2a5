"""Clips that prove incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "clips",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("incident_id", sa.String(length=80), nullable=False),
        sa.Column("camera_id", sa.String(length=80), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("clips_by_incident", "clips", ["incident_id"], unique=False)
    op.create_index("clips_by_end", "clips", ["is_final", "until"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("clips")
