"""Words that incidents are found by, when each was founded (`incidents.finding`), and indexes for
reports and retention."""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
BATCH = 2_000
CELLS_DEG = (0.005, 0.03, 0.25)
BESIDE: dict[str, sa.types.TypeEngine[Any]] = {
    "is_open": sa.Boolean(),
    "exercise": sa.Boolean(),
    "lon": sa.Double(),
    "lat": sa.Double(),
    "started_at": TIME,
    "ended_at": TIME,
}
"""What the incidents' rows have and the words' rows get."""
DAY = timedelta(days=1)
RARE = (
    ("incidents_on_hold", "incidents", "founded_seq", "on_hold"),
    ("reports_of_exercises", "reports", "recorded_at", "exercise"),
)
"""Indexes of the few rows that retention looks for."""

INCIDENTS = sa.table(
    "incidents",
    sa.column("id", sa.String()),
    sa.column("founded_seq", WHOLE),
    sa.column("body", sa.Text()),
    sa.column("tags", sa.Text()),
    sa.column("created_at", TIME),
    *(sa.column(name, kind) for name, kind in BESIDE.items()),
)
WORDS = sa.table(
    "incident_words",
    sa.column("word", sa.Text()),
    sa.column("founded_seq", WHOLE),
    *(sa.column(name, kind) for name, kind in BESIDE.items()),
)


def upgrade() -> None:
    """Make the table, fill it from what is there, and drop the column that it replaces."""
    op.create_table(
        "incident_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("founded_seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("word", "founded_seq", postgresql_include=list(BESIDE)),
        sqlite_with_rowid=False,
    )
    # The default only stands until the rows are filled; without it SQLite would copy the table.
    begin = "1970-01-01 00:00:00"
    op.add_column("incidents", sa.Column("created_at", TIME, nullable=False, server_default=begin))
    _fill(op.get_bind())
    op.create_index("incidents_by_creation", "incidents", ["created_at", "founded_seq"])
    op.drop_column("incidents", "tags")
    op.create_index("incidents_by_start", "incidents", ["started_at"])
    for name, table, column, where in RARE:
        op.create_index(
            name,
            table,
            [column],
            sqlite_where=sa.text(f"{where} IS 1"),
            postgresql_where=sa.text(f"{where} IS true"),
        )


def downgrade() -> None:
    """The column comes back with what its words say."""
    op.add_column("incidents", sa.Column("tags", sa.Text(), nullable=False, server_default=""))
    for name, table, _, _ in RARE:
        op.drop_index(name, table)
    op.drop_index("incidents_by_start", "incidents")
    op.drop_index("incidents_by_creation", "incidents")
    op.drop_column("incidents", "created_at")
    connection = op.get_bind()
    op.create_index("incident_words_by_number", "incident_words", ["founded_seq"])
    of_tags = sa.not_(WORDS.c.word.in_(["lasting:", "exercise:", "group:"]))
    last = -1
    while rows := connection.execute(
        sa.select(INCIDENTS.c.founded_seq)
        .where(INCIDENTS.c.founded_seq > last)
        .order_by(INCIDENTS.c.founded_seq)
        .limit(BATCH)
    ).all():
        words: dict[int, list[str]] = {row.founded_seq: [] for row in rows}
        last = rows[-1].founded_seq
        for row in connection.execute(
            sa.select(WORDS).where(
                WORDS.c.founded_seq.in_(words), of_tags, WORDS.c.word.not_like("cell:%")
            )
        ):
            words[row.founded_seq].append(row.word)
        for number, some in words.items():
            if some:
                connection.execute(
                    INCIDENTS.update()
                    .where(INCIDENTS.c.founded_seq == number)
                    .values(tags=f" {' '.join(sorted(some))} ")
                )
    op.drop_table("incident_words")


def _fill(connection: sa.Connection) -> None:
    kept_without_offset = connection.dialect.name == "sqlite"
    last = -1
    while rows := connection.execute(
        sa.select(INCIDENTS)
        .where(INCIDENTS.c.founded_seq > last)
        .order_by(INCIDENTS.c.founded_seq)
        .limit(BATCH)
    ).all():
        last = rows[-1].founded_seq
        words: list[dict[str, Any]] = []
        times: list[dict[str, Any]] = []
        for row in rows:
            incident = json.loads(row.body)
            at = datetime.fromisoformat(incident["created_at"])
            beside = {name: getattr(row, name) for name in BESIDE}
            words += [
                {"word": word, "founded_seq": row.founded_seq, **beside}
                for word in sorted({*row.tags.split(), *_words_beside(incident, at)})
            ]
            stored = at.replace(tzinfo=None) if kept_without_offset else at
            times.append({"of": row.id, "at": stored})
        connection.execute(sa.insert(WORDS), words)
        connection.execute(
            INCIDENTS.update()
            .where(INCIDENTS.c.id == sa.bindparam("of"))
            .values(created_at=sa.bindparam("at", type_=TIME)),
            times,
        )


def _words_beside(incident: dict[str, Any], at: datetime) -> Iterator[str]:
    """Those that aren't tags."""
    estimate = incident["estimate"]
    lon, lat = estimate["location"]["lon"], estimate["location"]["lat"]
    for number, size_deg in enumerate(CELLS_DEG):
        yield f"cell:{number}:{math.floor(lon / size_deg)}:{math.floor(lat / size_deg)}"
    if not incident.get("camera_groups"):
        yield "group:"
    if estimate["exercise"]:
        yield "exercise:"
    started_at = datetime.fromisoformat(estimate["started_at"])
    closed_at = incident.get("closed_at")
    is_soon_over = closed_at is not None and datetime.fromisoformat(closed_at) <= at + DAY
    if not is_soon_over or not at - DAY <= started_at <= at + DAY:
        yield "lasting:"
