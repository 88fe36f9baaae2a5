"""Where and when an incident was, as columns, so that maps and exports can ask by them."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)
BATCH = 500
NAMES = ("lon", "lat", "started_at", "ended_at")
INDEX = "incidents_by_place_and_time"


def upgrade() -> None:
    """Add the columns, fill them from the incidents' bodies, and index them."""
    # The defaults only stand until the rows are filled; without them SQLite would copy the table.
    for name in ("lon", "lat"):
        op.add_column("incidents", sa.Column(name, sa.Double(), nullable=False, server_default="0"))
    begin = "1970-01-01 00:00:00"
    op.add_column("incidents", sa.Column("started_at", TIME, nullable=False, server_default=begin))
    op.add_column("incidents", sa.Column("ended_at", TIME, nullable=True))
    _fill(op.get_bind())
    op.create_index(INDEX, "incidents", ["exercise", "founded_seq", *NAMES], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index(INDEX, "incidents")
    for name in NAMES:
        op.drop_column("incidents", name)


def _fill(connection: sa.Connection) -> None:
    kept_without_offset = connection.dialect.name == "sqlite"
    rows = sa.table(
        "incidents",
        sa.column("id", sa.String()),
        sa.column("body", sa.Text()),
        sa.column("lon", sa.Double()),
        sa.column("lat", sa.Double()),
        sa.column("started_at", TIME),
        sa.column("ended_at", TIME),
    )

    def time(text: str | None) -> datetime | None:
        found = None if text is None else datetime.fromisoformat(text)
        return found.replace(tzinfo=None) if found and kept_without_offset else found

    last = ""
    while True:
        batch = connection.execute(
            sa.select(rows.c.id, rows.c.body)
            .where(rows.c.id > last)
            .order_by(rows.c.id)
            .limit(BATCH)
        ).all()
        if not batch:
            return
        for row in batch:
            incident = json.loads(row.body)
            estimate = incident["estimate"]
            connection.execute(
                rows.update()
                .where(rows.c.id == row.id)
                .values(
                    lon=estimate["location"]["lon"],
                    lat=estimate["location"]["lat"],
                    started_at=time(estimate["started_at"]),
                    ended_at=time(incident["closed_at"]),
                )
            )
        last = batch[-1].id
