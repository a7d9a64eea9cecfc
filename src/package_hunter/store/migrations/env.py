"""Runs the migrations on the connection (and in the transaction) that `Store.migrate` hands over."""

from alembic import context

from package_hunter.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a column by copying its table
)
context.run_migrations()
