"""Alembic's way in: runs on the connection, and in the transaction, that it is given."""

from alembic import context

from incidents.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    # SQLite can't alter a table in place.
    render_as_batch=True,
)
context.run_migrations()
