"""What people found the cameras' tracks to be."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "verdicts",
        sa.Column("id", sa.String(length=250), nullable=False),
        sa.Column("incident_id", sa.String(length=80), nullable=False),
        sa.Column("camera_id", sa.String(length=80), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("verdicts_by_incident", "verdicts", ["incident_id"], unique=False)
    op.create_index("verdicts_by_time", "verdicts", ["decided_at"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("verdicts")
