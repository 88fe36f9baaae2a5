"""Messages of phones and networks as they came, and which call is whose."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "raw_messages",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("received_seq", WHOLE, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("seen", WHOLE, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("is_trusted", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=True),
        sa.Column("fix_ids", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_raw_messages_received_seq", "raw_messages", ["received_seq"], unique=True)
    op.create_index("ix_raw_messages_received_at", "raw_messages", ["received_at"], unique=False)
    op.create_index("ix_raw_messages_call_id", "raw_messages", ["call_id"], unique=False)
    op.create_table(
        "call_keys",
        sa.Column("key_hash", sa.String(length=80), nullable=False),
        sa.Column("call_id", sa.String(length=80), nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "call_id"),
    )
    op.create_index("ix_call_keys_heard_at", "call_keys", ["heard_at"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("call_keys")
    op.drop_table("raw_messages")
