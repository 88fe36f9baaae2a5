"""The audit log, and what accounts and keys need to be limited and renewed.

The database itself refuses to change the audit log: an entry's details may be taken away, as the
law may want, and the oldest entries may go, up to the anchor; nothing else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)

COUNTERS = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
ANCHOR = sa.table("audit_anchor", sa.column("id"), sa.column("seq"), sa.column("hash"))

KEPT = ("seq", "recorded_at", "actor", "action", "subject", "details_hash", "hash")
REFUSAL = "the audit log is append-only"

# Both lists are put together of names and words of ours.
SQLITE_GUARDS = (
    "CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit WHEN NOT ("
    + " AND ".join(f"NEW.{name} IS OLD.{name}" for name in KEPT)
    + " AND NEW.details IS NULL AND NEW.salt IS NULL)"
    + f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit "  # noqa: S608
    "WHEN OLD.seq > (SELECT seq FROM audit_anchor)"
    f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
POSTGRES_GUARDS = (
    "CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608
    "IF TG_OP = 'DELETE' THEN "
    "IF OLD.seq <= (SELECT seq FROM audit_anchor) THEN RETURN OLD; END IF; "
    "ELSIF "
    + " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in KEPT)
    + " AND NEW.details IS NULL AND NEW.salt IS NULL THEN RETURN NEW; END IF; "
    f"RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_keeps()",
)


def upgrade() -> None:
    """Make the audit log with its guards, and the columns."""
    op.create_table(
        "audit",
        sa.Column("seq", WHOLE, nullable=False, autoincrement=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("details_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("audit_by_subject", "audit", ["subject", "seq"], unique=False)
    op.create_index("audit_by_actor", "audit", ["actor", "seq"], unique=False)
    op.create_table(
        "audit_anchor",
        sa.Column("id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(COUNTERS, [{"name": "audit", "value": 0}])
    op.bulk_insert(ANCHOR, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_GUARDS if is_sqlite else POSTGRES_GUARDS:
        op.execute(statement)

    op.add_column("accounts", sa.Column("camera_groups", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("external_id", sa.String(length=400), nullable=True))
    op.create_index("accounts_by_external_id", "accounts", ["external_id"], unique=True)
    op.add_column("machine_keys", sa.Column("scopes", sa.Text(), nullable=True))
    op.add_column("machine_keys", sa.Column("camera_groups", sa.Text(), nullable=True))
    op.add_column("machine_keys", sa.Column("previous_hash", sa.String(length=64), nullable=True))
    op.add_column("machine_keys", sa.Column("previous_until", TIME, nullable=True))
    op.add_column("machine_keys", sa.Column("used_at", TIME, nullable=True))
    op.create_index("machine_keys_by_previous", "machine_keys", ["previous_hash"], unique=True)


def downgrade() -> None:
    """Take it all back."""
    op.drop_index("machine_keys_by_previous", "machine_keys")
    for name in ("used_at", "previous_until", "previous_hash", "camera_groups", "scopes"):
        op.drop_column("machine_keys", name)
    op.drop_index("accounts_by_external_id", "accounts")
    for name in ("external_id", "camera_groups"):
        op.drop_column("accounts", name)
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_keeps()")
    op.drop_table("audit_anchor")
    op.execute(COUNTERS.delete().where(COUNTERS.c.name == "audit"))
