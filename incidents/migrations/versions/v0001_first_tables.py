"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
PENDING = sa.text("pending IS NOT NULL")


def upgrade() -> None:
    """Make the tables, the counters at 0, and the place of the one fusion writer."""
    op.create_table(
        "accounts",
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("received_seq", WHOLE, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_calls_received_at", "calls", ["received_at"], unique=False)
    op.create_index("ix_calls_received_seq", "calls", ["received_seq"], unique=False)
    op.create_table(
        "cameras",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("sealed_password", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "fusion_writer",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("fencing", WHOLE, nullable=False),
        sa.Column("report_seq", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("founded_seq", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("guard_version", WHOLE, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("hazard", sa.String(length=20), nullable=False),
        sa.Column("acted_seq", WHOLE, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incidents_by_founding", "incidents", ["founded_seq"], unique=False)
    op.create_index(
        "incidents_by_pending",
        "incidents",
        ["told_at"],
        unique=False,
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index(
        "incidents_open_by_founding", "incidents", ["is_open", "founded_seq"], unique=False
    )
    op.create_table(
        "log",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hazard", sa.String(length=20), nullable=True),
        sa.Column("level", sa.String(length=20), nullable=True),
        sa.Column("request_key", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("request_key"),
    )
    op.create_index("log_by_kind", "log", ["kind", "seq"], unique=False)
    op.create_index("log_by_subject", "log", ["subject_id", "seq"], unique=False)
    op.create_table(
        "machine_keys",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_table(
        "camera_health",
        sa.Column("camera_id", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"],
            ["cameras.id"],
        ),
        sa.PrimaryKeyConstraint("camera_id"),
    )
    op.create_table(
        "reports",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("evidence_key", sa.Text(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.String(length=80), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_reports_recorded_at", "reports", ["recorded_at"], unique=False)
    op.create_index("ix_reports_incident_id", "reports", ["incident_id"], unique=False)
    op.create_index("reports_by_evidence", "reports", ["evidence_key"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["username"], ["accounts.username"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_sessions_username", "sessions", ["username"], unique=False)
    op.bulk_insert(
        sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.BigInteger)),
        [{"name": "log", "value": 0}, {"name": "reports", "value": 0}],
    )
    op.bulk_insert(
        sa.table(
            "fusion_writer",
            sa.column("id", sa.BigInteger),
            sa.column("fencing", sa.BigInteger),
            sa.column("report_seq", sa.BigInteger),
        ),
        [{"id": 1, "fencing": 0, "report_seq": 0}],
    )


def downgrade() -> None:
    """Drop them all; their indexes go with them."""
    op.drop_table("sessions")
    op.drop_table("reports")
    op.drop_table("camera_health")
    op.drop_table("machine_keys")
    op.drop_table("log")
    op.drop_table("incidents")
    op.drop_table("fusion_writer")
    op.drop_table("dead_letters")
    op.drop_table("counters")
    op.drop_table("cameras")
    op.drop_table("calls")
    op.drop_table("accounts")
