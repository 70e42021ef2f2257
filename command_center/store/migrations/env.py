"""Alembic's entry: the connection is given by :func:`command_center.store.database.migrate`."""

from alembic import context

from command_center.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
