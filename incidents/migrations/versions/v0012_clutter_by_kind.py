"""Cameras' clutter is learnt a kind of sighting at a time: room for its name. Figures of all kinds
together go; those of each are learnt within minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

LEARNT = sa.table("learnt", sa.column("name", sa.String()))


def upgrade() -> None:
    """Widen the name; forget figures of all kinds together."""
    with op.batch_alter_table("learnt") as table:
        table.alter_column("name", existing_type=sa.String(80), type_=sa.String(120))
    _forget()


def downgrade() -> None:
    """The name gets as narrow as it was; figures by kind are forgotten."""
    _forget()
    with op.batch_alter_table("learnt") as table:
        table.alter_column("name", existing_type=sa.String(120), type_=sa.String(80))


def _forget() -> None:
    op.execute(sa.delete(LEARNT).where(LEARNT.c.name.like("clutter_tracks_per_day/%")))
