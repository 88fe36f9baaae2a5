"""Agencies' units, shelves, handovers, webhooks, and tags that readers filter by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and make the tables."""
    op.add_column("log", sa.Column("tags", sa.Text(), nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("tags", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "incidents", sa.Column("on_hold", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for name in ("log", "incidents"):
        table = sa.table(
            name, *(sa.column(column, sa.Text()) for column in ("tags", "hazard", "level"))
        )
        for tag in ("hazard", "level"):
            op.execute(
                table.update()
                .where(table.c[tag].is_not(None))
                .values(tags=table.c.tags + f" {tag}:" + table.c[tag] + " ")
            )
    op.add_column("accounts", sa.Column("agency_id", sa.String(length=40), nullable=True))
    op.add_column("machine_keys", sa.Column("agency_id", sa.String(length=40), nullable=True))
    op.add_column("dead_letters", sa.Column("sealed", sa.Text(), nullable=True))
    op.create_index("reports_by_kind", "reports", ["kind", "seq"], unique=False)
    op.create_table(
        "units",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("agency_id", sa.String(length=40), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("units_by_agency", "units", ["agency_id"], unique=False)
    op.create_table(
        "shelves",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("shelves_by_end", "shelves", ["until"], unique=False)
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("logged_seq", WHOLE, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("handovers_by_seq", "handovers", ["logged_seq"], unique=True)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("sealed_previous", sa.Text(), nullable=True),
        sa.Column("previous_until", TIME, nullable=True),
        sa.Column("cursor_seq", WHOLE, nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("paused_until", TIME, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.String(length=80), nullable=False),
        sa.Column("seq", WHOLE, nullable=False, autoincrement=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("queued_at", TIME, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"]),
        sa.PrimaryKeyConstraint("webhook_id", "seq"),
    )
    op.create_index(
        "deliveries_by_state", "webhook_deliveries", ["webhook_id", "state", "seq"], unique=False
    )


def downgrade() -> None:
    """Take it all back."""
    for name in ("webhook_deliveries", "webhooks", "handovers", "shelves", "units"):
        op.drop_table(name)
    op.drop_index("reports_by_kind", "reports")
    op.drop_column("dead_letters", "sealed")
    op.drop_column("machine_keys", "agency_id")
    op.drop_column("accounts", "agency_id")
    op.drop_column("incidents", "on_hold")
    op.drop_column("incidents", "tags")
    op.drop_column("log", "tags")
