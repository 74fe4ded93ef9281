"""Alembic's entry: migrates the database of POSTGRES_DSN, or the connection a program hands over."""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from bellhop.settings import env_file
from bellhop.store.connections import sqlalchemy_url
from bellhop.store.settings import PostgresSettings
from bellhop.store.tables import Personal, PersonalJSON, Secret, metadata

# One migration at a time, whoever starts it: API, worker and job may all be started together.
MIGRATION_LOCK = 7_236_512_301


def plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name PostgreSQL's own types: what `Personal` wraps may change, history may not."""
    if kind == "type" and isinstance(item, Personal):
        return "sa.Text()"
    if kind == "type" and isinstance(item, (PersonalJSON, Secret)):
        return "postgresql.JSONB()"
    return False


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_item=plain_type)
    with context.begin_transaction():
        # Waiting for one's turn, and a migration of a big table, may take longer than any query of the running program.
        connection.execute(text("set local lock_timeout = 0"))
        connection.execute(text("set local statement_timeout = 0"))
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        # A table that stays locked by somebody else fails the migration rather than stall everybody behind it.
        connection.execute(text("set local lock_timeout = '5s'"))
        context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    engine = create_engine(
        sqlalchemy_url(PostgresSettings(_env_file=env_file()).dsn.get_secret_value()), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        migrate(connection)
