"""Alembic's entry: runs on the connection the program hands over."""

from alembic import context

from serving.store.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
